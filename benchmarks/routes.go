package benchmarks

import (
	"fmt"

	"example.com/routeauth"
)

// Paths of endpoints that are mandatory in every policy that [Routes] makes.
const (
	StaticPath         = "/things0/items"               // has a route without a wildcard
	WildcardPath       = "/things0/items/42"            // has a route with one
	ThreeWildcardsPath = "/things0/items/42/of/7/at/19" // has a route with three
	UnroutedPath       = "/others/42"                   // has no route
	EscapedPath        = "/things0/items/a%2Fb"         // has a route with one, and an escape
)

// PublicPath is that of an endpoint that takes no credential.
const PublicPath = "/status"

// kinds name the paths without a slash, which would cut a benchmark's name.
var kinds = map[string]string{
	StaticPath:         "static route",
	WildcardPath:       "wildcard route",
	ThreeWildcardsPath: "three wildcards",
	UnroutedPath:       "no route",
	EscapedPath:        "escaped path",
	PublicPath:         "public route",
}

// Paths are those of mandatory endpoints.
var Paths = []string{StaticPath, WildcardPath, ThreeWildcardsPath, UnroutedPath, EscapedPath}

// Kind names a path.
func Kind(path string) string { return kinds[path] }

// Routes returns so many routes, at least four. Two of three have wildcards, and
// mandatory routes take turns with optional ones.
func Routes(count int) routeauth.Routes {
	routes := make(routeauth.Routes, count)
	routes["GET "+PublicPath] = routeauth.Public
	for i := 0; len(routes) < count; i++ {
		requirement := routeauth.Requirement(i % 2)
		for _, path := range []string{"/items", "/items/{id}", "/items/{id}/of/{order}/at/{shop}"} {
			if len(routes) < count {
				routes[fmt.Sprintf("GET /things%d%s", i, path)] = requirement
			}
		}
	}
	return routes
}

// ConflictingRoutes returns so many routes, of which some overlap with another one
// that asks for something else.
func ConflictingRoutes(count, conflicts int) routeauth.Routes {
	routes := Routes(count - 2*conflicts)
	for i := range conflicts {
		routes[fmt.Sprintf("GET /conflicts%d/{id}/x", i)] = routeauth.Mandatory
		routes[fmt.Sprintf("GET /conflicts%d/x/{id}", i)] = routeauth.Optional
	}
	return routes
}

// policyName names the route of a path in a policy of so many.
func policyName(routes int, path string) string {
	return fmt.Sprintf("%s of %d", kinds[path], routes)
}
