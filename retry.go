package routeauth

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// CheckRetryFunc is the form of go-retryablehttp's CheckRetry.
type CheckRetryFunc = func(ctx context.Context, resp *http.Response, err error) (bool, error)

// CheckRetry narrows next, a retry policy in the form of go-retryablehttp's
// CheckRetry, to what is safe, and never widens it. Where next would retry, a
// request is not sent again
//
//   - after an [*UnauthorizedError]: the same credential does not become valid;
//   - after a [*CredentialError] that is not temporary;
//   - if its method is not idempotent (RFC 9110, section 9.2.2) or not known,
//     unless the server cannot have acted on it: dialing it or its proxy failed,
//     the answer was 429 (RFC 6585, section 4), or the error is a temporary
//     [*CredentialError].
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
func CheckRetry(next CheckRetryFunc) CheckRetryFunc {
	return func(ctx context.Context, resp *http.Response, err error) (bool, error) {
		if next == nil {
			return false, nil
		}
		retry, nextErr := next(ctx, resp, err)
		if retry && !mayBeSentAgain(resp, err) {
			return false, nil
		}
		return retry, nextErr
	}
}

// mayBeSentAgain reports whether sending a request again does no harm and may
// help.
func mayBeSentAgain(resp *http.Response, err error) bool {
	var credential *CredentialError
	switch method := firstMethod(resp, err); {
	case errors.Is(err, ErrUnauthorized):
		return false
	case errors.As(err, &credential):
		// Another method than the first one is that of a later hop.
		return credential.Temporary() && (isIdempotent(method) || method == "" || method == credential.Method)
	case isIdempotent(method):
		return true
	case err != nil:
		return neverConnected(err)
	default:
		return resp != nil && resp.StatusCode == http.StatusTooManyRequests && !mayHaveFollowedRedirect(resp)
	}
}

// firstMethod returns the method of the first request of a redirect chain, or
// "" if it is not known.
func firstMethod(resp *http.Response, err error) string {
	var urlErr *url.Error
	if errors.As(err, &urlErr) {
		return methodOfOp(urlErr.Op)
	}
	for hop := 0; resp != nil && resp.Request != nil && hop < maxHops; hop++ {
		if resp.Request.Response == nil {
			return methodOf(resp.Request)
		}
		resp = resp.Request.Response
	}
	return ""
}

// methodOfOp undoes what net/http makes of a method in an error: "Post" of POST.
// A method in lower case, which net/http sends as it is, is another one.
func methodOfOp(op string) string {
	if op == "" {
		return ""
	}
	return op[:1] + strings.ToUpper(op[1:])
}

// mayHaveFollowedRedirect is true also for a response that does not tell, for
// want of its request.
func mayHaveFollowedRedirect(resp *http.Response) bool {
	return resp.Request == nil || resp.Request.Response != nil
}

// neverConnected reports whether err says that there was no connection over
// which a request could have gone out.
func neverConnected(err error) bool {
	var opErr *net.OpError
	return errors.As(err, &opErr) && (opErr.Op == "dial" || opErr.Op == "proxyconnect")
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
