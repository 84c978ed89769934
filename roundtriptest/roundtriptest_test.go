package roundtriptest

import (
	"errors"
	"go/parser"
	"go/token"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// failures returns what each clause says that the wrapper breaks.
func failures(t *testing.T, wrap wrapFunc, opts ...Option) map[string]error {
	s, err := newSuite(wrap, opts...)
	require.NoError(t, err)
	failed := make(map[string]error)
	for _, c := range s.clauses() {
		check := func(*testing.T) { err = s.verdict(c) }
		if slices.Contains(onNetwork, c.name) {
			check(t)
		} else {
			// Here a check waits no longer than it takes until all of its
			// goroutines wait, and not for a busy machine.
			synctest.Test(t, check)
		}
		if reason := notApplicable(""); err != nil && !errors.As(err, &reason) {
			failed[c.name] = err
		}
	}
	return failed
}

// onNetwork are the clauses that start a server, which a bubble of synctest is
// not for.
var onNetwork = []string{"request/trailers", "response/upgrade"}

func TestAFaultBreaksItsClausesAndNoOther(t *testing.T) {
	for _, f := range slices.Concat(single, several) {
		t.Run(f.name, func(t *testing.T) {
			failed := failures(t, f.wrap, f.opts...)
			assert.ElementsMatch(t, f.fails, slices.Collect(maps.Keys(failed)), "%v", failed)
		})
	}
}

// Whoever shares memory with the caller shares both, and hears of both.
func TestWrittenAndAppendedHeaderValuesAreBothSeen(t *testing.T) {
	failed := failures(t, sending(func(req *http.Request) *http.Request {
		sent := req.WithContext(req.Context())
		sent.Header = maps.Clone(req.Header)
		return sent
	}))
	assert.ErrorContains(t, failed["request/header-values"], "written")
	assert.ErrorContains(t, failed["request/header-values"], "appended")
}

func TestEachClauseIsBrokenAloneByAFault(t *testing.T) {
	alone := make(map[string]bool)
	for _, f := range single {
		require.Len(t, f.fails, 1, f.name)
		alone[f.fails[0]] = true
	}
	for _, name := range clauseNames() {
		assert.True(t, alone[name], "no fault breaks %s alone", name)
	}
}

// The package comment lists the clauses; nothing else makes it true.
func TestThePackageCommentListsEachClause(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "doc.go", nil, parser.ParseComments)
	require.NoError(t, err)
	doc := strings.Join(strings.Fields(file.Doc.Text()), " ") + " "
	clauses := slices.Concat(commonClauses, credentialClauses)
	for _, c := range clauses {
		assert.Contains(t, doc, "- "+c.name+": "+c.wants+" ")
		assert.NotEmpty(t, c.stands, c.name)
	}
	assert.Equal(t, len(clauses), strings.Count(doc, " - "))
}

// Test reports to a real *testing.T, and what it reports shows in a process of
// its own.
func TestTestReports(t *testing.T) {
	const variable = "ROUNDTRIPTEST_CASE"
	addsField := sending(func(req *http.Request) *http.Request {
		if req.Header != nil {
			req.Header.Set("User-Agent", "wrapper")
		}
		return req
	})
	cases := map[string]struct {
		test  func(t *testing.T)
		fails bool
		says  []string
		not   string
	}{
		"a broken clause": {
			test:  func(t *testing.T) { Test(t, addsField) },
			fails: true,
			says: []string{
				"--- FAIL: TestTestReports/request/header",
				"User-Agent was added to the caller's header",
				"the contract wants: the caller's header map keeps its entries",
				"where it stands: net/http, RoundTripper",
				"--- PASS: TestTestReports/request/fields",
				"--- PASS: TestTestReports/transport/goroutines",
				"--- SKIP: TestTestReports/body/closed-on-refusal",
				"WithRefusal names a wrapper that refuses",
			},
			not: "credential/",
		},
		"a skipped clause": {
			test: func(t *testing.T) { Test(t, addsField, WithSkip("request/header", "it is ours")) },
			says: []string{"--- SKIP: TestTestReports/request/header", "it is ours"},
			not:  "FAIL",
		},
		"a wrong option": {
			test:  func(t *testing.T) { Test(t, addsField, WithSkip("request/color", "it is ours")) },
			fails: true,
			says:  []string{"--- FAIL: TestTestReports", `there is no clause "request/color"`},
			not:   "TestTestReports/",
		},
	}
	if c, ok := cases[os.Getenv(variable)]; ok {
		c.test(t)
		return
	}
	binary, err := os.Executable()
	require.NoError(t, err)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), binary, "-test.run=^TestTestReports$", "-test.v")
			cmd.Env = append(os.Environ(), variable+"="+name, "GORACE=atexit_sleep_ms=0")
			out, err := cmd.CombinedOutput()
			assert.Equal(t, c.fails, err != nil, "%v", err)
			for _, text := range c.says {
				assert.Contains(t, string(out), text)
			}
			assert.NotContains(t, string(out), c.not)
		})
	}
}
