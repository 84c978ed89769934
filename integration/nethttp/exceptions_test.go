package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/routeauth/integration/nethttp/wrapped"
)

func choices() []wrapped.Choice { return chosen(options{}) }

func TestEveryTestOnTheListExists(t *testing.T) {
	src := sources(t)
	text := map[string]string{}
	for _, pkg := range packages {
		files, err := filepath.Glob(filepath.Join(src, filepath.FromSlash(pkg), "*_test.go"))
		require.NoError(t, err)
		for _, file := range files {
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			text[pkg] += string(content)
		}
	}
	for _, choice := range choices() {
		for _, e := range exceptionsOf(choice) {
			assert.True(t, strings.Contains(text[e.test.pkg], "func "+e.test.top().test+"("), "%v", e.test)
		}
	}
}

func TestNoTestIsOnTheListTwice(t *testing.T) {
	for _, choice := range choices() {
		listed := exceptionsOf(choice)
		for i, e := range listed {
			for j, other := range listed {
				assert.False(t, i != j && other.covers(e.test), "%v: %v", choice, e.test)
			}
		}
	}
}

func TestNothingButAnUnsteadyTestMayFailWithTheControl(t *testing.T) {
	for _, choice := range choices() {
		for _, e := range exceptionsOf(choice) {
			assert.True(t, choice.Wrapper.Name != wrapped.Control || e.sometimes, "%v: %v", choice, e.test)
		}
	}
}

func TestWhatWantsA401MustPassWithKeepUnauthorized(t *testing.T) {
	e := excepted{exception: &exception{wants401: true}}
	assert.True(t, e.mayFail(wrapped.Wrapper{}))
	assert.False(t, e.mayFail(wrapped.Wrapper{ByNew: true}))
	assert.True(t, excepted{exception: &exception{}}.mayFail(wrapped.Wrapper{ByNew: true}))
}
