package openapi

import (
	"fmt"
	"slices"
	"strings"
)

// pathItem is what a path has: operations, without their path, and perhaps a
// reference to more.
type pathItem struct {
	operations []operation
	override   override // for operations without one of their own
	next       value    // its $ref
}

// methods are the fields of a path item that are operations. OpenAPI writes them
// in small letters. CONNECT is not among OpenAPI's, and no pattern matches it,
// but what is meant is clear.
var methods = []string{"connect", "delete", "get", "head", "options", "patch", "post", "put", "query", "trace"}

// otherFields are those of a path item that say nothing of a requirement.
var otherFields = []string{"$ref", "description", "parameters", "servers", "summary"}

// walk returns the operations of a path item and of those that it refers to.
func (r *reader) walk(v value) (operations []operation) {
	if v.kind() != object {
		return []operation{{err: fmt.Errorf("its path item is %s: it must be an object", v.describe())}}
	}
	var trail trail
	var inherited override
	for item := r.readPathItem(v); ; {
		if !inherited.isThere() {
			inherited = item.override
		}
		operations = append(operations, inherited.over(item.operations)...)
		if item.next.kind() == absent {
			return operations
		}
		reference, err := trail.follow(item.next)
		if err == nil {
			item, err = r.referredPathItem(reference)
		}
		if err != nil {
			return append(operations, operation{err: fmt.Errorf("its path item is a reference: %w", err)})
		}
		if !r.root.work.spend(len(item.operations)) {
			return nil
		}
	}
}

// over returns operations, those without an override with this one. One that is
// unknown is listed even if there is none that it is for.
func (o override) over(operations []operation) []operation {
	if !o.isThere() {
		return operations
	}
	operations = slices.Clone(operations) // others may share them
	used := false
	for i := range operations {
		if !operations[i].override.isThere() {
			operations[i].override, used = o, true
		}
	}
	if _, err := o.requirement(); err != nil && !used {
		operations = append(operations, operation{err: err})
	}
	return operations
}

// referredPathItem returns the path item that a reference leads to.
func (r *reader) referredPathItem(reference string) (*pathItem, error) {
	if item, found := r.pathItems[reference]; found {
		return item, nil
	}
	v, err := r.target(reference)
	if err != nil {
		return nil, err
	}
	r.pathItems[reference] = r.readPathItem(v)
	return r.pathItems[reference], nil
}

// readPathItem reads a path item alone. Methods that come twice are two
// operations; of other fields that do, the last counts.
func (r *reader) readPathItem(v value) *pathItem {
	members := v.members()
	fields := fieldsOf(members)
	shared := readServers(fields["servers"])
	item := &pathItem{override: readOverride(fields, "its path item's"), next: fields["$ref"]}
	for _, m := range members {
		switch name := strings.ToLower(m.name); {
		case slices.Contains(methods, name):
			item.operations = append(item.operations, r.operation(strings.ToUpper(name), m.value, shared))
		case m.name == "additionalOperations": // since OpenAPI 3.2
			item.operations = append(item.operations, r.additionalOperations(m.value, shared)...)
		case !slices.Contains(otherFields, m.name) && !isExtension(m.name):
			item.operations = append(item.operations, operation{err: fmt.Errorf(
				"its path item has a field %q, which is no operation: write a method of OpenAPI's, or another in capitals in additionalOperations", shorten(m.name))})
		}
	}
	return item
}

func (r *reader) additionalOperations(v value, shared servers) (operations []operation) {
	if v.kind() != object {
		return []operation{{err: fmt.Errorf("its additionalOperations are %s: they must be an object", v.describe())}}
	}
	for _, m := range v.members() {
		operations = append(operations, r.operation(m.name, m.value, shared))
	}
	return operations
}
