package roundtriptest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
)

// responseBodyClauses ask what becomes of a response's body between the base and
// the caller, and of cookies.
var responseBodyClauses = []clause{{
	name:     "response/streamed",
	requires: "the response's body is neither read nor closed before the caller has it",
	quotes:   []sentence{bodyStreamed, noInterpreting},
	check:    leavesResponseUnread,
}, {
	name:     "response/read-error",
	requires: "where reading the base's body fails, reading the caller's fails too",
	quotes:   []sentence{readErrors},
	check:    tellsReadErrors,
}, {
	name:     "response/closed",
	requires: "when the caller closes the response's body, read or unread, the base's body is closed",
	quotes:   []sentence{callerCloses},
	check:    closesResponse,
}, {
	name:     "response/dropped",
	requires: "a response of the base that does not come back has its body closed",
	quotes:   []sentence{mustClose},
	check:    closesDropped,
}, {
	name:     "response/upgrade",
	requires: "the body of a 101 can be written to, and what is written arrives",
	quotes:   []sentence{upgradedBody},
	check:    keepsUpgrade,
}, {
	name:     "response/cookies",
	requires: "a cookie that one response sets is not sent with the next request",
	quotes:   []sentence{noHigherLevel},
	check:    handlesNoCookies,
}}

func leavesResponseUnread(s *suite) error {
	var found findings
	for _, t := range s.exchanges() {
		if t.form == nil || t.form.status == http.StatusUnauthorized || t.unreturned() != nil {
			continue
		}
		switch {
		case t.reads > 0:
			found.addf("%s: its body was read before RoundTrip returned", t.what)
		case t.closes > 0:
			found.addf("%s: its body was closed before RoundTrip returned", t.what)
		}
	}
	return found.err()
}

func tellsReadErrors(s *suite) error {
	statuses := []int{http.StatusOK, http.StatusInternalServerError}
	got := make([]content, len(readFailures)*len(statuses))
	if err := atOnce(len(got), func(i int) error {
		got[i].err = errNotRead
		body := newTrackedBody(answerText)
		body.end = readFailures[i/len(statuses)].err
		length := int64(2 * len(answerText))
		if i/len(statuses)%2 == 1 {
			length = -1
		}
		resp, err := s.respondWith(statuses[i%len(statuses)], body, length)
		if err == nil && resp != nil && resp.Body != nil { // else the caller did hear of it, or another clause says so
			got[i] = read(resp.Body)
		}
		discard(resp)
		return nil
	}); err != nil {
		return err
	}
	var found findings
	for i, c := range got {
		if c.err == nil {
			found.addf("the body of a %d broke off after %d bytes with %s; the caller read %d bytes and a regular end",
				statuses[i%len(statuses)], len(answerText), readFailures[i/len(statuses)].what, len(c.text))
		}
	}
	return found.err()
}

var errNotRead = errors.New("there was no response to read")

// readFailures are the kinds of errors with which reading a body ends.
var readFailures = []failure{
	{"io.ErrUnexpectedEOF", io.ErrUnexpectedEOF},
	{"io.ErrUnexpectedEOF", io.ErrUnexpectedEOF}, // with a length, and without
	{"an error of its own", errBase},
	{"ECONNRESET", syscall.ECONNRESET},
	{"a reset connection", &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}},
	{"a read that took too long", &net.OpError{Op: "read", Net: "tcp", Err: os.ErrDeadlineExceeded}},
	{"a timeout", timeout{}},
	{"context.Canceled", context.Canceled},
	{"context.DeadlineExceeded", context.DeadlineExceeded},
	{"io.ErrClosedPipe", io.ErrClosedPipe},
	{"net.ErrClosed", net.ErrClosed},
	{"http.ErrBodyReadAfterClose", http.ErrBodyReadAfterClose},
	{"a wrapped io.EOF", fmt.Errorf("http: reading: %w", io.EOF)},
	{"a wrapped io.ErrUnexpectedEOF", fmt.Errorf("http: reading: %w", io.ErrUnexpectedEOF)},
}

// respondWith sends a GET through a new wrapper over a base that answers with
// this body, which is said to have this length.
func (s *suite) respondWith(status int, body io.ReadCloser, length int64) (*http.Response, error) {
	wrapper, err := s.over(roundTripFunc(func(sent *http.Request) (*http.Response, error) {
		resp := answer(sent, status)
		resp.Body, resp.ContentLength = body, length
		return resp, nil
	}))
	if err != nil {
		return nil, err
	}
	return wrapper.RoundTrip(s.get())
}

func closesResponse(s *suite) error {
	var found findings
	for _, t := range s.exchanges() {
		if t.form == nil || t.unreturned() != nil {
			continue
		}
		if last := t.given[len(t.given)-1].body; last != nil && !last.closed() {
			found.addf("%s: the caller read and closed its body; the base's was not closed", t.what)
		}
	}
	l := newLabel()
	unread := make(map[int]*trackedBody) // by status
	statuses := []int{http.StatusOK, http.StatusNotFound, http.StatusServiceUnavailable}
	for _, status := range statuses {
		body := newTrackedBody(answerText)
		l.do(func() {
			resp, err := s.respondWith(status, body, 2*int64(len(answerText)))
			discard(resp)
			if err == nil && resp != nil { // else another clause says so
				unread[status] = body
			}
		})
	}
	l.settle(func() bool {
		for _, body := range unread {
			if !body.closed() {
				return false
			}
		}
		return true
	})
	for _, status := range statuses {
		if body := unread[status]; body != nil && !body.closed() {
			found.addf("a %d: the caller closed its body unread; the base's was not closed", status)
		}
	}
	return found.err()
}

func closesDropped(s *suite) error {
	var found findings
	for _, t := range s.exchanges() {
		dropped := t.given
		if t.resp != nil && len(dropped) > 0 {
			dropped = dropped[:len(dropped)-1]
		}
		for _, g := range dropped {
			if g.body != nil && !g.body.closed() {
				found.addf("%s did not come back, and its body was not closed", t.what)
			}
		}
	}
	return found.err()
}

func keepsUpgrade(s *suite) error {
	caller, server := net.Pipe()
	var echo sync.WaitGroup
	echo.Go(func() { _, _ = io.Copy(server, server) })
	defer echo.Wait()
	defer caller.Close()
	defer server.Close()

	wrapper, err := s.over(roundTripFunc(func(sent *http.Request) (*http.Response, error) {
		resp := answer(sent, http.StatusSwitchingProtocols)
		resp.Header.Set("Connection", "Upgrade")
		resp.Header.Set("Upgrade", "echo")
		resp.Body = caller
		return resp, nil
	}))
	if err != nil {
		return err
	}
	// The pipe blocks: a wrapper that reads it would never return.
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()

	req := s.get()
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "echo")
	resp, err := wrapper.RoundTrip(req)
	if err := cameBack(resp, err); err != nil {
		return notApplicable("the 101: " + err.Error() + "; see response/101")
	}
	defer discard(resp)
	conn, ok := resp.Body.(io.ReadWriter)
	if !ok {
		return fmt.Errorf("the body of the 101 is a %T, which has no method Write", resp.Body)
	}
	const ping = "ping"
	if _, err := io.WriteString(conn, ping); err != nil {
		return fmt.Errorf("writing to the body of the 101: %w", err)
	}
	got := make([]byte, len(ping))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != ping {
		return fmt.Errorf("the server sends back what is written to the body of the 101; %q came back as %q", ping, got)
	}
	return nil
}

func handlesNoCookies(s *suite) error {
	const cookie = "session=of-the-base"
	var kept atomic.Bool
	wrapper, err := s.over(roundTripFunc(func(sent *http.Request) (*http.Response, error) {
		for _, value := range valuesOf(sent.Header, "Cookie") {
			if strings.Contains(value, cookie) {
				kept.Store(true)
			}
		}
		resp := answer(sent, http.StatusOK)
		resp.Header.Set("Set-Cookie", cookie+"; Path=/")
		return resp, nil
	}))
	if err != nil {
		return err
	}
	for range 2 {
		resp, _ := wrapper.RoundTrip(s.get())
		discard(resp)
	}
	if kept.Load() {
		return fmt.Errorf("the base set the cookie %s with one response, and got it with the next request", cookie)
	}
	return nil
}
