package retry

import (
	"context"
	"net/http"
	"net/url"

	"example.com/routeauth"
)

// maySendAgain narrows what the policy would try again.
func (e *exchange) maySendAgain() bool {
	if _, kept := routeauth.UnauthorizedFrom(e.resp); kept {
		return false
	}
	if e.isIdempotent() {
		return allows(e.resp, e.err, http.MethodGet)
	}
	followed := e.req.Response != nil || e.resp != nil && e.resp.Request != nil && e.resp.Request.Response != e.req.Response
	if followed || e.err != nil && e.body.WasRead() && !isCredentialError(e.err) {
		return false
	}
	return allows(e.resp, e.err, e.req.Method)
}

// allows asks the rule for a policy of one's own, about a request with this
// method.
func allows(resp *http.Response, err error, method string) bool {
	if err != nil {
		err = &url.Error{Op: method, Err: unwrapURLError(err)}
	} else if resp != nil {
		asked := *resp
		asked.Request = &http.Request{Method: method}
		resp = &asked
	}
	yes := func(context.Context, *http.Response, error) (bool, error) { return true, nil }
	allowed, _ := routeauth.CheckRetry(yes)(context.Background(), resp, err)
	return allowed
}

func unwrapURLError(err error) error {
	if urlErr, ok := err.(*url.Error); ok && urlErr.Err != nil {
		return urlErr.Err
	}
	return err
}

// isCredentialError reports whether err is a CredentialError or wraps one and
// nothing beside it. An error that was joined to it may be of another request,
// such as a hop after one that reached the server.
func isCredentialError(err error) bool {
	for err != nil {
		if _, ok := err.(*routeauth.CredentialError); ok {
			return true
		}
		wrapping, ok := err.(interface{ Unwrap() error })
		if !ok {
			return false
		}
		err = wrapping.Unwrap()
	}
	return false
}

// isIdempotent reports whether sending the request twice does no harm: by its
// method, which is the first one of a redirect chain, or by its caller's word.
func (e *exchange) isIdempotent() bool {
	for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
		if _, declared := e.req.Header[name]; declared { // also with a nil value, as net/http has it
			return true
		}
	}
	first := e.req
	for hop := 0; first.Response != nil; hop++ {
		if first.Response.Request == nil || hop == maxHops {
			return false
		}
		first = first.Response.Request
	}
	switch first.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}

// maxHops bounds the walk back along a redirect chain.
const maxHops = 100
