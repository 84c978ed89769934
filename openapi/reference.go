package openapi

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// maxReferences is how many references may follow one another. Documents have
// one, seldom two.
const maxReferences = 100

// trail is the references that were followed to get where one is.
type trail []string

// follow returns the text of one more reference.
func (t *trail) follow(v value) (string, error) {
	reference := v.text()
	switch {
	case v.kind() != scalar:
		return "", fmt.Errorf("its $ref is %s: it must be a text", v.describe())
	case reference == "":
		return "", errors.New("its $ref is empty")
	case !v.work.spend(len(reference)):
		return "", errTooMuch
	case slices.Contains(*t, reference):
		return "", fmt.Errorf("%q refers to itself", shorten(reference))
	case len(*t) == maxReferences:
		return "", fmt.Errorf("more than %d references follow one another, up to %q", maxReferences, shorten(reference))
	}
	*t = append(*t, reference)
	return reference, nil
}

// target returns the object that a reference leads to.
func (r *reader) target(reference string) (value, error) {
	pointer, within := strings.CutPrefix(reference, "#")
	if !within {
		return value{}, fmt.Errorf("%q is in another file: put all of the document into one file first", shorten(reference))
	}
	v := r.lookUp(pointer)
	switch v.kind() {
	case object:
		return v, nil
	case absent:
		return value{}, fmt.Errorf("%q is not in the document", shorten(reference))
	}
	return value{}, fmt.Errorf("%q is %s: it must be an object", shorten(reference), v.describe())
}

// lookUp returns what a JSON pointer in the fragment of a URI names (RFC 6901,
// section 6), and an absent value where there is nothing. Objects on the way are
// read once, however many pointers lead through them.
func (r *reader) lookUp(pointer string) value {
	if unescaped, err := url.PathUnescape(pointer); err == nil {
		pointer = unescaped
	}
	if !strings.HasPrefix(pointer, "/") {
		return value{}
	}
	v := r.root
	for at := 0; at < len(pointer); {
		if !r.root.work.spend(at) {
			return value{} // the texts before are compared again
		}
		fields, found := r.objects[pointer[:at]]
		if !found {
			fields = v.fields()
			r.objects[pointer[:at]] = fields
		}
		token, _, _ := strings.Cut(pointer[at+1:], "/")
		at += 1 + len(token)
		v = fields[strings.NewReplacer("~1", "/", "~0", "~").Replace(token)]
	}
	return v
}
