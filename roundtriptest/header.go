package roundtriptest

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// sortedNames returns the names of a header in the order in which they are
// reported.
func sortedNames(h http.Header) []string { return slices.Sorted(maps.Keys(h)) }

// valuesOf returns the values that a header has under a name in any case: on the
// wire that is one field.
func valuesOf(h http.Header, name string) (values []string) {
	for _, key := range sortedNames(h) {
		if strings.EqualFold(key, name) {
			values = append(values, h[key]...)
		}
	}
	return values
}
