package roundtriptest

import (
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
)

// snapshot is what a request held at one moment.
type snapshot struct {
	fields    http.Request // a shallow copy
	url       url.URL
	header    http.Header
	trailers  []string // names: the caller may set the values at any time
	encodings []string
}

func takeSnapshot(req *http.Request) snapshot {
	return snapshot{
		fields:    *req,
		url:       *req.URL,
		header:    req.Header.Clone(),
		trailers:  slices.Sorted(maps.Keys(req.Trailer)),
		encodings: slices.Clone(req.TransferEncoding),
	}
}

// changedFields returns the names of the fields of req that are not as they
// were. The entries of its header are not looked at.
func (s snapshot) changedFields(req *http.Request) (names []string) {
	before, after := reflect.ValueOf(s.fields), reflect.ValueOf(*req)
	for i := range before.NumField() {
		field := before.Type().Field(i)
		if field.IsExported() && !same(before.Field(i), after.Field(i)) {
			names = append(names, field.Name)
		}
	}
	if s.fields.Context() != req.Context() {
		names = append(names, "Context")
	}
	if req.URL == s.fields.URL && *req.URL != s.url {
		names = append(names, "URL (what it points to)")
	}
	if !slices.Equal(s.trailers, slices.Sorted(maps.Keys(req.Trailer))) {
		names = append(names, "Trailer (its entries)")
	}
	if !slices.Equal(s.encodings, req.TransferEncoding) {
		names = append(names, "TransferEncoding (its entries)")
	}
	return names
}

// same reports whether two values of one field are the same: for what refers to
// something else, whether they refer to the same thing.
func same(before, after reflect.Value) bool {
	switch before.Kind() {
	case reflect.Func, reflect.Map, reflect.Slice, reflect.Pointer, reflect.Chan:
		return before.Pointer() == after.Pointer()
	}
	return before.Interface() == after.Interface()
}

// changedHeader returns the names of the entries that the map in which the
// caller keeps its header has gained, lost or changed. The field of the
// credential is left to credential/request.
func (s snapshot) changedHeader(credential string) (names []string) {
	before, after := s.header, s.fields.Header
	for name := range after {
		if _, existed := before[name]; !existed {
			names = append(names, name+" (added)")
		}
	}
	for name, values := range before {
		switch now, exists := after[name]; {
		case !exists:
			names = append(names, name+" (removed)")
		case !slices.Equal(values, now):
			names = append(names, name)
		}
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		name, _, _ = strings.Cut(name, " ")
		return strings.EqualFold(name, credential)
	})
	slices.Sort(names)
	return names
}

// changes are what was seen to change in a caller's request.
type changes struct{ fields, header []change }

type change struct{ name, when string }

// note compares req with what it was before.
func (c *changes) note(before snapshot, req *http.Request, credential, when string) {
	for _, name := range before.changedFields(req) {
		c.fields = append(c.fields, change{name, when})
	}
	for _, name := range before.changedHeader(credential) {
		c.header = append(c.header, change{name, when})
	}
}
