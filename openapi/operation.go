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
	reasons := make(map[*security]reason)                          // many operations share the document's
	for i, op := range d.operations {
		because, err := op.requirement(c, reasons)
		if err != nil {
			list[i] = Operation{Method: op.method, Path: op.path, Why: err.Error()}
			continue
		}
		list[i] = Operation{op.method, op.path, op.pattern.text, because.requirement, because.why}
		key := op.pattern.key
		if _, found := first[key]; !found {
			first[key], strictest[key] = i, i
		}
		if because.requirement < list[strictest[key]].Requirement {
			strictest[key] = i
		}
	}
	for i, op := range d.operations {
		if list[i].Pattern == "" {
			continue
		}
		list[i].Pattern = list[first[op.pattern.key]].Pattern
		if s := strictest[op.pattern.key]; list[s].Requirement < list[i].Requirement {
			because, _ := d.operations[s].requirement(c, reasons)
			list[i].Requirement = because.requirement
			list[i].Why = fmt.Sprintf("%s has the same pattern and is %s: %s", shorten(d.operations[s].path), because.requirement, because.why)
		}
	}
	for i, op := range d.operations {
		if list[i].Pattern != "" {
			list[i].Why += op.notes(d)
		}
	}
	return list
}

// reason is a requirement, and what it follows from.
type reason struct {
	requirement routeauth.Requirement
	why         string
}

// requirement returns the requirement of one operation by itself, and why it is
// that one, or why the operation has no route.
func (op *operation) requirement(c config, reasons map[*security]reason) (reason, error) {
	if op.err != nil {
		return reason{}, op.err
	}
	if op.override.isThere() {
		r, err := op.override.requirement()
		return reason{r, op.override.whose + " x-routeauth says so"}, err
	}
	because, found := reasons[op.security]
	if !found {
		because.requirement, because.why = op.security.requirement(c.optionalSchemes)
		reasons[op.security] = because
	}
	return because, nil
}

// notes say what else there is to know of an operation's route. Of servers of
// its own the first is named: a table is for one base URL, and the document's
// first is the likeliest.
func (op *operation) notes(d *Document) (notes string) {
	if op.pattern.fragment {
		notes += "; the fragment of its path is never sent"
	}
	if op.servers.unread {
		notes += "; its own servers cannot all be read: they must be a list of objects with a url"
	}
	if len(op.servers.urls) > 0 && !slices.Contains(op.servers.urls, d.baseURLs[0]) {
		notes += "; its own server is " + shorten(op.servers.urls[0])
	}
	return notes
}
