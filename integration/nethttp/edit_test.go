package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sources returns the folder of the Go toolchain's sources.
func sources(t *testing.T) string {
	t.Helper()
	goroot, _, err := findGOROOT(t.Context())
	if err != nil {
		t.Skipf("the edits and the list are for the sources of %s: %v", release, err)
	}
	return filepath.Join(goroot, "src")
}

func TestEachEditFitsTheRelease(t *testing.T) {
	src := sources(t)
	for _, e := range edits {
		source, err := os.ReadFile(filepath.Join(src, filepath.FromSlash(e.file)))
		require.NoError(t, err)
		edited, err := e.apply(string(source))
		require.NoError(t, err)
		assert.Contains(t, edited, e.new)
	}
}

func TestAnEditThatDoesNotFitIsAnError(t *testing.T) {
	e := edit{file: "net/http/client.go", old: "old", new: "new"}
	edited, err := e.apply("an old text")
	require.NoError(t, err)
	assert.Equal(t, "an new text", edited)

	_, err = e.apply("another text")
	require.ErrorContains(t, err, "net/http/client.go: the text to replace is there 0 times")
	_, err = e.apply("old and old")
	require.ErrorContains(t, err, "2 times")
}
