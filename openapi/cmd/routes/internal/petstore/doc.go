// Package petstore has a table that cmd/routes wrote. It is compiled, and so
// shows that what cmd/routes writes is a Go package.
package petstore

//go:generate go run example.com/routeauth/openapi/cmd/routes -spec ../../testdata/petstore.yaml -package petstore -out routes_gen.go -optional-scheme visitor
