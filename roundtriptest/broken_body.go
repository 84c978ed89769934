package roundtriptest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"syscall"
)

// bodyErrors are the kinds of errors with which reading a caller's body ends.
var bodyErrors = []failure{
	{"an error of its own", errors.New("the caller's body failed")},
	{"io.ErrUnexpectedEOF", io.ErrUnexpectedEOF},
	{"io.ErrClosedPipe", io.ErrClosedPipe},
	{"os.ErrClosed", os.ErrClosed},
	{"ECONNRESET", syscall.ECONNRESET},
	{"context.Canceled", context.Canceled},
	{"a wrapped io.EOF", fmt.Errorf("the caller's body: %w", io.EOF)},
}

// breaksOff asks what the base reads where the caller's body fails. A
// wrapper may refuse such a request, before or while it is sent.
func breaksOff(s *suite) error {
	var found findings
	half := payload[:len(payload)/2]
	got := make([]*content, 2*len(bodyErrors))
	if err := atOnce(len(got), func(i int) (err error) {
		broken := func() *trackedBody {
			body := newTrackedBody(half)
			body.end = bodyErrors[i/2].err
			return body
		}
		req, _ := s.post()
		req.Body, req.GetBody = broken(), nil
		if i%2 == 1 {
			req.GetBody = func() (io.ReadCloser, error) { return broken(), nil }
		}
		if i/2%2 == 1 {
			req.ContentLength, req.TransferEncoding = -1, []string{"chunked"}
		}
		got[i], err = s.readByBase(req)
		return err
	}); err != nil {
		return err
	}
	for i, c := range got {
		if c != nil && c.err == nil {
			found.addf("the caller's body failed after %d bytes with %s; the base read %d bytes and a regular end",
				len(half), bodyErrors[i/2].what, len(c.text))
		}
	}
	return found.err()
}

// readByBase sends a request through a new wrapper and returns what the base read
// of the body, or nil: a body with a regular end, if there was one. The base fails
// where reading fails.
func (s *suite) readByBase(req *http.Request) (*content, error) {
	got := make(chan content, 100)
	wrapper, err := s.over(roundTripFunc(func(sent *http.Request) (*http.Response, error) {
		c := read(sent.Body)
		discardBody(sent)
		select {
		case got <- c:
		default: // it does not stop
		}
		if c.err != nil {
			return nil, c.err
		}
		return respond(sent, http.StatusOK), nil
	}))
	if err != nil {
		return nil, err
	}
	_ = recovered(func() error {
		resp, err := wrapper.RoundTrip(req)
		discard(resp)
		return err
	})
	var all *content
	for {
		select {
		case c := <-got:
			if all == nil || c.err == nil {
				all = &c
			}
		default:
			return all, nil
		}
	}
}
