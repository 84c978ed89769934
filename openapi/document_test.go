package openapi_test

import (
	"fmt"
	"strings"
	"testing"

	"example.com/routeauth"
	"example.com/routeauth/openapi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheSameDocumentIsReadInEveryFormAndVersion(t *testing.T) {
	want := routeauth.Routes{
		"GET /files":         routeauth.Public,
		"POST /files":        routeauth.Mandatory,
		"GET /files/{id}":    routeauth.Optional,
		"DELETE /files/{id}": routeauth.Mandatory,
	}
	paths := `
security: [{key: []}]
paths:
  /files:
    get:
      security: []
    post: {}
  /files/{id}:
    get:
      security:
        - {}
        - key: []
    delete: {}
`
	asJSON := `, "security": [{"key": []}], "paths": {
		"/files": {"get": {"security": []}, "post": {}},
		"/files/{id}": {"get": {"security": [{}, {"key": []}]}, "delete": {}}}}`
	for _, version := range []string{"openapi: 3.0.3", "openapi: 3.1.0", "openapi: '3.2.0'", "openapi: 3.1", `swagger: "2.0"`, "swagger: 2.0", "swagger: 2"} {
		name, number, _ := strings.Cut(version, ": ")
		number = strings.Trim(number, `'"`)
		for form, text := range map[string]string{
			"YAML":               version + paths,
			"JSON":               fmt.Sprintf(`{"%s": "%s"%s`, name, number, asJSON),
			"JSON with a BOM":    "\ufeff" + fmt.Sprintf(`{"%s": "%s"%s`, name, number, asJSON),
			"YAML with a BOM":    "\ufeff" + version + paths,
			"YAML in JSON form":  "# a comment\n" + fmt.Sprintf(`{%s: "%s"%s`, name, number, asJSON),
			"JSON with a comma ": strings.TrimSuffix(fmt.Sprintf(`{"%s": "%s"%s`, name, number, asJSON), "}") + ",}",
		} {
			t.Run(form+" "+version, func(t *testing.T) {
				routes, err := load(t, text).Routes()
				require.NoError(t, err)
				assert.Equal(t, want, routes)
			})
		}
	}
}

func TestADocumentThatCannotBeReadIsAnErrorThatSaysWhy(t *testing.T) {
	for text, want := range map[string]string{
		"":                                       "it is not valid YAML",
		"# nothing":                              "it is not valid YAML",
		"\x00":                                   "it is not valid YAML",
		"{\"openapi\": \"3.1.0\",\n\"paths\": ]": "it is not valid JSON: line 2",
		"openapi: 3.1.0\npaths: [":               "it is not valid YAML",
		"openapi: 3.1.0\n---\nopenapi: 3.1.0":    "multiple",
		"null":                                   "not an object",
		"text":                                   "not an object",
		"[]":                                     "not an object",
		"{}":                                     "neither a field openapi nor a field swagger",
		"openapi: {}":                            "neither a field openapi nor a field swagger",
		"openapi: 4.0.0":                         `OpenAPI "4.0.0"`,
		"openapi: 3.9.0":                         `OpenAPI "3.9.0"`,
		"openapi: 30":                            `OpenAPI "30"`,
		"swagger: '1.2'":                         `Swagger "1.2"`,
		"{openapi: 3.1.0, paths: []}":            "paths are not an object",
		"{openapi: 3.1.0, paths: text}":          "paths are not an object",
		`{"openapi": "3.1.0", "paths": [], "paths": {}}`: "paths are not an object",
		"{openapi: 3.1.0, x-routeauth: public}":          "the document as a whole has an x-routeauth",
		"{openapi: 3.1.0, X-RouteAuth: public}":          "the document as a whole has an x-routeauth",
	} {
		document, err := openapi.Load([]byte(text))
		require.Error(t, err, text)
		assert.Nil(t, document, text)
		assert.Contains(t, err.Error(), want, text)
		assert.True(t, strings.HasPrefix(err.Error(), "openapi: "), err)
	}
}

func TestADocumentWithoutPathsHasNoOperations(t *testing.T) {
	for _, text := range []string{"openapi: 3.1.0", "{openapi: 3.1.0, paths: }", "{openapi: 3.1.0, paths: {}}", "{openapi: 3.1.0, webhooks: {x: {post: {}}}}"} {
		document := load(t, text)
		assert.Empty(t, document.Operations(), text)
		routes, err := document.Routes()
		require.NoError(t, err)
		assert.Equal(t, routeauth.Routes{}, routes, text)
	}
	var zero openapi.Document
	assert.Empty(t, zero.Operations())
	assert.Empty(t, zero.BaseURLs())
}

func TestMistakesElsewhereInADocumentAreNoObstacle(t *testing.T) {
	document := load(t, `
openapi: 3.0.0
info: [no, object]
tags: {name: 17}
paths:
  /files:
    get:
      parameters: none
      responses: {200: {$ref: './elsewhere.yaml#/x'}, 200: {$ref: https://api.example.com/unreachable}}
      description: one
      description: two
components:
  schemas: {File: {$ref: '#/components/schemas/None'}, Text: {pattern: 17, examples: {}}}
`)
	assert.Len(t, document.Operations(), 1)
}

// JSON escapes a character beyond the basic plane as two surrogates, which YAML
// does not know.
func TestJSONWithAnEmojiIsRead(t *testing.T) {
	document := load(t, `{"openapi": "3.0.0", "info": {"title": "\ud83d\ude00"}, "paths": {"/\ud83d\ude00": {"get": {}}}}`)
	assert.Equal(t, "/😀", document.Operations()[0].Path)
}

func TestAliasesAndMergeKeysAreFollowed(t *testing.T) {
	document := load(t, `
openapi: 3.0.0
x-public: &public {security: [], summary: text}
x-both: &both
  <<: *public
  x-routeauth: optional
x-security: &security
  - key: []
paths:
  /alias:
    get: *public
  /merged:
    get: {<<: *public}
  /own-wins:
    get: {<<: *public, security: *security}
  /first-wins:
    get: {<<: [*both, {x-routeauth: mandatory}]}
  /item: &item
    get: {security: []}
    put: {security: *security}
  /item-again:
    <<: *item
    put: {security: []}
`)
	routes, err := document.Routes()
	require.NoError(t, err)
	assert.Equal(t, routeauth.Routes{
		"GET /alias":      routeauth.Public,
		"GET /merged":     routeauth.Public,
		"GET /own-wins":   routeauth.Mandatory,
		"GET /first-wins": routeauth.Optional,
		"GET /item":       routeauth.Public,
		"PUT /item":       routeauth.Mandatory,
		"GET /item-again": routeauth.Public,
		"PUT /item-again": routeauth.Public,
	}, routes)
}

func TestAMappingThatHoldsItselfIsRead(t *testing.T) {
	for _, text := range []string{
		"openapi: 3.0.0\npaths: &p\n  <<: *p\n  /x: {get: {}}\n",
		"openapi: 3.0.0\npaths:\n  /x: &x\n    <<: [*x, *x]\n    get: {}\n",
		"openapi: 3.0.0\npaths:\n  /x: &x\n    get: *x\n",
	} {
		assert.Len(t, load(t, text).Operations(), 1, text)
	}
}

// Ten mappings, each of which merges the one before ten times, would be ten
// thousand million mappings.
func TestManyMergesTakeNoLongTime(t *testing.T) {
	text := "openapi: 3.0.0\nx0: &x0 {get: {}}\n"
	for i := range 10 {
		text += fmt.Sprintf("x%d: &x%d {<<: [%s]}\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*x%d, ", i), 10), ", "))
	}
	assert.Len(t, load(t, text+"paths: {/x: *x10}\n").Operations(), 1)
}

func TestANameThatComesTwiceDropsNothing(t *testing.T) {
	for _, text := range []string{
		`{"openapi": "3.0.0", "paths": {"/x": {"get": {"x-routeauth": "public"}}, "/x": {"get": {"x-routeauth": "optional"}, "put": {}}}, "paths": {"/y": {"get": {}}}}`,
		"openapi: 3.0.0\npaths:\n  /x: {get: {x-routeauth: public}}\n  /x: {get: {x-routeauth: optional}, put: {}}\npaths:\n  /y: {get: {}}\n",
	} {
		routes, err := load(t, text).Routes()
		require.NoError(t, err)
		assert.Equal(t, routeauth.Routes{"GET /x": routeauth.Optional, "PUT /x": routeauth.Public, "GET /y": routeauth.Public}, routes)
	}
}

func TestALargeDocumentIsReadWithoutBounds(t *testing.T) {
	var paths strings.Builder
	for i := range 5_000 {
		fmt.Fprintf(&paths, `"/files/%d/%s/{id}": {"$ref": "#/paths/~1item%d"}, "/item%d": {"get": {}},`, i, strings.Repeat("x", 300), i, i)
	}
	document := load(t, withPaths("{"+strings.TrimSuffix(paths.String(), ",")+"}"))
	assert.Len(t, document.Operations(), 10_000)
}
