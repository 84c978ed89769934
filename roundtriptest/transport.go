package roundtriptest

import (
	"errors"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

var transportClauses = []clause{{
	name:   "transport/idle-connections",
	wants:  "CloseIdleConnections reaches the base, if it has the method",
	stands: "net/http, Client.CloseIdleConnections: does nothing where the Transport has no such method",
	check:  forwardsCloseIdleConnections,
}, {
	name:   "transport/concurrent",
	wants:  "requests that are sent at the same time are not mixed up; run with -race",
	stands: "net/http, RoundTripper: safe for concurrent use by multiple goroutines",
	check:  keepsRequestsApart,
}, {
	name:   "transport/goroutines",
	wants:  "a request leaves no goroutine behind once its response's body is closed",
	stands: "Go Code Review Comments, Goroutine Lifetimes",
	check:  leavesNoGoroutine,
}}

// idleBase counts the calls of CloseIdleConnections.
type idleBase struct {
	roundTripFunc
	calls atomic.Int32
}

func (b *idleBase) CloseIdleConnections() { b.calls.Add(1) }

func forwardsCloseIdleConnections(s *suite) error {
	respond200 := roundTripFunc(func(sent *http.Request) (*http.Response, error) {
		return answer(sent, http.StatusOK), nil
	})
	closeIdle := func(base http.RoundTripper) {
		(&http.Client{Transport: s.over(base)}).CloseIdleConnections()
	}
	closeIdle(respond200) // without the method: no panic
	base := &idleBase{roundTripFunc: respond200}
	closeIdle(base)
	if base.calls.Load() == 0 {
		return errors.New("the client's CloseIdleConnections did not reach the base")
	}
	return nil
}

const (
	concurrent = 8 // requests
	mark       = "X-Request"
	// meetingTime is how long requests wait for one another. A wrapper may send
	// one at a time, and then they never meet.
	meetingTime = 250 * time.Millisecond
)

func keepsRequestsApart(s *suite) error {
	var found findings
	meet := meeting(concurrent)
	wrapper := s.over(roundTripFunc(func(sent *http.Request) (*http.Response, error) {
		meet()
		number := sent.URL.Query().Get(mark)
		if sent.Header.Get(mark) != number {
			found.addf("the base got the URL of one request with the header of another")
		}
		resp := answer(sent, http.StatusOK)
		resp.Header.Set(mark, number)
		return resp, nil
	}))

	var senders sync.WaitGroup
	for i := range concurrent {
		senders.Go(func() {
			found.add(recovered(func() error { return s.sendMarked(wrapper, strconv.Itoa(i)) }))
		})
	}
	senders.Wait()
	return found.err()
}

// sendMarked sends a request with a number in its URL and header, and wants the
// response to it.
func (s *suite) sendMarked(wrapper http.RoundTripper, number string) error {
	req := s.get()
	req.Header.Set(mark, number)
	query := req.URL.Query()
	query.Set(mark, number)
	req.URL.RawQuery = query.Encode()

	resp, err := roundTrip(wrapper, req)
	if err != nil {
		return err
	}
	defer discard(resp)
	if resp.Header.Get(mark) != number {
		return errors.New("a caller got the response to another request")
	}
	if resp.Request != nil && resp.Request.URL.Query().Get(mark) != number {
		return errors.New("a caller got a response whose Request is another one")
	}
	return nil
}

// meeting returns a function that returns when it has been called n times, or
// the meeting time is over.
func meeting(n int32) func() {
	var arrived atomic.Int32
	var once sync.Once
	complete := make(chan struct{})
	return func() {
		if arrived.Add(1) == n {
			once.Do(func() { close(complete) })
		}
		select {
		case <-complete:
		case <-time.After(meetingTime):
			once.Do(func() { close(complete) })
		}
	}
}
