package roundtriptest

import "slices"

// requestClauses ask whether the caller's request stays unchanged.
var requestClauses = []clause{{
	name:     "request/fields",
	requires: "no field of the caller's request changes before the response's body is closed",
	quotes:   []sentence{noModifying},
	check: changedNothing(func(c changes) []change { return c.fields },
		"the field %s of the caller's request changed: seen %s"),
}, {
	name:     "request/header",
	requires: "the caller's header map keeps its entries, neither more nor fewer nor others",
	quotes:   []sentence{noModifying},
	check: changedNothing(func(c changes) []change { return c.header },
		"the entry %s of the caller's header changed: seen %s"),
}}

// changedNothing returns the check of a clause about what a caller's request
// held before and after. It says of each change when it was first seen.
func changedNothing(of func(c changes) []change, text string) func(s *suite) error {
	return func(s *suite) error {
		var found findings
		for _, t := range slices.Concat(s.exchanges(), s.failures()) {
			seen := make(map[string]bool)
			for _, c := range of(t.changed) {
				if !seen[c.name] {
					seen[c.name] = true
					found.addf(text, c.name, c.when)
				}
			}
		}
		return found.err()
	}
}
