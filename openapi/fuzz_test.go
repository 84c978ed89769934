package openapi_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"example.com/routeauth"
	"example.com/routeauth/openapi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// FuzzLoad reads any text as a document. Whatever can be read, the operations
// and the table agree, and a policy takes each pattern.
func FuzzLoad(f *testing.F) {
	for _, seed := range []string{
		withPaths(`{"/files/{id}.json": {"get": {"security": [{}, {"x-user-id": []}], "x-routeauth": "public", "servers": [{"url": "/x"}]}}, "/a": {"$ref": "#/paths/~1files"}}`),
		"openapi: 3.2.0\nservers: [{url: 'https://{a}.example.com/', variables: {a: {default: b}}}]\nx: &x {get: {security: [{}]}}\npaths:\n  /{a...}/: *x\n  /b//c?d#e: {<<: *x, additionalOperations: {COPY: }}\n",
		"openapi: 3.1.0\npaths:\n  /a: {X-RouteAuth: public, $ref: '#/x/a', get: {$ref: '#/x/b'}, put: , purge: {}}\nx: {a: {$ref: '#/x/a', post: {}}, b: {security: }}\n",
		"swagger: '2.0'\nhost: api.example.com\nbasePath: /v1\nschemes: [http, https]\nsecurityDefinitions: {key: {}}\nsecurity: [key: []]\npaths: {/x: {get: {}, put: {security: []}}}\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		document, err := openapi.Load([]byte(text))
		if err != nil {
			return
		}
		document.BaseURLs()
		checkOperations(t, document)
	})
}

// FuzzPath makes a pattern of any path. If there is one, it matches the requests
// of the operation.
func FuzzPath(f *testing.F) {
	for _, seed := range []string{"/", "/files/{id}.json", "/a//b/", "/{a/b}{$}/:x/*", "/a?b", "/a#b", "/{a", "/%2e%2e/b", "/{x...}/y", "/a b/\u00fc", "/{+x}/{y*}/z+", "/a{?b}", "/{.a}{/b}#{c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		document := documentWithPath(t, path)
		checkOperations(t, document)
		operations := document.Operations()
		if len(operations) == 0 || operations[0].Pattern == "" || strings.Contains(path, "%") {
			return // x-paths are no paths, and an escape would have to stay one
		}
		policy, err := routeauth.NewPolicy("https://api.example.com/v1", routeauth.Routes{operations[0].Pattern: routeauth.Public})
		require.NoError(t, err)
		sent, _, _ := strings.Cut(template.ReplaceAllString(operations[0].Path, "a1"), "#")
		u := &url.URL{Scheme: "https", Host: "api.example.com", Path: "/v1" + sent}
		match := policy.Match(&http.Request{Method: http.MethodPost, URL: u})
		assert.Equal(t, operations[0].Pattern, match.Pattern, "%s: %s", u, match.Reason)
	})
}

// checkOperations holds a document's operations and its table against each
// other.
func checkOperations(t *testing.T, document *openapi.Document) {
	t.Helper()
	operations := document.Operations()
	routes, err := document.Routes()
	table, unsaid := routeauth.Routes{}, 0
	for _, op := range operations {
		if op.Why == "" {
			t.Errorf("no reason is given for %+v", op)
		}
		if op.Pattern == "" {
			unsaid++
			if op.Requirement != routeauth.Mandatory || err == nil || !strings.Contains(err.Error(), op.Why) {
				t.Errorf("the error does not name %+v: %v", op, err)
			}
			continue
		}
		table[op.Pattern] = op.Requirement
		if _, err := routeauth.NewPolicy("https://api.example.com", routeauth.Routes{op.Pattern: op.Requirement}); err != nil {
			t.Error(err)
		}
	}
	if err == nil {
		assert.Equal(t, table, routes)
	} else {
		assert.NotZero(t, unsaid, err)
	}
	assert.Equal(t, operations, document.Operations())
}
