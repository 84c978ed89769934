package roundtriptest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

var bodyClauses = []clause{{
	name:   "body/whole",
	wants:  "the body reaches the base readable and whole",
	stands: "net/http, RoundTripper: RoundTrip executes the transaction for the provided request",
	check:  sendsWholeBody,
}, {
	name:   "body/none",
	wants:  "a request without a body, nil or http.NoBody, reaches the base without one",
	stands: "net/http, Request.Body and ContentLength: any other body of length 0 has an unknown length",
	check:  sendsNoBody,
}, {
	name:   "body/closed",
	wants:  "the body is closed exactly once when the base succeeds, by the base",
	stands: "net/http, RoundTripper: RoundTrip closes the body; io.Closer: a second Close is undefined",
	check:  closesOnce,
}, {
	name:   "body/closed-on-error",
	wants:  "the body is closed exactly once when the base fails, by the base",
	stands: "net/http, RoundTripper: RoundTrip closes the body, on errors too; io.Closer: a second Close is undefined",
	check:  closesOnceOnError,
}, {
	name:   "body/closed-on-refusal",
	wants:  "a wrapper that does not call its base closes the body itself, exactly once",
	stands: "net/http, RoundTripper: RoundTrip closes the body, on errors too",
	check:  closesOnceOnRefusal,
}, {
	name:   "body/late-read",
	wants:  "the body stays open for a base that still reads it when RoundTrip has returned",
	stands: "net/http, RoundTripper: the body may be closed on another goroutine after RoundTrip has returned",
	check:  leavesOpenForBase,
}, {
	name:   "body/copies-closed",
	wants:  "each body that the wrapper gets from GetBody is closed exactly once",
	stands: "net/http, Request.GetBody: returns a new copy of Body; RoundTripper: bodies are closed",
	check:  closesCopies,
}}

func sendsWholeBody(s *suite) error {
	req, _ := s.post()
	var found findings
	found.add(s.observe(req, func(sent *http.Request) {
		if sent.Body == nil {
			found.addf("the base got no body")
			return
		}
		got, err := io.ReadAll(sent.Body)
		switch {
		case err != nil:
			found.addf("the base could not read the body: %w", err)
		case string(got) != payload:
			found.addf("the base got another body: %d bytes, the caller's has %d", len(got), len(payload))
		}
	}))
	return found.err()
}

func sendsNoBody(s *suite) error {
	var found findings
	for name, body := range map[string]io.ReadCloser{"nil": nil, "http.NoBody": http.NoBody} {
		req := s.get()
		req.Body = body
		found.add(s.observe(req, func(sent *http.Request) {
			if sent.Body != nil && sent.Body != http.NoBody {
				found.addf("the caller's body was %s, the base's is a %T", name, sent.Body)
			}
		}))
	}
	return found.err()
}

func closesOnce(s *suite) error {
	req, body := s.post()
	if err := s.observe(req, func(*http.Request) {}); err != nil {
		return err
	}
	if err := body.closedOnce(); err != nil {
		return fmt.Errorf("the base read and closed the body and answered 200; the caller's body %w", err)
	}
	return nil
}

func closesOnceOnError(s *suite) error {
	req, body := s.post()
	resp, _ := s.over(roundTripFunc(func(sent *http.Request) (*http.Response, error) {
		if sent.Body != nil {
			_ = sent.Body.Close() // unread
		}
		return nil, errBase
	})).RoundTrip(req)
	discard(resp)
	if err := body.closedOnce(); err != nil {
		return fmt.Errorf("the base closed the body unread and failed; the caller's body %w", err)
	}
	return nil
}

func closesOnceOnRefusal(s *suite) error {
	ended, end := context.WithCancel(context.Background())
	end()
	withEndedContext, _ := s.post()
	withEndedContext = withEndedContext.WithContext(ended)
	withoutURL, _ := s.post()
	withoutURL.URL = nil

	var found findings
	refuses := func(wrap wrapFunc, what string, req *http.Request) bool {
		refused, closed := refuse(wrap, req)
		if closed != nil {
			found.addf("the wrapper refused %s; the caller's body %w", what, closed)
		}
		return refused
	}
	known := refuses(s.wrap, "a request whose context has ended", withEndedContext)
	known = refuses(s.wrap, "a request without a URL", withoutURL) || known
	if s.refusal != nil {
		req, _ := s.post()
		known = true
		if !refuses(s.refusal, "as WithRefusal says", req) {
			found.addf("the wrapper of WithRefusal did not refuse the request")
		}
	}
	if !known {
		return notApplicable("the wrapper refuses neither a request whose context has ended nor one without a URL; " +
			"WithRefusal names a wrapper that refuses")
	}
	return found.err()
}

// refuse sends req to a wrapper that may refuse it, and reports whether it did
// and what was wrong with how it then closed the body.
func refuse(wrap wrapFunc, req *http.Request) (refused bool, closed error) {
	body := req.Body.(*trackedBody)
	var arrived atomic.Bool
	wrapper := build(wrap, roundTripFunc(func(sent *http.Request) (*http.Response, error) {
		arrived.Store(true)
		return answer(sent, http.StatusOK), nil
	}))
	// A panic is no refusal: the contract wants a URL, so that a wrapper may
	// count on it.
	_ = recovered(func() error {
		resp, err := wrapper.RoundTrip(req)
		discard(resp)
		refused = err != nil && !arrived.Load()
		return nil
	})
	if !refused {
		return false, nil
	}
	return true, body.closedOnce()
}

func leavesOpenForBase(s *suite) error {
	returned, read := make(chan struct{}), make(chan error, 1)
	var started atomic.Bool
	req, _ := s.post()
	resp, err := s.over(roundTripFunc(func(sent *http.Request) (*http.Response, error) {
		if sent.Body == nil || started.Swap(true) {
			return answer(sent, http.StatusOK), nil
		}
		go func() {
			select {
			case <-returned:
			case <-time.After(patience): // the wrapper waits for the body's end
			}
			_, err := io.Copy(io.Discard, sent.Body)
			_ = sent.Body.Close()
			read <- err
		}()
		return respond(sent, http.StatusOK), nil
	})).RoundTrip(req)
	close(returned)
	defer discard(resp)
	if !started.Load() {
		return fmt.Errorf("with its body, %w", notArrived(err))
	}
	if err := <-read; err != nil {
		return fmt.Errorf("the base could not read the body after RoundTrip had returned: %w", err)
	}
	return nil
}

func closesCopies(s *suite) error {
	req, _ := s.post()
	var mu sync.Mutex
	var copies []*trackedBody
	req.GetBody = func() (io.ReadCloser, error) {
		mu.Lock()
		defer mu.Unlock()
		body := newTrackedBody(payload)
		copies = append(copies, body)
		return body, nil
	}
	if err := s.observe(req, func(*http.Request) {}); err != nil {
		return err
	}
	mu.Lock()
	defer mu.Unlock()
	var found findings
	for _, body := range copies {
		if err := body.closedOnce(); err != nil {
			found.addf("a body that the wrapper got from GetBody %w", err)
		}
	}
	return found.err()
}

// errBase is the error of a base that fails.
var errBase = errors.New("the base failed")
