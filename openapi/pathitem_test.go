package openapi_test

import (
	"testing"

	"example.com/routeauth"
	"example.com/routeauth/openapi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEveryMethodIsRead(t *testing.T) {
	document := load(t, withPaths(`{"/x": {"get": {}, "put": {}, "post": {}, "delete": {}, "options": {}, "head": {}, "patch": {}, "trace": {},
		"query": {}, "additionalOperations": {"COPY": {}, "LINK": {}}, "GET": {}, "summary": "", "description": "", "parameters": [], "x-get": {}, "X-Get": {}, "servers": []},
		"x-paths": {"get": {}}, "X-Paths": {"get": {}}}`))
	var methods []string
	for _, op := range document.Operations() {
		methods = append(methods, op.Method)
	}
	assert.Equal(t, []string{"COPY", "DELETE", "GET", "GET", "HEAD", "LINK", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"}, methods)
}

func TestWhatAPathItemDoesNotHaveIsListedAndAnError(t *testing.T) {
	const noOperation = ", which is no operation: write a method of OpenAPI's, or another in capitals in additionalOperations"
	for item, want := range map[string]openapi.Operation{
		`{"connect": {"security": []}}`:            {Method: "CONNECT", Why: "CONNECT matches no pattern"},
		`{"Connect": {"security": []}}`:            {Method: "CONNECT", Why: "CONNECT matches no pattern"},
		`{"purge": {"security": []}}`:              {Why: `its path item has a field "purge"` + noOperation},
		`{"security": [{"bearerAuth": []}]}`:       {Why: `its path item has a field "security"` + noOperation},
		`{"$Ref": "#/x"}`:                          {Why: `its path item has a field "$Ref"` + noOperation},
		`{"AdditionalOperations": {"COPY": {}}}`:   {Why: `its path item has a field "AdditionalOperations"` + noOperation},
		`{"": {}}`:                                 {Why: `its path item has a field ""` + noOperation},
		`{"x": {}}`:                                {Why: `its path item has a field "x"` + noOperation},
		`{"additionalOperations": null}`:           {Why: "its additionalOperations are null: they must be an object"},
		`{"additionalOperations": ["COPY"]}`:       {Why: "its additionalOperations are a list: they must be an object"},
		`{"additionalOperations": {"COPY": null}}`: {Method: "COPY", Why: "it is null: it must be an object"},
	} {
		want.Path, want.Requirement = "/x", routeauth.Mandatory
		document := load(t, withPaths(`{"/x": `+item+`, "/y": {"get": {}}}`))
		operations := document.Operations()
		require.Len(t, operations, 2, item)
		assert.Equal(t, want, operations[0])
		_, err := document.Routes()
		require.ErrorContains(t, err, "/x: "+want.Why)
	}
}
