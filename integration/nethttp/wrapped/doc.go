// Package wrapped puts each transport of routeauth around another one, in the
// ways in which net/http's own tests are run through them.
//
// The program nethttp copies this package, with all that it imports, into a copy
// of Go's sources. There install.go, which nothing else compiles, makes package
// http wrap with what the environment names.
package wrapped
