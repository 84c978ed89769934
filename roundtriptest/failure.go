package roundtriptest

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"syscall"
)

// failure is an error with which a base may fail.
type failure struct {
	what string
	err  error
}

// baseErrors are the kinds of errors that an http.Transport returns, and one that
// nobody knows.
var baseErrors = []failure{
	{"an error of its own", errBase},
	{"a refused connection", &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}},
	{"a reset connection", &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}},
	{"a broken pipe", &net.OpError{Op: "write", Net: "tcp", Err: os.NewSyscallError("write", syscall.EPIPE)}},
	{"a dial that took too long", &net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}},
	{"a read that took too long", &net.OpError{Op: "read", Net: "tcp", Err: os.ErrDeadlineExceeded}},
	{"a timeout", timeout{}},
	{"a name that is not known", &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "api.example.com", IsNotFound: true}}},
	{"a name server that fails", &net.DNSError{Err: "server misbehaving", Name: "api.example.com", IsTemporary: true}},
	{"a certificate that is not trusted", x509.UnknownAuthorityError{}},
	{"io.EOF", io.EOF},
	{"io.ErrUnexpectedEOF", io.ErrUnexpectedEOF},
	{"a wrapped io.EOF", fmt.Errorf("http: transport: %w", io.EOF)},
	{"ECONNRESET", syscall.ECONNRESET},
	{"net.ErrClosed", net.ErrClosed},
	{"an idle connection that was closed", errors.New("http: server closed idle connection")},
	{"a GOAWAY", errors.New("http2: server sent GOAWAY and closed the connection")},
	{"a *url.Error", &url.Error{Op: "Get", URL: "https://api.example.com/", Err: io.EOF}},
	{"context.DeadlineExceeded", context.DeadlineExceeded},
	{"context.Canceled", context.Canceled},
}

// timeout is an error of net/http's kind, which has a type of its own for it.
type timeout struct{}

func (timeout) Error() string   { return "net/http: timeout awaiting response headers" }
func (timeout) Timeout() bool   { return true }
func (timeout) Temporary() bool { return true }

// failing returns trips over a base that fails, for each kind of error and for
// requests that may look as if they could be sent again.
func (s *suite) failing() (trips []*trip) {
	add := func(what string, f failure, req *http.Request, body *trackedBody, text string) *trip {
		if f.err != errBase {
			what += ", and the base has " + f.what
		}
		t := &trip{what: what, req: req, body: body, text: text, fails: f.err,
			reply: func(int, *http.Request) (*http.Response, *trackedBody, error) { return nil, nil, f.err }}
		trips = append(trips, t)
		return t
	}
	for i, f := range baseErrors {
		add("a GET", f, s.get(), nil, "").hold = i == 0
		text := small
		if i == 0 {
			text = payload
		}
		post, body := s.sending(http.MethodPost, text)
		add("a POST whose body was read", f, post, body, text)
	}
	own, reset := baseErrors[0], baseErrors[2]
	for _, f := range []failure{own, reset} {
		unread, body := s.post()
		add("a POST whose body was closed unread", f, unread, body, payload).unread = true
		for _, method := range []string{http.MethodHead, http.MethodOptions, http.MethodDelete} {
			req := s.get()
			req.Method = method
			add("a "+method, f, req, nil, "")
		}
		put, body := s.sending(http.MethodPut, small)
		add("a PUT", f, put, body, small)
		keyed, body := s.sending(http.MethodPost, small)
		keyed.Header.Set("Idempotency-Key", "1")
		add("a POST with an idempotency key", f, keyed, body, small)
	}
	return trips
}

// failsAfterAnAnswer adds what became of the base's error where it had answered
// before, with what may be kept for such a case.
func (s *suite) failsAfterAnAnswer(found *findings) error {
	var calls int
	wrapper, err := s.over(roundTripFunc(func(sent *http.Request) (*http.Response, error) {
		if calls++; calls > 1 {
			discardBody(sent)
			return nil, baseErrors[1].err
		}
		resp := cacheable(answer(sent, http.StatusOK))
		resp.Header.Set("Cache-Control", "max-age=0, stale-if-error=3600")
		return resp, nil
	}))
	if err != nil {
		return err
	}
	for range 2 {
		_ = recovered(func() error {
			resp, err := wrapper.RoundTrip(s.get())
			if resp != nil && resp.Body != nil {
				_ = read(resp.Body)
				discard(resp)
			}
			if calls > 1 && err == nil && resp != nil {
				found.addf("a GET like one that was answered before, and the base failed: RoundTrip returned a %d and no error", resp.StatusCode)
			}
			return nil
		})
	}
	return nil
}
