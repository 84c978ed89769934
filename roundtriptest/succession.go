package roundtriptest

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// sendsIdentical adds what became of identical requests, one after the other and
// at the same time, over one wrapper: none may be answered with the response to
// another.
func (s *suite) sendsIdentical(found *findings) error {
	var atOnce atomic.Bool
	var arrived atomic.Int32
	meet := meeting(concurrent)
	wrapper, err := s.over(roundTripFunc(func(sent *http.Request) (*http.Response, error) {
		arrived.Add(1)
		if atOnce.Load() {
			meet()
		}
		return answer(sent, http.StatusOK), nil
	}))
	if err != nil {
		return err
	}
	send := func() { sendAndRead(wrapper, s.get()) }
	check := func(when string) {
		// Less than one is told by the other requests.
		if n := arrived.Swap(0); n != concurrent && n > 0 {
			found.addf("of %d identical GETs sent %s, %d reached the base", concurrent, when, n)
		}
	}
	for range concurrent {
		send()
	}
	check("one after the other")
	atOnce.Store(true)
	var senders sync.WaitGroup
	for range concurrent {
		senders.Go(send)
	}
	senders.Wait()
	check("at the same time")
	return nil
}

// sendAndRead sends a request and reads the response to its end: what keeps
// responses has one only then.
func sendAndRead(wrapper http.RoundTripper, req *http.Request) {
	_ = recovered(func() error {
		resp, err := wrapper.RoundTrip(req)
		if resp != nil && resp.Body != nil {
			_ = read(resp.Body)
		}
		discard(resp)
		return err
	})
}

// sendsCacheable adds what became of identical requests whose responses may be
// kept: that is for whoever stands above a RoundTripper to do.
func (s *suite) sendsCacheable(found *findings) error {
	const times = 3
	kinds := []form{
		{status: http.StatusOK, method: http.MethodGet},
		{status: http.StatusOK, method: http.MethodHead},
		{status: http.StatusOK, method: http.MethodPost},
		{status: http.StatusMovedPermanently, method: http.MethodGet},
		{status: http.StatusNotFound, method: http.MethodGet},
	}
	arrived := make([]atomic.Int32, len(kinds))
	if err := atOnce(len(kinds), func(i int) error {
		wrapper, err := s.over(roundTripFunc(func(sent *http.Request) (*http.Response, error) {
			arrived[i].Add(1)
			resp := cacheable(answer(sent, kinds[i].status))
			if kinds[i].status/100 == 3 {
				resp.Header.Set("Location", s.url.String())
			}
			return resp, nil
		}))
		if err != nil {
			return err
		}
		for range times {
			req := s.get()
			req.Method = kinds[i].method
			if req.Method == http.MethodPost {
				req, _ = s.sending(req.Method, small)
				req.Header.Set("Idempotency-Key", "1")
			}
			sendAndRead(wrapper, req)
		}
		return nil
	}); err != nil {
		return err
	}
	for i, f := range kinds {
		if n := arrived[i].Load(); n > 0 && n < times {
			found.addf("of %d identical requests for %s that may be kept, %d reached the base", times, f, n)
		}
	}
	return nil
}

// cacheable gives a response a body, unless it answers a HEAD, and says that it
// may be kept.
func cacheable(resp *http.Response) *http.Response {
	now := time.Now().UTC()
	for name, value := range map[string]string{
		"Content-Type":   "application/json",
		"Content-Length": strconv.Itoa(len(answerText)),
		"Cache-Control":  "public, max-age=60",
		"Date":           now.Format(http.TimeFormat),
		"Expires":        now.Add(time.Minute).Format(http.TimeFormat),
		"Last-Modified":  now.Add(-time.Hour).Format(http.TimeFormat),
		"Etag":           `"of-the-base"`,
	} {
		resp.Header.Set(name, value)
	}
	resp.ContentLength = int64(len(answerText))
	if resp.Request == nil || resp.Request.Method != http.MethodHead {
		resp.Body = io.NopCloser(strings.NewReader(answerText))
	}
	return resp
}

// sendsAfterFailures adds what became of requests while many of them fail, and
// after that: each is a transaction of its own.
func (s *suite) sendsAfterFailures(found *findings) error {
	var runs []run
	for _, status := range []int{503, 500, 429, 403, 404} {
		runs = append(runs, run{"are answered " + strconv.Itoa(status), func(int) (int, error) { return status, nil }})
	}
	runs = append(runs, run{"end with an error of the base", func(nth int) (int, error) {
		return 0, baseErrors[nth%len(baseErrors)].err
	}})
	return s.sendsRuns(found, runs, concurrent)
}

// sendsAfterUnauthorized is sendsAfterFailures for a 401, which has a clause of
// its own.
func (s *suite) sendsAfterUnauthorized(found *findings) error {
	return s.sendsRuns(found, []run{{"are answered 401", func(int) (int, error) { return http.StatusUnauthorized, nil }}}, 1)
}

// run is many requests that end in the same way.
type run struct {
	what string
	end  func(nth int) (status int, err error)
}

const (
	runLength = 32
	// runTime is how long all runs may take. A wrapper may wait, or try again: then
	// there are fewer.
	runTime = 400 * time.Millisecond
)

// sendsRuns sends one run of requests after the other through one wrapper, and
// then a few that are answered 200. So many of a run are under way at once. A wrapper that refuses one of them has learnt
// to.
func (s *suite) sendsRuns(found *findings, runs []run, atOnce int) error {
	var calls atomic.Int32
	var current atomic.Pointer[run]
	wrapper, err := s.over(roundTripFunc(func(sent *http.Request) (*http.Response, error) {
		nth := int(calls.Add(1))
		status, err := http.StatusOK, error(nil)
		if r := current.Load(); r != nil {
			status, err = r.end(nth)
		}
		if err != nil {
			discardBody(sent)
			return nil, err
		}
		return answer(sent, status), nil
	}))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), runTime)
	defer cancel()
	// send sends so many requests, and reports how many of them did not reach the
	// base. Where the time is over, it does not know.
	send := func(n, atOnce int) (refused int) {
		before := calls.Load()
		var senders sync.WaitGroup
		for range atOnce {
			senders.Go(func() {
				for nth := range n / atOnce {
					req := s.get()
					if nth%2 == 1 {
						req, _ = s.sending(http.MethodPost, small)
					}
					if ctx.Err() == nil {
						sendAndRead(wrapper, req.WithContext(ctx))
					}
				}
			})
		}
		returned := make(chan struct{})
		go func() {
			defer close(returned)
			senders.Wait()
		}()
		select {
		case <-returned:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			return 0
		}
		return n - int(calls.Load()-before)
	}
	for i := range runs {
		current.Store(&runs[i])
		switch refused := send(runLength, atOnce); {
		case refused == runLength && i == 0:
			return nil // it sends nothing, as the other requests tell
		case refused > 0:
			found.addf("of %d requests over one wrapper that %s, some did not reach the base", runLength, runs[i].what)
			return nil
		}
	}
	current.Store(nil)
	for range 3 {
		if refused := send(1, 1); refused > 0 {
			found.addf("after many requests over one wrapper that %s, the next did not reach the base", runs[len(runs)-1].what)
			return nil
		}
	}
	return nil
}
