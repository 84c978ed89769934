package roundtriptest

import (
	"errors"
	"go/parser"
	"go/token"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The package comment lists the clauses; nothing else makes it true.
func TestThePackageCommentListsEachClause(t *testing.T) {
	doc := packageComment(t) + " "
	clauses := slices.Concat(contract, credential, advice)
	for _, c := range clauses {
		assert.Contains(t, doc, "- "+c.name+": "+c.requires+" ")
	}
	assert.Equal(t, len(clauses), strings.Count(doc, " - "))
}

// It also shows what a finding looks like.
func TestThePackageCommentShowsARealFinding(t *testing.T) {
	out, err := report(t, "the wrapper of the package comment")
	assert.Error(t, err)
	lines := strings.Split(out, "\n")
	first := slices.IndexFunc(lines, func(line string) bool { return strings.Contains(line, "roundtriptest_test.go:") })
	require.GreaterOrEqual(t, first, 0, out)
	doc := packageComment(t)
	for _, line := range lines[first : first+4] {
		_, text, located := strings.Cut(line, "roundtriptest_test.go:")
		if located {
			_, text, _ = strings.Cut(text, ": ")
		} else {
			text = line
		}
		assert.Contains(t, doc, strings.TrimSpace(text))
	}
}

// packageComment returns it on one line.
func packageComment(t *testing.T) string {
	file, err := parser.ParseFile(token.NewFileSet(), "doc.go", nil, parser.ParseComments)
	require.NoError(t, err)
	return strings.Join(strings.Fields(file.Doc.Text()), " ")
}

func TestEachClauseSaysWhyItIsThere(t *testing.T) {
	for _, c := range contract {
		assert.NotEmpty(t, c.quotes, c.name)
		assert.Empty(t, c.reason, c.name)
	}
	for _, c := range credential {
		assert.NotEmpty(t, c.reason, c.name)
		assert.True(t, c.netHTTP != "" || c.quotes != nil, c.name)
	}
	for _, c := range advice {
		assert.NotEmpty(t, c.reason, c.name)
		assert.Empty(t, c.quotes, c.name)
	}
}

var addsField = sending(func(req *http.Request) *http.Request {
	if req.Header != nil {
		req.Header.Set("User-Agent", "wrapper")
	}
	return req
})

var panics = wrapping(func(_ http.RoundTripper, req *http.Request) (*http.Response, error) {
	return nil, errors.New(req.Response.Status)
})

// reports are what Test says to a real *testing.T, which shows in a process of
// its own.
var reports = map[string]struct {
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
			"roundtriptest_test.go:", // where the caller calls Test
			"the entry User-Agent (added) of the caller's header changed: seen while the base ran",
			"the contract requires: the caller's header map keeps its entries, neither more nor fewer nor others",
			`net/http, RoundTripper: "RoundTrip should not modify the request, except for consuming and closing the Request's Body."`,
			"--- PASS: TestTestReports/request/fields",
			"--- PASS: TestTestReports/transport/concurrent",
			"--- SKIP: TestTestReports/body/closed-on-refusal",
			"WithRefusal names one that refuses",
		},
		not: "advice",
	},
	"a skipped clause": {
		test: func(t *testing.T) { Test(t, addsField, WithSkip("it is ours", "request/header", "sent/body")) },
		says: []string{"--- SKIP: TestTestReports/request/header", "--- SKIP: TestTestReports/sent/body", "it is ours"},
		not:  "FAIL",
	},
	"a wrong option": {
		test:  func(t *testing.T) { Test(t, addsField, WithSkip("it is ours", "request/color")) },
		fails: true,
		says:  []string{"--- FAIL: TestTestReports", `there is no clause "request/color"`},
		not:   "TestTestReports/",
	},
	"a wrap that fails": {
		test: func(t *testing.T) {
			Test(t, func(http.RoundTripper) (http.RoundTripper, error) { return nil, errors.New("no key is set") })
		},
		fails: true,
		says:  []string{"--- FAIL: TestTestReports", "roundtriptest: wrap failed: no key is set"},
		not:   "TestTestReports/",
	},
	"a wrap that fails later": {
		test: func(t *testing.T) {
			calls := 0
			Test(t, func(base http.RoundTripper) (http.RoundTripper, error) {
				if calls++; calls > 1 {
					return nil, errors.New("no key is left")
				}
				return base, nil
			})
		},
		fails: true,
		says:  []string{"--- FAIL: TestTestReports/sent/once", "wrap failed: no key is left"},
		not:   "panic",
	},
	"a wrap that returns nothing": {
		test: func(t *testing.T) {
			Test(t, func(http.RoundTripper) (http.RoundTripper, error) { return nil, nil })
		},
		fails: true,
		says:  []string{"--- FAIL: TestTestReports", "roundtriptest: wrap returned neither a wrapper nor an error"},
		not:   "TestTestReports/",
	},
	"a wrap that panics": {
		test: func(t *testing.T) {
			Test(t, func(http.RoundTripper) (http.RoundTripper, error) { panic("no key is set") })
		},
		fails: true,
		says:  []string{"--- FAIL: TestTestReports", "roundtriptest: panic: no key is set"},
		not:   "TestTestReports/",
	},
	"advice": {
		test: func(t *testing.T) {
			Test(t, func(base http.RoundTripper) (http.RoundTripper, error) { return minimal{base}, nil }, Strict())
		},
		fails: true,
		says: []string{
			"--- FAIL: TestTestReports/advice/idle-connections",
			"advice, which net/http's documentation does not ask for: CloseIdleConnections reaches the base",
			"why: ",
		},
		not: "the contract requires: ",
	},
	"a credential": {
		test: func(t *testing.T) {
			Test(t, sending(func(req *http.Request) *http.Request { return withKey(req) }), WithCredential(key))
		},
		fails: true,
		says: []string{
			"--- FAIL: TestTestReports/redirect/subdomain",
			"redirect 1, from https://api.example.com/ to https://sub.api.example.com/, carried X-Api-Key",
			"a credential requires: no credential goes to a subdomain that a redirect leads to",
			"net/http itself: a Client forwards Authorization to subdomains, as it does all other fields",
		},
		not: "the contract requires: ",
	},
	"panics": {
		test:  func(t *testing.T) { Test(t, panics) },
		fails: true,
		says: []string{
			"--- FAIL: TestTestReports/response/2xx",
			"a 200 to a GET: panic: runtime error: invalid memory address or nil pointer dereference, in example.com/routeauth/roundtriptest.init",
			"(roundtriptest_test.go:",
		},
		not: "[running]",
	},
	"a wrapper that ends its goroutine": {
		test: func(t *testing.T) {
			Test(t, wrapping(func(http.RoundTripper, *http.Request) (*http.Response, error) {
				runtime.Goexit()
				return nil, nil
			}))
		},
		fails: true,
		says:  []string{"--- FAIL: TestTestReports/response/2xx", "was ended with runtime.Goexit, as t.FailNow does"},
		not:   "[running]",
	},
	"the wrapper of the package comment": {
		test: func(t *testing.T) {
			Test(t, changing(func(sent *http.Request) { sent.Host = "" }))
		},
		fails: true,
	},
}

const reportVariable = "ROUNDTRIPTEST_REPORT"

func TestTestReports(t *testing.T) {
	if r, ok := reports[os.Getenv(reportVariable)]; ok {
		r.test(t)
		return
	}
	for name, r := range reports {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := report(t, name)
			assert.Equal(t, r.fails, err != nil, "%v", err)
			for _, text := range r.says {
				assert.Contains(t, out, text)
			}
			if r.not != "" {
				assert.NotContains(t, out, r.not)
			}
		})
	}
}

// report returns the output of one of the reports, and an error if it fails.
func report(t *testing.T, name string) (string, error) {
	binary, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), binary, "-test.run=^TestTestReports$", "-test.v")
	cmd.Env = append(os.Environ(), reportVariable+"="+name, "GORACE=atexit_sleep_ms=0")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// times are what differs from one run to the next.
var times = regexp.MustCompile(`\(\d+\.\d+s\)|\d+\.\d+s`)

func TestFindingsComeInTheSameOrderEachTime(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"panics", "a credential"} {
		first, _ := report(t, name)
		second, _ := report(t, name)
		assert.Equal(t, times.ReplaceAllString(first, ""), times.ReplaceAllString(second, ""), name)
	}
}

// A wrapper that panics at each request breaks most clauses. What each of them
// says can still be read.
func TestAPanicIsShort(t *testing.T) {
	t.Parallel()
	out, err := report(t, "panics")
	require.Error(t, err)
	failed := strings.Count(out, "--- FAIL: TestTestReports/")
	lines := 0
	for line := range strings.Lines(out) {
		if !strings.Contains(line, "=== RUN") && !strings.Contains(line, "--- ") {
			lines++
		}
		assert.Less(t, len(line), 700)
	}
	assert.Greater(t, failed, 15)
	assert.Less(t, lines, 12*failed)
}

func TestABodyThatIsNeverClosedCostsNoFiveSeconds(t *testing.T) {
	start := time.Now()
	s, err := newSuite(wrapping(refuseUnclosed), WithRefusal(wrapping(refuseUnclosed)))
	require.NoError(t, err)
	for _, c := range bodyClauses {
		_ = s.verdict(c)
	}
	assert.Less(t, time.Since(start), patience)
}

// A wrapper that never returns is given up, and the clause says so.
func TestAWrapperThatNeverReturnsIsGivenUp(t *testing.T) {
	failed := failures(t, wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
		if req.Method == "PURGE" {
			time.Sleep(time.Hour)
		}
		return base.RoundTrip(req)
	}))
	require.Len(t, failed, 1)
	assert.ErrorContains(t, failed["sent/once"], "a PURGE: RoundTrip did not return within 5s")
}
