package aiutatest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
)

// maxJSON is the size of the largest JSON body.
const maxJSON = 1 << 20

// object is a JSON object. Unlike with a struct, the names of its fields are
// case-sensitive, as they are to the API.
type object = map[string]json.RawMessage

// form reads the fields of a JSON object and collects what is wrong with them,
// so that a client sees all of it at once. A field that is null counts as
// absent.
type form struct {
	loc     []any
	fields  object
	invalid *[]invalidField // shared with the forms inside of this one
}

// readForm reads the body of a request, which is a JSON object.
func readForm(w http.ResponseWriter, req *http.Request) (*form, *apiError) {
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxJSON))
	if err != nil {
		return nil, bodyError(err)
	}
	f := &form{loc: []any{"body"}, invalid: new([]invalidField)}
	if json.Unmarshal(body, &f.fields) != nil || f.fields == nil {
		return nil, unprocessable(invalidField{f.loc, "is not a JSON object", "json_invalid"})
	}
	return f, nil
}

// bodyError is the answer to a body that cannot be read.
func bodyError(err error) *apiError {
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return &apiError{
			status:  http.StatusRequestEntityTooLarge,
			code:    "payload_too_large",
			message: fmt.Sprintf("the body is larger than %d bytes", tooLarge.Limit),
		}
	}
	return &apiError{status: http.StatusBadRequest, code: "bad_request", message: "the body cannot be read"}
}

// err returns what is wrong with the form and those inside of it, or nil.
func (f *form) err() *apiError { return unprocessable(*f.invalid...) }

// errBefore returns what is wrong with the form or, if nothing is, err: what is
// wrong with a form goes before what is wrong with the things that it names.
func (f *form) errBefore(err *apiError) *apiError {
	if invalid := f.err(); invalid != nil {
		return invalid
	}
	return err
}

// fault notes what is wrong with a field.
func (f *form) fault(name any, kind, format string, args ...any) {
	loc := append(slices.Clone(f.loc), name)
	*f.invalid = append(*f.invalid, invalidField{loc, fmt.Sprintf(format, args...), kind})
}

// has reports whether the field is there.
func (f *form) has(name string) bool {
	return f.fields[name] != nil && string(f.fields[name]) != "null"
}

// require notes the fields that are not there.
func (f *form) require(names ...string) {
	for _, name := range names {
		if !f.has(name) {
			f.fault(name, "missing", "is required")
		}
	}
}

// requireOne notes it if both fields are there, or neither.
func (f *form) requireOne(a, b string) {
	if f.has(a) == f.has(b) {
		f.fault(a, "value_error", "either this or %s is required, not both", b)
	}
}

// field returns the value of a field, or T's zero value where it is not there.
func field[T any](f *form, name string) (value T) {
	if f.has(name) && json.Unmarshal(f.fields[name], &value) != nil {
		f.fault(name, "type_error", "is of the wrong type")
	}
	return value
}

// choice returns the value of a field that is one of allowed, of which the first
// is the default.
func (f *form) choice(name string, allowed ...string) string {
	value := field[string](f, name)
	switch {
	case value == "":
		return allowed[0]
	case !slices.Contains(allowed, value):
		f.fault(name, "enum", "is none of %q", allowed)
	}
	return value
}

// number returns the value of a field that is a whole number within limits.
func (f *form) number(name string, byDefault, least, most int) int {
	if !f.has(name) {
		return byDefault
	}
	value := field[int](f, name)
	if value < least || value > most {
		f.fault(name, "value_error", "is not within %d and %d", least, most)
	}
	return value
}

// nested returns the form that a field is.
func (f *form) nested(name string) *form {
	return &form{append(slices.Clone(f.loc), name), field[object](f, name), f.invalid}
}

// list returns the forms that a field holds, of which there are at most a
// number.
func (f *form) list(name string, most int) []*form {
	items := field[[]object](f, name)
	if len(items) > most {
		f.fault(name, "too_long", "has more than %d items", most)
	}
	forms := make([]*form, len(items))
	for i, item := range items {
		forms[i] = &form{append(slices.Clone(f.loc), name, i), item, f.invalid}
	}
	return forms
}
