package retry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"example.com/routeauth"
	"example.com/routeauth/internal/replay"
	"github.com/hashicorp/go-retryablehttp"
)

// canBeSentOnce reports whether the body of req cannot be had a second time.
func canBeSentOnce(req *http.Request) bool { return !replay.CanSendAgain(req) }

// exchange is one request with all its attempts.
type exchange struct {
	transport http.RoundTripper
	req       *http.Request
	body      *replay.Body // nil where there is none
	attempts  int
	failed    error // that no further attempt would mend
}

func newExchange(transport http.RoundTripper, req *http.Request) *exchange {
	return &exchange{transport: transport, req: req, body: replay.Of(req)}
}

// run sends the request with client, which decides when.
func (e *exchange) run(client *retryablehttp.Client) (*http.Response, error) {
	next := client.CheckRetry
	client.CheckRetry = func(ctx context.Context, resp *http.Response, err error) (bool, error) {
		retry, nextErr := next(ctx, resp, err)
		if retry && !e.maySendAgain(resp, err) {
			return false, nil
		}
		return retry, nextErr
	}
	client.HTTPClient = &http.Client{
		Transport:     roundTripFunc(e.attempt),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	// The client sees a request without a body, so that it does not read it into
	// memory; attempt sends the caller's.
	shell := *e.req
	shell.Body, shell.GetBody, shell.ContentLength = nil, nil, 0
	resp, err := client.Do(&retryablehttp.Request{Request: &shell})
	if e.attempts == 0 {
		closeBody(e.req)
	}
	if err != nil {
		return nil, e.unwrap(err)
	}
	return resp, nil
}

// unwrap returns the transport's own error, which the client has wrapped as that
// of a whole call.
func (e *exchange) unwrap(err error) error {
	var urlErr *url.Error
	if errors.As(err, &urlErr) {
		err = urlErr.Err
	}
	if ctx := e.req.Context(); ctx.Err() != nil && errors.Is(err, ctx.Err()) && !errors.Is(err, context.Cause(ctx)) {
		return fmt.Errorf("%w: %w", err, context.Cause(ctx))
	}
	return err
}

// attempt sends the caller's request once.
func (e *exchange) attempt(shell *http.Request) (*http.Response, error) {
	e.attempts++
	sent := e.req
	if e.attempts == 1 {
		sent = e.body.PrepareWatched(e.req)
	} else {
		var err error
		if sent, err = e.body.Again(e.req); err != nil {
			e.failed = fmt.Errorf("retry: the body cannot be sent again: %w", err)
			return nil, e.failed
		}
	}
	resp, err := e.transport.RoundTrip(sent)
	if resp != nil && resp.Request == sent {
		resp.Request = e.req
	}
	return resp, err
}

// maySendAgain narrows what the policy would try again.
func (e *exchange) maySendAgain(resp *http.Response, err error) bool {
	if _, kept := routeauth.UnauthorizedFrom(resp); kept || e.failed != nil {
		return false
	}
	if e.isIdempotent() {
		return allows(resp, err, http.MethodGet)
	}
	followed := e.req.Response != nil || resp != nil && resp.Request != nil && resp.Request.Response != e.req.Response
	if followed || err != nil && e.body.WasRead() && !isCredentialError(err) {
		return false
	}
	return allows(resp, err, e.req.Method)
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

func isCredentialError(err error) bool {
	var credential *routeauth.CredentialError
	return errors.As(err, &credential)
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

type roundTripFunc func(req *http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
