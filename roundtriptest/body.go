package roundtriptest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync/atomic"
	"time"
)

// bodyClauses ask what becomes of the request's body.
var bodyClauses = []clause{{
	name:     "body/closed",
	requires: "the caller's body is closed when the base has read and closed what it got",
	quotes:   []sentence{closesBody},
	check:    closesBodies,
}, {
	name:     "body/closed-on-error",
	requires: "the caller's body is closed when the base fails, whether it has read it or not",
	quotes:   []sentence{closesBody},
	check:    closesBodiesOnError,
}, {
	name:     "body/closed-on-refusal",
	requires: "a wrapper that does not call its base closes the caller's body itself",
	quotes:   []sentence{closesBody},
	check:    closesBodiesOnRefusal,
}, {
	name:     "body/late-read",
	requires: "the body stays open for a base that still reads it when RoundTrip has returned",
	quotes:   []sentence{executes, closesBody},
	check:    leavesOpenForBase,
}}

func closesBodies(s *suite) error {
	var found findings
	for _, t := range s.exchanges() {
		if t.body != nil && t.calls > 0 && !t.body.closed() {
			found.addf("%s: the caller's body was not closed", t.request())
		}
	}
	return found.err()
}

func closesBodiesOnError(s *suite) error {
	var found findings
	for _, t := range s.failures() {
		if t.body != nil && t.calls > 0 && !t.body.closed() {
			found.addf("%s: the base failed, and the caller's body was not closed", t.what)
		}
	}
	return found.err()
}

func closesBodiesOnRefusal(s *suite) error {
	ended, end := context.WithCancel(context.Background())
	end()
	var refused []refusal
	try := func(wrap WrapFunc, what string, prepare func(req *http.Request) *http.Request) bool {
		req, body := s.post()
		refuses := s.refuses(wrap, prepare(req))
		if refuses {
			refused = append(refused, refusal{what, body})
		}
		return refuses
	}
	try(s.wrap, "the wrapper refused a request whose context has ended", func(req *http.Request) *http.Request {
		return req.WithContext(ended)
	})
	try(s.wrap, "the wrapper refused a request without GetBody", func(req *http.Request) *http.Request {
		req.GetBody = nil
		return req
	})
	try(s.wrap, "the wrapper refused a request over plain http", func(req *http.Request) *http.Request {
		req.URL = s.plain()
		return req
	})
	for _, w := range s.waits() {
		if w.refused() {
			refused = append(refused, refusal{"the wrapper gave up " + w.what, w.body})
		}
	}
	var found findings
	if s.refusal != nil && !try(s.refusal, "the wrapper of WithRefusal refused a request", func(req *http.Request) *http.Request { return req }) {
		found.addf("the wrapper of WithRefusal did not refuse the request")
	}

	s.waiting.settle(func() bool {
		return !slices.ContainsFunc(refused, func(r refusal) bool { return !r.body.closed() })
	})
	for _, r := range refused {
		if !r.body.closed() {
			found.addf("%s, and did not close the caller's body", r.what)
		}
	}
	if err := found.err(); err != nil || len(refused) > 0 {
		return err
	}
	return notApplicable("the wrapper refuses none of the requests that were tried; WithRefusal names one that refuses")
}

// refusal is a request that a wrapper refused, by its body: the wrapper may have
// put another one into the request.
type refusal struct {
	what string
	body *trackedBody
}

// refuses sends req to a wrapper and reports whether it refused it: RoundTrip
// returned an error, and the base was not called.
func (s *suite) refuses(wrap WrapFunc, req *http.Request) bool {
	var arrived atomic.Bool
	wrapper, err := apply(wrap, roundTripFunc(func(sent *http.Request) (*http.Response, error) {
		arrived.Store(true)
		return answer(sent, http.StatusOK), nil
	}))
	if err != nil {
		return false
	}
	// A crash is no refusal, and shows in other clauses.
	s.waiting.do(func() {
		err = recovered(func() error {
			resp, err := wrapper.RoundTrip(req)
			discard(resp)
			return err
		})
	})
	_, crash := crashed(err)
	return err != nil && !crash && !arrived.Load()
}

func leavesOpenForBase(s *suite) error {
	returned, read := make(chan struct{}), make(chan error, 1)
	var started atomic.Bool
	wrapper, err := s.over(roundTripFunc(func(sent *http.Request) (*http.Response, error) {
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
	}))
	if err != nil {
		return err
	}
	req, _ := s.post()
	resp, err := wrapper.RoundTrip(req)
	close(returned)
	defer discard(resp)
	if !started.Load() {
		return notApplicable("with its body, " + notArrived(err).Error() + "; see sent/once")
	}
	if err := <-read; err != nil {
		return fmt.Errorf("the base could not read the body after RoundTrip had returned: %w", err)
	}
	return nil
}
