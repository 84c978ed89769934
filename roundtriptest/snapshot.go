package roundtriptest

import (
	"maps"
	"net/http"
	"net/url"
	"reflect"
)

// snapshot is what the fields of a request held, without the entries of its
// header, which are a clause of their own.
type snapshot struct {
	fields  http.Request // a shallow copy
	url     url.URL
	trailer http.Header
}

func takeSnapshot(req *http.Request) snapshot {
	return snapshot{*req, *req.URL, maps.Clone(req.Trailer)}
}

// changed returns the names of the fields of req that are not as they were.
func (s snapshot) changed(req *http.Request) (names []string) {
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
	if !reflect.DeepEqual(s.trailer, maps.Clone(req.Trailer)) {
		names = append(names, "Trailer (its entries)")
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
