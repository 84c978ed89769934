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
		Header:     http.Header{"Accept": {"application/json"}, "X-Several": {"1", "2"}},
		Proto:      "HTTP/1.1",
		ProtoMajor: 1,
		ProtoMinor: 1,
	}).WithContext(context.Background())
}

// payload is large enough to be read in several pieces, and a JSON object
// because some wrappers look for fields in it.
var payload = `{"padding":"` + strings.Repeat("0123456789", 10_000) + `"}`

// post returns a request with a body and, so that a wrapper may look at it
// without reading it, with GetBody.
func (s *suite) post() (*http.Request, *trackedBody) {
	body := newTrackedBody(payload)
	req := s.get()
	req.Method = http.MethodPost
	req.Header.Set("Content-Type", "application/json")
	req.Body, req.ContentLength = body, int64(len(payload))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(payload)), nil }
	return req, body
}

// observe sends req through a new wrapper, shows look what arrives at the base,
// and answers 200. Its error says that nothing arrived; what the wrapper made of
// the answer does not matter.
func (s *suite) observe(req *http.Request, look func(sent *http.Request)) error {
	var arrived atomic.Bool
	resp, err := s.over(roundTripFunc(func(sent *http.Request) (*http.Response, error) {
		arrived.Store(true)
		look(sent)
		return answer(sent, http.StatusOK), nil
	})).RoundTrip(req)
	discard(resp)
	if !arrived.Load() {
		return notArrived(err)
	}
	return nil
}

// notArrived is the error of a check that needs a request to reach the base.
func notArrived(err error) error {
	return fmt.Errorf("the request did not reach the base; it came back with the error %w", orNone(err))
}

// roundTrip sends req and wants a response.
func roundTrip(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	resp, err := rt.RoundTrip(req)
	if err != nil || resp == nil {
		return nil, fmt.Errorf("the base answered, but RoundTrip returned no response and the error %w", orNone(err))
	}
	return resp, nil
}

func orNone(err error) error {
	if err == nil {
		return errors.New("nil")
	}
	return err
}

// discard ends an exchange whose response is of no interest.
func discard(resp *http.Response) {
	if resp != nil && resp.Body != nil {
		_ = resp.Body.Close()
	}
}
