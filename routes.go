package routeauth

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"example.com/routeauth/internal/route"
	"example.com/routeauth/internal/scope"
)

// Requirement says which credential an endpoint takes.
type Requirement uint8

const (
	// Mandatory marks an endpoint that requires the credential. It is the zero
	// value, and what an endpoint without a route is.
	Mandatory Requirement = iota
	// Optional marks an endpoint that takes the weaker one.
	Optional
	// Public marks an endpoint that takes none. Its requests go to the base as
	// the same values, and its 401 is an ordinary response.
	Public
)

// String returns "mandatory", "optional" or "public".
func (r Requirement) String() string {
	switch r {
	case Mandatory:
		return "mandatory"
	case Optional:
		return "optional"
	case Public:
		return "public"
	}
	return fmt.Sprintf("Requirement(%d)", uint8(r))
}

// Routes say which endpoint takes which credential. A key is a pattern of
// [http.ServeMux] without a host, with a path relative to the base URL, such as
// "POST /operations" or "GET /operations/{id}". What matches no pattern is
// mandatory, so a table needs to list only what is not.
//
//   - GET also matches HEAD; a pattern without a method matches every one but
//     CONNECT, which is always mandatory.
//   - {name} is one segment, whatever its value; {name...} is one or more, and
//     may also stand in the middle; {$} is the end of a path with a last slash; a
//     last slash is everything below.
//   - A segment may mix text and wildcards, as in {id}.json, {id}:cancel or
//     {base}...{head}. Each wildcard then takes at least one character.
//   - The most specific pattern wins, as in ServeMux. Two that overlap, of which
//     neither is more specific, are an error unless they ask for the same.
//   - A path with doubled slashes is matched as its clean form, and sent
//     unchanged. A path without a last slash that only a subtree matches is
//     matched as if it had one: /files takes the requirement of /files/.
//   - Literal text is compared decoded, and %2F in it is part of a segment.
type Routes map[string]Requirement

// compiledRoute is a route as [Policy.Match] tells of it.
type compiledRoute struct {
	pattern     string
	requirement Requirement
	reason      string
}

// compile returns the routes in the order of their patterns, a table that finds
// them by their places, and everything that is wrong with them.
func compile(routes Routes) (compiled []compiledRoute, table *route.Table, errs []error) {
	listed := make([]route.Route, 0, len(routes))
	for _, pattern := range slices.Sorted(maps.Keys(routes)) {
		requirement := routes[pattern]
		if requirement > Public {
			errs = append(errs, fmt.Errorf("route %s: %v is not a requirement: use Mandatory, Optional or Public",
				route.Quote(pattern), requirement))
			continue
		}
		listed = append(listed, route.Route{Pattern: pattern, Requirement: requirement.String()})
		compiled = append(compiled, compiledRoute{pattern, requirement,
			"the route " + strconv.Quote(pattern) + " is " + requirement.String()})
	}
	table, routeErrs := route.New(listed, scope.HoldsDotSegment)
	return compiled, table, append(errs, routeErrs...)
}
