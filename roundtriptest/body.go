package roundtriptest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// bodyClauses ask what becomes of the request's body.
var bodyClauses = []clause{{
	name:   "body/closed",
	wants:  "the caller's body is closed when the base has read and closed what it got",
	quotes: []sentence{closesBody},
	check:  closesBodies,
}, {
	name:   "body/closed-on-error",
	wants:  "the caller's body is closed when the base fails, whether it has read it or not",
	quotes: []sentence{closesBody},
	check:  closesBodiesOnError,
}, {
	name:   "body/closed-on-refusal",
	wants:  "a wrapper that does not call its base closes the caller's body itself",
	quotes: []sentence{closesBody},
	check:  closesBodiesOnRefusal,
}, {
	name:   "body/late-read",
	wants:  "the body stays open for a base that still reads it when RoundTrip has returned",
	quotes: []sentence{executes, closesBody},
	check:  leavesOpenForBase,
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
	withEndedContext, _ := s.post()
	withEndedContext = withEndedContext.WithContext(ended)
	readOnce, _ := s.post()
	readOnce.GetBody = nil
	plain, _ := s.post()
	plain.URL = s.plain()

	var found findings
	refused := 0
	for _, try := range []struct {
		what string
		req  *http.Request
	}{
		{"a request whose context has ended", withEndedContext},
		{"a request without GetBody", readOnce},
		{"a request over plain http", plain},
	} {
		if err := s.refuse(s.wrap, try.req); err != nil {
			refused++
			if !try.req.Body.(*trackedBody).closed() {
				found.addf("the wrapper refused %s, and did not close the caller's body", try.what)
			}
		}
	}
	for _, w := range s.waits() {
		if w.refused() {
			refused++
			if !w.body.closed() {
				found.addf("the wrapper gave up %s, and did not close the caller's body", w.what)
			}
		}
	}
	if s.refusal != nil {
		refused++
		req, body := s.post()
		switch err := s.refuse(s.refusal, req); {
		case err == nil:
			found.addf("the wrapper of WithRefusal did not refuse the request")
		case !body.closed():
			found.addf("the wrapper of WithRefusal did not close the caller's body")
		}
	}
	if refused == 0 {
		return notApplicable("the wrapper refuses none of the requests that were tried; WithRefusal names one that refuses")
	}
	return found.err()
}

// refuse sends req to a wrapper that may refuse it, and returns the error with
// which it did. It is nil where the base was called, and where there was no
// error.
func (s *suite) refuse(wrap WrapFunc, req *http.Request) error {
	body := req.Body.(*trackedBody)
	var arrived atomic.Bool
	wrapper, err := apply(wrap, roundTripFunc(func(sent *http.Request) (*http.Response, error) {
		arrived.Store(true)
		return answer(sent, http.StatusOK), nil
	}))
	if err != nil {
		return nil
	}
	l := newLabel()
	l.do(func() {
		// A panic is no refusal, and shows in other clauses.
		_ = recovered(func() error {
			var resp *http.Response
			resp, err = wrapper.RoundTrip(req)
			discard(resp)
			return nil
		})
	})
	if err == nil || arrived.Load() {
		return nil
	}
	l.settle(body.closed)
	return err
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
