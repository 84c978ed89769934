// Package httpfield says what is wrong with the name or the value of a header
// field that is to carry a credential.
package httpfield

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"example.com/routeauth/internal/redact"
)

// CheckCredential says what is wrong with a token, an API key or a subscription
// ID: it must be printable ASCII without spaces, which is what fits into a
// header field as a single word. The error never holds the value.
//
// It says what mistake is likely: a file's line break at the end, a scheme that
// stands before the value, quotes that a shell or a .env file should have taken
// off. A value in quotes is refused though each of its bytes is allowed.
func CheckCredential(what, value string) error {
	err := checkBytes(what, value, "printable ASCII without spaces", func(c byte) bool {
		return c > ' ' && c < 0x7f
	})
	if value == "" || value == redact.Marker {
		return err
	}
	if err == nil && isQuoted(value) {
		err = fmt.Errorf("%s: byte %#02x at offset 0 and at the end", what, value[0])
	}
	if err == nil {
		return nil
	}
	trimmed := strings.TrimRight(value, "\r\n")
	switch {
	case hasBearerPrefix(trimmed) && what == "token":
		err = fmt.Errorf(`%w: it begins with "Bearer ", which the transport adds by itself`, err)
	case hasBearerPrefix(trimmed):
		err = fmt.Errorf(`%w: it begins with "Bearer ", which does not belong to it`, err)
	case isQuoted(trimmed):
		err = fmt.Errorf("%w: it stands in quotes, which do not belong to it", err)
	}
	return err
}

func hasBearerPrefix(value string) bool { return HasPrefixFold(value, "Bearer ") }

// HasPrefixFold reports whether value begins with prefix, in any case of letters.
func HasPrefixFold(value, prefix string) bool {
	return len(value) >= len(prefix) && strings.EqualFold(value[:len(prefix)], prefix)
}

// isQuoted reports whether value has a quote of one kind at both ends.
func isQuoted(value string) bool {
	return len(value) >= 2 && (value[0] == '"' || value[0] == '\'') && value[0] == value[len(value)-1]
}

// CheckValue says what is wrong with a header field's value (RFC 9110,
// section 5.5). The error never holds the value.
func CheckValue(what, value string) error {
	err := checkBytes(what, value, "a character of a header field", func(c byte) bool {
		return c >= ' ' && c != 0x7f || c == '\t'
	})
	if err != nil {
		return err
	}
	if strings.HasSuffix(value, " "+redact.Marker) { // as in "Token " and a formatted Secret
		return placeholderError(what)
	}
	for _, i := range []int{0, len(value) - 1} {
		if value[i] == ' ' || value[i] == '\t' {
			return fmt.Errorf("%s: byte %#02x at offset %d is white space at the beginning or the end", what, value[i], i)
		}
	}
	return nil
}

// CheckBasic says what is wrong with a user name or a password (RFC 7617, section
// 2), which may be empty. The error never holds the value.
func CheckBasic(what, value string) error {
	if value == "" {
		return nil
	}
	return checkBytes(what, value, "allowed, being a control character", func(c byte) bool {
		return c >= ' ' && c != 0x7f
	})
}

func checkBytes(what, value, class string, allowed func(c byte) bool) error {
	switch value {
	case "":
		return fmt.Errorf("%s is empty", what)
	case redact.Marker:
		return placeholderError(what)
	}
	for i := range len(value) {
		if allowed(value[i]) {
			continue
		}
		err := fmt.Errorf("%s: byte %#02x at offset %d is not %s", what, value[i], i, class)
		if strings.TrimRight(value, "\r\n") != value {
			err = fmt.Errorf("%w: it ends in a line break, as the text of a file does", err)
		}
		return err
	}
	return nil
}

func placeholderError(what string) error {
	return fmt.Errorf("%s is the placeholder %s, not the value that it stood for: "+
		"a Secret was formatted, or marshalled and read back", what, redact.Marker)
}

// fieldsOfNetHTTP are written by net/http itself from other fields of the
// request; a header map's entry under these names is ignored or refused.
var fieldsOfNetHTTP = []string{"Host", "Content-Length", "Transfer-Encoding", "Trailer", "Connection"}

// CheckName says what is wrong with a header field's name (RFC 9110,
// section 5.1), or that net/http does not let it be set.
func CheckName(name string) error {
	if name == "" {
		return errors.New("header name is empty")
	}
	for i := range len(name) {
		if !isTokenByte(name[i]) {
			// What is no name may be the value, passed in its place.
			return fmt.Errorf("header name: byte %#02x at offset %d is not allowed in a field name", name[i], i)
		}
	}
	if slices.Contains(fieldsOfNetHTTP, http.CanonicalHeaderKey(name)) {
		return fmt.Errorf("header name %q: net/http manages this field itself", name)
	}
	return nil
}

// isTokenByte reports whether c is a tchar of RFC 9110, section 5.6.2.
func isTokenByte(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' ||
		strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}
