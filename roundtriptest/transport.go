package roundtriptest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/pprof"
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
	concurrent = 8
	// meetingTime is how long requests wait for one another. A wrapper may send
	// one at a time, and then they never meet.
	meetingTime = 250 * time.Millisecond
)

func keepsRequestsApart(s *suite) error {
	const mark = "X-Request"
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
			found.add(recovered(func() error {
				number := strconv.Itoa(i)
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
			}))
		})
	}
	senders.Wait()
	return found.err()
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

func leavesNoGoroutine(s *suite) error {
	// As long as the check lasts, the requests' context does not end: whoever
	// waits for it is left behind.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var failing atomic.Bool
	wrapper := s.over(roundTripFunc(func(sent *http.Request) (*http.Response, error) {
		resp := answer(sent, http.StatusOK)
		if failing.Load() {
			return nil, errBase
		}
		return resp, nil
	}))
	send := func(ctx context.Context) {
		req, _ := s.post()
		resp, _ := wrapper.RoundTrip(req.WithContext(ctx))
		discard(resp)
	}

	send(ctx) // What the first request starts may live as long as the wrapper.
	label := strconv.FormatInt(labels.Add(1), 10)
	pprof.Do(ctx, pprof.Labels(labelKey, label), func(ctx context.Context) {
		send(ctx)
		failing.Store(true)
		send(ctx)
	})
	return noneLabelled(label)
}

// A goroutine inherits the labels of the one that started it. This tells those
// of a request from whatever else the process is doing, other tests included.
const labelKey = "roundtriptest"

var labels atomic.Int64

// noneLabelled waits for all goroutines with a label to end.
func noneLabelled(label string) error {
	timeout := time.After(patience)
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		stacks, err := labelled(label)
		if err != nil || len(stacks) == 0 {
			return err
		}
		select {
		case <-again.C:
		case <-timeout:
			return fmt.Errorf("goroutines that a request started are still there:\n%s", bytes.Join(stacks, []byte("\n\n")))
		}
	}
}

// labelled returns the stacks of the goroutines with a label.
func labelled(label string) (stacks [][]byte, err error) {
	var profile bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
		return nil, fmt.Errorf("listing the goroutines: %w", err)
	}
	mark := fmt.Appendf(nil, "%q:%q", labelKey, label)
	for stack := range bytes.SplitSeq(profile.Bytes(), []byte("\n\n")) {
		if bytes.Contains(stack, mark) {
			stacks = append(stacks, stack)
		}
	}
	return stacks, nil
}
