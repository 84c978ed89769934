package openapi

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"example.com/routeauth"
)

// Routes returns the document's operations as a table for
// [routeauth.NewPolicy]. The caller may change it.
//
// Operations that come to the same pattern are one route, with the stricter
// requirement. The table has all operations or there is none: the error joins
// everything that is wrong, which is an option that is nil or names a scheme that
// the document does not have, an unknown x-routeauth, and each operation that
// cannot be read or that no pattern can say, by its method and path and with the
// reason. [Document.Operations] has the rest even then.
func (d *Document) Routes(opts ...Option) (routeauth.Routes, error) {
	c, errs := d.configure(opts)
	routes := make(routeauth.Routes)
	for _, op := range d.list(c) {
		if op.Pattern == "" {
			errs = append(errs, fmt.Errorf("%s: %s", op.name(), op.Why))
			continue
		}
		routes[op.Pattern] = op.Requirement
	}
	for i, err := range errs {
		errs[i] = fmt.Errorf("openapi: %w", err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return routes, nil
}

// name is an operation's method and path as messages name them, on one line.
func (op *Operation) name() string {
	name := strings.TrimSpace(op.Method + " " + op.Path)
	if strings.ContainsFunc(name, unicode.IsControl) {
		return strconv.Quote(name)
	}
	return name
}
