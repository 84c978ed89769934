package route_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"example.com/routeauth/internal/route"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// routesOf returns routes that all ask for the same.
func routesOf(patterns ...string) []route.Route {
	routes := make([]route.Route, len(patterns))
	for i, pattern := range patterns {
		routes[i] = route.Route{Pattern: pattern, Requirement: "optional"}
	}
	return routes
}

func newTable(t testing.TB, patterns ...string) *route.Table {
	t.Helper()
	table, errs := route.New(routesOf(patterns...), nil)
	require.Empty(t, errs)
	return table
}

// Rule 13.
func TestARequestTakesItsMostSpecificRoute(t *testing.T) {
	for _, c := range []struct {
		patterns string // separated by commas
		request  string
		want     string // empty for none
	}{
		// What matches nothing.
		{"", "GET /files", ""},
		{"/files", "GET /other", ""},
		{"/files", "GET /files/1", ""},
		{"/files", "GET /Files", ""},
		{"/files", "GET /file", ""},
		{"/files", "GET /", ""},
		{"/files/{id}", "GET /files/", ""},
		{"/files/{id}", "GET /files/1/", ""},
		{"/files/{id}", "GET /files/1/2", ""},
		{"/{$}", "GET /files", ""},
		// Methods.
		{"/files", "BREW /files", "/files"},
		{"/files", "get /files", "/files"},
		{"GET /files", "get /files", ""},
		{"GET /files", " /files", "GET /files"},
		{"HEAD /files", " /files", ""},
		{"POST /files", "GET /files", ""},
		{"POST /files", "POST /files", "POST /files"},
		{"GET /files", "HEAD /files", "GET /files"},
		{"POST /files", "HEAD /files", ""},
		{"HEAD /files", "GET /files", ""},
		{"HEAD /files,GET /files,/files", "HEAD /files", "HEAD /files"},
		{"HEAD /files,GET /files,/files", "GET /files", "GET /files"},
		{"HEAD /files,GET /files,/files", "POST /files", "/files"},
		{"GET /files,/files", "HEAD /files", "GET /files"},
		{"GET /files,/{id}", "POST /files", "/{id}"},
		{"POST /a/b,/a/{x},/{x}/b", "GET /a/b", "/a/{x}"},
		{"CONNECT /files,/files,/", "CONNECT /files", ""},
		// Literals, wildcards, subtrees.
		{"/files/{id},/files/new", "GET /files/new", "/files/new"},
		{"/files/{id},/files/new", "GET /files/old", "/files/{id}"},
		{"/,/files/", "GET /files/1", "/files/"},
		{"/,/files/", "GET /other", "/"},
		{"/a/b/z,/a/{x}/c", "GET /a/b/c", "/a/{x}/c"},
		{"/a/{rest...},/a/{x}/c", "GET /a/b/c", "/a/{x}/c"},
		{"/a/{rest...},/a/{x}/c", "GET /a/b/c/d", "/a/{rest...}"},
		{"/files/,/files/{$}", "GET /files/", "/files/{$}"},
		{"/files/,/files/{$}", "GET /files/1", "/files/"},
		// Mixed segments.
		{"/{id}.json", "GET /7.json", "/{id}.json"},
		{"/{id}.json", "GET /a.json.json", "/{id}.json"},
		{"/{id}.json", "GET /.json", ""},
		{"/{id}.json", "GET /7.jsonx", ""},
		{"/{id}.json", "GET /7%2Ejson", "/{id}.json"},
		{"/{id}.json", "GET /7.jso%6E", "/{id}.json"},
		{"/{id}.json", "GET /%2F.json", "/{id}.json"},
		{"/{id}.json,/{id}", "GET /7.json", "/{id}.json"},
		{"/{id}.json,/{id}", "GET /7.xml", "/{id}"},
		{"/{id}.json,/a.json", "GET /a.json", "/a.json"},
		{"/{id}.json,/{a}-{b}.json", "GET /x-y.json", "/{a}-{b}.json"},
		{"/{id}.json,/v{id}.json", "GET /v1.json", "/v{id}.json"},
		{"/{x}{y}{z},/{x}.{y}", "GET /a.b", "/{x}.{y}"},
		{"/{id}:cancel", "POST /7:cancel", "/{id}:cancel"},
		{"/{id}:cancel", "POST /7%3Acancel", "/{id}:cancel"},
		{"/{base}...{head}", "GET /main...fix", "/{base}...{head}"},
		{"/{base}...{head}", "GET /main....fix", "/{base}...{head}"},
		{"/{base}...{head}", "GET /...fix", ""},
		{"/{base}...{head}", "GET /main...", ""},
		{"/{base}...{head}", "GET /....", ""},
		{"/{base}...{head}", "GET /.....", "/{base}...{head}"},
		{"/a{x}a", "GET /aa", ""},
		{"/a{x}a", "GET /aaa", "/a{x}a"},
		{"/{x}ab{y}ab", "GET /1ababab", "/{x}ab{y}ab"},
		{"/{x}ab{y}ab", "GET /1abab", ""},
		{"/{a}{b}", "GET /x", ""},
		{"/{a}{b}", "GET /xy", "/{a}{b}"},
		{"/{a}{b}", "GET /%C3%A9", ""}, // one character
		{"/{a}{b}", "GET /%C3%A9x", "/{a}{b}"},
		{"/{a}é", "GET /x%C3%A9", "/{a}é"},
		{"/{a}{b}", "GET /%A9%A9", ""},
		{"/{a}{b}", "GET /%C3%C3", "/{a}{b}"},
		{"/p{id}", "GET /p", ""},
		{"/p{id}", "GET /p%2F", "/p{id}"},
		{"/p%7B{id}", "GET /p%7Bx", "/p%7B{id}"},
		// {name...} in the middle.
		{"/v2/{name...}/tags", "GET /v2/a/tags", "/v2/{name...}/tags"},
		{"/v2/{name...}/tags", "GET /v2/a/b/tags", "/v2/{name...}/tags"},
		{"/v2/{name...}/tags", "GET /v2/tags/tags", "/v2/{name...}/tags"},
		{"/v2/{name...}/tags", "GET /v2/tags", ""},
		{"/v2/{name...}/tags", "GET /v2/a/tags/", ""},
		{"/v2/{name...}/tags", "GET /v2/a/tags/b", ""},
		{"/v2/{name...}/tags,/v2/{name...}/{tag}", "GET /v2/a/b/tags", "/v2/{name...}/tags"},
		{"/v2/{name...}/tags,/v2/{name}/{tag}", "GET /v2/a/tags", "/v2/{name}/{tag}"},
		{"/v2/{name...}/tags,/v2/", "GET /v2/a/b/tags", "/v2/{name...}/tags"},
		{"/v2/{name...}/tags,/v2/", "GET /v2/a/b/tag", "/v2/"},
		{"/{x...}/a/b,/{x...}/{y...}/b", "GET /a/a/b", "/{x...}/a/b"},
		{"/{x...}/b,/{x...}/{y...}/b", "GET /a/a/b", "/{x...}/{y...}/b"}, // which the first found would not be
		{"/{x...}/b,/{x...}/{y}/b", "GET /a/a/b", "/{x...}/{y}/b"},
		{"/{x...}/a/{y...}/b/{z...}/c", "GET /1/a/a/b/b/c/c", "/{x...}/a/{y...}/b/{z...}/c"},
		{"/{x...}/a/{y...}/b/{z...}/c", "GET /1/a/b/b/c", ""},
		{"/{x...}/a/{y...}/b/{z...}/", "GET /1/a/2/b/3/4", "/{x...}/a/{y...}/b/{z...}/"},
		{"/{x...}/a/{y...}/b/{z...}/", "GET /1/a/2/b", ""},
		{"/{x...}/a/{y...}/b/{$}", "GET /1/a/2/b", "/{x...}/a/{y...}/b/{$}"},
		{"/{x...}/{y...}/b/{z}", "GET /1/2/b/b/c", "/{x...}/{y...}/b/{z}"},
		{"POST /{x...}/a/{y...}/b", "GET /1/a/2/b", ""},
		{"POST /{x...}/a/{y...}/b,/{x...}/{y...}/b", "GET /1/a/2/b", "/{x...}/{y...}/b"},
		// Escapes.
		{"/files", "GET /fil%65s", "/files"},
		{"/fil%65s", "GET /files", "/fil%65s"},
		{"/a%2fb", "GET /a%2Fb", "/a%2fb"},
		{"/a%2fb,/a/b", "GET /a/b", "/a/b"},
		{"/a/b", "GET /a%2Fb", ""},
		{"/{id}", "GET /a%2Fb", "/{id}"},
		{"/caf\u00e9", "GET /caf%c3%a9", "/caf\u00e9"},
		{"/100%", "GET /100%25", "/100%"},
		{"/100%25", "GET /100%25", "/100%25"},
		{"/100%25", "GET /100%2525", ""},
		{"/users/@me", "GET /users/%40me", "/users/@me"},
		// A segment that is only a slash, escaped.
		{"/queues/{vhost}/{name},/queues/", "GET /queues/%2F/x", "/queues/{vhost}/{name}"},
		{"/queues/{vhost},/queues/{$}", "GET /queues/%2F", "/queues/{vhost}"},
		{"/queues/%2f/x,/queues/{vhost}/x", "GET /queues/%2F/x", "/queues/%2f/x"},
		{"/%2F", "GET /", ""},
		{"/%2F,/{$}", "GET /%2F", "/%2F"},
		// Without the last slash.
		{"/files/", "GET /files", "/files/"},
		{"/files/,/", "GET /files", "/files/"},
		{"/files/,/files", "GET /files", "/files"},
		{"/files/,/{id}", "GET /files", "/{id}"},
		{"/files/{$}", "GET /files", "/files/{$}"},
		{"/files/{$},/", "GET /files", "/files/{$}"},
		{"/files/{rest...}", "GET /files", "/files/{rest...}"},
		{"/{dir}/,/files/x", "GET /files", "/{dir}/"},
		{"/a/,/{x}/{y}", "GET /a/b", "/{x}/{y}"}, // it matches as it is
		{"/a/,/{x}/b/", "GET /a/b", "/a/"},
		{"POST /files/", "GET /files", ""},
		{"POST /files/,/", "GET /files", "/"},
		{"GET /files/,POST /files", "GET /files", "GET /files/"},
		{"/files", "GET /files/", ""},
		{"/{$}", "GET ", "/{$}"},
		{"/", "GET ", "/"},
		{"/{x...}/", "GET /a", "/{x...}/"},
		{"/{x...}/", "GET /", ""},
		// Doubled slashes.
		{"/files", "GET //files", "/files"},
		{"/a/b", "GET //a///b", "/a/b"},
		{"/a/b", "GET /a//b/", ""},
		{"/files/{$}", "GET //files//", "/files/{$}"},
		{"/{$}", "GET //", "/{$}"},
		{"/{x...}/b", "GET /a//b", "/{x...}/b"},
		{"/{x...}/b/{y...}/c", "GET /a//b///c//c", "/{x...}/b/{y...}/c"},
		{"/{x...}/b/{y...}/c", "GET /a/b//c", ""},
		{"/{x...}/{y...}/b", "GET /a//b", ""},
		{"/files", "GET files", "/files"},
	} {
		t.Run(c.request+" on "+c.patterns, func(t *testing.T) {
			patterns := strings.FieldsFunc(c.patterns, func(r rune) bool { return r == ',' })
			method, path, _ := strings.Cut(c.request, " ")
			for range 2 { // in both orders
				i, found := newTable(t, patterns...).Match(method, path)
				if c.want == "" {
					require.False(t, found)
				} else {
					require.True(t, found)
					require.Equal(t, c.want, patterns[i])
				}
				slices.Reverse(patterns)
			}
		})
	}
}

func TestANilTableHasNoRoutes(t *testing.T) {
	_, found := (*route.Table)(nil).Match("GET", "/files")
	assert.False(t, found)
}

// EscapedPath returns no such path.
func TestInvalidEscapesDoNotPanic(t *testing.T) {
	table := newTable(t, "/a%", "/{x}%{y}", "/{x...}/%/{y...}/b", "/{x}/{y}")
	for _, path := range []string{"%", "/%", "/a%", "/%4", "/a%4", "/%zz", "/%%%", "/x%%41", "/a/%/b/%4", "/%2%2F/%4", "\x00%\xff"} {
		assert.NotPanics(t, func() { table.Match("GET", path) }, path)
	}
	_, found := table.Match("GET", "/a%")
	assert.True(t, found, "a percent sign stands for itself")
}

// Literals of any length are found, escaped or not, among few and among many.
func TestEachOfManyRoutesIsFound(t *testing.T) {
	for _, n := range []int{1, 8, 9, 100} {
		var patterns []string
		for i := range n {
			long := fmt.Sprintf("%0*d", 120+i%20, i)
			patterns = append(patterns, fmt.Sprintf("/static/%d", i), "/long/"+long, fmt.Sprintf("/mixed/{id}:%d", i), fmt.Sprintf("/wild/%d/{id}", i))
		}
		table := newTable(t, patterns...)
		for want, pattern := range patterns {
			path := strings.ReplaceAll(pattern, "{id}", "x")
			escaped := "/"
			for segment := range strings.SplitSeq(path[1:], "/") {
				for _, b := range []byte(segment) {
					escaped += fmt.Sprintf("%%%02x", b)
				}
				escaped += "/"
			}
			for _, path := range []string{path, strings.TrimSuffix(escaped, "/")} {
				i, found := table.Match("GET", path)
				require.True(t, found, path)
				require.Equal(t, want, i, path)
				_, found = table.Match("GET", path+"0000")
				require.Equal(t, strings.HasPrefix(pattern, "/wild/"), found, path)
			}
		}
	}
}

// model is the matching of patterns written a second time: slowly, with regular
// expressions, and with nothing of the package but how two patterns compare,
// which is held against the rule in tests of its own.
type model []modelPattern

type modelPattern struct {
	route.Pattern
	method string
	path   *regexp.Regexp
	below  bool // it ends in {name...} or a slash
}

func newModelPattern(text string, p route.Pattern) modelPattern {
	m := modelPattern{Pattern: p}
	if space := strings.IndexAny(text, " \t"); space >= 0 && space < strings.Index(text, "/") {
		m.method, text = text[:space], strings.TrimLeft(text[space:], " \t")
	}
	if strings.HasSuffix(text, "/") {
		text += "{all...}"
	}
	m.below = strings.HasSuffix(text, "...}")
	m.path = regexp.MustCompile("^" + pathExpression(text, "[^/]+", "[^/]+", ".*") + "$")
	return m
}

var wildcard = regexp.MustCompile(`\{[^/{}]*\}`)

// pathExpression is a regular expression of a pattern's path, with expressions
// for what a wildcard matches in a mixed segment, alone, and for {name...}.
func pathExpression(path, mixed, wild, rest string) string {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		switch texts := wildcard.Split(segment, -1); {
		case segment == "{$}":
			segments[i] = ""
		case strings.HasSuffix(segment, "...}"):
			segments[i] = rest
		case wildcard.FindString(segment) == segment && segment != "":
			segments[i] = wild
		default:
			for i, text := range texts {
				texts[i] = regexp.QuoteMeta(decodeSegment(text))
			}
			segments[i] = strings.Join(texts, mixed)
		}
	}
	return "(?s:" + strings.Join(segments, "/") + ")"
}

// decodeSegment decodes a segment, in which a slash becomes another character.
func decodeSegment(escaped string) string {
	decoded, err := url.PathUnescape(escaped)
	if err != nil {
		decoded = escaped
	}
	return strings.ReplaceAll(decoded, "/", "\ue000")
}

var slashes = regexp.MustCompile("/+")

// decodePath decodes the segments of a clean path.
func decodePath(escaped string) string {
	segments := strings.Split(slashes.ReplaceAllString("/"+escaped, "/"), "/")
	for i, segment := range segments {
		segments[i] = decodeSegment(segment)
	}
	return strings.Join(segments, "/")
}

func (p modelPattern) matches(method, path string) bool {
	return (p.method == "" || p.method == method || p.method == "GET" && method == "HEAD") && p.path.MatchString(path)
}

// answers returns the patterns that match a method and a decoded path, if no
// other one is more specific.
func (m model) answers(method, path string) (answers []int) {
	matching := m.matching(method, path)
	if !slices.ContainsFunc(matching, func(i int) bool { return !m[i].below }) && !strings.HasSuffix(path, "/") {
		matching = m.matching(method, path+"/")
	}
	for _, i := range matching {
		if !slices.ContainsFunc(matching, func(j int) bool { return m[j].Compare(m[i].Pattern) == route.MoreSpecific }) {
			answers = append(answers, i)
		}
	}
	return answers
}

func (m model) matching(method, path string) (matching []int) {
	for i, p := range m {
		if p.matches(method, path) {
			matching = append(matching, i)
		}
	}
	return matching
}

// requireAnswer fails unless a table says what the model does.
func requireAnswer(t testing.TB, m model, table *route.Table, method, path, decoded string) {
	answers := m.answers(method, decoded)
	i, found := table.Match(method, path)
	if found != (len(answers) > 0) || found && !slices.Contains(answers, i) {
		require.Fail(t, "another answer", "%s %s on %v: %v, %v, and the model says %v", method, path, m, i, found, answers)
	}
}

// shortPatterns returns all patterns of up to n segments out of a few, each as
// it is, with a last slash, and with {$}.
func shortPatterns(n int) (patterns []string) {
	paths := []string{""}
	for range n {
		for _, path := range slices.Clone(paths) {
			for _, segment := range []string{"a", "{x}", "a{x}", "{x...}"} {
				paths = append(paths, path+"/"+segment)
			}
		}
		slices.Sort(paths)
		paths = slices.Compact(paths)
	}
	for _, path := range paths {
		patterns = append(patterns, path+"/", path+"/{$}")
		if path != "" {
			patterns = append(patterns, path)
		}
	}
	return patterns
}

// shortPaths returns all paths of up to n segments out of some.
func shortPaths(n int, from ...string) (paths []string) {
	level := []string{""}
	for range n + 1 {
		var next []string
		for _, path := range level {
			for _, segment := range from {
				next = append(next, path+"/"+segment)
			}
			paths = append(paths, path, path+"/")
		}
		level = next
	}
	return paths
}

func newModel(t testing.TB, patterns []string) model {
	t.Helper()
	m := make(model, len(patterns))
	for i, text := range patterns {
		p, err := route.ParsePattern(text)
		require.NoError(t, err, text)
		m[i] = newModelPattern(text, p)
	}
	return m
}

// Rule 13: each pattern of up to four segments by itself, on each path of up to
// five.
func TestEachPatternMatchesWhatTheModelSays(t *testing.T) {
	paths := make(map[string]string)
	for _, path := range shortPaths(5, "a", "ab", "%2F") {
		paths[path] = decodePath(path)
	}
	for _, pattern := range shortPatterns(4) {
		m, table := newModel(t, []string{pattern}), newTable(t, pattern)
		for path, decoded := range paths {
			requireAnswer(t, m, table, "GET", path, decoded)
		}
	}
}

// Rule 13: all pairs of patterns of up to two segments, on each path of up to
// four.
func TestEachPairMatchesWhatTheModelSays(t *testing.T) {
	paths := make(map[string]string)
	for _, path := range shortPaths(4, "a", "ab") {
		paths[path] = decodePath(path)
	}
	patterns := shortPatterns(2)
	all := newModel(t, patterns)
	for i := range patterns {
		for j := range patterns {
			m, table := model{all[i], all[j]}, newTable(t, patterns[i], patterns[j])
			for path, decoded := range paths {
				requireAnswer(t, m, table, "GET", path, decoded)
			}
		}
	}
}

// Rule 13: tables of several such patterns, in any order.
func TestEachTableMatchesWhatTheModelSays(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	all := shortPatterns(4)
	paths := shortPaths(4, "a", "ab", "%2F")
	methods := []string{"", "", "", "GET ", "HEAD ", "POST "}
	for range 1500 {
		patterns := make([]string, 2+random.IntN(10))
		for i := range patterns {
			patterns[i] = methods[random.IntN(len(methods))] + all[random.IntN(len(all))]
		}
		m, table := newModel(t, patterns), newTable(t, patterns...)
		order := random.Perm(len(patterns))
		shuffled := make([]string, len(patterns))
		for i, j := range order {
			shuffled[i] = patterns[j]
		}
		again := newTable(t, shuffled...)
		for range 40 {
			method := []string{"GET", "HEAD", "POST"}[random.IntN(3)]
			path := paths[random.IntN(len(paths))]
			requireAnswer(t, m, table, method, path, decodePath(path))
			i, found := table.Match(method, path)
			j, foundAgain := again.Match(method, path)
			if found != foundAgain || found && patterns[i] != shuffled[j] {
				require.Fail(t, "another order, another answer", "%s %s on %q: %q, %q", method, path, patterns, patterns[i], shuffled[j])
			}
		}
	}
}

// tableOf returns the table and the model of the patterns, one a line, that are
// well-formed.
func tableOf(t testing.TB, lines string) (*route.Table, model, []string) {
	var patterns []string
	for _, line := range strings.SplitN(lines, "\n", 9) {
		if _, err := route.ParsePattern(line); err == nil && len(patterns) < 8 {
			patterns = append(patterns, line)
		}
	}
	return newTable(t, patterns...), newModel(t, patterns), patterns
}

// isReadable reports whether regular expressions can read a decoded path.
func isReadable(path string) bool {
	decoded, err := url.PathUnescape(path)
	return err == nil && utf8.ValidString(decoded)
}

// Rule 13, for any table.
func FuzzMatchAgreesWithTheModel(f *testing.F) {
	for _, seed := range fuzzSeeds {
		f.Add(seed.patterns, seed.method, seed.path)
	}
	f.Fuzz(func(t *testing.T, lines, method, path string) {
		if method == "CONNECT" || !isReadable(lines) || !isReadable(path) {
			t.Skip("the model does not read these")
		}
		table, m, _ := tableOf(t, lines)
		if method == "" {
			method = "GET"
		}
		requireAnswer(t, m, table, method, path, decodePath(path))
	})
}

var fuzzSeeds = []struct{ patterns, method, path string }{
	{"/a/{x}\n/{x}/b\n/a/b\n/a/\n/{x...}\n/a/{$}", "GET", "/a/b"},
	{"/a/{x}\n/{x}/b\n/a/b\n/a/\n/{x...}\n/a/{$}", "POST", "/a"},
	{"GET /a\nHEAD /a\n/a\nPOST /\nGET /{x}\n/a/", "HEAD", "/a"},
	{"GET /a\nHEAD /a\n/a\nPOST /\nGET /{x}\n/a/", "POST", "/a/"},
	{"/{x}.json\n/{x}.{y}\n/{x}\n/a.json\n/a{x}", "GET", "/a%2Ejson"},
	{"/{x...}/a\n/{x...}/{y}/a\n/{x...}/{y...}/a\n/{x...}/a/{y...}", "GET", "/b/a/a"},
	{"/{x...}/a/{y...}/b\n/{x...}/a/{y...}/{$}\n/", "GET", "/1/a/2/a/3/b"},
	{"/%2F\n/{$}\n/{x}/b", "GET", "/%2F/b"},
	{"/\u00e9{x}\n/%\n/{x}{y}\n/ ", "GET", "/%C3%A9x"},
	{"/a/b/\n/a/{x}/\n/{x}/b/{$}", "GET", "//a//b"},
}

// Rule 13: what both can say means the same here as in ServeMux, which knows no
// overlaps, and takes a segment that is only a slash for none.
func FuzzMatchAgreesWithServeMux(f *testing.F) {
	for _, seed := range fuzzSeeds {
		f.Add(seed.patterns, seed.method, seed.path)
	}
	f.Fuzz(func(t *testing.T, lines, method, path string) {
		mux, table, shared := besideServeMux(t, strings.Split(lines, "\n"))
		if method == "CONNECT" || !isServeMuxPath(path) {
			t.Skip("what they read in different ways")
		}
		requireServeMuxAgrees(t, mux, table, shared, method, path)
	})
}

// Rule 13: the same for tables of three patterns.
func TestMatchAgreesWithServeMux(t *testing.T) {
	var patterns []string
	for _, method := range []string{"", "GET ", "HEAD ", "POST "} {
		for _, path := range []string{"/a", "/%61", "/a/", "/a/{$}", "/{x}", "/{x}/", "/{x}/b", "/a/{x...}", "/"} {
			patterns = append(patterns, method+path)
		}
	}
	random := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		some := []string{patterns[random.IntN(len(patterns))], patterns[random.IntN(len(patterns))], patterns[random.IntN(len(patterns))]}
		mux, table, shared := besideServeMux(t, some)
		for _, method := range []string{"", "GET", "HEAD", "POST", "DELETE"} {
			for _, path := range []string{"/a", "/%61", "/a/", "/b", "/a/b", "/c/b/", "//a", "/a//", "/a%2Fb", ""} {
				requireServeMuxAgrees(t, mux, table, shared, method, path)
			}
		}
	}
}

// handler is the handler of a pattern, which is never called.
type handler string

func (handler) ServeHTTP(http.ResponseWriter, *http.Request) {}

// besideServeMux returns a ServeMux and a table of the patterns that both take,
// without those that conflict in ServeMux, or hold a segment that is a slash.
func besideServeMux(t testing.TB, patterns []string) (mux *http.ServeMux, table *route.Table, shared []string) {
	mux = http.NewServeMux()
	for _, pattern := range patterns {
		if _, err := route.ParsePattern(pattern); err == nil && !loneSlash.MatchString(pattern) && register(mux, pattern) {
			shared = append(shared, pattern)
		}
	}
	return mux, newTable(t, shared...), shared
}

// requireServeMuxAgrees fails unless both give a request to the same pattern.
func requireServeMuxAgrees(t testing.TB, mux *http.ServeMux, table *route.Table, shared []string, method, path string) {
	got := ""
	if i, found := table.Match(method, path); found {
		got = shared[i]
	}
	if want := askServeMux(mux, method, path); got != want {
		require.Fail(t, "ServeMux disagrees", "%s %s on %q: %q, and ServeMux says %q", method, path, shared, got, want)
	}
}

var loneSlash = regexp.MustCompile("(?i)/%2f(/|$)")

// isServeMuxPath reports whether a path is one that net/url writes, with nothing
// in it that is read in another way here.
func isServeMuxPath(path string) bool {
	decoded, err := url.PathUnescape(path)
	if err != nil || path != "" && path[0] != '/' || loneSlash.MatchString(path) || slices.ContainsFunc(strings.Split(path, "/"), isDots) {
		return false
	}
	return (&url.URL{Path: decoded, RawPath: path}).EscapedPath() == path
}

func isDots(segment string) bool {
	decoded, _ := url.PathUnescape(segment)
	return decoded == "." || decoded == ".."
}

// register adds a pattern to a ServeMux, if it takes it.
func register(mux *http.ServeMux, pattern string) (ok bool) {
	defer func() { ok = recover() == nil }()
	mux.Handle(pattern, handler(pattern))
	return true
}

// askServeMux returns the pattern that ServeMux gives a request to, or would
// after it has redirected it.
func askServeMux(mux *http.ServeMux, method, escaped string) string {
	if method == "" {
		method = "GET"
	}
	clean := path.Clean("/" + escaped)
	if strings.HasSuffix(escaped, "/") && clean != "/" {
		clean += "/"
	}
	for _, path := range []string{clean, clean + "/"} {
		decoded, _ := url.PathUnescape(path)
		found, _ := mux.Handler(&http.Request{Method: method, URL: &url.URL{Path: decoded, RawPath: path}})
		if pattern, ok := found.(handler); ok {
			return string(pattern)
		}
	}
	return ""
}

// Rule 13: whatever has to be decoded, and wherever a walk has to turn back.
func TestMatchingAllocatesNothing(t *testing.T) {
	long := strings.Repeat("long", 60)
	table := newTable(t, "/a/b/c", "/a/{x}/d", "/{x}/b/{y}", "/{x}/{y}.json", "/{x}/{y}-{z}", "/{x...}/tags", "/{x...}/m/{y...}/n", "/s/", "/"+long+"/{x}")
	for _, path := range []string{
		"/a/b/c", "/a/b/d", "/a/b/e", "/a/b/x/tags", "/1/m/m/2/n", "/1/m/n/n/n/m", "/a/x.json", "/a/x%2Ejson", "/%61/%62/%63", "/%61/%62/%65",
		"/" + long + "/1", "/" + strings.ReplaceAll(long, "o", "%6f") + "/1", "/" + strings.Repeat("%2F", 300) + "/1", "/s", "/s/1//2", "//a//b//c", "/none", "/",
	} {
		allocs := testing.AllocsPerRun(100, func() {
			table.Match("GET", path)
			table.Match("POST", path)
		})
		assert.Zero(t, allocs, path)
	}
}

// A walk that tried every way in which several {name...} can share a path would
// not come to an end here.
func TestMatchingTakesNoExponentialTime(t *testing.T) {
	deep := strings.Repeat("/{x...}/a", 20)
	table := newTable(t, deep+"/b", deep+"/{y...}/c/{$}", "/{x...}/a/a/a/b", "/"+strings.Repeat("{x}a", 30)+"b", strings.Repeat("/{x...}", 30)+"/d")
	for _, path := range []string{strings.Repeat("/a", 2000), strings.Repeat("/a", 2000) + "/", "/" + strings.Repeat("a", 8000), "/" + strings.Repeat("%61", 8000)} {
		_, found := table.Match("GET", path)
		assert.False(t, found)
	}
	_, found := table.Match("GET", strings.Repeat("/a", 2000)+"/b")
	assert.True(t, found)
}

// manyRoutes returns n routes of five forms under n/5 names.
func manyRoutes(n int) []route.Route {
	forms := []string{
		"GET /v1/names%d/list", "GET /v1/names%d/{id}", "POST /v1/names%d/{id}/parts/{part}/items/{item}",
		"GET /v1/names%d/{id}/parts/{part}", "DELETE /v1/names%d/{id}:purge",
	}
	routes := make([]route.Route, n)
	for i := range routes {
		routes[i] = route.Route{Pattern: fmt.Sprintf(forms[i%len(forms)], i/len(forms)), Requirement: []string{"mandatory", "optional"}[i/7%2]}
	}
	return routes
}

func BenchmarkMatch(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		table, errs := route.New(manyRoutes(n), nil)
		if errs != nil {
			b.Fatal(errs)
		}
		for _, c := range []struct{ name, method, path string }{
			{"static", "GET", "/v1/names1/list"},
			{"one wildcard", "GET", "/v1/names1/28346"},
			{"three wildcards", "POST", "/v1/names1/28346/parts/17/items/4"},
			{"escaped", "GET", "/v1/names1/28346%2F17"},
			{"uuids", "GET", "/v1/names1/3fa85f64-5717-4562-b3fc-2c963f66afa6/parts/3fa85f64-5717-4562-b3fc-2c963f66afa6"},
			{"mixed", "DELETE", "/v1/names1/28346:purge"},
			{"none", "GET", "/v1/other/28346/parts/17"},
		} {
			b.Run(fmt.Sprintf("routes=%d/%s", n, c.name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					table.Match(c.method, c.path)
				}
			})
		}
	}
}
