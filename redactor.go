package routeauth

import (
	"net/http"
	"strconv"
	"strings"
)

// minPartial is how many bytes of a credential at the end of a body that was
// cut off count as the credential's beginning and not as chance.
const minPartial = 4

// redactor replaces a credential, wherever a server echoed it, by REDACTED. The
// zero value replaces nothing.
type redactor struct{ secrets []string }

// newRedactor returns the redactor of a header field's value. Where the value
// has the form of "Bearer abc", the part that follows the space is as secret as
// the whole.
func newRedactor(value string) redactor {
	secrets := []string{value}
	if _, credential, found := strings.Cut(value, " "); found && strings.TrimSpace(credential) != "" {
		secrets = append(secrets, strings.TrimSpace(credential))
	}
	return redactor{secrets}
}

func (r redactor) header(h http.Header) http.Header {
	out := make(http.Header, len(h))
	for name, values := range h {
		name = r.text(name)
		for _, value := range values {
			out[name] = append(out[name], r.text(value))
		}
	}
	return out
}

func (r redactor) text(s string) string { return string(r.body([]byte(s), true)) }

// body replaces every echo in data. If data is not the whole, its end may be
// the beginning of one.
func (r redactor) body(data []byte, whole bool) []byte {
	if len(r.secrets) == 0 {
		return data
	}
	out := make([]byte, 0, len(data))
	for len(data) > 0 {
		if n := r.echo(data, whole); n > 0 {
			out, data = append(out, redacted...), data[n:]
			continue
		}
		out, data = append(out, data[0]), data[1:]
	}
	return out
}

// echo returns how many bytes at the beginning of data are an echo.
func (r redactor) echo(data []byte, whole bool) int {
	for _, secret := range r.secrets {
		matched, length := matchEscaped(data, secret)
		if matched == len(secret) {
			return length
		}
		if !whole && matched >= minPartial && isCutOff(data[length:]) {
			return len(data)
		}
	}
	return 0
}

// isCutOff reports whether rest is empty or an escape that is not complete.
func isCutOff(rest []byte) bool {
	return len(rest) == 0 || len(rest) < len(`\u0000`) && (rest[0] == '\\' || rest[0] == '%')
}

// matchEscaped returns how many bytes of secret stand at the beginning of data,
// as they are or escaped, and how many bytes of data that takes.
func matchEscaped(data []byte, secret string) (matched, length int) {
	for matched < len(secret) && length < len(data) {
		c, n := unescapedByte(data[length:])
		if c != secret[matched] {
			// A backslash or a percent sign may stand for itself.
			if c, n = data[length], 1; c != secret[matched] {
				break
			}
		}
		matched++
		length += n
	}
	return matched, length
}

// unescapedByte returns the first byte that data stands for, escaped as in a
// JSON string (RFC 8259, section 7) or in a URL (RFC 3986, section 2.1) or not
// at all, and how many bytes of data it takes.
func unescapedByte(data []byte) (c byte, length int) {
	switch {
	case len(data) >= 6 && data[0] == '\\' && data[1] == 'u':
		if code, err := strconv.ParseUint(string(data[2:6]), 16, 8); err == nil {
			return byte(code), 6
		}
	case len(data) >= 2 && data[0] == '\\':
		return data[1], 2 // \" \\ \/; a credential holds no control character
	case len(data) >= 3 && data[0] == '%':
		if code, err := strconv.ParseUint(string(data[1:3]), 16, 8); err == nil {
			return byte(code), 3
		}
	}
	return data[0], 1
}
