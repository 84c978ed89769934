package route

import (
	"errors"
	"fmt"
	"hash/maphash"
	"strings"
)

// conflicts returns an error for each entry that overlaps with one that asks for
// something else, unless an earlier error names it.
//
// There may be as many overlaps as pairs of entries, so they are not looked for
// pair by pair. Entries of one shape, which is what a pattern is but for its
// texts, relate to those of another in the same way wherever the texts agree at
// the places where both shapes have one. So two shapes are compared once, and if
// their entries can be in conflict, a hash finds those whose texts agree. Tables
// have few shapes: a hundred APIs with ten thousand operations have 300.
func conflicts(entries []*entry) (errs []error) {
	search := rivalSearch{seed: maphash.MakeSeed(), room: 16 * len(entries)}
	shapes := shapesOf(entries)
	for i, a := range shapes {
		for _, b := range shapes[i:] {
			if a.pending+b.pending > 0 && (a.various || b.various || a.requirement() != b.requirement()) && mayConflict(a, b) {
				search.findRivals(a, b)
			}
		}
	}

	named := make(map[*entry]bool)
	for _, e := range entries {
		if e.rival != nil && !named[e] {
			named[e], named[e.rival] = true, true
			errs = append(errs, conflictError(e, e.rival))
		}
	}
	return errs
}

// inConflict reports whether two entries overlap and ask for different things.
func inConflict(a, b *entry) bool {
	if a.requirement == b.requirement {
		return false
	}
	relation := compare(&a.Pattern, &b.Pattern)
	return relation == Equivalent || relation == Overlapping
}

// conflictError returns the message about two entries in conflict, with requests
// that show how they differ.
func conflictError(a, b *entry) error {
	text := fmt.Sprintf("route %s (%s) conflicts with route %s (%s): ", Quote(a.text), a.requirement, Quote(b.text), b.requirement)
	switch {
	case compare(&a.Pattern, &b.Pattern) == Equivalent:
		return errors.New(text + "both match the same requests; remove one, or give both the same requirement")
	case holdsUserInfo(a.text) || holdsUserInfo(b.text):
		text += "both match some request, and neither is more specific"
	default:
		text += differences(&a.Pattern, &b.Pattern)
	}
	return errors.New(text + "; give both the same requirement, or change one")
}

// differences says, of two patterns that overlap, what both match and what only
// one matches.
func differences(p, q *Pattern) string {
	method := p.method
	if allows(p.method, q.method) {
		method = q.method
	}
	path, _ := crossing(p.segments, q.segments)
	text := fmt.Sprintf("both match %s /%s, and neither is more specific", exampleMethod(method), strings.Join(path, "/"))
	separator := ":"
	if request, found := p.exampleBeyond(q); found {
		text += separator + " only the first matches " + request
		separator = ","
	}
	if request, found := q.exampleBeyond(p); found {
		text += separator + " only the second matches " + request
	}
	return text
}

// exampleBeyond returns a request that p matches and q does not, if one is
// found. Where p matches nothing that q does not, there is none.
func (p *Pattern) exampleBeyond(q *Pattern) (request string, found bool) {
	for _, fill := range []string{"x", "y", "z"} {
		for _, several := range []int{0, 1, 2, len(q.segments) + 1} { // more than q has, if need be
			path := p.examplePath(fill, several)
			if !matchPath(q.segments, path) {
				return exampleMethod(p.method) + " " + path, true
			}
		}
	}
	for _, method := range []string{p.method, "GET", "POST"} {
		if method != "" && allows(p.method, method) && !allows(q.method, method) {
			return method + " " + p.examplePath("x", 1), true
		}
	}
	return "", false
}

// examplePath returns a path that p matches, with fill in the place of each
// wildcard, several times in that of {name...}, of which only the last one can
// be empty.
func (p *Pattern) examplePath(fill string, several int) string {
	var path strings.Builder
	for i := range p.segments {
		switch s := &p.segments[i]; {
		case s.kind != rest:
			path.WriteString("/" + s.value(fill))
		case several == 0 && i == len(p.segments)-1:
			path.WriteString("/")
		default:
			path.WriteString(strings.Repeat("/"+fill, max(1, several)))
		}
	}
	return path.String()
}

// exampleMethod returns a method that a pattern matches.
func exampleMethod(pattern string) string {
	if pattern == "" {
		return "GET"
	}
	return pattern
}
