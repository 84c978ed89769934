package openapi

import (
	"errors"
	"fmt"
	"strings"
)

// operation is an operation as its document has it.
type operation struct {
	method, path string
	pattern      pattern
	security     *security
	override     override
	servers      servers // its own, or else its path's
	err          error   // why no route can be made of it
}

// reader reads a document.
type reader struct {
	root     value
	fields   map[string]value // of root
	security *security        // the document's
	schemes  map[string]bool  // see Document

	pathItems map[string]*pathItem        // by reference
	referred  map[string]map[string]value // by reference: fields of operations
	objects   map[string]map[string]value // by JSON pointer: fields
}

func newReader(root value) *reader {
	r := &reader{
		root: root, fields: root.fields(), schemes: make(map[string]bool),
		pathItems: make(map[string]*pathItem), referred: make(map[string]map[string]value), objects: make(map[string]map[string]value),
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
	patterns := newPatterns()
	for _, field := range r.root.members() {
		if field.name != "paths" {
			continue
		}
		for _, path := range field.value.members() {
			if isExtension(path.name) && !strings.EqualFold(path.name, overrideName) {
				continue
			}
			for _, op := range r.pathOperations(path) {
				op.path = path.name
				// Each of them has a pattern of its own, in which the path comes again.
				if !r.root.work.spend(operationCost + len(op.method) + len(op.path)) {
					return nil
				}
				if op.err == nil {
					op.pattern, op.err = patterns.of(op.method, op.path)
				}
				operations = append(operations, op)
			}
		}
	}
	return operations
}

// operationCost is what an operation takes in memory, as counted by work: small
// enough for the nine of a path that is an alias of few bytes.
const operationCost = 64

// pathOperations returns the operations of a path, without the path.
func (r *reader) pathOperations(path member) []operation {
	switch {
	case strings.EqualFold(path.name, overrideName):
		return []operation{{err: errors.New("the document's paths have an x-routeauth, which is for operations and path items")}}
	case path.name == "$ref":
		return []operation{{err: errors.New("the document's paths are a reference: put them there themselves")}}
	}
	return r.walk(path.value)
}

// isExtension reports whether a name is one that OpenAPI leaves to others.
func isExtension(name string) bool {
	return len(name) >= 2 && strings.EqualFold(name[:2], "x-")
}

// operation returns an operation of a path item that has servers.
func (r *reader) operation(method string, v value, shared servers) operation {
	op := operation{method: method, security: r.security, servers: shared}
	fields, err := r.operationFields(v)
	if err != nil {
		op.err = err
		return op
	}
	op.override = readOverride(fields, "its")
	if v, found := fields["security"]; found {
		op.security = r.readSecurity(v)
		op.security.own = true
	}
	if v, found := fields["servers"]; found {
		op.servers = readServers(v)
	}
	return op
}

// operationFields returns the fields of an operation. One that is a reference
// has those that it refers to, and what is beside the reference wins.
func (r *reader) operationFields(v value) (map[string]value, error) {
	if v.kind() != object {
		return nil, fmt.Errorf("it is %s: it must be an object", v.describe())
	}
	fields := v.fields()
	next, refers := fields["$ref"]
	if !refers {
		return fields, nil
	}
	all := fields
	var trail trail
	for refers {
		reference, err := trail.follow(next)
		if err != nil {
			return nil, fmt.Errorf("it is a reference: %w", err)
		}
		if fields, err = r.referredFields(reference); err != nil {
			return nil, fmt.Errorf("it is a reference: %w", err)
		}
		if !r.root.work.spend(len(fields)) {
			return nil, errTooMuch
		}
		for name, v := range fields {
			if _, found := all[name]; !found {
				all[name] = v
			}
		}
		next, refers = fields["$ref"]
	}
	return all, nil
}

// referredFields returns the fields of the object that a reference leads to.
func (r *reader) referredFields(reference string) (map[string]value, error) {
	if fields, found := r.referred[reference]; found {
		return fields, nil
	}
	v, err := r.target(reference)
	if err != nil {
		return nil, err
	}
	r.referred[reference] = v.fields()
	return r.referred[reference], nil
}
