package roundtriptest

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

var concurrencyClauses = []clause{{
	name:     "transport/concurrent",
	requires: "requests that are sent at the same time are not mixed up; run with -race",
	quotes:   []sentence{safeForConcurrentUse},
	check:    keepsRequestsApart,
}}

const (
	concurrent = 8 // requests
	mark       = "X-Request"
	// meetingTime is how long requests wait for one another. A wrapper may send
	// one at a time, and then they never meet.
	meetingTime = 250 * time.Millisecond
)

func keepsRequestsApart(s *suite) error {
	var mixed atomic.Bool
	meet := meeting(concurrent)
	wrapper, err := s.over(roundTripFunc(func(sent *http.Request) (*http.Response, error) {
		meet()
		// What does not arrive at all is not mixed up.
		marks := []string{sent.URL.Query().Get(mark), sent.Header.Get(mark), numberIn(read(sent.Body).text)}
		marks = slices.DeleteFunc(marks, func(number string) bool { return number == "" })
		if len(slices.Compact(slices.Clone(marks))) > 1 {
			mixed.Store(true)
		}
		resp := answer(sent, http.StatusOK)
		if len(marks) > 0 {
			resp.Header.Set(mark, marks[0])
			resp.Body = newTrackedBody(numbered(marks[0]))
			resp.ContentLength = int64(len(numbered(marks[0])))
		}
		return resp, nil
	}))
	if err != nil {
		return err
	}

	var senders sync.WaitGroup
	errs := make([]error, concurrent)
	for i := range errs {
		senders.Go(func() {
			errs[i] = recovered(func() error { return s.sendMarked(wrapper, strconv.Itoa(i)) })
		})
	}
	senders.Wait()

	// Which of the requests it hits is up to chance.
	var texts []string
	for _, err := range errs {
		if err != nil {
			texts = append(texts, err.Error())
		}
	}
	slices.Sort(texts)
	var found findings
	if mixed.Load() {
		found.addf("the base got a part of one request with a part of another")
	}
	for _, text := range texts {
		found.addf("%s", text)
	}
	return found.err()
}

// atOnce calls f with each number below n, all at the same time, and returns what
// the first of them returned that failed or crashed.
func atOnce(n int, f func(i int) error) error {
	errs := make([]error, n)
	var calls sync.WaitGroup
	for i := range n {
		calls.Go(func() { errs[i] = recovered(func() error { return f(i) }) })
	}
	calls.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// numbered returns a body with a number in it, and numberIn reads it.
func numbered(number string) string { return `{"number":` + number + `}` }

func numberIn(text string) string {
	return strings.TrimSuffix(strings.TrimPrefix(text, `{"number":`), `}`)
}

// sendMarked sends a request with a number in its URL, header and body, and
// expects the response to it. Then it changes the request, which a wrapper must be
// done with by now: the race detector sees one that is not.
func (s *suite) sendMarked(wrapper http.RoundTripper, number string) error {
	req, _ := s.sending(http.MethodPost, numbered(number))
	req.Header.Set(mark, number)
	query := req.URL.Query()
	query.Set(mark, number)
	req.URL.RawQuery = query.Encode()

	resp, err := wrapper.RoundTrip(req)
	if err := cameBack(resp, err); err != nil {
		return fmt.Errorf("a response: %w", err)
	}
	defer discard(resp)
	for _, got := range []string{resp.Header.Get(mark), numberIn(read(resp.Body).text)} {
		if got != "" && got != number {
			return errors.New("a caller got the response to another request")
		}
	}
	if sent := resp.Request; sent != nil && sent.URL != nil {
		if got := sent.URL.Query().Get(mark); got != "" && got != number {
			return errors.New("a caller got a response whose Request is another one")
		}
	}
	discard(resp)
	req.Header.Set(mark, "used again")
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
