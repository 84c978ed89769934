package roundtriptest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// contextFaults break one clause each.
var contextFaults = []fault{
	{name: "drops the cancellation until the base returns", fails: []string{"context/cancel"},
		wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			ctx, cancel := context.WithCancelCause(context.WithoutCancel(req.Context()))
			resp, err := base.RoundTrip(req.WithContext(ctx))
			context.AfterFunc(req.Context(), func() { cancel(context.Cause(req.Context())) })
			if resp != nil && resp.Request != nil && resp.StatusCode == http.StatusOK {
				resp.Request = req
			}
			return resp, err
		})},
	{name: "passes the cancellation on until it returns", fails: []string{"context/reading"},
		wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			ctx, cancel := context.WithCancelCause(context.WithoutCancel(req.Context()))
			stop := context.AfterFunc(req.Context(), func() { cancel(context.Cause(req.Context())) })
			defer stop()
			return base.RoundTrip(req.WithContext(ctx))
		})},
	{name: "ends a timeout when the base returns", fails: []string{"context/lifetime"},
		wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			ctx, cancel := context.WithTimeout(req.Context(), time.Minute)
			defer cancel()
			return base.RoundTrip(req.WithContext(ctx))
		})},
	{name: "drops the values of the context", fails: []string{"context/values"},
		wrap: sending(func(req *http.Request) *http.Request {
			ctx, cancel := context.WithCancelCause(context.Background())
			context.AfterFunc(req.Context(), func() { cancel(context.Cause(req.Context())) })
			return req.WithContext(ctx)
		})},
	{name: "hides the caller's trace", fails: []string{"context/values"},
		wrap: sending(func(req *http.Request) *http.Request {
			return req.WithContext(withoutTrace{req.Context()})
		})},
}

// withoutTrace is a context without the trace that is in it.
type withoutTrace struct{ context.Context }

func (c withoutTrace) Value(key any) any {
	value := c.Context.Value(key)
	if _, ok := value.(*httptrace.ClientTrace); ok {
		return nil
	}
	return value
}

// waitFaults break one clause each.
var waitFaults = []fault{
	{name: "sleeps before it sends", fails: []string{"context/wait"},
		wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			time.Sleep(time.Second)
			return base.RoundTrip(req)
		})},
	{name: "sleeps before it sends a second request", fails: []string{"context/wait"},
		wrap: func(base http.RoundTripper) (http.RoundTripper, error) {
			var sent atomic.Bool
			return wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
				if sent.Swap(true) {
					time.Sleep(time.Second)
				}
				return base.RoundTrip(req)
			})(base)
		}},
	{name: "sends ten requests at once and then sleeps", fails: []string{"context/wait"},
		wrap: func(base http.RoundTripper) (http.RoundTripper, error) {
			var sent atomic.Int32
			return wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
				if sent.Add(1) > 10 {
					time.Sleep(100 * time.Millisecond)
				}
				return base.RoundTrip(req)
			})(base)
		}},
	{name: "sends one request at a time, whatever happens", fails: []string{"context/wait"},
		wrap: func(base http.RoundTripper) (http.RoundTripper, error) {
			turn := make(chan struct{}, 1)
			return wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
				turn <- struct{}{}
				defer func() { <-turn }()
				return base.RoundTrip(req)
			})(base)
		}},
	{name: "has a timeout of its own for its wait, and says no more", fails: []string{"context/timeout"},
		wrap: waiting(time.Second, func(ctx context.Context) error {
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return errors.New("no token")
			}
			return context.Cause(ctx)
		})},
	{name: "wraps the timeout of its wait", fails: []string{"context/timeout"},
		wrap: waiting(time.Second, func(ctx context.Context) error {
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return fmt.Errorf("no token: %w", ctx.Err())
			}
			return context.Cause(ctx)
		})},
	{name: "hides the timeout of the base", fails: []string{"context/timeout"},
		wrap: returning(func(_ *http.Request, resp *http.Response, err error) (*http.Response, error) {
			if errors.Is(err, context.DeadlineExceeded) {
				return nil, errors.New("it took too long")
			}
			return resp, err
		})},
	{name: "says that its wait was cancelled, and not why", fails: []string{"context/cause"},
		wrap: waiting(time.Second, context.Context.Err)},
	{name: "hides the cause of the base's error", fails: []string{"context/cause"},
		wrap: returning(func(_ *http.Request, resp *http.Response, err error) (*http.Response, error) {
			if errors.Is(err, errCause) {
				return nil, context.Canceled
			}
			return resp, err
		})},
	{name: "gives up a request without closing its body", fails: []string{"body/closed-on-refusal"},
		wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			select {
			case <-time.After(time.Second):
				return base.RoundTrip(req)
			case <-req.Context().Done():
				return nil, context.Cause(req.Context())
			}
		})},
}

// waiting returns the wrap of a wrapper that waits before it sends a request,
// and returns an error of its own where the context ends.
func waiting(d time.Duration, gaveUp func(ctx context.Context) error) WrapFunc {
	return wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
		select {
		case <-time.After(d):
			return base.RoundTrip(req)
		case <-req.Context().Done():
			discardBody(req)
			return nil, gaveUp(req.Context())
		}
	})
}

// waitVerdicts returns what the clauses about waiting say, in real time: a
// bubble's clock stands still while a goroutine waits for a mutex.
func waitVerdicts(t *testing.T, wrap WrapFunc) map[string]error {
	s, err := newSuite(wrap)
	require.NoError(t, err)
	verdicts := make(map[string]error)
	for _, c := range waitClauses {
		verdicts[c.name] = s.verdict(c)
	}
	return verdicts
}

// A busy machine takes longer than the context lives, and a wrapper that makes an
// error of an answer then returns it late: it waited for nothing.
func TestAnErrorThatIsMadeOfAnAnswerIsNoneAboutTheContext(t *testing.T) {
	failed := failures(t, wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
		resp, err := base.RoundTrip(req)
		if resp == nil || resp.StatusCode != http.StatusUnauthorized && resp.StatusCode != http.StatusServiceUnavailable {
			return resp, err
		}
		time.Sleep(4 * soon)
		_ = resp.Body.Close()
		return nil, errors.New(resp.Status)
	}))
	assert.NotContains(t, failed, "context/timeout")
	assert.NotContains(t, failed, "context/cause")
}

// An error in the words of another one is about the context all the same, where the
// wrapper was waiting.
func TestAnErrorThatHidesAWaitAfterAnAnswerIsFound(t *testing.T) {
	// waitAfterAnswer waits after a 503, so many times, and says why it stopped.
	waitAfterAnswer := func(times int, d time.Duration, stopped, gaveUp string) WrapFunc {
		return wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			for nth := 0; ; nth++ {
				resp, err := base.RoundTrip(req)
				if resp == nil || resp.StatusCode != http.StatusServiceUnavailable {
					return resp, err
				}
				_ = resp.Body.Close()
				if nth == times {
					return nil, errors.New(gaveUp)
				}
				select {
				case <-time.After(d):
				case <-req.Context().Done():
					return nil, errors.New(stopped)
				}
			}
		})
	}
	for name, wrap := range map[string]WrapFunc{
		"as it does after several answers": waitAfterAnswer(2, 200*time.Millisecond, "giving up after a 503", "giving up after a 503"),
		"as it would in an hour":           waitAfterAnswer(1, time.Hour, "giving up after a 503", "giving up after a 503"),
		"in words of its own":              waitAfterAnswer(1, 200*time.Millisecond, "stopped", "giving up after a 503"),
	} {
		failed := failures(t, wrap)
		assert.Contains(t, failed, "context/timeout", name)
		assert.Contains(t, failed, "context/cause", name)
	}
}

func TestAMutexAroundTheBaseIsAWaitWithoutEnd(t *testing.T) {
	verdicts := waitVerdicts(t, func(base http.RoundTripper) (http.RoundTripper, error) {
		var mu sync.Mutex
		return wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			mu.Lock()
			defer mu.Unlock()
			return base.RoundTrip(req)
		})(base)
	})
	assert.ErrorContains(t, verdicts["context/wait"], "while the base has others")
	assert.NoError(t, verdicts["context/timeout"])
	assert.NoError(t, verdicts["context/cause"])
}

func TestARetryThatSleepsIsAWaitWithoutEnd(t *testing.T) {
	for status, says := range map[int]string{503: "after a 503", 429: "after a 429"} {
		failed := failures(t, wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			resp, err := base.RoundTrip(req)
			if resp != nil && resp.StatusCode == status {
				time.Sleep(time.Hour)
			}
			return resp, err
		}))
		assert.ErrorContains(t, failed["context/wait"], says)
	}
}

// In real time and on a busy machine, a wrapper that takes its time is told from
// one that waits without an end.
func TestAWaitThatEndsWithTheContextPassesInRealTime(t *testing.T) {
	for name, err := range waitVerdicts(t, waiting(200*time.Millisecond, context.Cause)) {
		assert.NoError(t, err, name)
	}
}

func TestASleepIsFoundInRealTime(t *testing.T) {
	verdicts := waitVerdicts(t, wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
		time.Sleep(200 * time.Millisecond)
		return base.RoundTrip(req)
	}))
	assert.ErrorContains(t, verdicts["context/wait"], "that the wrapper delays")
}
