package retry

import (
	"context"
	"errors"
	"net/http"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/internal/problem"
	"github.com/hashicorp/go-retryablehttp"
)

// waiting returns backoff for the real outcome of an attempt, and no shorter than
// the server asks. The client calls it once it has decided to send again.
func (e *exchange) waiting(backoff retryablehttp.Backoff) retryablehttp.Backoff {
	return func(waitMin, waitMax time.Duration, attempt int, _ *http.Response) time.Duration {
		wait := max(backoff(waitMin, waitMax, attempt, e.resp), askedBy(e.resp), askedIn(e.err))
		if e.resp != nil {
			problem.Drain(e.req.Context(), e.resp)
		}
		e.resp, e.err = nil, nil
		return wait
	}
}

// askedBy returns what Retry-After asks for, as go-retryablehttp reads it. With no
// waits of its own DefaultBackoff says nothing else.
func askedBy(resp *http.Response) time.Duration {
	return retryablehttp.DefaultBackoff(0, 0, 0, resp)
}

// askedIn returns what an error asks for, such as that of a token endpoint.
func askedIn(err error) time.Duration {
	var endpoint *routeauth.EndpointError
	if errors.As(err, &endpoint) && endpoint != nil {
		return endpoint.RetryAfter
	}
	var asking interface{ RetryAfter() time.Duration }
	if errors.As(err, &asking) {
		return asking.RetryAfter()
	}
	return 0
}

// ended returns the error of a wait that ctx ended, or else err.
func ended(ctx context.Context, err error) error {
	switch {
	case ctx.Err() == nil:
		return err
	case errors.Is(ctx.Err(), context.Cause(ctx)):
		return ctx.Err()
	}
	return &endedError{ctx.Err(), context.Cause(ctx)}
}

// endedError is the end of a context and its cause.
type endedError struct{ err, cause error }

func (e *endedError) Error() string   { return e.err.Error() + ": " + e.cause.Error() }
func (e *endedError) Unwrap() []error { return []error{e.err, e.cause} }

// Timeout answers net.Error and url.Error, which ask no error in this one.
func (e *endedError) Timeout() bool { return e.err == context.DeadlineExceeded }

// Temporary is asked for by net.Error.
func (e *endedError) Temporary() bool { return e.Timeout() }
