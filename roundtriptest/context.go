package roundtriptest

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"
)

var contextClauses = []clause{{
	name:   "context/cancel",
	wants:  "the base's request ends with the caller's context",
	stands: "net/http, Request.Context and NewRequestWithContext: the context controls the entire lifetime of a request",
	check:  passesCancellation,
}, {
	name:   "context/values",
	wants:  "the values of the caller's context reach the base",
	stands: "net/http/httptrace: a trace travels in the request's context; context.Context.Value",
	check:  passesValues,
}, {
	name:   "context/response",
	wants:  "the base's context lives until the response's body has been read or closed",
	stands: "net/http, NewRequestWithContext: the context controls the reading of the response's body as well",
	check:  keepsContextAlive,
}}

func passesCancellation(s *suite) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var found findings
	found.add(s.observe(s.get().WithContext(ctx), func(sent *http.Request) {
		cancel()
		select {
		case <-sent.Context().Done():
		case <-time.After(patience):
			found.addf("the caller cancelled its context; the one of the base's request goes on")
		}
	}))
	return found.err()
}

func passesValues(s *suite) error {
	type key struct{}
	ctx := context.WithValue(context.Background(), key{}, "value")
	var found findings
	found.add(s.observe(s.get().WithContext(ctx), func(sent *http.Request) {
		if sent.Context().Value(key{}) != "value" {
			found.addf("a value of the caller's context is not in the one of the base's request")
		}
	}))
	return found.err()
}

func keepsContextAlive(s *suite) error {
	var arrived atomic.Pointer[http.Request]
	resp, err := s.over(roundTripFunc(func(sent *http.Request) (*http.Response, error) {
		arrived.Store(sent)
		resp := answer(sent, http.StatusOK)
		resp.Body = newResponseBody() // with something to read: a wrapper may wait for its end
		return resp, nil
	})).RoundTrip(s.get())
	defer discard(resp)
	sent := arrived.Load()
	switch {
	case sent == nil:
		return notArrived(err)
	case sent.Context().Err() != nil:
		return errors.New("the context of the base's request had ended when RoundTrip returned, with the body unread")
	}
	return nil
}
