package routeauth

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// minPartial is how many bytes of a credential at the end of a body that
// was cut off count as the credential's beginning and not as chance.
const minPartial = 4

// redactor replaces a credential, wherever a server echoed it, by REDACTED. The
// zero value replaces nothing.
type redactor struct {
	secrets []string
	folded  []string // in lower case: net/http changes the case of field names
}

// newRedactor returns the redactor of a header field's value.
func newRedactor(value string) redactor {
	return redactor{secretsIn(value), secretsIn(strings.ToLower(value))}
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

func (r redactor) text(s string) string { return replaceEchoes(r.secrets, s, true) }

// body replaces every echo in data. If data is not the whole, its end may be
// the beginning of one.
func (r redactor) body(data []byte, whole bool) []byte {
	if len(r.secrets) == 0 {
		return data
	}
	return []byte(replaceEchoes(r.secrets, string(data), whole))
}

func (r redactor) header(h http.Header) http.Header {
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
	return r.text(name) != name || replaceEchoes(r.folded, lower, true) != lower
}

// failure returns an error of the base without the credential in its text.
func (r redactor) failure(err error) error {
	if below, ok := err.(*UnauthorizedError); ok {
		return r.rejection(below)
	}
	if text := r.text(err.Error()); text != err.Error() {
		return &quotingError{text, seal(err)}
	}
	return err
}

// quotingError stands for an error whose text quotes the credential.
type quotingError struct {
	text  string
	cause sealed[error] // tells its kind, but its own words are not shown
}

func (e *quotingError) Error() string        { return e.text }
func (e *quotingError) Is(target error) bool { return errors.Is(e.cause(), target) }
func (e *quotingError) As(target any) bool   { return errors.As(e.cause(), target) }

// rejection returns e, which was made of another credential, without this one:
// the server has seen both.
func (r redactor) rejection(e *UnauthorizedError) *UnauthorizedError {
	hidden := *e
	hidden.URL = r.text(e.URL)
	hidden.Header = r.header(e.Header)
	hidden.Body = r.body(e.Body, len(e.Body) < maxErrorBody)
	hidden.Detail = r.text(e.Detail)
	hidden.RequestID = r.text(e.RequestID)
	return &hidden
}

func replaceEchoes(secrets []string, text string, whole bool) string {
	var out strings.Builder
	for len(text) > 0 {
		length := 0
		for _, secret := range secrets {
			length = max(length, echoLength(text, secret, whole))
		}
		if length > 0 {
			out.WriteString(redacted)
		} else {
			length = 1
			out.WriteByte(text[0])
		}
		text = text[length:]
	}
	return out.String()
}

// echoLength returns how many bytes at the beginning of text are the secret, as
// it is or escaped. A backslash or a percent sign begins an escape or stands
// for itself, so that there can be several places up to which a part of the
// secret reaches.
func echoLength(text, secret string, whole bool) int {
	var buffers [2][8]int
	ends, next := append(buffers[0][:0], 0), buffers[1][:0]
	for i := 0; i < len(secret); {
		r, size := utf8.DecodeRuneInString(secret[i:])
		char := secret[i : i+size]
		mayBeCutOff := !whole && i >= minPartial
		next = next[:0]
		for _, end := range ends {
			rest := text[end:]
			if mayBeCutOff && strings.HasPrefix(char, rest) {
				return len(text)
			}
			if strings.HasPrefix(rest, char) {
				next = appendNew(next, end+len(char))
			}
			if rest == "" || rest[0] != '\\' && rest[0] != '%' {
				continue
			}
			for _, escape := range escapesOf(char, r) {
				if mayBeCutOff && len(rest) < len(escape) && equalFoldASCII(rest, escape[:len(rest)]) {
					return len(text)
				}
				if len(rest) >= len(escape) && equalFoldASCII(rest[:len(escape)], escape) {
					next = appendNew(next, end+len(escape))
				}
			}
		}
		if len(next) == 0 {
			return 0
		}
		ends, next = next, ends
		i += size
	}
	return slices.Max(ends)
}

func appendNew(ends []int, end int) []int {
	if slices.Contains(ends, end) {
		return ends
	}
	return append(ends, end)
}

// escapesOf returns a character escaped as in a URL (RFC 3986, section 2.1) and
// as in a JSON string (RFC 8259, section 7). The case of the digits is free.
func escapesOf(char string, r rune) []string {
	var inURL, inJSON string
	for i := range len(char) {
		inURL += fmt.Sprintf("%%%02x", char[i])
	}
	for _, unit := range utf16.Encode([]rune{r}) {
		inJSON += fmt.Sprintf(`\u%04x`, unit)
	}
	switch r {
	case '"', '\\', '/':
		return []string{inURL, inJSON, `\` + char}
	case '\t':
		return []string{inURL, inJSON, `\t`}
	}
	return []string{inURL, inJSON}
}
