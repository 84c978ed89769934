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
	"example.com/routeauth/internal/sound"
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
func (s *headerSender) reject(r redact.Redactor, to *target, req *http.Request, resp *http.Response) *rejection {
	e := &UnauthorizedError{
		Scheme:    s.scheme,
		Method:    cmp.Or(to.method, http.MethodGet),
		URL:       r.Text(locationOf(&to.url)),
		Header:    r.Header(resp.Header),
		RequestID: r.Text(cmp.Or(resp.Header.Get("X-Cloud-Trace-Context"), resp.Header.Get("X-Request-Id"))),
	}
	keep := s.options != nil && s.options.keepUnauthorized
	var kept *http.Response
	var body problem.Body
	if keep {
		kept = without(resp, r) // before net/http adds to it what follows the body
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
	return &rejection{e, keep401(e, r, req, kept, resp, body)}
}

// final is what the caller gets where the request is not sent again.
func (r *rejection) final(s *headerSender, req *http.Request) (*http.Response, error) {
	s.options.tracesOf(req).unauthorized(req.Context(), r.err, false)
	if r.kept != nil {
		return r.kept, nil
	}
	return nil, r.err
}

// close closes the response where the request is to be sent again. The caller
// gets it all the same where that comes to nothing.
func (r *rejection) close() {
	if r.kept != nil {
		r.kept.Body.(*keptBody).cutOff()
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

// hideIn returns an error of the base without the credential: in its text, in the
// text of any error in it, and in the fields of this package's own errors, which a
// wrapper below made. An error in which there is nothing to hide is returned as it
// is.
func hideIn(err error, r redact.Redactor) error {
	hidden, _ := hideAll(err, r)
	return hidden
}

// hideAll is hideIn, and reports whether there was something to hide.
func hideAll(err error, r redact.Redactor) (shown error, hid bool) {
	if err == nil || sound.IsTypedNil(err) {
		return err, false
	}
	if below, ok := err.(*UnauthorizedError); ok {
		again := hideAgain(below, r)
		if reflect.DeepEqual(again, below) {
			return err, false
		}
		return again, true
	}
	original := sound.Error("routeauth: the base", err).Error()
	text := r.Text(original)
	hid = text != original
	var parts []error
	for _, inner := range partsOf(err) {
		part, hidInPart := hideAll(inner, r)
		parts = append(parts, part)
		hid = hid || hidInPart
	}
	if !hid {
		return err, false
	}
	return withParts(err, text, parts, r), true
}

// partsOf returns the errors in err that can be found in it: those that it wraps,
// and those of this package that its method As has.
func partsOf(err error) []error {
	var parts []error
	if as, ok := err.(interface{ As(any) bool }); ok {
		var rejected *UnauthorizedError
		if as.As(&rejected) && rejected != nil {
			parts = append(parts, rejected)
		}
		var failed *CredentialError
		if as.As(&failed) && failed != nil {
			parts = append(parts, failed)
		}
	}
	return append(parts, unwrap(err)...)
}

// withParts returns an error in the place of err, with another text and other
// errors in it. What this package asks its own errors stays.
func withParts(err error, text string, parts []error, r redact.Redactor) error {
	switch e := err.(type) {
	case *CredentialError:
		shown := *e
		shown.URL, shown.Err = r.Text(e.URL), nil
		if len(parts) > 0 {
			shown.Err = parts[0]
		}
		return &shown
	case *permanentError:
		return &permanentError{parts[0]}
	}
	return &redactedError{text: text, cause: hide(err), parts: hide(parts)}
}

// redactedError stands for an error in whose text, or in whose parts, there was
// the credential. errors.As does not find that error: who has it can print it.
type redactedError struct {
	text  string
	cause hidden[error]   // tells its kind, but its own words are not shown
	parts hidden[[]error] // that are in the cause, without the credential
}

func (e *redactedError) Error() string        { return e.text }
func (e *redactedError) Is(target error) bool { return errors.Is(e.cause(), target) }
func (e *redactedError) Unwrap() []error      { return e.parts() }

// Timeout and Temporary answer for the cause, and for every error in it, as
// net.Error asks.
func (e *redactedError) Timeout() bool { return isTimeout(e.cause()) }

func (e *redactedError) Temporary() bool {
	return holdsError(e.cause(), func(e interface {
		error
		Temporary() bool
	}) bool {
		return e.Temporary()
	})
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
