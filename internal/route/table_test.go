package route_test

import (
	"strings"
	"testing"

	"example.com/routeauth/internal/route"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Rule 14: one run shows everything that is to be mended.
func TestNewReportsEverythingAtOnce(t *testing.T) {
	table, errs := route.New([]route.Route{
		{"GET /files/{id", "optional"},
		{"", "optional"},
		{"GET example.com/files", "optional"},
		{"//files", "optional"},
		{"/{a}", "optional"},
		{"/{b}", "mandatory"},
		{"GET /right", "mandatory"},
	}, nil)
	require.Nil(t, table)
	require.Len(t, errs, 5)
	for i, name := range []string{`"GET /files/{id"`, `""`, `"GET example.com/files"`, `"//files"`, `"/{a}"`} {
		assert.ErrorContains(t, errs[i], "route "+name)
	}
	for _, err := range errs {
		assert.NotContains(t, err.Error(), "right")
	}
}

// Rule 13: what rule 10 refuses matches nothing that is sent.
func TestAPatternWhosePathIsRefusedIsAnError(t *testing.T) {
	var asked []string
	refused := func(path string) bool {
		asked = append(asked, path)
		return strings.Contains(path, "%252e")
	}
	_, errs := route.New(routesOf("GET /a/%252e/b", "/%252e{x}/{$}", "POST  /a b/{%252e}.json/{c}{d}/{e...}/", "/{$}", "/"), refused)
	require.Len(t, errs, 2)
	assert.ErrorContains(t, errs[0], `route "GET /a/%252e/b": the pattern is malformed: a server may see a dot segment`)
	assert.ErrorContains(t, errs[1], `route "/%252e{x}/{$}"`)
	assert.Equal(t, []string{"/a/%252e/b", "/%252ex/", "/a b/x.json/xx/x/", "/", "/"}, asked, "with a letter for each wildcard")
}

func TestLaterChangesOfTheRoutesHaveNoEffect(t *testing.T) {
	routes := routesOf("/a", "/b")
	table, errs := route.New(routes, nil)
	require.Empty(t, errs)
	routes[0].Pattern = "/c"
	i, found := table.Match("GET", "/a")
	assert.True(t, found)
	assert.Equal(t, 0, i)
	_, found = table.Match("GET", "/c")
	assert.False(t, found)
}

// Rule 13: the answer does not depend on which came first.
func TestPatternsThatMatchTheSameGiveOneAnswer(t *testing.T) {
	for _, patterns := range [][]string{{"/{b}", "/{a}"}, {"/{a}", "/{b}"}} {
		i, found := newTable(t, patterns...).Match("GET", "/x")
		require.True(t, found)
		assert.Equal(t, "/{a}", patterns[i])
	}
}
