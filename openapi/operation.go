package openapi

import (
	"fmt"
	"slices"

	"example.com/routeauth"
)

// Operation is an operation of a document, and its route.
type Operation struct {
	// Method is in capitals. It is empty for a path whose operations cannot be
	// read, such as one that is a reference to another file.
	Method string
	// Path is as the document has it.
	Path string
	// Pattern is the key of the operation's route in the table that
	// [Document.Routes] returns. It is empty where there can be no route: no
	// pattern can say the path, the operation cannot be read, or its x-routeauth
	// is unknown.
	Pattern string
	// Requirement is that of the route, so it is the stricter one where another
	// operation has the same pattern. Without a route it is mandatory, as all
	// requests are that match no pattern.
	Requirement routeauth.Requirement
	// Why says, in words for a person, what the requirement follows from, or why
	// there is no route.
	Why string
}

// Operations returns all operations of the document, sorted by path and method,
// also those without a route. Options that [Document.Routes] refuses change
// nothing.
func (d *Document) Operations(opts ...Option) []Operation {
	c, _ := d.configure(opts)
	return d.list(c)
}

// list returns all operations. Those with the same pattern, but for names and
// escapes, get the text of the first and the requirement of the strictest.
func (d *Document) list(c config) []Operation {
	list := make([]Operation, len(d.operations))
	first, strictest := make(map[string]int), make(map[string]int) // by key
	for i, op := range d.operations {
		requirement, why, err := op.requirement(c)
		if err != nil {
			list[i] = Operation{Method: op.method, Path: op.path, Why: err.Error()}
			continue
		}
		list[i] = Operation{op.method, op.path, op.pattern.text, requirement, why + d.otherServer(op)}
		key := op.pattern.key
		if _, found := first[key]; !found {
			first[key], strictest[key] = i, i
		}
		if requirement < list[strictest[key]].Requirement {
			strictest[key] = i
		}
	}
	for i := range list {
		if list[i].Pattern == "" {
			continue
		}
		key := d.operations[i].pattern.key
		list[i].Pattern = list[first[key]].Pattern
		if s := list[strictest[key]]; s.Requirement < list[i].Requirement {
			list[i].Requirement = s.Requirement
			list[i].Why = fmt.Sprintf("%s has the same pattern and is %s: %s", s.Path, s.Requirement, s.Why)
		}
	}
	return list
}

// requirement returns the requirement of one operation by itself, and why it is
// that one, or why the operation has no route.
func (op *operation) requirement(c config) (r routeauth.Requirement, why string, err error) {
	if op.err != nil {
		return routeauth.Mandatory, "", op.err
	}
	if op.override.kind() == absent {
		r, why = op.security.requirement(c.optionalSchemes)
		return r, why, nil
	}
	for _, r := range []routeauth.Requirement{routeauth.Mandatory, routeauth.Optional, routeauth.Public} {
		if op.override.text() == r.String() {
			return r, "its x-routeauth says so", nil
		}
	}
	return routeauth.Mandatory, "", fmt.Errorf("its x-routeauth is %s: write mandatory, optional or public", op.override.describe())
}

// otherServer names the server of an operation that has one of its own. A table
// is for one base URL, and the document's first is the likeliest.
func (d *Document) otherServer(op operation) string {
	if len(op.servers) == 0 || slices.Contains(op.servers, d.baseURLs[0]) {
		return ""
	}
	return "; its own server is " + op.servers[0]
}
