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

func TestPathItemsMayBeReferences(t *testing.T) {
	document := load(t, `{"openapi": "3.1.0", "paths": {
		"/a": {"$ref": "#/components/pathItems/Shared"},
		"/b": {"$ref": "#/paths/~1a", "post": {"x-routeauth": "optional"}},
		"/c/{id}": {"$ref": "#/paths/~1d~1%7Bid%7D"},
		"/d/{id}": {"put": {}}},
		"components": {"pathItems": {"Shared": {"get": {"security": [{"key": []}]}}}}}`)
	routes, err := document.Routes()
	require.NoError(t, err)
	assert.Equal(t, routeauth.Routes{
		"GET /a":      routeauth.Mandatory,
		"GET /b":      routeauth.Mandatory,
		"POST /b":     routeauth.Optional,
		"PUT /c/{id}": routeauth.Public,
		"PUT /d/{id}": routeauth.Public,
	}, routes)
}

func TestAPathItemThatIsNotThereIsListedAndAnError(t *testing.T) {
	for item, want := range map[string]string{
		`{"$ref": "./files.yaml"}`:                                `its path item is a reference: "./files.yaml" is in another file: put all of the document into one file first`,
		`{"$ref": "https://api.example.com/openapi.yaml#/paths"}`: `openapi.yaml#/paths" is in another file`,
		`{"$ref": "#/components/pathItems/None"}`:                 `its path item is a reference: "#/components/pathItems/None" is not in the document`,
		`{"$ref": "#/paths/~1x"}`:                                 "refers to itself",
		`{"$ref": "#text"}`:                                       "is not in the document",
		`{"$ref": {}}`:                                            "its $ref is an object: it must be a text",
		`{"$ref": ["./files.yaml"]}`:                              "its $ref is a list: it must be a text",
		`{"$ref": null}`:                                          "its $ref is null: it must be a text",
		`{"$ref": ""}`:                                            "its $ref is empty",
		`{"$ref": "#/openapi"}`:                                   `"#/openapi" is "3.1.0": it must be an object`,
		`{"$ref": "#/security"}`:                                  `"#/security" is a list: it must be an object`,
		`{"$ref": "#/paths/~1x", "$ref": "#/none"}`:               `"#/none" is not in the document`,
		`{"$Ref": "#/paths/~1y"}`:                                 `its path item has a field "$Ref", which is no operation`,
		`null`:                                                    "its path item is null: it must be an object",
		`[]`:                                                      "its path item is a list: it must be an object",
		`"text"`:                                                  `its path item is "text": it must be an object`,
	} {
		document := load(t, withPaths(`{"/x": `+item+`, "/y": {"get": {}}}`))
		operations := document.Operations()
		require.Len(t, operations, 2, item)
		assert.Equal(t, openapi.Operation{Path: "/x", Requirement: routeauth.Mandatory, Why: operations[0].Why}, operations[0])
		assert.Contains(t, operations[0].Why, want)
		routes, err := document.Routes()
		require.ErrorContains(t, err, "/x: "+operations[0].Why)
		assert.Nil(t, routes)
	}
}

func TestOperationsMayBeReferences(t *testing.T) {
	document := load(t, `
openapi: 3.0.0
paths:
  /a: {get: {$ref: '#/x-ops/a'}}
  /b: {get: {$ref: '#/x-ops/b'}, put: {$ref: '#/x-ops/a', security: [{}]}}
  /c: {get: {$ref: '#/paths/~1d/get', x-routeauth: optional}}
  /d: {get: {x-routeauth: mandatory}}
  /e: {additionalOperations: {COPY: {$ref: '#/x-ops/a'}}}
  /f: {get: {$ref: '#/x-ops/none', $ref: '#/x-ops/public'}}
x-ops:
  a: {security: [{k: []}]}
  b: {$ref: '#/x-ops/a', summary: text}
  public: {security: []}
`)
	routes, err := document.Routes()
	require.NoError(t, err)
	assert.Equal(t, routeauth.Routes{
		"GET /a": routeauth.Mandatory, "GET /b": routeauth.Mandatory, "PUT /b": routeauth.Optional, "GET /c": routeauth.Optional,
		"GET /d": routeauth.Mandatory, "COPY /e": routeauth.Mandatory, "GET /f": routeauth.Public,
	}, routes)
}

// Nothing becomes public because it is not understood.
func TestAnOperationThatIsNotThereIsListedAndAnError(t *testing.T) {
	for operation, want := range map[string]string{
		`{"$ref": "./ops.yaml#/get"}`:    `it is a reference: "./ops.yaml#/get" is in another file: put all of the document into one file first`,
		`{"$ref": "#/x-ops/none"}`:       `it is a reference: "#/x-ops/none" is not in the document`,
		`{"$ref": "#/paths/~1x/get"}`:    `it is a reference: "#/paths/~1x/get" refers to itself`,
		`{"$ref": "#/openapi"}`:          `it is a reference: "#/openapi" is "3.1.0": it must be an object`,
		`{"$ref": "#/paths/~1y/delete"}`: `it is a reference: "#/paths/~1y/delete" is null: it must be an object`,
		`{"$ref": ["x"]}`:                "it is a reference: its $ref is a list: it must be a text",
		`{"$ref": null}`:                 "it is a reference: its $ref is null: it must be a text",
		`{"$ref": ""}`:                   "it is a reference: its $ref is empty",
		`null`:                           "it is null: it must be an object",
		`[]`:                             "it is a list: it must be an object",
		`false`:                          `it is "false": it must be an object`,
	} {
		text := `{"openapi": "3.1.0", "paths": {"/x": {"get": ` + operation + `}}, "x": 1, "paths": {"/x": {"get": ` + operation + `}, "/y": {"delete": null}}}`
		for _, op := range load(t, text).Operations()[:2] {
			assert.Equal(t, openapi.Operation{Method: "GET", Path: "/x", Requirement: routeauth.Mandatory, Why: want}, op)
		}
		_, err := load(t, text).Routes()
		require.ErrorContains(t, err, "openapi: GET /x: "+want)
	}
}

func TestPathsThatAreAReferenceAreListedAndAnError(t *testing.T) {
	_, err := load(t, withPaths(`{"$ref": "#/x-paths", "/x": {"get": {}}}`)).Routes()
	require.EqualError(t, err, "openapi: $ref: the document's paths are a reference: put them there themselves")
}

// chain is a document with references that follow one another, each written
// several times.
func chain(levels, times int, last string) string {
	var text strings.Builder
	text.WriteString(`{"openapi": "3.0.0", "paths": {"/r": {"$ref": "#/x/0"}, "/s": {"get": {"$ref": "#/x/0"}}}, "x": {`)
	for i := range levels {
		reference := fmt.Sprintf(`"$ref": "#/x/%d",`, i+1)
		fmt.Fprintf(&text, `"%d": {%s},`, i, strings.TrimSuffix(strings.Repeat(reference, times), ","))
	}
	fmt.Fprintf(&text, `"%d": %s}}`, levels, last)
	return text.String()
}

func TestOneReferenceOfAnItemIsFollowed(t *testing.T) {
	operations := load(t, chain(60, 2, `{"get": {"security": []}, "security": []}`)).Operations()
	require.Len(t, operations, 3) // and the security, which is no operation
	assert.Equal(t, "GET", operations[1].Method)
}

func TestNoMoreThanSomeReferencesFollowOneAnother(t *testing.T) {
	for _, levels := range []int{99, 100, 2_000} {
		operations := load(t, chain(levels, 1, `{"get": {}}`)).Operations()
		require.Len(t, operations, 2)
		for _, op := range operations {
			if levels == 99 {
				assert.NotEmpty(t, op.Pattern, op.Why)
			} else {
				assert.Contains(t, op.Why, `more than 100 references follow one another, up to "#/x/100"`)
			}
		}
	}
}
