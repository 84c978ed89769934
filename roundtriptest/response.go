package roundtriptest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

var responseClauses = []clause{{
	name:   "response/status",
	wants:  "whatever its status, a response comes back as a response, and is not acted on",
	stands: "net/http, RoundTripper: RoundTrip returns no error where it obtained a response, and handles no redirects",
	check:  returnsEveryStatus,
}, {
	name:   "response/body",
	wants:  "the response's body is the base's own value",
	stands: "net/http, RoundTripper: RoundTrip does not interpret the response",
	check:  keepsResponseBody,
}, {
	name:   "response/unread",
	wants:  "the response's body is neither read nor closed before the caller has it, so that it can be a stream",
	stands: "net/http, Response.Body: the body is streamed on demand, and closing it is the caller's",
	check:  leavesResponseUnread,
}, {
	name:   "response/upgrade",
	wants:  "the body of a 101 can be written to, and what is written arrives",
	stands: "net/http, Response.Body: implements io.Writer on 101 Switching Protocols; RFC 9110, section 7.8",
	check:  keepsUpgrade,
}, {
	name:   "response/error",
	wants:  "the base's error comes back, so that errors.Is finds it",
	stands: "net/http, RoundTripper: an error means that no response was obtained; errors.Is",
	check:  returnsBaseError,
}, {
	name:   "response/missing",
	wants:  "a base that returns neither a response nor an error, or a response with a nil body, makes no panic",
	stands: "net/http, Client.Do: turns the first into an error, and takes the second",
	check:  survivesMissingResponse,
}}

func returnsEveryStatus(s *suite) error {
	var found findings
	for _, status := range []int{200, 204, 302, 400, 404, 500} {
		var answered atomic.Bool
		resp, err := roundTrip(s.over(roundTripFunc(func(sent *http.Request) (*http.Response, error) {
			if answered.Swap(true) {
				return answer(sent, http.StatusTeapot), nil // to whoever acted on the first
			}
			resp := answer(sent, status)
			resp.Header.Set("Location", s.url.String())
			return resp, nil
		})), s.get())
		switch {
		case err != nil:
			found.addf("status %d: %w", status, err)
		case resp.StatusCode != status:
			found.addf("status %d came back as %d", status, resp.StatusCode)
		}
		discard(resp)
	}
	return found.err()
}

func keepsResponseBody(s *suite) error {
	body := newResponseBody()
	resp, err := s.respondWith(body)
	if err != nil {
		return err
	}
	defer discard(resp)
	if resp.Body != io.ReadCloser(body) {
		return fmt.Errorf("the response's body is a %T, not the base's own value", resp.Body)
	}
	return nil
}

func leavesResponseUnread(s *suite) error {
	body := newResponseBody()
	resp, err := s.respondWith(body)
	if err != nil {
		return err
	}
	defer discard(resp)
	if body.reads.Load() > 0 || body.closes.Load() > 0 {
		return fmt.Errorf("before the caller had the response, its body was read %d times and closed %d times",
			body.reads.Load(), body.closes.Load())
	}
	return nil
}

// respondWith sends a request through a new wrapper over a base that answers
// with this body.
func (s *suite) respondWith(body io.ReadCloser) (*http.Response, error) {
	return roundTrip(s.over(roundTripFunc(func(sent *http.Request) (*http.Response, error) {
		resp := answer(sent, http.StatusOK)
		resp.Body, resp.ContentLength = body, -1
		return resp, nil
	})), s.get())
}

// responseBody is a response's body that counts what is done to it.
type responseBody struct {
	text          io.Reader
	reads, closes atomic.Int32
}

func newResponseBody() *responseBody { return &responseBody{text: strings.NewReader(payload)} }

func (b *responseBody) Read(p []byte) (int, error) {
	b.reads.Add(1)
	return b.text.Read(p)
}

func (b *responseBody) Close() error {
	b.closes.Add(1)
	return nil
}

func keepsUpgrade(s *suite) error {
	base, stop := serve(upgradeToEcho)
	defer stop()
	req := s.get()
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "echo")
	resp, err := roundTrip(s.over(base), req)
	if err != nil {
		return err
	}
	defer discard(resp)
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return fmt.Errorf("the server answered 101, the status came back as %d", resp.StatusCode)
	}
	conn, ok := resp.Body.(io.ReadWriter)
	if !ok {
		return fmt.Errorf("the body of the 101 is a %T, which has no method Write", resp.Body)
	}
	if _, err := io.WriteString(conn, "ping"); err != nil {
		return fmt.Errorf("writing to the body of the 101: %w", err)
	}
	echo := make([]byte, len("ping"))
	if _, err := io.ReadFull(conn, echo); err != nil || string(echo) != "ping" {
		return fmt.Errorf("the server echoes what is written to the body of the 101; ping came back as %q (error: %w)", echo, orNone(err))
	}
	return nil
}

// upgradeToEcho answers 101 and sends back what it gets, for as long as a check
// may take: the reads of a wrapper that waits for the end must end.
func upgradeToEcho(w http.ResponseWriter, _ *http.Request) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	_, _ = io.Copy(conn, buffered)
}

func returnsBaseError(s *suite) error {
	resp, err := s.over(roundTripFunc(func(sent *http.Request) (*http.Response, error) {
		return nil, errBase
	})).RoundTrip(s.get())
	discard(resp)
	if !errors.Is(err, errBase) {
		return fmt.Errorf("the base failed; in the error of RoundTrip, errors.Is does not find why: %w", orNone(err))
	}
	return nil
}

func survivesMissingResponse(s *suite) error {
	withoutBody := func(status int) roundTripFunc {
		return func(req *http.Request) (*http.Response, error) {
			resp := answer(req, status)
			resp.Body = nil
			return resp, nil
		}
	}
	var found findings
	for what, base := range map[string]roundTripFunc{
		"nil and a nil error":     func(*http.Request) (*http.Response, error) { return nil, nil },
		"a 200 whose body is nil": withoutBody(http.StatusOK),
		"a 401 whose body is nil": withoutBody(http.StatusUnauthorized),
		"a 500 whose body is nil": withoutBody(http.StatusInternalServerError),
	} {
		wrapper := s.over(base)
		if err := recovered(func() error { _, _ = wrapper.RoundTrip(s.get()); return nil }); err != nil {
			found.addf("the base returned %s: %w", what, err)
		}
	}
	return found.err()
}
