package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAListIsBlocksOfAnAnchorAndTwoTexts(t *testing.T) {
	edits, err := parseList("# rule 9: one line\n@ .F\n-a\n+b\n\n" +
		"# rule 10: several lines\n@ internal/scope.T.F\n-\tx {\n-\t}\n")
	require.NoError(t, err)
	assert.Equal(t, []edit{
		{name: "rule 9: one line", anchor: ".F", dir: ".", oldLines: []string{"a"}, newLines: []string{"b"}},
		{name: "rule 10: several lines", anchor: "internal/scope.T.F", dir: "internal/scope", oldLines: []string{"\tx {", "\t}"}},
	}, edits)
}

func TestAListThatMakesNoSenseIsRefused(t *testing.T) {
	for list, want := range map[string]string{
		"@ .F\n":             "line 1: a block begins with #",
		"# a\n@ F\n-x\n":     "line 2: an anchor is package.Function",
		"# a\n@ .F\nx\n":     "line 3: begins with none of # @ - +",
		"# a\n@ .F\n+x\n":    `"a" lacks an anchor or the text to take out`,
		"# a\n-x\n":          `"a" lacks an anchor or the text to take out`,
		"# a\n\n# b\n@ .F\n": `"a" lacks an anchor or the text to take out`,
	} {
		_, err := parseList(list)
		assert.EqualError(t, err, want, "%q", list)
	}
}

const source = `package p

// F is described.
func F() int { return 1 }

type T[K any] struct{}

func (t *T[K]) F() int { return 2 }

func (T[K]) G() {}

const (
	a = 1
	b = 2
)
`

func TestADeclarationIsFoundByItsName(t *testing.T) {
	for name, want := range map[string]string{
		"F":   "func F() int { return 1 }",
		"T":   "type T[K any] struct{}",
		"T.F": "func (t *T[K]) F() int { return 2 }",
		"T.G": "func (T[K]) G() {}",
		"b":   "const (\n\ta = 1\n\tb = 2\n)",
	} {
		begin, end, found, err := find("p.go", []byte(source), name)
		require.NoError(t, err)
		require.True(t, found, name)
		assert.Equal(t, want, source[begin:end])
	}
	_, _, found, err := find("p.go", []byte(source), "G")
	require.NoError(t, err)
	assert.False(t, found, "a method's name alone")
	_, _, _, err = find("p.go", []byte("no Go"), "F")
	assert.Error(t, err)
}

func TestAnEditChangesItsFunctionAlone(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.MkdirAll("p/q", 0o700))
	require.NoError(t, os.WriteFile("p/p.go", []byte(source), 0o600))
	require.NoError(t, os.WriteFile("p/p_test.go", []byte("not read"), 0o600))

	e := edit{anchor: "p.T.F", dir: "p", oldLines: []string{"return 2"}, newLines: []string{"return 3"}}
	path, text, err := e.apply()
	require.NoError(t, err)
	assert.Equal(t, filepath.Join("p", "p.go"), path)
	assert.Contains(t, text, "func (t *T[K]) F() int { return 3 }\n\nfunc (T[K]) G() {}\n")
	assert.Contains(t, text, "func F() int { return 1 }")

	e.oldLines = []string{"return 1"}
	_, _, err = e.apply()
	assert.EqualError(t, err, "the text stands in p.T.F 0 times, not once")
	e.oldLines = []string{"t"}
	_, _, err = e.apply()
	assert.ErrorContains(t, err, "times, not once")
	e.anchor = "p.T.H"
	_, _, err = e.apply()
	assert.EqualError(t, err, "there is no p.T.H")
}

func TestAnEditIsTriedInItsOwnModule(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.MkdirAll("nested/p", 0o700))
	require.NoError(t, os.WriteFile("nested/go.mod", nil, 0o600))
	for dir, want := range map[string][2]string{
		".":          {".", "./."},
		"internal/p": {".", "./internal/p"},
		"nested":     {"nested", "./."},
		"nested/p":   {"nested", "./p"},
	} {
		folder, path := edit{dir: dir}.module()
		assert.Equal(t, want, [2]string{folder, path}, dir)
	}
}

func TestEachRuleIsBroken(t *testing.T) {
	t.Chdir("../..")
	edits, err := readLists("internal/mutations")
	require.NoError(t, err)
	assert.NoError(t, everyRuleIsBroken(edits))
	assert.ErrorContains(t, everyRuleIsBroken(edits[:1]), "no edit breaks rule 39")
}
