package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOnlyImportsOfWhatIsCopiedAreMoved(t *testing.T) {
	all := ours{{ImportPath: "example.com/a"}, {ImportPath: "example.com/a/internal/b"}}
	moved, err := all.moveImports([]byte(`package p

import (
	"net/http"

	"example.com/a"
	other "example.com/a/internal/b"
	"example.com/another"
)

const text = "example.com/a" // stays
`))
	require.NoError(t, err)
	assert.Equal(t, `package p

import (
	"net/http"

	"routeauthtest/example.com/a"
	other "routeauthtest/example.com/a/internal/b"
	"example.com/another"
)

const text = "example.com/a" // stays
`, string(moved))
}

func TestEveryPackageThatRouteauthNeedsIsFound(t *testing.T) {
	all, err := findOurs(t.Context(), goCommand{})
	require.NoError(t, err)
	for _, importPath := range []string{
		wrappedPath,
		"example.com/routeauth",
		"example.com/routeauth/internal/route",
		"github.com/golang-jwt/jwt/v5",
	} {
		assert.True(t, all.has(importPath), importPath)
	}
	assert.False(t, all.has("net/http"), "the copy has that already")
}

func TestWhatIsCopiedImportsNothingFromOutside(t *testing.T) {
	all, err := findOurs(t.Context(), goCommand{})
	require.NoError(t, err)
	src := t.TempDir()
	require.NoError(t, all.copyTo(src))

	copied, moved := 0, 0
	require.NoError(t, filepath.WalkDir(src, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(name) != ".go" {
			return err
		}
		copied++
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		require.NoError(t, err)
		for _, spec := range file.Imports {
			first, _, _ := strings.Cut(strings.Trim(spec.Path.Value, `"`), "/")
			assert.NotContains(t, first, ".", "%s imports %s", name, spec.Path.Value)
			if first+"/" == importRoot {
				moved++
			}
		}
		return nil
	}))
	assert.Greater(t, copied, 50)
	assert.Greater(t, moved, 10)
	assert.FileExists(t, filepath.Join(src, "routeauthtest", "example.com", "routeauth", "transport.go"))
}
