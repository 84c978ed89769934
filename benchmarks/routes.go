package benchmarks

import (
	"fmt"

	"example.com/routeauth"
)

// Paths of endpoints that are mandatory in every policy that [Routes] makes.
const (
	StaticPath   = "/things0/items"    // has a route without a wildcard
	WildcardPath = "/things0/items/42" // has a route with one
	UnroutedPath = "/others/42"        // has no route
)

// kinds name the paths without a slash, which would cut a benchmark's name.
var kinds = map[string]string{
	StaticPath:   "static route",
	WildcardPath: "wildcard route",
	UnroutedPath: "no route",
}

// Routes returns so many routes, at least two. Every second one has a wildcard,
// and mandatory routes take turns with optional ones.
func Routes(count int) routeauth.Routes {
	routes := make(routeauth.Routes, count)
	for i := 0; len(routes) < count; i++ {
		requirement := routeauth.Requirement(i % 2)
		routes[fmt.Sprintf("GET /things%d/items", i)] = requirement
		routes[fmt.Sprintf("GET /things%d/items/{id}", i)] = requirement
	}
	return routes
}

// policyName names the route of a path in a policy of so many.
func policyName(routes int, path string) string {
	return fmt.Sprintf("%s of %d", kinds[path], routes)
}
