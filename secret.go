package routeauth

import (
	"fmt"
	"io"
	"log/slog"
	"strings"

	"example.com/routeauth/internal/redact"
)

// Secret is a string that is not to be seen: an API key, a token, a signing
// key. Formatting it with fmt, marshalling it as text, JSON or XML and logging
// it with log/slog give REDACTED. string(s) gives the secret.
//
// These ways around are out of this type's reach:
//
//   - An unexported field of this type in somebody's struct is printed in the
//     clear when the struct is formatted, because fmt cannot call methods on
//     unexported fields. Export the field, or hold the secret in a closure, as
//     the types of this package do. For the same reason, do not put an
//     [APIKeyAuth] in an unexported field of a struct that is printed.
//   - So is a field behind a pointer that is not what is formatted but lies in
//     it, as in a slice of pointers to structs, where the verb fits no pointer,
//     such as %s or %q: fmt then prints what the pointer points to without
//     calling methods. Use %v.
//   - The verbs %p and %w, which do not fit a string, make fmt print the value
//     as it is (go vet reports both), encoding/json writes map keys of any
//     string type as they are before Go 1.27, and encoding/xml a field that is
//     tagged as a comment.
//   - Tools that read memory or ignore methods see it: encoding/gob, dumpers
//     built on package unsafe, a debugger, a core dump.
//
// The literal REDACTED is refused as a credential by every constructor of this
// package and of issuer, since a configuration that was marshalled and read back
// holds it.
type Secret string

// String returns REDACTED.
func (Secret) String() string { return redact.Marker }

// GoString returns REDACTED, for %#v.
func (Secret) GoString() string { return redact.Marker }

// Format writes REDACTED for every verb. It implements [fmt.Formatter].
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redact.Marker) }

// MarshalText returns REDACTED. It implements [encoding.TextMarshaler], which
// encoding/json and encoding/xml follow.
func (Secret) MarshalText() ([]byte, error) { return []byte(redact.Marker), nil }

// LogValue returns REDACTED. It implements [slog.LogValuer].
func (Secret) LogValue() slog.Value { return slog.StringValue(redact.Marker) }

// field is a field of a struct that is formatted.
type field struct {
	name  string
	value any
}

// formatFields formats a struct whose values print as they may be seen. Without
// it, fmt would print the secrets in a pointer to the struct inside of another
// value for a verb that does not fit a pointer, such as %s.
func formatFields(f fmt.State, verb rune, name string, fields []field) {
	var text strings.Builder
	separator, named, value := " ", false, "%v"
	switch {
	case verb == 'v' && f.Flag('#'):
		text.WriteString(name)
		separator, named, value = ", ", true, "%#v"
	case verb == 'v' && f.Flag('+'):
		named = true
	}
	text.WriteString("{")
	for i, field := range fields {
		if i > 0 {
			text.WriteString(separator)
		}
		if named {
			text.WriteString(field.name + ":")
		}
		fmt.Fprintf(&text, value, field.value)
	}
	text.WriteString("}")
	_, _ = io.WriteString(f, text.String())
}

// typeName prints as the type of a source, whose values may print what they hold.
type typeName string

func typeOf(source any) typeName { return typeName(fmt.Sprintf("%T", source)) }

func (n typeName) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, string(n)) }

// hidden holds a value out of reach of reflection: whoever formats a struct
// with a hidden field, exported or not, at whatever depth, sees a function.
type hidden[T any] func() T

func hide[T any](value T) hidden[T] { return func() T { return value } }

// reveal returns the value, or none where nothing was hidden.
func (s hidden[T]) reveal() (value T) {
	if s != nil {
		value = s()
	}
	return value
}
