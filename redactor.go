package routeauth

import (
	"errors"
	"net/http"
	"reflect"
	"strings"
	"unicode/utf8"
)

// redactor replaces a credential, wherever a server echoed it, by REDACTED. The
// zero value replaces nothing.
//
// A redactor is for the texts of one answer, which share its work.
type redactor struct {
	secrets []string
	folded  []string // in lower case: net/http changes the case of field names
	work    *searchWork
}

func newSearchWork() *searchWork {
	work := searchWork(maxSearchWork)
	return &work
}

// newRedactor returns the redactor of a header field's value.
func newRedactor(value string) redactor {
	return redactor{secretsIn(value), secretsIn(strings.ToLower(value)), newSearchWork()}
}

// secretsIn returns what of a header field's value is not to be seen. Where the
// value has the form of "Bearer abc", the part that follows the space is as
// secret as the whole.
func secretsIn(value string) []string {
	secrets := []string{value}
	if _, credential, found := strings.Cut(value, " "); found && strings.TrimSpace(credential) != "" {
		secrets = append(secrets, strings.TrimSpace(credential))
	}
	for _, secret := range secrets {
		if latin1 := fromLatin1(secret); latin1 != secret {
			// Beyond ASCII many servers read a header field as Latin-1, and
			// encoding/json replaces what is not UTF-8.
			secrets = append(secrets, latin1, string([]rune(secret)))
		}
	}
	return secrets
}

func fromLatin1(s string) string {
	runes := make([]rune, len(s))
	for i := range len(s) {
		runes[i] = rune(s[i])
	}
	return string(runes)
}

func (r redactor) text(s string) string { return r.cutText(s, true) }

// cutText replaces every echo in a text, of which the end is missing unless it is
// the whole.
func (r redactor) cutText(s string, whole bool) string {
	return replaceEchoes(r.secrets, s, whole, r.work)
}

// body replaces every echo in data. If data is not the whole, its end may be
// the beginning of one.
func (r redactor) body(data []byte, whole bool) []byte {
	if len(r.secrets) == 0 || data == nil {
		return data
	}
	return []byte(r.cutText(string(data), whole))
}

func (r redactor) header(h http.Header) http.Header {
	if h == nil {
		return nil
	}
	out := make(http.Header, len(h))
	for name, values := range h {
		if r.isEchoedBy(name) {
			name = redacted
		}
		for _, value := range values {
			out[name] = append(out[name], r.text(value))
		}
	}
	return out
}

// isEchoedBy reports whether the name of a header field holds the credential.
func (r redactor) isEchoedBy(name string) bool {
	lower := strings.ToLower(name)
	return r.text(name) != name || replaceEchoes(r.folded, lower, true, r.work) != lower
}

// failure returns an error of the base without the credential in its text, or
// in the rejection that a wrapper below made.
func (r redactor) failure(err error) error {
	if below, ok := err.(*UnauthorizedError); ok {
		return r.rejection(below)
	}
	quoting := &quotingError{text: r.text(err.Error()), cause: hide(err)}
	quotes := quoting.text != err.Error()
	var below *UnauthorizedError
	if errors.As(err, &below) && below != nil {
		quoting.rejection = r.rejection(below)
		quotes = quotes || !reflect.DeepEqual(quoting.rejection, below)
	}
	if !quotes {
		return err
	}
	return quoting
}

// quotingError stands for an error that quotes the credential.
type quotingError struct {
	text      string
	rejection *UnauthorizedError // that errors.As finds in the cause, if any
	cause     hidden[error]      // tells its kind, but its own words are not shown
}

func (e *quotingError) Error() string        { return e.text }
func (e *quotingError) Is(target error) bool { return errors.Is(e.cause(), target) }

// Timeout and Temporary answer as the cause does, for net.Error.
func (e *quotingError) Timeout() bool {
	t, ok := e.cause().(interface{ Timeout() bool })
	return ok && t.Timeout()
}

func (e *quotingError) Temporary() bool {
	t, ok := e.cause().(interface{ Temporary() bool })
	return ok && t.Temporary()
}

func (e *quotingError) As(target any) bool {
	if t, ok := target.(**UnauthorizedError); ok && e.rejection != nil {
		*t = e.rejection
		return true
	}
	return errors.As(e.cause(), target)
}

// rejection returns e, which was made of another credential, without this one:
// the server has seen both. Its texts may have been cut off already.
func (r redactor) rejection(e *UnauthorizedError) *UnauthorizedError {
	hidden := *e
	hidden.URL = r.text(e.URL)
	hidden.Header = r.header(e.Header)
	hidden.Body = limitBody(r.body(e.Body, false))
	whole := len(e.Detail) <= maxErrorBody-utf8.UTFMax
	hidden.Detail = limitText(r.cutText(e.Detail, whole))
	hidden.RequestID = r.text(e.RequestID)
	return &hidden
}
