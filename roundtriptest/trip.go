package roundtriptest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// trip is one request on its way through a wrapper of its own, and the response
// on its way back, seen from both ends. Most clauses are comparisons of the two.
type trip struct {
	what string        // the request, or the response, in words
	req  *http.Request // the caller's
	text string        // of the caller's body
	body *trackedBody  // the caller's, or nil
	form *form         // of the response that the trip is about; nil where it is about the request

	// reply is what the base does with a call, counted from 1.
	reply     func(call int, sent *http.Request) (*http.Response, *trackedBody, error)
	fails     error // of the base; nil where it answers
	unread    bool  // the base closes the body without reading it
	mayRefuse bool  // a wrapper may have a reason not to send the request
	noCopies  bool  // the caller's GetBody fails
	hold      bool  // the caller takes its time before it reads the response

	mu      sync.Mutex
	ended   bool     // nothing is noted any more
	before  snapshot // of req
	changed changes  // in req
	stuck   bool     // RoundTrip was given up

	// The base's end.
	calls   int
	sent    *http.Request // what the last call was made with
	arrived *arrival      // by the first call; nil if the base did not read it
	given   []given       // each response of the base

	// The caller's end.
	resp          *http.Response // a shallow copy of what came back
	err           error          // what came back, or a panic
	ownBody       bool           // the response's body is the base's own value
	reads, closes int            // of the base's body, before the caller had it
	announced     http.Header    // the trailer as it was before the body was read
	trailer       http.Header    // and after
	content       content        // of the response's body
}

// given is a response that the base gave, and its body where that is tracked.
type given struct {
	resp *http.Response
	body *trackedBody
}

// arrival is a request as it reached the base, with all that can be read of it.
type arrival struct {
	http.Request             // a shallow copy
	announced    http.Header // the trailer as it was before the body was read
	trailer      http.Header // and after
	content      content
	copies       []content // what GetBody returned, at each of several calls
}

// content is what was read of a body.
type content struct {
	none bool // nil or http.NoBody
	text string
	err  error
}

func read(body io.Reader) content {
	if body == nil || body == http.NoBody {
		return content{none: true}
	}
	text, err := io.ReadAll(body)
	return content{text: string(text), err: err}
}

// differs says how what was read differs from what was to be read.
func (c content) differs(text string) string {
	switch {
	case c.err != nil:
		return fmt.Sprintf("reading it fails after %d of %d bytes: %v", len(c.text), len(text), c.err)
	case c.none && text != "":
		return "there is none"
	case len(c.text) != len(text):
		return fmt.Sprintf("it has %d bytes in the place of %d", len(c.text), len(text))
	case c.text != text:
		return "its bytes are other ones"
	}
	return ""
}

// trips are those that most clauses look at.
type trips struct {
	exchanges []*trip // a response came of each
	failures  []*trip // an error came of each
}

// travelAll makes the trips: one for each kind of request, for each kind of
// response, and for each kind of error.
func (s *suite) travelAll() (all trips) {
	all.exchanges = append(s.requests(), s.answers()...)
	all.failures = s.failing()
	s.travel(slices.Concat(all.exchanges, all.failures))
	all.exchanges = slices.DeleteFunc(all.exchanges, (*trip).refused)
	return all
}

func (s *suite) exchanges() []*trip { return s.trips().exchanges }
func (s *suite) failures() []*trip  { return s.trips().failures }

// travel sends each trip through a new wrapper. All are under way at the same
// time, so that a wrapper that waits before it retries costs its time only once.
func (s *suite) travel(trips []*trip) {
	l := newLabel()
	var travellers sync.WaitGroup
	for _, t := range trips {
		wrapper, err := s.over(roundTripFunc(func(sent *http.Request) (*http.Response, error) {
			return s.serve(t, sent)
		}))
		if err != nil {
			t.err = err
			continue
		}
		travellers.Go(func() { l.do(func() { s.send(wrapper, t) }) })
	}
	travellers.Wait()
	l.settle(func() bool {
		for _, t := range trips {
			if !t.allClosed() {
				return false
			}
		}
		return true
	})
	for _, t := range trips {
		t.end()
	}
}

// send makes one trip, and gives it up where the wrapper does not return.
func (s *suite) send(wrapper http.RoundTripper, t *trip) {
	ctx, cancel := context.WithCancel(t.req.Context())
	defer cancel()
	t.req = t.req.WithContext(ctx)
	t.before = takeSnapshot(t.req)

	type result struct {
		resp *http.Response
		err  error
	}
	returned := make(chan result, 1)
	go func() {
		var r result
		r.err = recovered(func() (err error) {
			r.resp, err = wrapper.RoundTrip(t.req)
			return err
		})
		returned <- r
	}()
	var r result
	select {
	case r = <-returned:
	case <-time.After(patience):
		t.mu.Lock()
		t.stuck = true
		t.mu.Unlock()
		cancel()
		select {
		case r = <-returned:
		case <-time.After(lateness):
			return // it is left behind
		}
	}
	// The body may be the wrapper's, and panic.
	if err := recovered(func() error { s.receive(t, r.resp, r.err); return nil }); err != nil {
		t.err = err
	}
}

// holding is how long a caller keeps a response that it does not read at once.
const holding = 50 * time.Millisecond

// receive does with what RoundTrip returned as a caller does: it reads the
// response and closes it.
func (s *suite) receive(t *trip, resp *http.Response, err error) {
	t.mu.Lock()
	t.err = err
	t.changed.note(t.before, t.req, s.credential, "when RoundTrip had returned")
	var base io.ReadCloser = http.NoBody
	if n := len(t.given); n > 0 && t.given[n-1].body != nil {
		last := t.given[n-1].body
		t.reads, t.closes = last.count()
		base = last
	}
	if resp != nil {
		shallow := *resp
		t.resp = &shallow
		t.ownBody = resp.Body == base
		t.announced = resp.Trailer.Clone()
	}
	t.mu.Unlock()
	if t.hold {
		t.bodyClosed() // takes the body's lock: what is done under it comes after
		time.Sleep(holding)
		t.bodyClosed()
		t.mu.Lock()
		t.changed.note(t.before, t.req, s.credential, "some time after RoundTrip had returned")
		t.mu.Unlock()
	}
	if resp == nil || resp.Body == nil {
		return
	}

	t.content = read(resp.Body)
	_ = resp.Body.Close()
	t.trailer = resp.Trailer.Clone()
	t.mu.Lock()
	t.changed.note(t.before, t.req, s.credential, "when the response's body was closed")
	t.mu.Unlock()
}

// serve is the base of a trip.
func (s *suite) serve(t *trip, sent *http.Request) (*http.Response, error) {
	t.mu.Lock()
	if t.ended {
		t.mu.Unlock()
		return nowhere(sent)
	}
	t.calls++
	call := t.calls
	t.sent = sent
	t.mu.Unlock()

	var a *arrival
	if t.unread {
		if sent.Body != nil {
			_ = sent.Body.Close()
		}
	} else {
		a = arrive(sent)
	}
	resp, body, err := t.reply(call, sent)

	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return resp, err
	}
	if call == 1 {
		t.arrived = a
	}
	t.changed.note(t.before, t.req, s.credential, "while the base ran")
	if resp != nil {
		t.given = append(t.given, given{resp, body})
	}
	return resp, err
}

// arrive reads a request as a base does that reads it to its end.
func arrive(sent *http.Request) *arrival {
	a := &arrival{Request: *sent, announced: sent.Trailer.Clone()}
	a.Header, a.TransferEncoding = sent.Header.Clone(), slices.Clone(sent.TransferEncoding)
	if sent.URL != nil {
		u := *sent.URL
		a.URL = &u
	}
	// A copy can be read whatever becomes of the body and of other copies.
	first, firstErr := getCopy(sent)
	a.content = read(sent.Body)
	a.trailer = sent.Trailer.Clone()
	second, secondErr := getCopy(sent)
	a.copies = []content{readCopy(first, firstErr), readCopy(second, secondErr)}
	if sent.Body != nil {
		_ = sent.Body.Close()
	}
	return a
}

// getCopy returns what GetBody returns, if there is a GetBody.
func getCopy(sent *http.Request) (io.ReadCloser, error) {
	if sent.GetBody == nil {
		return nil, nil
	}
	return sent.GetBody()
}

func readCopy(body io.ReadCloser, err error) content {
	if err != nil || body == nil {
		return content{none: err == nil, err: err}
	}
	defer body.Close()
	return read(body)
}

// allClosed reports whether all bodies are closed, those that the base gave and
// that of the caller.
func (t *trip) allClosed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, g := range t.given {
		if g.body != nil && !g.body.closed() {
			return false
		}
	}
	return t.bodyClosed()
}

func (t *trip) bodyClosed() bool { return t.body == nil || t.body.closed() }

// refused reports whether the wrapper did not send a request that it may have a
// reason not to send. A crash is no refusal.
func (t *trip) refused() bool {
	_, crash := crashed(t.err)
	return t.mayRefuse && t.calls == 0 && t.err != nil && !crash
}

// end lets what a wrapper that was left behind may still do go unnoticed.
func (t *trip) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
}
