package routeauth

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"example.com/routeauth/internal/origin"
	"example.com/routeauth/internal/sound"
)

// CheckRetryFunc is the form of go-retryablehttp's CheckRetry.
type CheckRetryFunc = func(ctx context.Context, resp *http.Response, err error) (bool, error)

// CheckRetry narrows next, a retry policy in the form of go-retryablehttp's
// CheckRetry, to what is safe, and never widens it. Where next would retry, a
// request is not sent again
//
//   - after an [*UnauthorizedError], or a response that [UnauthorizedFrom] knows:
//     the same credential does not become valid;
//   - after a [*CredentialError] that is not temporary;
//   - if its method is not idempotent (RFC 9110, section 9.2.2) or not known,
//     unless the server cannot have acted on it: dialing it or its proxy failed,
//     the answer was 429 (RFC 6585, section 4), or the error is a temporary
//     [*CredentialError]. Of several errors that were joined, each must say so.
//     Starting a generation costs money, and is not done twice.
//
// Then CheckRetry's function returns false and no error, so that the caller
// keeps the real response or error. In everything else it returns what next
// returns. A nil next retries nothing.
//
// The method that counts is the first one of a redirect chain, and the
// exceptions hold only where no redirect was followed: a POST that was answered
// 303 has been acted on, whatever became of the GET after it. An error does not
// tell whether a redirect was followed. So set CheckRedirect of
// go-retryablehttp's HTTPClient to a function that returns
// [http.ErrUseLastResponse], and let the outermost client follow redirects.
//
// A request with the header field Idempotency-Key or X-Idempotency-Key, even one
// with a nil value, was declared idempotent by whoever set it. net/http itself
// sends such a POST again when a connection that was used before is cut
// ([http.Transport]). Its error then is that of the last attempt, which may say
// that dialing failed although the first attempt reached the server. CheckRetry
// does not see the fields of a request that failed. So set one of them only
// where the API knows it.
func CheckRetry(next CheckRetryFunc) CheckRetryFunc {
	return func(ctx context.Context, resp *http.Response, err error) (bool, error) {
		if next == nil {
			return false, nil
		}
		retry, nextErr := next(ctx, resp, err)
		if retry && !mayBeSentAgain(resp, sound.Error("routeauth: the transport", err)) {
			return false, nil
		}
		return retry, nextErr
	}
}

// mayBeSentAgain reports whether a request is safe and useful to retry.
func mayBeSentAgain(resp *http.Response, err error) bool {
	method := firstMethod(resp, err)
	if _, kept := UnauthorizedFrom(resp); kept {
		return false
	}
	switch {
	case errors.Is(err, ErrUnauthorized), holdsError(err, func(e *CredentialError) bool { return !e.Temporary() }):
		return false
	case isIdempotent(method):
		return true
	case err != nil:
		return neverSent(err, method)
	default:
		return resp != nil && resp.StatusCode == http.StatusTooManyRequests && !mayHaveFollowedRedirect(resp)
	}
}

// firstMethod returns the method of the first request of a redirect chain, or
// "" if it is not known.
func firstMethod(resp *http.Response, err error) string {
	if err != nil {
		return methodIn(err)
	}
	for hop := 0; resp != nil && resp.Request != nil && hop < origin.MaxHops; hop++ {
		if resp.Request.Response == nil {
			return methodOf(resp.Request)
		}
		resp = resp.Request.Response
	}
	return ""
}

// methodIn returns the method that an error of net/http names, or "". Of errors
// that were joined all must name the same one.
func methodIn(err error) (method string) {
	if urlErr, ok := err.(*url.Error); ok {
		return methodOfOp(urlErr.Op)
	}
	for i, err := range unwrap(err) {
		if found := methodIn(err); i == 0 {
			method = found
		} else if found != method {
			return ""
		}
	}
	return method
}

// methodOfOp undoes what net/http makes of a method in an error: "Post" of POST.
// A method in lower case, which net/http sends unchanged, is another one.
func methodOfOp(op string) string {
	if op == "" {
		return ""
	}
	return op[:1] + strings.ToUpper(op[1:])
}

// mayHaveFollowedRedirect is true also for a response that does not tell,
// because it lacks its request.
func mayHaveFollowedRedirect(resp *http.Response) bool {
	return resp.Request == nil || resp.Request.Response != nil
}

// neverSent reports whether err says that a request with this method did not go
// out: there was no connection or no credential for it.
func neverSent(err error, method string) bool {
	switch e := err.(type) {
	case *net.OpError:
		return e.Op == "dial" || e.Op == "proxyconnect"
	case *CredentialError:
		// Another method than the first one is that of a later hop.
		return method == "" || method == e.Method
	case *redactedError:
		return neverSent(e.cause(), method)
	}
	inner := unwrap(err)
	return len(inner) > 0 && !slices.ContainsFunc(inner, func(err error) bool { return !neverSent(err, method) })
}

// unwrap returns what err wraps.
func unwrap(err error) []error {
	switch wrapping := err.(type) {
	case interface{ Unwrap() error }:
		if inner := wrapping.Unwrap(); inner != nil {
			return []error{inner}
		}
	case interface{ Unwrap() []error }:
		return wrapping.Unwrap()
	}
	return nil
}

// isIdempotent reports whether a method is idempotent as RFC 9110, section
// 9.2.2, defines it.
func isIdempotent(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}
