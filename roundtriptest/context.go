package roundtriptest

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// contextClauses ask what becomes of the request's context on its way to the
// base.
var contextClauses = []clause{{
	name:     "context/cancel",
	requires: "the base's request ends with the caller's context",
	quotes:   []sentence{contextCancels},
	check:    passesCancellation,
}, {
	name:     "context/reading",
	requires: "the base's request ends with the caller's context also while the response's body is being read",
	quotes:   []sentence{contextCancels, contextLifetime},
	check:    passesLateCancellation,
}, {
	name:     "context/lifetime",
	requires: "the base's context does not end before the response's body has been read or closed",
	quotes:   []sentence{contextCancels, contextLifetime},
	check:    keepsContextAlive,
}, {
	name:     "context/values",
	requires: "the values of the caller's context, such as a trace, reach the base",
	quotes:   []sentence{contextOfRequest, traceHooks},
	check:    passesValues,
}}

func passesCancellation(s *suite) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var found findings
	if err := s.observe(s.get().WithContext(ctx), func(sent *http.Request) {
		cancel()
		if !ends(sent.Context()) {
			found.addf("the caller cancelled its context; the one of the base's request goes on")
		}
	}); err != nil {
		return err
	}
	return found.err()
}

// ends reports whether a context ends that should have ended by now.
func ends(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return true
	case <-time.After(promptly):
		return false
	}
}

// sendAndHold sends a GET and returns the response, unread, with the context
// that the base got.
func (s *suite) sendAndHold(ctx context.Context) (context.Context, *http.Response, error) {
	var arrived atomic.Pointer[http.Request]
	wrapper, err := s.over(roundTripFunc(func(sent *http.Request) (*http.Response, error) {
		arrived.Store(sent)
		resp := answer(sent, http.StatusOK)
		resp.Body = newTrackedBody(answerText) // with something to read: a wrapper may wait for its end
		return resp, nil
	}))
	if err != nil {
		return nil, nil, err
	}
	resp, err := wrapper.RoundTrip(s.get().WithContext(ctx))
	sent := arrived.Load()
	if sent == nil {
		discard(resp)
		return nil, nil, notArrived(err)
	}
	return sent.Context(), resp, nil
}

func passesLateCancellation(s *suite) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	sent, resp, err := s.sendAndHold(ctx)
	if err != nil {
		return err
	}
	defer discard(resp)
	cancel()
	if !ends(sent) {
		return errors.New("the caller cancelled its context while the response's body was unread; the one of the base's request goes on")
	}
	return nil
}

func keepsContextAlive(s *suite) error {
	sent, resp, err := s.sendAndHold(context.Background())
	if err != nil {
		return err
	}
	defer discard(resp)
	if sent.Err() != nil {
		return errors.New("the context of the base's request had ended when RoundTrip returned, with the body unread")
	}
	return nil
}

func passesValues(s *suite) error {
	type key struct{}
	ctx := context.WithValue(context.Background(), key{}, "value")
	trace := &httptrace.ClientTrace{}
	ctx = httptrace.WithClientTrace(ctx, trace)
	var found findings
	if err := s.observe(s.get().WithContext(ctx), func(sent *http.Request) {
		switch sent := sent.Context(); {
		case httptrace.ContextClientTrace(sent) == nil:
			found.addf("the trace of the caller's context is not in the one of the base's request")
		case sent.Value(key{}) != "value":
			found.addf("a value of the caller's context is not in the one of the base's request")
		}
	}); err != nil {
		return err
	}
	return found.err()
}
