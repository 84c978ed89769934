package roundtriptest

import (
	"net/http"
	"sync"
)

// transportFaults break one clause each.
var transportFaults = []fault{
	{name: "has no CloseIdleConnections", fails: []string{"transport/idle-connections"},
		wrap: func(base http.RoundTripper) http.RoundTripper { return plainBase{base} }},
	{name: "counts on CloseIdleConnections", fails: []string{"transport/idle-connections"},
		wrap: func(base http.RoundTripper) http.RoundTripper { return idleCloser{base} }},
	{name: "gives a response the request that came last", fails: []string{"transport/concurrent"},
		wrap: func(base http.RoundTripper) http.RoundTripper {
			return &lastRequest{wrapper: wrapper{base: base}}
		}},
	{name: "sends concurrent requests with the header of the first", fails: []string{"transport/concurrent"},
		wrap: func(base http.RoundTripper) http.RoundTripper {
			return &oneHeader{wrapper: wrapper{base: base}}
		}},
	{name: "answers concurrent requests with the response to the first", fails: []string{"transport/concurrent"},
		wrap: func(base http.RoundTripper) http.RoundTripper {
			return &oneResponse{wrapper: wrapper{base: base}}
		}},
	{name: "leaves a goroutine behind that waits for the context", fails: []string{"transport/goroutines"},
		wrap: sending(func(req *http.Request) *http.Request {
			waitForEnd(req)
			return req
		})},
	{name: "leaves a goroutine behind on an error", fails: []string{"transport/goroutines"},
		wrap: returning(func(req *http.Request, resp *http.Response, err error) (*http.Response, error) {
			if err != nil {
				waitForEnd(req)
			}
			return resp, err
		})},
}

// plainBase has no method but RoundTrip.
type plainBase struct{ http.RoundTripper }

// lastRequest is a wrapper that mixes up concurrent requests, without a race.
type lastRequest struct {
	wrapper
	mu   sync.Mutex
	last *http.Request
}

func (w *lastRequest) RoundTrip(req *http.Request) (*http.Response, error) {
	w.mu.Lock()
	w.last = req
	w.mu.Unlock()
	resp, err := w.base.RoundTrip(req)
	w.mu.Lock()
	defer w.mu.Unlock()
	if resp != nil {
		resp.Request = w.last
	}
	return resp, err
}

// oneHeader sends the requests that are under way at the same time with one
// header.
type oneHeader struct {
	wrapper
	mu       sync.Mutex
	underWay int
	header   http.Header
}

func (w *oneHeader) RoundTrip(req *http.Request) (*http.Response, error) {
	w.mu.Lock()
	if w.underWay == 0 {
		w.header = req.Header
	}
	w.underWay++
	sent := req.WithContext(req.Context())
	sent.Header = w.header
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.underWay--
	}()
	return w.base.RoundTrip(sent)
}

// oneResponse sends one of the requests that are under way at the same time.
type oneResponse struct {
	wrapper
	mu   sync.Mutex
	sent *exchange
}

type exchange struct {
	done chan struct{}
	resp *http.Response
	err  error
}

func (w *oneResponse) RoundTrip(req *http.Request) (*http.Response, error) {
	w.mu.Lock()
	if sent := w.sent; sent != nil {
		w.mu.Unlock()
		<-sent.done
		if sent.resp == nil {
			return nil, sent.err
		}
		resp := *sent.resp
		resp.Request = req
		return &resp, sent.err
	}
	sent := &exchange{done: make(chan struct{})}
	w.sent = sent
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.sent = nil
		close(sent.done)
	}()
	sent.resp, sent.err = w.base.RoundTrip(req)
	return sent.resp, sent.err
}

// idleCloser counts on a base like http.Transport.
type idleCloser struct{ http.RoundTripper }

func (w idleCloser) CloseIdleConnections() { w.RoundTripper.(*idleBase).CloseIdleConnections() }

// waitForEnd starts a goroutine that waits for the end of a request's context,
// if it has one.
func waitForEnd(req *http.Request) {
	if ended := req.Context().Done(); ended != nil {
		go func() { <-ended }()
	}
}
