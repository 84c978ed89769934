package openapi_test

import (
	"net/http"
	"testing"

	"example.com/routeauth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What other languages of templates have for several segments is a pattern's
// {name...} where it is a segment of its own.
func TestATemplateForSeveralSegmentsMatchesSeveral(t *testing.T) {
	for _, written := range []string{
		"{path...}", "{path.....}", "{path*}", "{+path}", "{+path*}", "{*path}", "{**path}", "{path+}", "{path:.*}", "{path:.+}", "{path:path}",
	} {
		document := documentWithPath(t, "/files/"+written+"/x")
		routes, err := document.Routes()
		require.NoError(t, err, written)
		assert.Equal(t, routeauth.Routes{"POST /files/{path...}/x": routeauth.Public}, routes, written)
		policy, err := routeauth.NewPolicy("https://api.example.com", routes)
		require.NoError(t, err)
		req, err := http.NewRequest(http.MethodPost, "https://api.example.com/files/a/b/x", nil)
		require.NoError(t, err)
		assert.Equal(t, routeauth.Public, policy.Match(req).Requirement)
	}
}

func TestATemplateThatNoPatternCanSayIsListedAndAnError(t *testing.T) {
	const several = "its path has a template for several segments, {path...}, with other text beside it: " +
		"give it a segment of its own, or name it without the sign for several where it is for one"
	for path, want := range map[string]string{
		"/pets{?limit}":        "its path has a query, {?limit}, which no pattern can say: make it part of /pets",
		"/pets/{id}{?a,b*}":    "its path has a query, {?a,b*}, which no pattern can say: make it part of /pets/{id}",
		"/pets{&limit}":        "its path has a query, {&limit}, which no pattern can say: make it part of /pets",
		"/pets{#part}":         "its path has a fragment, {#part}, which is never sent: write /pets without it",
		"/pets{/id}":           "its path has {/id}, which brings slashes of its own: write /{id}, and another path where it may be missing",
		"/pets/{/id*}":         "its path has {/id*}, which brings slashes of its own",
		"/pets{.format}":       "its path has {.format}, which brings a dot of its own: write .{format}, and another path where it may be missing",
		"/pets{;color}":        "its path has {;color}, which brings a name of its own: write ;color={color}, and another path where it may be missing",
		"/files/{path...}.txt": several,
		"/files/{path*}.txt":   several,
		"/files/a{+path}":      several,
		"/files/{id}{path+}":   several,
		"/{path...}x/y":        several,
	} {
		document := documentWithPath(t, path)
		op := document.Operations()[0]
		assert.Empty(t, op.Pattern, path)
		assert.Equal(t, routeauth.Mandatory, op.Requirement)
		assert.Contains(t, op.Why, want, path)
		_, err := document.Routes()
		require.EqualError(t, err, "openapi: POST "+path+": "+op.Why)
	}
}

// A list or the beginning of a value is still one segment.
func TestOtherTemplatesAreOneSegment(t *testing.T) {
	for _, path := range []string{"/{a,b}", "/{a:3}", "/{id:[0-9]}", "/{a*b}", "/{a+b}", "/{=a}", "/{.}", "/{..}"} {
		assert.Equal(t, "POST "+path, documentWithPath(t, path).Operations()[0].Pattern)
	}
}
