package openapi_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"example.com/routeauth"
	"example.com/routeauth/openapi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnUnknownOverrideIsAnErrorAndMandatory(t *testing.T) {
	for override, described := range map[string]string{
		`"Public"`: `"Public"`, `"none"`: `"none"`, `""`: `""`, `" public"`: `" public"`, `true`: `"true"`, `0`: `"0"`,
		`null`: "null", `["public"]`: "a list", `{"public": true}`: "an object",
	} {
		document := load(t, withPaths(`{"/x": {"get": {"security": [], "x-routeauth": `+override+`}}, "/y": {"get": {}}}`))
		why := "its x-routeauth is " + described + ": write mandatory, optional or public"
		assert.Equal(t, openapi.Operation{Method: "GET", Path: "/x", Requirement: routeauth.Mandatory, Why: why}, document.Operations()[0])
		routes, err := document.Routes()
		require.EqualError(t, err, "openapi: GET /x: "+why)
		assert.Nil(t, routes)
	}
}

// Whatever the security says, the extension of an operation wins over that of
// its path item, and the path item's over the security.
func TestThePathItemsOverrideIsForOperationsWithoutOne(t *testing.T) {
	document := load(t, `
openapi: 3.1.0
security: [{key: []}]
paths:
  /item: {x-routeauth: public, get: {}, put: {x-routeauth: optional}, additionalOperations: {COPY: {}}}
  /case: {X-RouteAuth: public, get: {}, put: {X-Routeauth: optional}}
  /small-letters-win: {get: {X-RouteAuth: public, x-routeauth: optional, X-ROUTEAUTH: public}}
  /outer-wins: {$ref: '#/x-items/inner', x-routeauth: optional, get: {}}
  /inner: {$ref: '#/x-items/inner', get: {}}
  /again: {$ref: '#/x-items/inner'}
x-items:
  inner: {x-routeauth: public, put: {}, post: {x-routeauth: mandatory}}
`)
	routes, err := document.Routes()
	require.NoError(t, err)
	assert.Equal(t, routeauth.Routes{
		"GET /item": routeauth.Public, "PUT /item": routeauth.Optional, "COPY /item": routeauth.Public,
		"GET /case": routeauth.Public, "PUT /case": routeauth.Optional,
		"GET /small-letters-win": routeauth.Optional,
		"GET /outer-wins":        routeauth.Optional, "PUT /outer-wins": routeauth.Optional, "POST /outer-wins": routeauth.Mandatory,
		"GET /inner": routeauth.Mandatory, "PUT /inner": routeauth.Public, "POST /inner": routeauth.Mandatory,
		"PUT /again": routeauth.Public, "POST /again": routeauth.Mandatory,
	}, routes)
	for _, op := range document.Operations() {
		if op.Path == "/item" && op.Method == "GET" {
			assert.Equal(t, "its path item's x-routeauth says so", op.Why)
		}
	}
}

func TestAnUnknownOverrideOfAPathItemIsAnError(t *testing.T) {
	const why = `its path item's x-routeauth is "Public": write mandatory, optional or public`
	for item, name := range map[string]string{
		`{"x-routeauth": "Public", "get": {"security": []}}`:          "GET /x",
		`{"X-RouteAuth": "Public", "get": {"security": []}}`:          "GET /x",
		`{"x-routeauth": "Public", "get": {"x-routeauth": "public"}}`: "/x",
		`{"x-routeauth": "Public"}`:                                   "/x",
	} {
		_, err := load(t, withPaths(`{"/x": `+item+`}`)).Routes()
		require.EqualError(t, err, "openapi: "+name+": "+why)
	}
	_, err := load(t, withPaths(`{"X-RouteAuth": "public", "/x": {"get": {}}}`)).Routes()
	require.EqualError(t, err, "openapi: X-RouteAuth: the document's paths have an x-routeauth, which is for operations and path items")
}

func TestAMessageShowsNotAllOfALongText(t *testing.T) {
	long := strings.Repeat("ü", 1000)
	document := load(t, withPaths(`{"/x": {"get": {"x-routeauth": "`+long+`"}}, "/y": {"get": {"security": [{"`+long+`": []}]}}, "/z": {"$ref": "`+long+`"}, "/`+long+`": {"get": {}}}`))
	for _, op := range document.Operations() {
		assert.Less(t, len(op.Why), 400, op.Path)
		assert.True(t, utf8.ValidString(op.Why), op.Why)
	}
}
