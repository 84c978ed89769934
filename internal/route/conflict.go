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
// their entries can be in conflict, a hash finds those whose texts agree.
func conflicts(entries []*entry) (errs []error) {
	search := rivalSearch{seed: maphash.MakeSeed()}
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
	text := fmt.Sprintf("route %s (%s) conflicts with route %s (%s): both match ", Quote(a.text), a.requirement, Quote(b.text), b.requirement)
	path, meet := crossing(a.segments, b.segments)
	switch {
	case compare(&a.Pattern, &b.Pattern) == Equivalent:
		return errors.New(text + "the same requests; remove one, or let both ask for the same")
	case !meet || holdsUserInfo(a.text) || holdsUserInfo(b.text): // patterns that differ may show a password, too
		return errors.New(text + "some request, and neither is more specific; let both ask for the same, or change one")
	}
	method := a.method
	if allows(a.method, b.method) {
		method = b.method
	}
	text += exampleMethod(method) + " /" + strings.Join(path, "/") + ", and neither is more specific"
	onlyA, foundA := a.exampleBeyond(&b.Pattern)
	onlyB, foundB := b.exampleBeyond(&a.Pattern)
	if foundA && foundB {
		text += ": only the first matches " + onlyA + ", only the second " + onlyB
	}
	return errors.New(text + "; let both ask for the same, or change one")
}
