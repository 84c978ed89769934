package openapi_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestBaseURLsAreThoseThatTheDocumentNames(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"openapi: 3.1.0", nil},
		{"{openapi: 3.1.0, servers: []}", nil},
		{"{openapi: 3.1.0, servers: text}", nil},
		{"{openapi: 3.1.0, servers: [17, {}, {url: }, {url: {}}]}", nil},
		{"{openapi: 3.1.0, servers: [{url: https://api.example.com/v1}]}", []string{"https://api.example.com/v1"}},
		{"{openapi: 3.1.0, servers: [{url: https://api.example.com/}, {url: 'http://localhost:8080/v1/'}]}", []string{"https://api.example.com", "http://localhost:8080/v1"}},
		{"{openapi: 3.1.0, servers: [{url: https://api.example.com}, {url: 'https://api.example.com/'}]}", []string{"https://api.example.com"}},

		// Variables have their defaults.
		{"{openapi: 3.1.0, servers: [{url: 'https://{region}.example.com:{port}/{version}', variables: {region: {default: eu, enum: [eu, us]}, port: {default: 8443}, version: {default: v1}}}]}",
			[]string{"https://eu.example.com:8443/v1"}},
		{"{openapi: 3.1.0, servers: [{url: 'https://{tenant}.example.com', variables: {tenant: {description: text}}}]}", []string{"https://{tenant}.example.com"}},
		{"{openapi: 3.1.0, servers: [{url: 'https://{tenant}.example.com'}]}", []string{"https://{tenant}.example.com"}},
		{"{openapi: 3.1.0, servers: [{url: 'https://a.example.com/{v}', variables: {v: {default: ''}}}]}", []string{"https://a.example.com"}},

		// Relative ones stay so.
		{"{openapi: 3.1.0, servers: [{url: /api/v1/}, {url: /}, {url: '//api.example.com/v1'}, {url: v2}]}", []string{"/api/v1", "/", "//api.example.com/v1", "v2"}},

		// Servers of paths and operations come last.
		{"{openapi: 3.1.0, servers: [{url: https://a.example.com}], paths: {/y: {get: {servers: [{url: https://c.example.com}]}}, /x: {servers: [{url: https://b.example.com}, {url: https://a.example.com}], get: {}}}}",
			[]string{"https://a.example.com", "https://b.example.com", "https://c.example.com"}},

		// Swagger.
		{"{swagger: '2.0', host: api.example.com}", []string{"https://api.example.com"}},
		{"{swagger: '2.0', host: api.example.com, basePath: /}", []string{"https://api.example.com"}},
		{"{swagger: '2.0', host: 'api.example.com:8443', basePath: /v1/, schemes: [http, wss, https]}", []string{"https://api.example.com:8443/v1", "http://api.example.com:8443/v1"}},
		{"{swagger: '2.0', host: api.example.com, basePath: v1, schemes: [HTTP]}", []string{"http://api.example.com/v1"}},
		{"{swagger: '2.0', host: api.example.com, schemes: [ws]}", nil},
		{"{swagger: '2.0', basePath: /v1, schemes: [https]}", []string{"/v1"}},
		{"{swagger: '2.0', schemes: [https]}", nil},
	} {
		if got := load(t, c.text).BaseURLs(); len(got)+len(c.want) > 0 {
			assert.Equal(t, c.want, got, c.text)
		}
	}
}

func TestTheBaseURLsAreTheCallersOwn(t *testing.T) {
	document := load(t, "{openapi: 3.1.0, servers: [{url: https://api.example.com}]}")
	document.BaseURLs()[0] = "changed"
	assert.Equal(t, []string{"https://api.example.com"}, document.BaseURLs())
}

func TestWhyNamesAServerOfAnOperationsOwn(t *testing.T) {
	document := load(t, `
openapi: 3.1.0
servers: [{url: https://api.example.com}]
paths:
  /a: {get: {}}
  /b: {get: {servers: [{url: https://upload.example.com/v1/}]}}
  /c: {servers: [{url: https://upload.example.com/v1}], get: {}, put: {servers: [{url: https://api.example.com}]}}
  /d: {get: {servers: [{url: https://other.example.com}, {url: https://api.example.com}]}}
`)
	var whys []string
	for _, op := range document.Operations() {
		whys = append(whys, op.Why)
	}
	const nothing, upload = "neither the operation nor the document has a security", "; its own server is https://upload.example.com/v1"
	assert.Equal(t, []string{nothing, nothing + upload, nothing + upload, nothing, nothing}, whys)
}
