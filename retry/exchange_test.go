package retry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"example.com/routeauth/retry"
	"github.com/hashicorp/go-retryablehttp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// countedBody counts how often it is closed.
type countedBody struct {
	io.Reader
	closed int
}

func (b *countedBody) Close() error { b.closed++; return nil }

// answering is a base that gives each response a counted body.
func answering(status int, bodies *[]*countedBody) roundTripFunc {
	return func(req *http.Request) (*http.Response, error) {
		if req.Body != nil {
			_, _ = io.Copy(io.Discard, req.Body)
			_ = req.Body.Close()
		}
		body := &countedBody{Reader: strings.NewReader("answer")}
		*bodies = append(*bodies, body)
		return &http.Response{StatusCode: status, Body: body, Request: req}, nil
	}
}

// Rule 35: the last response comes back as it is, whatever the policy says beside
// it, unless the policy ends the attempts with an error of its own.
func TestThePolicysErrorDoesNotTakeTheResponseAway(t *testing.T) {
	refused := errors.New("the policy refuses")
	for name, test := range map[string]struct {
		policy retryablehttp.CheckRetry
		method string
		status int
		sent   int
		want   error
	}{
		"an error while it retries": {retryablehttp.ErrorPropagatedRetryPolicy, "GET", 503, 2, nil},
		"and where it may not":      {retryablehttp.ErrorPropagatedRetryPolicy, "POST", 503, 1, nil},
		"an error that ends it": {func(context.Context, *http.Response, error) (bool, error) {
			return false, refused
		}, "GET", 200, 1, refused},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				settings := retryablehttp.NewClient()
				settings.CheckRetry, settings.RetryMax = test.policy, 1
				var bodies []*countedBody
				resp, err := newRetrying(t, answering(test.status, &bodies), retry.WithClient(settings)).RoundTrip(newRequest(t, test.method, "body"))
				require.Len(t, bodies, test.sent)
				for _, body := range bodies[:test.sent-1] {
					assert.Equal(t, 1, body.closed)
				}
				last := bodies[test.sent-1]
				assert.Equal(t, test.want, err)
				if test.want != nil {
					assert.Nil(t, resp)
					assert.Equal(t, 1, last.closed)
					return
				}
				assert.Same(t, last, resp.Body)
				assert.Zero(t, last.closed)
			})
		})
	}
}

// Rule 35: an error is the transport's own, whether the policy repeats it, wraps it
// in another context's end or says nothing.
func TestThePolicysErrorDoesNotTakeTheErrorAway(t *testing.T) {
	settings := retryablehttp.NewClient()
	settings.CheckRetry = func(_ context.Context, _ *http.Response, err error) (bool, error) { return false, err }
	_, err := newRetrying(t, &attempts{outcomes: []any{cut}}, retry.WithClient(settings)).RoundTrip(newRequest(t, "GET", ""))
	assert.Equal(t, error(cut), err)

	ctx, cancel := context.WithCancel(t.Context())
	_, err = newRetrying(t, roundTripFunc(func(*http.Request) (*http.Response, error) {
		cancel()
		return nil, cut
	})).RoundTrip(newRequest(t, "GET", "").WithContext(ctx))
	assert.Equal(t, error(cut), err)
}

// Rule 35: a response that came in time is a response.
func TestAResponseComesBackThoughTheContextEnds(t *testing.T) {
	cause := errors.New("the user left")
	for name, policy := range map[string]retryablehttp.CheckRetry{
		"the end": retryablehttp.DefaultRetryPolicy,
		"the end, worded": func(ctx context.Context, _ *http.Response, _ error) (bool, error) {
			return false, fmt.Errorf("policy: %w", ctx.Err())
		},
		"its cause": func(ctx context.Context, _ *http.Response, _ error) (bool, error) { return false, context.Cause(ctx) },
	} {
		for _, body := range []string{"", "body"} {
			t.Run(name, func(t *testing.T) {
				settings := retryablehttp.NewClient()
				settings.CheckRetry = policy
				var bodies []*countedBody
				ctx, cancel := context.WithCancelCause(t.Context())
				resp, err := newRetrying(t, roundTripFunc(func(req *http.Request) (*http.Response, error) {
					cancel(cause)
					return answering(200, &bodies)(req)
				}), retry.WithClient(settings)).RoundTrip(newRequest(t, "POST", body).WithContext(ctx))
				require.NoError(t, err)
				assert.Same(t, bodies[0], resp.Body)
				assert.Zero(t, bodies[0].closed)
			})
		}
	}
}

// Rule 4: of a response and an error the error comes back, and the body is closed.
func TestAResponseBesideAnErrorIsClosed(t *testing.T) {
	both := errors.New("both")
	for name, newRequest := range map[string]func() *http.Request{
		"may be sent again": func() *http.Request { return newRequest(t, "POST", "body") },
		"has no body":       func() *http.Request { return newRequest(t, "POST", "") },
		"is sent once": func() *http.Request {
			req := newRequest(t, "POST", "body")
			req.GetBody = nil
			return req
		},
	} {
		t.Run(name, func(t *testing.T) {
			var bodies []*countedBody
			resp, err := newRetrying(t, roundTripFunc(func(req *http.Request) (*http.Response, error) {
				resp, _ := answering(200, &bodies)(req)
				return resp, both
			})).RoundTrip(newRequest())
			assert.Nil(t, resp)
			assert.Equal(t, both, err)
			require.Len(t, bodies, 1)
			assert.Equal(t, 1, bodies[0].closed)
		})
	}
}

type brokenBody struct{ io.Reader }

func (brokenBody) Read([]byte) (int, error) { panic("read") }
func (brokenBody) Close() error             { panic("closed") }

// Rule 6: whatever a transport returns, nothing panics.
func TestABrokenTransportMakesNoPanic(t *testing.T) {
	for name, test := range map[string]struct {
		resp *http.Response
		err  error
		want string
	}{
		"nothing":                      {nil, nil, "neither a response nor an error"},
		"a typed nil":                  {nil, (*url.Error)(nil), "a nil *url.Error as its error"},
		"an error that panics":         {nil, struct{ error }{}, "cannot be read"},
		"a wrapped error that panics":  {nil, &url.Error{Op: "Get", Err: (*url.Error)(nil)}, "cannot be read"},
		"an error and a broken body":   {&http.Response{Body: brokenBody{}}, cut, cut.Error()},
		"an error and no body":         {&http.Response{}, cut, cut.Error()},
		"a response with broken body":  {&http.Response{StatusCode: 503, Body: brokenBody{}}, nil, ""},
		"a response that never begins": {&http.Response{StatusCode: 503, Body: io.NopCloser(emptyReads{})}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := roundTripFunc(func(*http.Request) (*http.Response, error) { return test.resp, test.err })
				for _, body := range []io.Reader{nil, io.NopCloser(strings.NewReader("body"))} {
					req, err := http.NewRequestWithContext(t.Context(), "GET", api, body)
					require.NoError(t, err)
					resp, err := newRetrying(t, base).RoundTrip(req)
					if test.want == "" {
						require.NoError(t, err)
						assert.Same(t, test.resp, resp)
						continue
					}
					assert.Nil(t, resp)
					assert.ErrorContains(t, err, test.want)
				}
			})
		})
	}
}

// emptyReads gives nothing and no error, for ever.
type emptyReads struct{}

func (emptyReads) Read([]byte) (int, error) { return 0, nil }
