package openapi

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// operation is an operation as its document has it.
type operation struct {
	method, path string
	pattern      pattern
	security     *security
	override     value    // its x-routeauth
	servers      []string // its own, or else its path's
	err          error    // why no route can be made of it
}

// reader reads a document.
type reader struct {
	root     value
	fields   map[string]value // of root
	security *security        // the document's
	schemes  map[string]bool  // see Document

	referred map[string][]operation      // by reference: those of the path item there, without their path
	objects  map[string]map[string]value // by JSON pointer: fields
}

func newReader(root value) *reader {
	r := &reader{
		root: root, fields: root.fields(), schemes: make(map[string]bool),
		referred: make(map[string][]operation), objects: make(map[string]map[string]value),
	}
	for _, schemes := range []value{r.fields["components"].fields()["securitySchemes"], r.fields["securityDefinitions"]} {
		for name := range schemes.fields() {
			r.schemes[name] = true
		}
	}
	r.security = r.readSecurity(r.fields["security"])
	return r
}

// operations returns all operations of the document.
func (r *reader) operations() (operations []operation) {
	for _, field := range r.root.members() {
		if field.name != "paths" {
			continue
		}
		for _, path := range field.value.members() {
			if strings.HasPrefix(path.name, "x-") {
				continue
			}
			for _, op := range r.pathItem(path.value) {
				op.path = path.name
				if op.err == nil {
					op.pattern, op.err = newPattern(op.method, op.path)
				}
				operations = append(operations, op)
			}
		}
	}
	return operations
}

// methods are the fields of a path item that are operations. OpenAPI writes them
// in small letters.
var methods = []string{"delete", "get", "head", "options", "patch", "post", "put", "query", "trace"}

// pathItem returns the operations of a path item, without their path.
func (r *reader) pathItem(item value) (operations []operation) {
	switch item.kind() {
	case absent, null:
		return nil
	case scalar, list:
		return []operation{{err: errors.New("its path item is not an object")}}
	}
	members := item.members()
	var servers value
	for _, m := range members {
		if m.name == "servers" {
			servers = m.value
		}
	}
	for _, m := range members {
		switch name := strings.ToLower(m.name); {
		case name == "$ref":
			operations = append(operations, r.follow(m.value.text())...)
		case slices.Contains(methods, name):
			operations = append(operations, r.operation(strings.ToUpper(name), m.value, servers))
		case m.name == "additionalOperations": // since OpenAPI 3.2
			for _, additional := range m.value.members() {
				operations = append(operations, r.operation(additional.name, additional.value, servers))
			}
		}
	}
	return operations
}

// operation returns an operation of a path item that has servers.
func (r *reader) operation(method string, v, servers value) operation {
	fields := v.fields()
	op := operation{method: method, security: r.security, override: fields["x-routeauth"]}
	switch v.kind() {
	case scalar, list:
		op.err = errors.New("it is not an object")
	}
	if security := r.readSecurity(fields["security"]); !security.missing {
		security.own = true
		op.security = security
	}
	if fields["servers"].kind() == list {
		servers = fields["servers"]
	}
	op.servers = serverURLs(servers)
	return op
}

// follow returns the operations of the path item that a reference names.
func (r *reader) follow(reference string) []operation {
	if operations, found := r.referred[reference]; found {
		return operations
	}
	unread := func(format string) []operation { return []operation{{err: fmt.Errorf(format, reference)}} }
	pointer, within := strings.CutPrefix(reference, "#")
	if !within {
		return unread("its path item is in another file, %q: put all of the document into one file first")
	}
	r.referred[reference] = unread("its path item, %q, refers to itself")
	item := r.lookUp(pointer)
	if item.kind() == absent {
		r.referred[reference] = unread("its path item, %q, is not in the document")
	} else {
		r.referred[reference] = r.pathItem(item)
	}
	return r.referred[reference]
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
