package openapi_test

import (
	"testing"

	"example.com/routeauth/openapi"
	"github.com/stretchr/testify/require"
)

// load returns a document that must be readable.
func load(t testing.TB, text string) *openapi.Document {
	t.Helper()
	document, err := openapi.Load([]byte(text))
	require.NoError(t, err)
	return document
}

// withPaths is a document of some paths, with a security of its own and some
// schemes.
func withPaths(paths string) string {
	return `{"openapi": "3.1.0", "security": [{"bearerAuth": []}], "paths": ` + paths + `, "components": {"securitySchemes":
		{"bearerAuth": {"type": "http", "scheme": "bearer"}, "x-user-id": {"type": "apiKey", "in": "header", "name": "x-user-id"}}}}`
}
