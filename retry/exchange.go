package retry

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"example.com/routeauth/internal/problem"
	"example.com/routeauth/internal/replay"
	"example.com/routeauth/internal/sound"
	"github.com/hashicorp/go-retryablehttp"
)

// exchange is one request with all its attempts. Its client decides when there is
// another one, and sees only stand-ins: what was sent and what came back goes past
// it, since the http.Client in it does more than a RoundTripper may.
type exchange struct {
	transport http.RoundTripper
	req       *http.Request
	body      *replay.Body // nil where there is none
	client    *retryablehttp.Client

	next     *http.Request // that was prepared and not sent
	attempts int
	resp     *http.Response // of the last attempt, while it may be handed out
	err      error          // of the last attempt
	stopped  error          // with which the policy ended the attempts
}

func newExchange(transport http.RoundTripper, req *http.Request, client *retryablehttp.Client) *exchange {
	body := replay.Of(req)
	return &exchange{transport: transport, req: req, body: body, client: client, next: body.PrepareWatched(req)}
}

// run sends the request, and returns what the last attempt came to.
func (e *exchange) run() (*http.Response, error) {
	policy, backoff := e.client.CheckRetry, e.client.Backoff
	e.client.CheckRetry = func(ctx context.Context, _ *http.Response, err error) (bool, error) {
		return e.decide(ctx, policy, err)
	}
	e.client.Backoff = e.waiting(backoff)
	e.client.HTTPClient = &http.Client{Transport: roundTripFunc(e.attempt)}
	_, err := e.client.Do(&retryablehttp.Request{Request: standInRequest(e.req)})
	switch {
	case e.next != nil:
		sound.CloseBody(e.next)
		return nil, ended(e.req.Context(), err)
	case e.stopped != nil:
		if e.resp != nil {
			problem.Close(e.resp)
		}
		return nil, e.stopped
	}
	return e.resp, e.err
}

// attempt sends the caller's request once.
func (e *exchange) attempt(standIn *http.Request) (*http.Response, error) {
	sent := e.next
	e.next = nil
	e.attempts++
	e.resp, e.err = sound.RoundTrip("retry: the transport", e.transport, sent)
	if e.err != nil {
		return nil, e.err
	}
	if e.resp.Request == sent {
		e.resp.Request = e.req
	}
	return standInResponse(e.resp, standIn), nil
}

// decide asks the policy about the last attempt, and narrows what it says. err is
// that of the http.Client, which names the method and the URL of the real one.
func (e *exchange) decide(ctx context.Context, policy retryablehttp.CheckRetry, err error) (bool, error) {
	if e.next != nil { // nothing was sent
		return false, err
	}
	var urlErr *url.Error
	if errors.As(err, &urlErr) {
		urlErr.Err = e.err // for which the client may have put another one
	}
	retry, policyErr := policy(ctx, withBody(e.resp), err)
	switch {
	case !retry:
		e.stop(ctx, policyErr, err)
		return false, nil
	case !e.maySendAgain():
		return false, nil
	case e.attempts > e.client.RetryMax:
		return true, nil // and the client stops by itself
	}
	return e.prepare(), nil
}

// stop keeps the error with which the policy ends the attempts, if it is more than
// that of the last attempt or of the context: those do not replace a response.
func (e *exchange) stop(ctx context.Context, policyErr, attemptErr error) {
	if policyErr == nil || attemptErr != nil && policyErr == attemptErr {
		return
	}
	if ctx.Err() != nil && (errors.Is(policyErr, ctx.Err()) || errors.Is(policyErr, context.Cause(ctx))) {
		return
	}
	e.stopped = policyErr
}

// prepare makes the request of the next attempt, while the last response is still
// whole. Without a second body that one is the outcome.
func (e *exchange) prepare() bool {
	next, err := e.body.AgainIfIdle(e.req)
	if err != nil {
		return false
	}
	e.next = next
	return true
}

type roundTripFunc func(req *http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
