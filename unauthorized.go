package routeauth

import (
	"cmp"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"unicode/utf8"

	"example.com/routeauth/internal/problem"
	"example.com/routeauth/internal/redact"
)

// maxErrorBody is how much of a 401's body, and of its detail, is kept.
const maxErrorBody = 4 << 10

// rejection is a 401 to a credential.
type rejection struct {
	err  *UnauthorizedError
	kept *http.Response // with KeepUnauthorized; else nil
}

// reject makes of a 401 response an error, draining and closing its body, or with
// KeepUnauthorized a response that can be read as one.
func (s *headerSender) reject(r redact.Redactor, to target, req *http.Request, resp *http.Response) *rejection {
	e := &UnauthorizedError{
		Scheme:    s.scheme,
		Method:    cmp.Or(to.method, http.MethodGet),
		URL:       r.Text(locationOf(&to.url)),
		Header:    r.Header(resp.Header),
		RequestID: r.Text(cmp.Or(resp.Header.Get("X-Cloud-Trace-Context"), resp.Header.Get("X-Request-Id"))),
	}
	keep := s.options != nil && s.options.keepUnauthorized
	var body problem.Body
	if keep {
		body = problem.Read(req.Context(), resp)
	} else {
		body = problem.Drain(req.Context(), resp)
	}
	if !isEncoded(resp.Header) {
		e.Detail = limitText(r.Text(problem.OneLine(r.Text(problem.Detail(body.Data)))))
		e.Body = limitBody(r.Body(body.Data, body.Whole))
	}
	if !keep {
		return &rejection{err: e}
	}
	if below, ok := UnauthorizedFrom(resp); ok {
		e = hideAgain(below, r) // a wrapper below was rejected, and not this one
	}
	return &rejection{e, keep401(e, r, req, resp, body)}
}

// final is what the caller gets where the request is not sent again.
func (r *rejection) final(s *headerSender, req *http.Request) (*http.Response, error) {
	s.options.tracesOf(req).unauthorized(req.Context(), r.err, false)
	if r.kept != nil {
		return r.kept, nil
	}
	return nil, r.err
}

// close closes the response where the request is sent again.
func (r *rejection) close() {
	if r.kept != nil {
		problem.Close(r.kept)
	}
}

// limitBody returns a copy of body's beginning: an error that is kept must not
// keep alive what it does not show.
func limitBody(body []byte) []byte {
	if body == nil {
		return nil
	}
	return append(make([]byte, 0, min(len(body), maxErrorBody)), body[:min(len(body), maxErrorBody)]...)
}

// limitText returns a copy of text's beginning.
func limitText(text string) string {
	return strings.Clone(strings.ToValidUTF8(text[:min(len(text), maxErrorBody)], ""))
}

func isEncoded(h http.Header) bool {
	for _, coding := range h.Values("Content-Encoding") {
		if coding != "" && !strings.EqualFold(coding, "identity") {
			return true
		}
	}
	return false
}

// hideIn returns an error of the base without the credential in its text, or in
// the 401 that a wrapper below made an error of.
func hideIn(err error, r redact.Redactor) error {
	if below, ok := err.(*UnauthorizedError); ok {
		return hideAgain(below, r)
	}
	redacted := &redactedError{text: r.Text(err.Error()), cause: hide(err)}
	quotes := redacted.text != err.Error()
	var below *UnauthorizedError
	if errors.As(err, &below) && below != nil {
		redacted.unauthorized = hideAgain(below, r)
		quotes = quotes || !reflect.DeepEqual(redacted.unauthorized, below)
	}
	if !quotes {
		return err
	}
	return redacted
}

// redactedError replaces an error whose text contains the credential.
type redactedError struct {
	text         string
	unauthorized *UnauthorizedError // that errors.As finds in the cause, if any
	cause        hidden[error]      // tells its kind, but its own words are not shown
}

func (e *redactedError) Error() string        { return e.text }
func (e *redactedError) Is(target error) bool { return errors.Is(e.cause(), target) }

// Timeout and Temporary answer as the cause does, for net.Error.
func (e *redactedError) Timeout() bool {
	t, ok := e.cause().(interface{ Timeout() bool })
	return ok && t.Timeout()
}

func (e *redactedError) Temporary() bool {
	t, ok := e.cause().(interface{ Temporary() bool })
	return ok && t.Temporary()
}

func (e *redactedError) As(target any) bool {
	if t, ok := target.(**UnauthorizedError); ok && e.unauthorized != nil {
		*t = e.unauthorized
		return true
	}
	return errors.As(e.cause(), target)
}

// hideAgain returns e, which was made of another credential, without this one:
// the server has seen both. Its texts may have been cut off already.
func hideAgain(e *UnauthorizedError, r redact.Redactor) *UnauthorizedError {
	shown := *e
	shown.URL = r.Text(e.URL)
	shown.Header = r.Header(e.Header)
	shown.Body = limitBody(r.Body(e.Body, false))
	whole := len(e.Detail) <= maxErrorBody-utf8.UTFMax
	shown.Detail = limitText(r.CutText(e.Detail, whole))
	shown.RequestID = r.Text(e.RequestID)
	return &shown
}
