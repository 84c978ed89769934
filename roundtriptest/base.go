package roundtriptest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
)

// roundTripFunc is a base made of one function.
type roundTripFunc func(req *http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// errBase is the error of a base that fails.
var errBase = errors.New("the base failed")

// answer consumes the body of req, as a base must, and responds.
func answer(req *http.Request, status int) *http.Response {
	if req.Body != nil {
		_, _ = io.Copy(io.Discard, req.Body)
		_ = req.Body.Close()
	}
	return respond(req, status)
}

// respond returns a response of its own for req.
func respond(req *http.Request, status int) *http.Response {
	return &http.Response{
		Status:     fmt.Sprintf("%d %s", status, http.StatusText(status)),
		StatusCode: status,
		Proto:      "HTTP/1.1",
		ProtoMajor: 1,
		ProtoMinor: 1,
		Header:     make(http.Header),
		Body:       http.NoBody,
		Request:    req,
	}
}

// get returns a request without a body.
func (s *suite) get() *http.Request {
	u := *s.url
	return (&http.Request{
		Method:     http.MethodGet,
		URL:        &u,
		Host:       u.Host,
		Header:     http.Header{"X-Single": {"1"}, "X-Several": {"1", "2"}},
		Proto:      "HTTP/1.1",
		ProtoMajor: 1,
		ProtoMinor: 1,
	}).WithContext(context.Background())
}

// payload is large enough to be read in several pieces, and a JSON object
// because some wrappers look for fields in it.
var payload = `{"padding":"` + strings.Repeat("0123456789", 4_000) + `"}`

// post returns a request with a body and, so that a wrapper may look at it
// without reading it, with GetBody.
func (s *suite) post() (*http.Request, *trackedBody) { return s.sending(http.MethodPost, payload) }

// sending returns a request with a body of this text.
func (s *suite) sending(method, text string) (*http.Request, *trackedBody) {
	body := newTrackedBody(text)
	req := s.get()
	req.Method = method
	req.Header.Set("Content-Type", "application/json")
	req.Body, req.ContentLength = body, int64(len(text))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }
	return req, body
}

// observe sends req through a new wrapper, shows look what arrives at the base,
// and answers 200. Its error says that nothing arrived; what the wrapper made of
// the answer does not matter.
func (s *suite) observe(req *http.Request, look func(sent *http.Request)) error {
	var arrived atomic.Bool
	wrapper, err := s.over(roundTripFunc(func(sent *http.Request) (*http.Response, error) {
		if !arrived.Swap(true) {
			look(sent)
		}
		return answer(sent, http.StatusOK), nil
	}))
	if err != nil {
		return err
	}
	resp, err := wrapper.RoundTrip(req)
	discard(resp)
	if !arrived.Load() {
		return notArrived(err)
	}
	return nil
}

// notArrived is the error of a check that needs a request to reach the base.
func notArrived(err error) error {
	return fmt.Errorf("the request did not reach the base; RoundTrip returned %s", described(err))
}

// described names an error that may be nil.
func described(err error) string {
	if err == nil {
		return "no error"
	}
	if c, ok := crashed(err); ok {
		return string(c)
	}
	return fmt.Sprintf("the error %q", shortened(err))
}

// cameBack says what is wrong with what RoundTrip returned where it should have
// returned a response.
func cameBack(resp *http.Response, err error) error {
	c, crashed := crashed(err)
	switch {
	case crashed:
		return c
	case err != nil && resp != nil:
		return fmt.Errorf("it came back together with %s", described(err))
	case err != nil:
		return fmt.Errorf("it came back as %s", described(err))
	case resp == nil:
		return errors.New("it did not come back: RoundTrip returned neither a response nor an error")
	}
	return nil
}

// discard closes the body of a response, if there is one.
func discard(resp *http.Response) {
	if resp != nil && resp.Body != nil {
		_ = resp.Body.Close()
	}
}
