// Package redact puts REDACTED in the place of a secret, wherever a server echoed
// it in a text, as it is or escaped.
package redact

import (
	"net/http"
	"slices"
	"strings"
)

// Marker stands wherever a secret would stand.
const Marker = "REDACTED"

// Redactor replaces secrets in the texts of one answer, for which it does a
// bounded amount of work: what that does not suffice for is replaced whole. The
// zero value replaces nothing.
type Redactor struct {
	secrets []string
	folded  []string // in lower case: net/http changes the case of field names
	work    *searchWork
}

// Secrets returns a Redactor of these secrets.
func Secrets(secrets ...string) Redactor {
	work := searchWork(maxSearchWork)
	return Redactor{secrets: secrets, work: &work}
}

// FieldValues returns a Redactor of a header field's values. Where a value has the
// form of "Bearer abc", the part that follows the space is as secret as the
// whole. Empty values are ignored.
func FieldValues(values ...string) Redactor {
	r := Secrets()
	for _, value := range values {
		if value != "" {
			r.secrets = append(r.secrets, Forms(value)...)
			r.folded = append(r.folded, Forms(strings.ToLower(value))...)
		}
	}
	return r
}

// Forms returns what is secret of a header field's value: the value, the part
// after its first space, and both as a server may read them that takes a field for
// Latin-1.
func Forms(value string) []string {
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

// Text replaces every echo in a text.
func (r Redactor) Text(s string) string { return r.CutText(s, true) }

// CutText replaces every echo in a text. If that is not the whole, its end may be
// the beginning of one.
func (r Redactor) CutText(s string, whole bool) string {
	return replaceEchoes(r.secrets, s, whole, r.work)
}

// Body is CutText for bytes. It may return data itself.
func (r Redactor) Body(data []byte, whole bool) []byte {
	if len(r.secrets) == 0 || data == nil {
		return data
	}
	return []byte(r.CutText(string(data), whole))
}

// Header returns a copy of h without echoes in its names and values.
func (r Redactor) Header(h http.Header) http.Header {
	if h == nil {
		return nil
	}
	out := make(http.Header, len(h))
	for name, values := range h {
		if r.isEchoedBy(name) {
			name = Marker
		}
		shown := slices.Clone(values) // a trailer that is announced has none
		for i, value := range shown {
			shown[i] = r.Text(value)
		}
		if other, ok := out[name]; ok {
			shown = append(other, shown...)
		}
		out[name] = shown
	}
	return out
}

// isEchoedBy reports whether the name of a header field contains a secret.
func (r Redactor) isEchoedBy(name string) bool {
	lower := strings.ToLower(name)
	return r.Text(name) != name || replaceEchoes(r.folded, lower, true, r.work) != lower
}
