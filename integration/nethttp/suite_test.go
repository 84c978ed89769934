package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// unruly is tests that end their process, hang, fail the first time, or fail only
// together.
const unruly = `package unruly

import (
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if os.Getenv("LEAK") != "" {
		code = 1
	}
	os.Exit(code)
}

func TestFirst(t *testing.T) {
	t.Run("one", func(*testing.T) {})
	t.Run("two", func(*testing.T) {})
}

func TestParallel(t *testing.T) { t.Parallel() }

func TestEnds(t *testing.T) { os.Exit(3) }

func TestHangs(t *testing.T) {
	t.Run("forever", func(*testing.T) { select {} })
}

func TestUnsteady(t *testing.T) {
	if os.Mkdir(os.Getenv("SEEN"), 0o700) == nil {
		t.Error("it is the first time")
	}
}

func TestLast(t *testing.T) {}
`

// compileUnruly returns a suite of the unruly tests, and a selection of all.
func compileUnruly(t *testing.T) (suite, selection) {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, writeFile(filepath.Join(dir, "go.mod"), []byte("module m\n")))
	require.NoError(t, writeFile(filepath.Join(dir, "unruly", "unruly_test.go"), []byte(unruly)))
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "m", "unruly"), 0o700)) // where they run
	s, err := compile(t.Context(), goCommand{dir: dir}, t.TempDir(), []string{"m/unruly"})
	require.NoError(t, err)
	return s, selection{packages: []string{"m/unruly"}, timeout: time.Second}
}

func inUnruly(tests ...string) []testName {
	var names []testName
	for _, test := range tests {
		names = append(names, testName{"m/unruly", test})
	}
	return names
}

func TestASuite(t *testing.T) {
	s, all := compileUnruly(t)

	t.Run("goes on after a process that ended in a test", func(t *testing.T) {
		got, err := s.run(t.Context(), all, nil)
		require.NoError(t, err)
		assert.Equal(t, inUnruly("TestEnds", "TestHangs", "TestHangs/forever"), got.with(failed))
		assert.Equal(t, inUnruly("TestFirst", "TestFirst/one", "TestFirst/two", "TestLast", testMain, "TestParallel", "TestUnsteady"),
			got.with(passed))
		assert.Contains(t, got[inUnruly("TestHangs/forever")[0]].output, "test timed out")
	})

	steady := all
	steady.skip = pattern(inUnruly("TestFirst/one", "TestEnds", "TestHangs"))

	t.Run("leaves out what is skipped, and nothing around it", func(t *testing.T) {
		got, err := s.run(t.Context(), steady, nil)
		require.NoError(t, err)
		assert.Empty(t, got.with(failed))
		assert.Equal(t, inUnruly("TestFirst", "TestFirst/two", "TestLast", testMain, "TestParallel", "TestUnsteady"), got.with(passed))
	})

	t.Run("sees a process fail of which every test passed", func(t *testing.T) {
		got, err := s.run(t.Context(), steady, []string{"LEAK=1"})
		require.NoError(t, err)
		assert.Equal(t, inUnruly(testMain), got.with(failed))
	})

	t.Run("runs again what failed, and tells it", func(t *testing.T) {
		env := []string{"SEEN=" + filepath.Join(t.TempDir(), "seen")}
		failures := func(got results) []testName { return got.with(failed) }
		got, again, err := s.runTries(t.Context(), steady, env, failures)
		require.NoError(t, err)
		assert.Empty(t, got.with(failed))
		assert.Equal(t, inUnruly(testMain, "TestUnsteady"), again)
	})
}
