package retry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/retry"
	"github.com/hashicorp/go-retryablehttp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type retryAfterError struct{ after time.Duration }

func (e retryAfterError) Error() string             { return "busy" }
func (e retryAfterError) RetryAfter() time.Duration { return e.after }

// Rule 35: what the server asks for is waited for, whatever the client's Backoff
// says, and also where a token endpoint asks for it.
func TestTheWaitIsNoShorterThanAskedFor(t *testing.T) {
	short := func(_, _ time.Duration, _ int, _ *http.Response) time.Duration { return time.Second }
	long := func(_, _ time.Duration, _ int, _ *http.Response) time.Duration { return time.Hour }
	answer := func(status int, after string) any {
		return func(req *http.Request) (*http.Response, error) {
			resp := response(req, status)
			resp.Header.Set("Retry-After", after)
			return resp, nil
		}
	}
	endpoint := credentialError(t, fmt.Errorf("token: %w", &routeauth.EndpointError{StatusCode: 503, RetryAfter: 40 * time.Second}))
	for name, test := range map[string]struct {
		outcome any
		backoff retryablehttp.Backoff
		want    time.Duration
	}{
		"the default, over RetryWaitMax": {answer(503, "3600"), nil, time.Hour},
		"a shorter one":                  {answer(429, "7"), short, 7 * time.Second},
		"a shorter one, and a date":      {answer(503, "Sat, 01 Jan 2000 00:00:09 GMT"), short, 9 * time.Second},
		"a longer one":                   {answer(503, "7"), long, time.Hour},
		"at once":                        {answer(503, "0"), short, time.Second},
		"nothing readable":               {answer(503, "soon"), short, time.Second},
		"another status":                 {answer(502, "7"), short, time.Second},
		"a token endpoint":               {endpoint, nil, 40 * time.Second},
		"a token endpoint, longer":       {endpoint, long, time.Hour},
		"a source":                       {credentialError(t, retryAfterError{50 * time.Second}), nil, 50 * time.Second},
		"a source that does not ask":     {credentialError(t, errors.New("down")), short, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				settings := retryablehttp.NewClient()
				settings.Backoff = test.backoff
				began := time.Now()
				resp, err := newRetrying(t, &attempts{outcomes: []any{test.outcome, 200}}, retry.WithClient(settings)).RoundTrip(newRequest(t, "GET", ""))
				require.NoError(t, err)
				assert.Equal(t, 200, resp.StatusCode)
				assert.Equal(t, test.want, time.Since(began))
			})
		})
	}
}

// Rule 35: a response whose body stalls is given up after a second, or when the
// context ends.
func TestAStalledBodyDoesNotHoldTheRetryUp(t *testing.T) {
	for name, test := range map[string]struct {
		deadline, want time.Duration
	}{
		"the second attempt":  {time.Minute, 2 * time.Second},
		"the context's end":   {300 * time.Millisecond, 300 * time.Millisecond},
		"the end of the wait": {1500 * time.Millisecond, 1500 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stalled, writer := io.Pipe()
				ctx, cancel := context.WithTimeout(t.Context(), test.deadline)
				defer cancel()
				began := time.Now()
				_, err := newRetrying(t, &attempts{outcomes: []any{func(req *http.Request) (*http.Response, error) {
					return &http.Response{StatusCode: 503, Body: stalled, Request: req}, nil
				}, 200}}).RoundTrip(newRequest(t, "GET", "").WithContext(ctx))
				assert.Equal(t, test.want, time.Since(began))
				assert.Equal(t, test.deadline < time.Minute, errors.Is(err, context.DeadlineExceeded))
				_, err = writer.Write([]byte("x"))
				assert.ErrorIs(t, err, io.ErrClosedPipe, "it is closed")
			})
		})
	}
}

// Rule 35: the error of a wait says that a deadline passed, and whose.
func TestTheEndOfTheWaitIsToldWithItsCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("the job took too long")
		for _, timeout := range []bool{true, false} {
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(time.Millisecond, func() { cancel(cause) })
			if timeout {
				deadline, cancel := context.WithTimeoutCause(t.Context(), time.Millisecond, cause)
				defer cancel()
				ctx = deadline
			}
			req := newRequest(t, "PUT", "body").WithContext(ctx)
			_, err := newRetrying(t, &attempts{outcomes: []any{503}}).RoundTrip(req)
			assert.ErrorIs(t, err, cause)
			assert.ErrorIs(t, err, ctx.Err())
			var netErr net.Error = &url.Error{Err: err}
			assert.Equal(t, timeout, netErr.Timeout())
			assert.Contains(t, err.Error(), cause.Error())
		}
	})
}
