// Package measure finds out what other projects' clients make of a 401 with
// routeauth as their transport, and keeps the table of it in a page.
package measure

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"example.com/routeauth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Neighbour is what stands above routeauth and was tried.
type Neighbour struct {
	Name   string // in the table; empty: the module's path
	Module string // as in go.mod; empty: the standard library
	File   string // of its tests, relative to the page
	Server Server // that it calls
	// Call makes one call through the client, as one would write it.
	Call func(t *testing.T, baseURL string, client *http.Client) Answer
	// Own is what the neighbour itself calls a 401; empty: it has no idea of one.
	Own   string
	Facts []Fact
}

// Answer is what the caller of a neighbour was told.
type Answer struct {
	Err  error          // of the call
	Resp *http.Response // as far as the neighbour shows it
	Own  bool           // it was told so as the neighbour tells a 401
}

// Fact is a sentence of the table, and the test without which it would not
// stand there.
type Fact struct {
	Says string
	Test func(t *testing.T)
}

// form is what a rejected credential led to, in one of the two forms of a 401.
type form struct {
	requests   int
	own, typed bool // what the caller was told
}

// row is what was found in a neighbour.
type row struct {
	neighbour           *Neighbour
	asError, asResponse form
}

// measure makes three calls: one that is let in, and one in each form of a 401.
func (n *Neighbour) measure(t *testing.T) row {
	api := n.Server.Start(t)
	answer := n.Call(t, api.URL, api.Client(t, Right))
	require.NoError(t, answer.Err)
	assert.False(t, answer.Own, "no request was rejected")
	assert.NotZero(t, api.Served())
	assert.Zero(t, api.Rejected(), "each request must carry the right credential")
	return row{n, n.reject(t), n.reject(t, routeauth.KeepUnauthorized())}
}

// reject makes a call whose credential is rejected.
func (n *Neighbour) reject(t *testing.T, opts ...routeauth.Option) form {
	api := n.Server.Start(t)
	answer := n.Call(t, api.URL, api.Client(t, Wrong, opts...))
	assert.Zero(t, api.Served())
	var unauthorized *routeauth.UnauthorizedError
	typed := errors.As(answer.Err, &unauthorized)
	if !typed && answer.Resp != nil {
		_, typed = routeauth.UnauthorizedFrom(answer.Resp)
	}
	return form{api.Rejected(), answer.Own, typed}
}

// use is the form of a 401 that does no harm: the rejected credential goes out
// no more often than in the other form, and the caller is told, by the neighbour
// itself where it has an idea of a 401.
func (r row) use() string {
	least := min(r.asError.requests, r.asResponse.requests)
	fits := func(f form) bool {
		told := f.typed
		if r.neighbour.Own != "" {
			told = f.own
		}
		return told && f.requests == least
	}
	switch asError, asResponse := fits(r.asError), fits(r.asResponse); {
	case asError && asResponse:
		return "either"
	case asError:
		return "the error"
	case asResponse:
		return "`KeepUnauthorized`"
	}
	return "neither"
}

func (r row) describe(f form) string {
	words := []string{fmt.Sprint(f.requests, " requests")}
	if f.requests == 1 {
		words[0] = "1 request"
	}
	if f.own {
		words = append(words, r.neighbour.Own)
	}
	if f.typed {
		words = append(words, "typed")
	}
	if len(words) == 1 {
		words = append(words, "**hidden**")
	}
	return strings.Join(words, ", ")
}

// line is the row as the table has it.
func (r row) line(versions map[string]string) string {
	says := make([]string, len(r.neighbour.Facts))
	for i, fact := range r.neighbour.Facts {
		says[i] = fact.Says
	}
	version := "Go " + versions["go"]
	if r.neighbour.Module != "" {
		version = versions[r.neighbour.Module]
	}
	return fmt.Sprintf("| [%s](%s) | %s | %s | %s | %s | %s |\n", r.neighbour.name(), r.neighbour.File, version,
		r.describe(r.asError), r.describe(r.asResponse), r.use(), strings.Join(says, "; "))
}

func (n *Neighbour) name() string { return cmp.Or(n.Name, n.Module) }

func (n *Neighbour) sortedBy() string { return strings.ToLower(strings.Trim(n.name(), "`")) }

const head = `| above routeauth | version | 401 as an error | 401 as a response | use | what else the tests show |
| --- | --- | --- | --- | --- | --- |
`

var update = flag.Bool("update", false, "write the table of neighbours instead of comparing with it")

// Table measures each neighbour in a subtest of its own, and fails where the
// table in the page, between the two marks of that name, says something else.
// With -update it writes the table.
func Table(t *testing.T, page, mark string, neighbours []Neighbour) {
	neighbours = slices.SortedFunc(slices.Values(neighbours), func(a, b Neighbour) int {
		return cmp.Compare(a.sortedBy(), b.sortedBy())
	})
	versions := versions(t)
	var lines []string
	for _, n := range neighbours {
		t.Run(n.name(), func(t *testing.T) {
			row := n.measure(t)
			for _, fact := range n.Facts {
				t.Run(fact.Says, fact.Test)
			}
			lines = append(lines, row.line(versions))
		})
	}
	if t.Failed() {
		return
	}

	text, err := os.ReadFile(page)
	require.NoError(t, err)
	begin, end := "<!-- "+mark+": begin -->\n", "<!-- "+mark+": end -->"
	before, rest, found := strings.Cut(string(text), begin)
	require.True(t, found, "%s has no mark %s", page, begin)
	table, after, found := strings.Cut(rest, end)
	require.True(t, found, "%s has no mark %s", page, end)
	measured := head + strings.Join(lines, "")
	if *update && len(lines) == len(neighbours) {
		require.NoError(t, os.WriteFile(page, []byte(before+begin+measured+end+after), 0o644))
		return
	}
	for line := range strings.Lines(measured) {
		if !strings.Contains(table, line) {
			t.Errorf("%s lacks what was measured; -update writes it:\n%s", page, line)
		}
	}
	for line := range strings.Lines(table) {
		if len(lines) == len(neighbours) && !strings.Contains(measured, line) { // unless -run chose some of them
			t.Errorf("%s has what was not measured; -update takes it out:\n%s", page, line)
		}
	}
}

// versions returns those of the modules that go.mod names, and of Go, without
// the last number.
func versions(t *testing.T) map[string]string {
	text, err := os.ReadFile("go.mod")
	require.NoError(t, err)
	versions := make(map[string]string)
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(strings.TrimPrefix(line, "require ")); len(fields) >= 2 {
			versions[fields[0]] = fields[1]
		}
	}
	versions["go"] = strings.TrimSuffix(versions["go"], ".0")
	return versions
}
