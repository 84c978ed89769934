package roundtriptest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"sync"
	"sync/atomic"
	"time"
)

// adviceClauses are those of Strict: what good wrappers do, although no sentence
// of net/http's documentation asks for it.
var adviceClauses = []clause{{
	name:     "advice/idle-connections",
	requires: "CloseIdleConnections reaches the base, if it has the method",
	reason:   "an http.Client's CloseIdleConnections does nothing where its Transport lacks the method, and connections stay open",
	check:    forwardsCloseIdleConnections,
}, {
	name:     "advice/nil-header",
	requires: "a request without a header map makes no panic, its map stays nil, and its body is closed",
	reason:   "callers make requests by hand; a Transport closes the body and returns an error",
	check:    takesNilHeader,
}, {
	name:     "advice/nil-url",
	requires: "a request without a URL makes no panic, and its body is closed",
	reason:   "callers make requests by hand; a Transport closes the body and returns an error",
	check:    takesNilURL,
}, {
	name:     "advice/header-values",
	requires: "what is written or appended to the values of the base's header is not seen by the caller",
	reason:   "otherwise a base that breaks the contract changes the caller's request; Header.Clone prevents it",
	check:    sharesNoHeaderValues,
}, {
	name:     "advice/redirect-chain",
	requires: "the request's Response, which leads back along a redirect chain, reaches the base",
	reason:   "a wrapper below this one may need it, to keep a credential from another host",
	check:    passesRedirectChain,
}, {
	name:     "advice/cancel-channel",
	requires: "the base's request ends with the caller's Cancel",
	reason:   "old programs still set it; net/http says that not all implementations of RoundTripper may support it",
	check:    passesCancelChannel,
}, {
	name:     "advice/own-body",
	requires: "the request's body reaches the base as the caller's own value",
	reason:   "a body that is wrapped loses what its type offers, such as sendfile, and one that is read ahead is no longer streamed",
	check:    passesOwnBody,
}, {
	name:     "advice/closed-once",
	requires: "the caller's body is closed exactly once",
	reason:   "io.Closer: the behavior of Close after the first call is undefined",
	check:    closesBodiesOnce,
}, {
	name:     "advice/copies-closed",
	requires: "each body that the wrapper gets from GetBody is closed",
	reason:   "it may be a file",
	check:    closesCopies,
}, {
	name:     "advice/own-response-body",
	requires: "the response's body is the base's own value",
	reason:   "a body that is wrapped loses what its type offers, such as io.WriterTo (a 401 is left to response/401)",
	check:    returnsOwnBody,
}, {
	name:     "advice/base-error",
	requires: "the base's error comes back, so that errors.Is finds it",
	reason:   "callers tell a refused connection from a reset one by it",
	check:    returnsBaseError,
}, {
	name:     "advice/broken-base",
	requires: "a base that breaks the contract makes no panic, and a response that it returns together with an error is closed",
	reason:   "there are such bases: neither a response nor an error, a nil body, both a response and an error",
	check:    survivesBrokenBase,
}, {
	name:     "advice/location",
	requires: "where the base sent another URL than it was given, the response's Request is what it sent",
	reason:   "Response.Location resolves against it",
	check:    keepsLocation,
}, {
	name:     "advice/goroutines",
	requires: "a request leaves no goroutine behind once its response's body is closed",
	reason:   "Go Code Review Comments, Goroutine Lifetimes",
	check:    leavesNoGoroutine,
}}

// idleBase counts the calls of CloseIdleConnections.
type idleBase struct {
	roundTripFunc
	calls atomic.Int32
}

func (b *idleBase) CloseIdleConnections() { b.calls.Add(1) }

func respond200(sent *http.Request) (*http.Response, error) { return answer(sent, http.StatusOK), nil }

func forwardsCloseIdleConnections(s *suite) error {
	closeIdle := func(base http.RoundTripper) error {
		wrapper, err := s.over(base)
		if err == nil {
			(&http.Client{Transport: wrapper}).CloseIdleConnections()
		}
		return err
	}
	if err := closeIdle(roundTripFunc(respond200)); err != nil { // without the method: no panic
		return err
	}
	base := &idleBase{roundTripFunc: respond200}
	if err := closeIdle(base); err != nil {
		return err
	}
	if base.calls.Load() == 0 {
		return errors.New("the client's CloseIdleConnections did not reach the base")
	}
	return nil
}

func takesNilHeader(s *suite) error {
	req, body := s.post()
	req.Header = nil
	if err := s.takes(req, body); err != nil {
		return err
	}
	if req.Header != nil {
		return errors.New("the nil header map of the caller's request was replaced")
	}
	return nil
}

func takesNilURL(s *suite) error {
	req, body := s.post()
	req.URL = nil
	return s.takes(req, body)
}

// takes sends a request that a wrapper may send on or refuse.
func (s *suite) takes(req *http.Request, body *trackedBody) error {
	wrapper, err := s.over(roundTripFunc(respond200))
	if err != nil {
		return err
	}
	l := newLabel()
	l.do(func() {
		err = recovered(func() error {
			resp, _ := wrapper.RoundTrip(req)
			discard(resp)
			return nil
		})
	})
	if err != nil {
		return err
	}
	if l.settle(body.closed); !body.closed() {
		return errors.New("the caller's body was not closed")
	}
	return nil
}

func sharesNoHeaderValues(s *suite) error {
	values := make([]string, 2, 4)
	values[0], values[1] = "first", "second"
	spare := values[:4] // an append that does not copy ends up here
	req := s.get()
	req.Header = http.Header{"X-Several": values}
	if err := s.observe(req, func(sent *http.Request) {
		if reflect.ValueOf(sent.Header).Pointer() == reflect.ValueOf(req.Header).Pointer() {
			return // the caller's own map, as it may be: nothing was copied
		}
		for name, vv := range sent.Header {
			if len(vv) > 0 {
				vv[0] = "written"
			}
			sent.Header[name] = append(vv, "appended")
		}
	}); err != nil {
		return err
	}
	var found findings
	if values[0] != "first" {
		found.addf("a value that was written into the base's header is in the caller's")
	}
	if spare[2] != "" {
		found.addf("a value that was appended to the base's header is in the memory of the caller's")
	}
	return found.err()
}

func passesRedirectChain(s *suite) error {
	first := s.get()
	req := s.get()
	req.Response = respond(first, http.StatusFound)
	var found findings
	if err := s.observe(req, func(sent *http.Request) {
		if sent.Response != req.Response {
			found.addf("the base's request does not lead back to the redirect that it came from")
		}
	}); err != nil {
		return err
	}
	return found.err()
}

func passesCancelChannel(s *suite) error {
	cancel := make(chan struct{})
	req := s.get()
	//lint:ignore SA1019 a caller may still set it
	req.Cancel = cancel
	var found findings
	if err := s.observe(req, func(sent *http.Request) {
		close(cancel)
		select {
		//lint:ignore SA1019 a base may still look at it
		case <-sent.Cancel:
		case <-sent.Context().Done():
		case <-time.After(promptly):
			found.addf("the caller closed the Cancel of its request; the base's request goes on")
		}
	}); err != nil {
		return err
	}
	return found.err()
}

func passesOwnBody(s *suite) error {
	req, body := s.post()
	var found findings
	if err := s.observe(req, func(sent *http.Request) {
		if sent.Body != io.ReadCloser(body) {
			found.addf("the base's body is a %T, not the caller's own value", sent.Body)
		}
	}); err != nil {
		return err
	}
	return found.err()
}

func closesBodiesOnce(s *suite) error {
	var found findings
	once := func(what string, body *trackedBody) {
		if _, closes := body.count(); closes > 1 {
			found.addf("%s: the caller's body was closed %d times", what, closes)
		}
	}
	for _, t := range s.exchanges() {
		if t.body != nil {
			once(t.request(), t.body)
		}
	}
	for _, t := range s.failures() {
		if t.body != nil {
			once(t.what+", and the base failed", t.body)
		}
	}
	if s.refusal != nil {
		req, body := s.post()
		if s.refuses(s.refusal, req) {
			once("a request that the wrapper of WithRefusal refused", body)
		}
	}
	ended, end := context.WithCancel(context.Background())
	end()
	req, body := s.post()
	if s.refuses(s.wrap, req.WithContext(ended)) {
		once("a request that was refused because its context had ended", body)
	}
	return found.err()
}

func closesCopies(s *suite) error {
	var mu sync.Mutex
	var copies []*trackedBody
	req, _ := s.post()
	req.GetBody = func() (io.ReadCloser, error) {
		mu.Lock()
		defer mu.Unlock()
		body := newTrackedBody(payload)
		copies = append(copies, body)
		return body, nil
	}
	l := newLabel()
	var err error
	l.do(func() { err = s.observe(req, func(*http.Request) {}) })
	if err != nil {
		return err
	}
	open := func() (n int) {
		mu.Lock()
		defer mu.Unlock()
		for _, body := range copies {
			if !body.closed() {
				n++
			}
		}
		return n
	}
	l.settle(func() bool { return open() == 0 })
	if n := open(); n > 0 {
		return fmt.Errorf("of the bodies that the wrapper got from GetBody, %d were not closed", n)
	}
	return nil
}

func returnsOwnBody(s *suite) error {
	var found findings
	for _, t := range s.exchanges() {
		if t.form == nil || t.form.status == http.StatusUnauthorized || t.unreturned() != nil || t.resp.Body == nil {
			continue
		}
		if !t.ownBody {
			found.addf("%s: its body is a %T, not the base's own value", t.what, t.resp.Body)
		}
	}
	return found.err()
}

func returnsBaseError(s *suite) error {
	var found findings
	for _, t := range s.failures() {
		if errors.Is(t.fails, context.Canceled) || errors.Is(t.fails, context.DeadlineExceeded) {
			continue // context/timeout and context/cause ask about these
		}
		if t.err != nil && !errors.Is(t.err, t.fails) {
			found.addf("%s: in the error of RoundTrip, errors.Is does not find the base's: %s", t.what, described(t.err))
		}
	}
	return found.err()
}

func survivesBrokenBase(s *suite) error {
	withoutBody := func(status int) roundTripFunc {
		return func(req *http.Request) (*http.Response, error) {
			resp := answer(req, status)
			resp.Body = nil
			return resp, nil
		}
	}
	var beside atomic.Pointer[trackedBody] // once the base has returned it
	var found findings
	for _, broken := range []struct {
		what string
		base roundTripFunc
	}{
		{"neither a response nor an error", func(sent *http.Request) (*http.Response, error) {
			_ = answer(sent, http.StatusOK)
			return nil, nil
		}},
		{"a 200 whose body is nil", withoutBody(http.StatusOK)},
		{"a 401 whose body is nil", withoutBody(http.StatusUnauthorized)},
		{"a 500 whose body is nil", withoutBody(http.StatusInternalServerError)},
		{"a response together with an error", func(sent *http.Request) (*http.Response, error) {
			resp := answer(sent, http.StatusOK)
			body := newTrackedBody(answerText)
			beside.Store(body)
			resp.Body = body
			return resp, errBase
		}},
	} {
		wrapper, err := s.over(broken.base)
		if err != nil {
			return err
		}
		l := newLabel()
		l.do(func() {
			err = recovered(func() error {
				resp, _ := wrapper.RoundTrip(s.get())
				discard(resp)
				return nil
			})
		})
		if err != nil {
			found.addf("the base returned %s: %v", broken.what, err)
		} else if body := beside.Load(); body != nil {
			if l.settle(body.closed); !body.closed() {
				found.addf("the base returned %s; its body was not closed", broken.what)
			}
		}
	}
	return found.err()
}

func keepsLocation(s *suite) error {
	rewritten := s.get()
	rewritten.URL.Path = "/rewritten/by/the/base"
	wrapper, err := s.over(roundTripFunc(func(sent *http.Request) (*http.Response, error) {
		resp := answer(sent, http.StatusFound)
		resp.Header.Set("Location", "next")
		resp.Request = rewritten
		return resp, nil
	}))
	if err != nil {
		return err
	}
	resp, err := wrapper.RoundTrip(s.get())
	if err := cameBack(resp, err); err != nil {
		return notApplicable("the redirect: " + err.Error() + "; see response/3xx")
	}
	defer discard(resp)
	location, err := resp.Location()
	if err != nil {
		return fmt.Errorf("the response's Location: %w", err)
	}
	if want := "/rewritten/by/the/next"; location.Path != want {
		return fmt.Errorf("the base sent %s and was redirected to next; the response's Location leads to %s",
			rewritten.URL.Path, location.Path)
	}
	return nil
}

func leavesNoGoroutine(s *suite) error {
	// The requests' context does not end before the check does: a goroutine that
	// waits for it is left behind.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var failing atomic.Bool
	wrapper, err := s.over(roundTripFunc(func(sent *http.Request) (*http.Response, error) {
		resp := answer(sent, http.StatusOK)
		if failing.Load() {
			return nil, errBase
		}
		return resp, nil
	}))
	if err != nil {
		return err
	}
	send := func() {
		req, _ := s.post()
		resp, _ := wrapper.RoundTrip(req.WithContext(ctx))
		discard(resp)
	}
	send() // What the first request starts may live as long as the wrapper.
	l := newLabel()
	l.do(func() {
		send()
		failing.Store(true)
		send()
	})
	l.settle(func() bool { return len(l.goroutines()) == 0 })
	var found findings
	for _, calls := range l.goroutines() {
		found.addf("a goroutine that a request started is still there, in %s", calls)
	}
	return found.err()
}
