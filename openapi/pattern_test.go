package openapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"example.com/routeauth"
	"example.com/routeauth/openapi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// documentWithPath is a document with one public operation at a path.
func documentWithPath(t testing.TB, path string) *openapi.Document {
	t.Helper()
	quoted, err := json.Marshal(path)
	require.NoError(t, err)
	return load(t, withPaths(`{`+string(quoted)+`: {"post": {"security": []}}}`))
}

func TestAPathBecomesThePatternThatMatchesItsRequests(t *testing.T) {
	for _, c := range []struct {
		path, pattern string
		requests      []string // below the base URL
		others        []string // that the pattern does not match
	}{
		{"/files", "/files", []string{"/files"}, []string{"/files/", "/files/17"}},
		{"/files/{id}", "/files/{id}", []string{"/files/17", "/files/a%2Fb", "/files/%2F"}, []string{"/files/", "/files/17/x"}},

		// A last slash is no subtree.
		{"/", "/{$}", []string{"/"}, []string{"/x"}},
		{"/files/", "/files/{$}", []string{"/files/"}, []string{"/files/17", "/files/17/"}},
		{"/files/{id}/", "/files/{id}/{$}", []string{"/files/17/"}, []string{"/files/17/x"}},

		// Segments mix text and templates.
		{"/files/{id}.json", "/files/{id}.json", []string{"/files/17.json"}, []string{"/files/17", "/files/.json"}},
		{"/files/{id}:cancel", "/files/{id}:cancel", []string{"/files/17:cancel"}, []string{"/files/17"}},
		{"/compare/{base}...{head}", "/compare/{base}...{head}", []string{"/compare/a...b"}, []string{"/compare/a"}},
		{"/{a}{b}", "/{a}{b}", []string{"/xy"}, []string{"/x"}},
		{"/Files(name={name},id={id})/x", "/Files(name={name},id={id})/x", []string{"/Files(name=a,id=17)/x"}, []string{"/Files(17)/x"}},

		// Names are free.
		{"/{file-id}/{file.id}/{file id}/{id}/{id}", "/{file-id}/{file.id}/{file id}/{id}/{id}", []string{"/1/2/3/4/5"}, nil},
		{"/{a/b}", "/{a_b}", []string{"/x"}, []string{"/x/y"}},
		{"/{a?b#c}", "/{a?b#c}", []string{"/x"}, []string{"/x/y"}},
		{"/{}/{$}/x{$}", "/{_}/{_}/x{_}", []string{"/1/2/x3"}, []string{"/1/2/x"}},
		{"/files/{path...}", "/files/{path...}", []string{"/files/a", "/files/a/b"}, nil},
		{"/files/{path...}/x", "/files/{path...}/x", []string{"/files/a/b/x"}, []string{"/files/a/b"}},
		{"/{...}", "/{_...}", []string{"/a/b"}, nil},
		{"/{a.....}", "/{a...}", []string{"/a/b"}, nil},
		{"/{a..}/{..}", "/{a..}/{..}", []string{"/a/b"}, nil},

		// What means something else in a pattern, or in another router's.
		{"/files/:id", "/files/%3Aid", []string{"/files/:id", "/files/%3Aid"}, []string{"/files/17"}},
		{"/:{id}", "/%3A{id}", []string{"/:17"}, []string{"/17"}},
		{"/a/*", "/a/%2A", []string{"/a/*", "/a/%2A"}, []string{"/a/b"}},
		{"/a/*/{id}*", "/a/%2A/{id}*", []string{"/a/*/1*"}, []string{"/a/b/1*"}},

		// Escapes and other characters are as they are.
		{"/a b/ü/%41%2f", "/a b/ü/%41%2f", []string{"/a%20b/%C3%BC/A%2F"}, []string{"/a%20b/%C3%BC/A/"}},
		{"/100%", "/100%", []string{"/100%25"}, nil},
		{"/users/@me", "/users/@me", []string{"/users/@me"}, []string{"/users/me"}},
		{"/a;b/;x", "/a;b/;x", []string{"/a;b/;x"}, nil},
		{"/%7Bid%7D", "/%7Bid%7D", []string{"/%7Bid%7D"}, []string{"/17"}},

		// Doubled slashes are matched as their clean form.
		{"//files///{id}//", "/files/{id}/{$}", []string{"//files///17//", "/files/17/"}, []string{"/files/17/x"}},
	} {
		document := documentWithPath(t, c.path)
		operations := document.Operations()
		require.Equal(t, []openapi.Operation{
			{Method: "POST", Path: c.path, Pattern: "POST " + c.pattern, Requirement: routeauth.Public, Why: "its security is empty"},
		}, operations, c.path)
		routes, err := document.Routes()
		require.NoError(t, err, c.path)
		policy, err := routeauth.NewPolicy("https://api.example.com/v1", routes)
		require.NoError(t, err, c.path)
		for _, path := range append(c.requests, c.others...) {
			req, err := http.NewRequest(http.MethodPost, "https://api.example.com/v1"+path, nil)
			require.NoError(t, err)
			want := ""
			if len(c.requests) > 0 && path == c.requests[0] {
				want, c.requests = operations[0].Pattern, c.requests[1:]
			}
			assert.Equal(t, want, policy.Match(req).Pattern, "%s and %s", c.path, path)
		}
	}
}

func TestWhatNoPatternCanSayIsListedAndAnError(t *testing.T) {
	for path, want := range map[string]string{
		"/files?all=1":          "its path has a query, which no pattern can say: make it part of /files",
		"/files/{id}?all={all}": "its path has a query, which no pattern can say: make it part of /files/{id}",
		"/files?all=1#archived": "its path has a query, which no pattern can say: make it part of /files",
		"/files/{id":            "its path has a brace that is not closed",
		"/files/{a{b}}":         "its path has a brace that is not closed",
		"/files/{{id}}":         "its path has a brace that is not closed",
		"/files/id}":            "its path has a closing brace without an opening one",
		"/files/{id}}":          "its path has a closing brace without an opening one",
		"":                      "its path does not begin with a slash",
		"files":                 "its path does not begin with a slash",
		"{base}/files":          "its path does not begin with a slash",
		"https://x.example/y":   "its path does not begin with a slash",
		"/a/../b":               "the path is not clean, so it can match nothing",
		"/a/./b":                "the path is not clean, so it can match nothing",
		"/..":                   "the path is not clean, so it can match nothing",
		"/a/%2e%2E/b":           "dot segment",
		"/a/%252e%252e/b":       "dot segment",
		"/a/..;x/{id}":          "dot segment",
		"/a/%u002e%c0%ae/b":     "dot segment",
	} {
		document := documentWithPath(t, path)
		operations := document.Operations()
		require.Len(t, operations, 1, path)
		op := operations[0]
		assert.Contains(t, op.Why, want, path)
		assert.Equal(t, openapi.Operation{Method: "POST", Path: path, Requirement: routeauth.Mandatory, Why: op.Why}, op)
		routes, err := document.Routes()
		require.EqualError(t, err, "openapi: "+strings.TrimSpace("POST "+path)+": "+op.Why)
		assert.Nil(t, routes)
	}
}

func TestAMethodThatNoPatternCanSayIsListedAndAnError(t *testing.T) {
	for method, want := range map[string]string{
		"copy":    "write the method in capitals, COPY for copy",
		"CONNECT": "CONNECT matches no pattern",
		"A B":     "method", "A:B": "its method is not one that HTTP allows", "": "it has no method",
		"GET /x": `its method, "GET /x", is not one that HTTP allows`, "GET\\t/x": "is not one that HTTP allows", "GET ": "is not one that HTTP allows",
		"/x": "is not one that HTTP allows", "$ref": "write the method in capitals", "x-copy": "write the method in capitals",
	} {
		document := load(t, withPaths(`{"/x": {"additionalOperations": {"`+method+`": {}}}}`))
		op := document.Operations()[0]
		assert.Equal(t, strings.ReplaceAll(method, `\t`, "\t"), op.Method)
		assert.Empty(t, op.Pattern, method)
		assert.Contains(t, op.Why, want, method)
		_, err := document.Routes()
		require.ErrorContains(t, err, op.Why)
	}
}

func TestWhatComesToTheSamePatternIsMergedAndTheStricterWins(t *testing.T) {
	for _, c := range []struct{ paths, pattern string }{
		{`{"/users/{id}": {"get": %[1]s}, "/users/{name}": {"get": %[2]s}}`, "GET /users/{id}"},
		{`{"/a//b": {"get": %[1]s}, "/a/b": {"get": %[2]s}}`, "GET /a/b"},
		{`{"/a/%%62": {"get": %[1]s}, "/a/b": {"get": %[2]s}}`, "GET /a/%62"},
		{`{"/x{a}y/": {"get": %[1]s}, "/x{b}%%79//": {"get": %[2]s}}`, "GET /x{a}y/{$}"},
		{`{"/f/{a...}": {"get": %[1]s}, "/f/{b...}": {"get": %[2]s}}`, "GET /f/{a...}"},
		{`{"/a": {"get": %[1]s, "GET": %[2]s}}`, "GET /a"},
		{`{"/a": {"get": %[1]s}, "/a#x": {"get": %[2]s}}`, "GET /a"},
		{`{"/#one": {"get": %[1]s}, "/#two": {"get": %[2]s}}`, "GET /{$}"},
		{`{"/f/{+a}": {"get": %[1]s}, "/f/{b*}": {"get": %[2]s}}`, "GET /f/{a...}"},
		{`{"/a": {"additionalOperations": {"GET": %[1]s}, "get": %[2]s}}`, "GET /a"},
	} {
		for _, one := range []routeauth.Requirement{routeauth.Mandatory, routeauth.Optional, routeauth.Public} {
			for _, other := range []routeauth.Requirement{routeauth.Mandatory, routeauth.Optional, routeauth.Public} {
				document := load(t, withPaths(fmt.Sprintf(c.paths, `{"x-routeauth": "`+one.String()+`"}`, `{"x-routeauth": "`+other.String()+`"}`)))
				routes, err := document.Routes()
				require.NoError(t, err)
				assert.Equal(t, routeauth.Routes{c.pattern: min(one, other)}, routes, c.paths)
				operations := document.Operations()
				require.Len(t, operations, 2)
				for _, op := range operations {
					assert.Equal(t, c.pattern, op.Pattern, c.paths)
					assert.Equal(t, min(one, other), op.Requirement, c.paths)
				}
			}
		}
	}
}

func TestWhyNamesTheStricterOperationOfTheSamePattern(t *testing.T) {
	document := load(t, withPaths(`{"/users/{id}": {"get": {"security": []}}, "/users/{name}": {"get": {}}, "/users/{x}": {"put": {}}}`))
	operations := document.Operations()
	assert.Equal(t, "/users/{name} has the same pattern and is mandatory: the document's security asks for bearerAuth", operations[0].Why)
	assert.Equal(t, "the document's security asks for bearerAuth", operations[1].Why)
}

func TestDifferentPatternsAreNotMerged(t *testing.T) {
	document := load(t, withPaths(`{"/a": {"get": {}, "put": {}}, "/a/": {"get": {}}, "/{a}": {"get": {}}, "/{a}.json": {"get": {}}, "/{a}.xml": {"get": {}},
		"/{a...}": {"get": {}}, "/a%2Fb": {"get": {}}, "/a/b": {"get": {}}, "/{a}-{b}": {"get": {}}, "/%7Ba%7D": {"get": {}}}`))
	routes, err := document.Routes()
	require.NoError(t, err)
	assert.Len(t, routes, 11)
}

func TestOperationsAreSortedByPathAndMethod(t *testing.T) {
	document := load(t, "{openapi: 3.0.0, paths: {/b: {put: {}, get: {}}, /a: {post: {}, delete: {}}, /: {get: {}}}}")
	var listed []string
	for _, op := range document.Operations() {
		listed = append(listed, op.Method+" "+op.Path)
	}
	assert.Equal(t, []string{"GET /", "DELETE /a", "POST /a", "GET /b", "PUT /b"}, listed)
}

func TestTheTableIsTheCallersOwn(t *testing.T) {
	document := documentWithPath(t, "/x")
	routes, err := document.Routes()
	require.NoError(t, err)
	routes["POST /x"] = routeauth.Mandatory
	again, err := document.Routes()
	require.NoError(t, err)
	assert.Equal(t, routeauth.Routes{"POST /x": routeauth.Public}, again)
}

// Clients keep a fragment to themselves. The operations of such paths are told
// apart by something that no path has.
func TestAFragmentIsLeftOutAndTheListSaysSo(t *testing.T) {
	const note = "; the fragment of its path is never sent"
	document := load(t, withPaths(`{
		"/": {"get": {"security": []}},
		"/#X-Amz-Target=Service.One": {"post": {"security": []}},
		"/#X-Amz-Target=Service.Two": {"post": {}},
		"/{Bucket}": {"get": {}},
		"/{Bucket}#acl": {"get": {"security": []}, "put": {"security": []}},
		"/{name#with}/x#?{unclosed": {"get": {}},
		"/files/#": {"get": {}}}`))
	type listed struct{ path, pattern, why string }
	var got []listed
	for _, op := range document.Operations() {
		got = append(got, listed{op.Path, op.Pattern, op.Why})
	}
	const asks = "the document's security asks for bearerAuth"
	assert.Equal(t, []listed{
		{"/", "GET /{$}", "its security is empty"},
		{"/#X-Amz-Target=Service.One", "POST /{$}", "/#X-Amz-Target=Service.Two has the same pattern and is mandatory: " + asks + note},
		{"/#X-Amz-Target=Service.Two", "POST /{$}", asks + note},
		{"/files/#", "GET /files/{$}", asks + note},
		{"/{Bucket}", "GET /{Bucket}", asks},
		{"/{Bucket}#acl", "GET /{Bucket}", "/{Bucket} has the same pattern and is mandatory: " + asks + note},
		{"/{Bucket}#acl", "PUT /{Bucket}", "its security is empty" + note},
		{"/{name#with}/x#?{unclosed", "GET /{name#with}/x", asks + note},
	}, got)
	_, err := document.Routes()
	require.NoError(t, err)
}
