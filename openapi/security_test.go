package openapi_test

import (
	"strings"
	"testing"

	"example.com/routeauth"
	"example.com/routeauth/openapi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The document that these operations are in asks for bearerAuth, or for what
// document says.
func TestAnOperationsRequirementFollowsFromItsSecurity(t *testing.T) {
	for _, c := range []struct {
		document, operation string
		want                routeauth.Requirement
		why                 string
	}{
		// Nothing at all is public.
		{``, `{}`, routeauth.Public, "neither the operation nor the document has a security"},
		{`[]`, `{}`, routeauth.Public, "the document's security is empty"},
		{`[{"key": []}]`, `{"security": []}`, routeauth.Public, "its security is empty"},

		// An alternative that asks for nothing is optional, wherever it stands.
		{`[{}]`, `{}`, routeauth.Optional, "the document's security has {}, no credential, among the alternatives"},
		{`[{"key": []}, {}]`, `{}`, routeauth.Optional, "the document's security has {}, no credential, among the alternatives"},
		{``, `{"security": [{}, {"key": []}]}`, routeauth.Optional, "its security has {}, no credential, among the alternatives"},
		{`[]`, `{"security": [{"key": []}, {}]}`, routeauth.Optional, "its security has {}, no credential, among the alternatives"},
		{``, `{"security": [17, {}]}`, routeauth.Optional, "its security has {}, no credential, among the alternatives"},

		// Everything else is mandatory.
		{`[{"key": []}]`, `{}`, routeauth.Mandatory, "the document's security asks for key"},
		{``, `{"security": [{"key": []}]}`, routeauth.Mandatory, "its security asks for key"},
		{`[]`, `{"security": [{"oauth": ["read", "write"]}]}`, routeauth.Mandatory, "its security asks for oauth"},
		{`[{}]`, `{"security": [{"key": []}, {"token": []}]}`, routeauth.Mandatory, "its security asks for key or token"},
		{``, `{"security": [{"key": [], "sign": []}, {"token": []}]}`, routeauth.Mandatory, "its security asks for key with sign or token"},
		{``, `{"security": [{"a": []}, {"b": []}, {"c": []}, {"d": []}, {"e": []}, {"f": []}]}`, routeauth.Mandatory, "its security asks for a or b or c or d or 2 others"},
		{``, `{"security": [{"a": [], "b": [], "c": [], "d": [], "e": [], "f": []}]}`, routeauth.Mandatory, "its security asks for a with b with c with d with 2 others"},

		// So is what cannot be read.
		{``, `{"security": null}`, routeauth.Mandatory, "its security cannot be read: it must be a list of objects"},
		{`[]`, `{"security": null}`, routeauth.Mandatory, "its security cannot be read: it must be a list of objects"},
		{`null`, `{}`, routeauth.Mandatory, "the document's security cannot be read: it must be a list of objects"},
		{`{"$ref": "#/x-security"}`, `{}`, routeauth.Mandatory, "the document's security cannot be read: it must be a list of objects"},
		{``, `{"security": {"$ref": "#/x-security"}}`, routeauth.Mandatory, "its security cannot be read: it must be a list of objects"},
		{``, `{"security": [{"$ref": "#/x-security"}]}`, routeauth.Mandatory, "its security asks for $ref"},
		{``, `{"security": ""}`, routeauth.Mandatory, "its security cannot be read: it must be a list of objects"},
		{``, `{"security": {}}`, routeauth.Mandatory, "its security cannot be read: it must be a list of objects"},
		{``, `{"security": "none"}`, routeauth.Mandatory, "its security cannot be read: it must be a list of objects"},
		{``, `{"security": false}`, routeauth.Mandatory, "its security cannot be read: it must be a list of objects"},
		{``, `{"security": [null]}`, routeauth.Mandatory, "its security cannot be read: it must be a list of objects"},
		{``, `{"security": ["key"]}`, routeauth.Mandatory, "its security cannot be read: it must be a list of objects"},
		{``, `{"security": [[]]}`, routeauth.Mandatory, "its security cannot be read: it must be a list of objects"},
		{`{"key": []}`, `{}`, routeauth.Mandatory, "the document's security cannot be read: it must be a list of objects"},

		// An operation's own word wins.
		{`[{"key": []}]`, `{"x-routeauth": "public"}`, routeauth.Public, "its x-routeauth says so"},
		{`[]`, `{"x-routeauth": "mandatory"}`, routeauth.Mandatory, "its x-routeauth says so"},
		{``, `{"security": [], "x-routeauth": "optional"}`, routeauth.Optional, "its x-routeauth says so"},
		{``, `{"security": "none", "x-routeauth": "public"}`, routeauth.Public, "its x-routeauth says so"},
	} {
		text := `{"openapi": "3.1.0", "paths": {"/x": {"get": ` + c.operation + `}}`
		if c.document != "" {
			text += `, "security": ` + c.document
		}
		document := load(t, text+"}")
		want := []openapi.Operation{{Method: "GET", Path: "/x", Pattern: "GET /x", Requirement: c.want, Why: c.why}}
		assert.Equal(t, want, document.Operations(), text)
		routes, err := document.Routes()
		require.NoError(t, err, text)
		assert.Equal(t, routeauth.Routes{"GET /x": c.want}, routes, text)
	}
}

func TestAnOptionalSchemeMakesOptionalWhatItIsEnoughFor(t *testing.T) {
	document := load(t, withPaths(`{
		"/alone":       {"get": {"security": [{"x-user-id": []}]}},
		"/alternative": {"get": {"security": [{"bearerAuth": []}, {"x-user-id": []}]}},
		"/together":    {"get": {"security": [{"bearerAuth": [], "x-user-id": []}]}},
		"/device":      {"get": {"security": [{"x-user-id": [], "x-device": []}]}},
		"/documents":   {"get": {}},
		"/empty":       {"get": {"security": []}},
		"/nothing":     {"get": {"security": [{}]}},
		"/overridden":  {"get": {"security": [{"x-user-id": []}], "x-routeauth": "mandatory"}}}`))
	want := routeauth.Routes{
		"GET /alone": routeauth.Mandatory, "GET /alternative": routeauth.Mandatory, "GET /together": routeauth.Mandatory, "GET /device": routeauth.Mandatory,
		"GET /documents": routeauth.Mandatory, "GET /empty": routeauth.Public, "GET /nothing": routeauth.Optional, "GET /overridden": routeauth.Mandatory,
	}
	routes, err := document.Routes()
	require.NoError(t, err)
	assert.Equal(t, want, routes)

	want["GET /alone"], want["GET /alternative"] = routeauth.Optional, routeauth.Optional
	routes, err = document.Routes(openapi.WithOptionalScheme("x-user-id"))
	require.NoError(t, err)
	assert.Equal(t, want, routes)

	want["GET /device"] = routeauth.Optional // a scheme that is asked for need not be declared
	opts := []openapi.Option{openapi.WithOptionalScheme("x-user-id"), openapi.WithOptionalScheme("x-device")}
	routes, err = document.Routes(opts...)
	require.NoError(t, err)
	assert.Equal(t, want, routes)
	for _, op := range document.Operations(opts...) {
		assert.Equal(t, want[op.Pattern], op.Requirement, op)
		if op.Path == "/device" {
			assert.Equal(t, "its security takes x-user-id with x-device, which is optional", op.Why)
		}
	}
}

func TestAnOptionThatMakesNoSenseIsAnError(t *testing.T) {
	document := load(t, withPaths(`{"/x": {"get": {}}}`))
	for _, c := range []struct {
		opts []openapi.Option
		want string
	}{
		{[]openapi.Option{openapi.WithOptionalScheme("user-id")}, `the document has no security scheme "user-id" that could be optional; it has bearerAuth, x-user-id`},
		{[]openapi.Option{openapi.WithOptionalScheme("")}, "the name of the optional scheme is empty"},
		{[]openapi.Option{nil}, "an option is nil"},
	} {
		_, err := document.Routes(c.opts...)
		require.EqualError(t, err, "openapi: "+c.want)
		assert.Equal(t, document.Operations(), document.Operations(c.opts...))
	}
	_, err := load(t, "openapi: 3.0.0").Routes(openapi.WithOptionalScheme("x"))
	require.ErrorContains(t, err, "it has none")
	_, err = load(t, "{swagger: '2.0', securityDefinitions: {key: {}}}").Routes(openapi.WithOptionalScheme("key"))
	require.NoError(t, err)
}

func TestRoutesReportsEverythingWrongAtOnce(t *testing.T) {
	document := load(t, withPaths(`{"/a?b": {"get": {}, "put": {}}, "/c": {"get": {"x-routeauth": "none"}}, "/d": {"$ref": "d.yaml"}, "/e": {"get": {}}}`))
	_, err := document.Routes(nil, openapi.WithOptionalScheme("x"))
	require.Error(t, err)
	lines := strings.Split(err.Error(), "\n")
	require.Len(t, lines, 6)
	for i, want := range []string{"an option is nil", "no security scheme", "GET /a?b: ", "PUT /a?b: ", "GET /c: ", "/d: "} {
		assert.True(t, strings.HasPrefix(lines[i], "openapi: "), lines[i])
		assert.Contains(t, lines[i], want)
	}
}
