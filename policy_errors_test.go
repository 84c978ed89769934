package routeauth_test

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"example.com/routeauth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// mistakes are the joined errors.
func mistakes(t testing.TB, err error) []error {
	t.Helper()
	require.Error(t, err)
	joined, ok := err.(interface{ Unwrap() []error })
	require.True(t, ok, "%T is not joined", err)
	return joined.Unwrap()
}

// requireSorted fails unless the joined errors are in the order of their texts.
func requireSorted(t testing.TB, err error) {
	t.Helper()
	requireSortedErrors(t, mistakes(t, err))
}

func requireSortedErrors(t testing.TB, errs []error) {
	t.Helper()
	require.True(t, slices.IsSortedFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) }), "not sorted: %v", errs)
}

// requireMistakes fails unless the joined errors are as many as the words and
// each word is in one of them.
func requireMistakes(t testing.TB, err error, words ...string) {
	t.Helper()
	found := slices.Clone(mistakes(t, err))
	require.Len(t, found, len(words), "%v", err)
	requireSorted(t, err)
	for _, word := range words {
		i := slices.IndexFunc(found, func(e error) bool { return strings.Contains(e.Error(), word) })
		require.GreaterOrEqual(t, i, 0, "no message has %q:\n%v", word, err)
		found = slices.Delete(found, i, i+1)
	}
}

// quote is how a message names a pattern.
func quote(pattern string) string { return fmt.Sprintf("%q", pattern) }

// baseURLCases are base URLs and what the messages about them say.
var baseURLCases = []struct {
	url   string
	words []string
}{
	{"https://api.example.com", nil},
	{"https://api.example.com/", nil},
	{"https://api.example.com/v1", nil},
	{"https://api.example.com/v1/", nil},
	{"https://api.example.com/a.b/.c/..d", nil},
	{"https://api.example.com:8443/digital-try-on/v1", nil},
	{"https://[::1]:8443/v1", nil},
	{"https://api.example.com/a%20b/caf%C3%A9", nil},
	// Relative.
	{"", []string{"relative"}},
	{"/v1", []string{"relative"}},
	{"api.example.com", []string{"relative"}},
	{"api.example.com/v1", []string{"relative"}},
	{"//api.example.com/v1", []string{"relative"}},
	{"//user:hunter2@api.example.com/v1/../{x}?q#f", []string{"relative", "user info", "query", "fragment", "brace", "clean"}},
	{"?q", []string{"relative", "query"}},
	{"..", []string{"relative", "clean"}},
	// The scheme.
	{"ftp://api.example.com/v1", []string{"neither https nor http"}},
	{"httpss://api.example.com/v1", []string{"neither https nor http"}},
	{"localhost:8080/v1", []string{"neither https nor http", "empty host"}},
	{"http://api.example.com/v1", []string{"plaintext"}},
	// User info.
	{"https://user@api.example.com/v1", []string{"user info"}},
	{"https://user:hunter2@api.example.com/v1", []string{"user info"}},
	{"https://@api.example.com/v1", []string{"user info"}},
	// The query and the fragment.
	{"https://api.example.com/v1?q=1", []string{"query"}},
	{"https://api.example.com/v1?", []string{"query"}},
	{"https://api.example.com?q=1", []string{"query"}},
	{"https://api.example.com/v1#f", []string{"fragment"}},
	{"https://api.example.com/v1#", []string{"fragment"}},
	{"https://api.example.com/v1?#", []string{"query", "fragment"}},
	// An empty host.
	{"https:///v1", []string{"empty host"}},
	{"https:/v1", []string{"empty host"}},
	{"https:v1", []string{"empty host"}},
	{"https://:443/v1", []string{"empty host"}},
	// A port.
	{"https://api.example.com:65535/v1", nil},
	{"https://api.example.com:/v1", nil},
	{"https://api.example.com:65536/v1", []string{"port"}},
	{"https://api.example.com:99999999999999999999/v1", []string{"port"}},
	{"http:///v1", []string{"empty host"}},
	{"https://user:hunter2@/v1", []string{"empty host", "user info"}},
	// The path.
	{"https://api.example.com//", []string{"clean"}},
	{"https://api.example.com///", []string{"clean"}},
	{"https://api.example.com/v1//", []string{"clean"}},
	{"https://api.example.com//v1", []string{"clean"}},
	{"https://api.example.com/a//v1", []string{"clean"}},
	{"https://api.example.com/.", []string{"clean"}},
	{"https://api.example.com/..", []string{"clean"}},
	{"https://api.example.com/./", []string{"clean"}},
	{"https://api.example.com/v1/.", []string{"clean"}},
	{"https://api.example.com/v1/..", []string{"clean"}},
	{"https://api.example.com/v1/../v2", []string{"clean"}},
	{"https://api.example.com/v1/%2e%2e/v2", []string{"clean"}},
	{"https://api.example.com/%2e", []string{"clean"}},
	{"https://api.example.com/%2e%2e%20", []string{"clean"}},
	{"https://api.example.com/v1%2e", nil}, // is no dot segment
	{"https://api.example.com/v1%2fa", []string{"clean"}},
	{"https://api.example.com/v1%5ca", []string{"clean"}},
	{`https://api.example.com/v1\a`, []string{"clean"}},
	{"https://api.example.com/v1;a=b", []string{"clean"}},
	{"https://api.example.com/v1%3ba", []string{"clean"}},
	{"https://api.example.com/100%25", []string{"clean"}},
	{"https://api.example.com/v1%252e", []string{"clean"}},
	{"https://api.example.com/%25252f", []string{"clean"}},
	{"https://api.example.com/%c0%af", []string{"clean"}},
	{"https://api.example.com/v1%ef%bc%8fa", []string{"clean"}},
	{"https://api.example.com/v1%0a", []string{"clean"}},
	{"https://api.example.com/{tenant}/v1", []string{"brace"}},
	{"https://api.example.com/{", []string{"brace"}},
	{"https://api.example.com/v1}", []string{"brace"}},
	{"https://api.example.com/%7Btenant%7D/v1", []string{"brace"}},
	{"https://api.example.com/../{tenant}", []string{"brace", "clean"}},
	// What url.Parse refuses.
	{"https://api.example.com:port/v1", []string{"malformed"}},
	{"https://api.example.com/%zz", []string{"malformed"}},
	{"https://api example.com/v1", []string{"malformed"}},
	{"https://[::1/v1", []string{"malformed"}},
	{"://api.example.com/v1", []string{"malformed"}},
	{"https://api.example.com/v1\n", []string{"malformed"}},
	{" https://api.example.com/v1", []string{"malformed"}},
	// Everything at once.
	{"http://user:hunter2@api.example.com/v1/../{x}?q#f", []string{"plaintext", "user info", "query", "fragment", "clean", "brace"}},
	{"ftp://user:hunter2@:80/v1//{x}?q#f", []string{"neither https nor http", "empty host", "user info", "query", "fragment", "clean", "brace"}},
}

// Rule 14.
func TestEverythingThatIsWrongWithABaseURLIsReported(t *testing.T) {
	for _, c := range baseURLCases {
		policy, err := routeauth.NewPolicy(c.url, routeauth.Routes{"GET /files": routeauth.Optional})
		if len(c.words) == 0 {
			require.NoError(t, err, c.url)
			continue
		}
		require.Nil(t, policy)
		requireMistakes(t, err, c.words...)
		for _, mistake := range mistakes(t, err) {
			assert.Contains(t, mistake.Error(), "base URL")
		}
	}
}

// patternCases are single patterns, and words of the message about them.
var patternCases = []struct{ pattern, word string }{
	{"/", ""},
	{"/{$}", ""},
	{"GET /files/{id}", ""},
	{"GET /files/{rest...}", ""},
	{"/users/@me", ""},
	{"/files/%2F", ""},
	{"/files/%252e", "dot segment"},
	{"/.well-known/x", ""},
	{"/a b", ""},
	{"/{id}x", ""},
	{"/x{id}", ""},
	{"/{a b}", ""},
	{"/{a-b}", ""},
	{"/{?#:*é}", ""},
	{"/{id}/{id}", ""},
	{"/{rest...}/x", ""},
	{"/{a...}/x/{b...}", ""},
	{"/{$$}", ""},
	{"/a:b/c*d", ""},
	{"/100%", ""},
	{"BREW-IT! /tea", ""},
	// Malformed.
	{"", "has no path"},
	{"GET", "does not begin with a slash"},
	{"GET ", "has no path"},
	{"files", "does not begin with a slash"},
	{"GET files", "does not begin with a slash"},
	{"G(T /files", "method"},
	{"GÉT /files", "method"},
	{"GET\v/files", "no space after its method"},
	{"/{", "not closed"},
	{"/{id", "not closed"},
	{"/{id/x}", "not closed"},
	{"/{a{b}}", "not closed"},
	{"/id}", "without an opening one"},
	{"/{id}}", "without an opening one"},
	{"/{}", "no name"},
	{"/{...}", "no name"},
	{"/{$...}", "no name"},
	{"/{$}/x", "{$} must stand last"},
	{"/x{$}", "{$} must be a segment of its own"},
	{"/{$}x", "{$} must be a segment of its own"},
	{"/{rest...}x", "{rest...} must be a segment of its own"},
	{"/x{rest...}", "{rest...} must be a segment of its own"},
	{"/{a}{rest...}", "{rest...} must be a segment of its own"},
	{"/@{me", "not closed"},
	// With a host.
	{"api.example.com/files", "has a host"},
	{"GET api.example.com/files", "has a host"},
	{"GET api.example.com/", "has a host"},
	{"api.example.com:443/files", "has a host"},
	{"files/{id}", "has a host"},
	{"https://api.example.com/files", "has a host"},
	{"GET https://api.example.com/files", "has a host"},
	// What can match nothing. The message says what to write.
	{"get /x", "in capitals, GET for get"},
	{"GeT /x", "in capitals, GET for GeT"},
	{"/operations/:id", "{id} for :id, or %3A"},
	{"/operations/:op-id.json", "{op-id} for :op-id, or %3A"},
	{"/operations/:", "{name} for a wildcard, or %3A"},
	{"GET /x/*", "{name} for one segment, {name...} for one or more, or %2A"},
	{"GET /*/x", "{name} for one segment, {name...} for one or more, or %2A"},
	{"GET /x?y=1", "no query; write %3F"},
	{"GET /x/{id}?", "no query; write %3F"},
	{"POST /a#b", "no fragment; write %23"},
	{"POST /{a}#{b}", "no fragment; write %23"},
	{"//files", "not clean, so it can match nothing; write /files"},
	{"GET //files", "not clean, so it can match nothing; write /files"},
	{"/a/../b", "not clean, so it can match nothing; write /b"},
	{"GET /a/../b", "not clean, so it can match nothing; write /b"},
	{"/./a", "not clean, so it can match nothing; write /a"},
	{"/a//", "not clean, so it can match nothing; write /a/"},
	{"CONNECT //files", "not clean"},
	{"/..", "not clean"},
	{"/a/%2e%2e/b", "dot segment"},
	{"/a/..;x", "dot segment"},
	{"/a%2F../{id}", "dot segment"},
	{`/a\..\{id}`, "dot segment"},
	{"/{id}/..%20", "dot segment"},
	{"/．．/{id}", "dot segment"},
}

// Rules 13 and 14.
func TestEachPatternThatIsWrongIsNamed(t *testing.T) {
	for _, c := range patternCases {
		policy, err := routeauth.NewPolicy("https://api.example.com/v1", routeauth.Routes{c.pattern: routeauth.Optional})
		if c.word == "" {
			require.NoError(t, err, c.pattern)
			continue
		}
		require.Nil(t, policy)
		requireMistakes(t, err, c.word)
		assert.Contains(t, err.Error(), quote(c.pattern))
	}
}

// conflictCases are patterns of which neither is more specific.
var conflictCases = []struct{ a, b string }{
	{"/files", " /files"},
	{"GET /files", "GET\t/files"},
	{"/files", "/fil%65s"},
	{"/{a}", "/{b}"},
	{"/a/", "/a/{rest...}"},
	{"/a/{x}", "/{x}/b"},
	{"GET /{x}", "/files"},
	{"HEAD /{x}", "GET /files"},
	{"POST /", "/files"},
	{"/{id}.json", "/new{x}"},
	{"/{a}.{b}", "/{a}-{b}"},
	{"/{x...}/b", "/a/{x...}"},
	{"/{x...}/b/{y}", "/{x}/b/{y...}"},
}

// Rule 14.
func TestAConflictNamesBothPatterns(t *testing.T) {
	for _, c := range conflictCases {
		for _, other := range []routeauth.Requirement{routeauth.Mandatory, routeauth.Public} {
			policy, err := routeauth.NewPolicy("https://api.example.com/v1", routeauth.Routes{c.a: other, c.b: routeauth.Optional})
			require.Nil(t, policy)
			requireMistakes(t, err, "conflicts")
			text := err.Error()
			assert.Contains(t, text, quote(c.a)+" ("+other.String()+")")
			assert.Contains(t, text, quote(c.b)+" (optional)")
			assert.NotContains(t, text, ".go:", "no place in some source")
			assert.NotContains(t, text, "\n", "one line for one mistake")
			assert.NotContains(t, text, "/v1/", "the patterns are named as the caller wrote them")
		}
	}
}

// Rule 13: patterns that ask for the same are in nobody's way.
func TestPatternsThatAskForTheSameAreNotInConflict(t *testing.T) {
	all := routeauth.Routes{}
	for _, c := range conflictCases {
		all[c.a], all[c.b] = routeauth.Optional, routeauth.Optional
		for _, r := range []routeauth.Requirement{routeauth.Mandatory, routeauth.Optional, routeauth.Public} {
			newPolicy(t, "https://api.example.com/v1", routeauth.Routes{c.a: r, c.b: r})
		}
	}
	newPolicy(t, "https://api.example.com/v1", all)
}

// Rule 14: also a conflict with a pattern that itself is in conflict.
func TestEachPatternInConflictIsNamedAndTheSubjectOfOneMessage(t *testing.T) {
	for name, c := range map[string]struct {
		routes   routeauth.Routes
		messages int
		silent   []string
	}{
		"one with two others": {routeauth.Routes{
			"/a/{x}": routeauth.Optional, "/{x}/b": routeauth.Mandatory, "/~user/{x}": routeauth.Optional,
		}, 2, nil},
		"three that are the same": {routeauth.Routes{
			"/{a}": routeauth.Optional, "/{b}": routeauth.Mandatory, "/{c}": routeauth.Public,
		}, 2, nil},
		"two pairs": {routeauth.Routes{
			"/a/{x}": routeauth.Optional, "/a/{y}": routeauth.Mandatory, "GET /b/{x}": routeauth.Optional, "GET /b/{y}": routeauth.Mandatory,
		}, 2, nil},
		"others beside": {routeauth.Routes{
			"/a/{x}": routeauth.Optional, "/a/{y}": routeauth.Mandatory, "/a/b": routeauth.Public, "/{y}/": routeauth.Public, "/a/{z...}": routeauth.Public,
		}, 1, []string{"/a/b", "/{y}/", "/a/{z...}"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := routeauth.NewPolicy("https://api.example.com/v1", c.routes)
			subjects := map[string]bool{}
			for _, mistake := range mistakes(t, err) {
				subject, _, found := strings.Cut(mistake.Error(), " conflicts with ")
				require.True(t, found, "%v", mistake)
				assert.False(t, subjects[subject], "%s twice", subject)
				subjects[subject] = true
			}
			assert.Len(t, subjects, c.messages)
			for pattern := range c.routes {
				assert.Equal(t, !slices.Contains(c.silent, pattern), strings.Contains(err.Error(), quote(pattern)), pattern)
			}
		})
	}
}

// Rule 14: NewPolicy with many routes, and with many mistakes among them, takes
// time and memory in proportion to them.
func TestManyMistakesAreRefusedInProportion(t *testing.T) {
	routes := func(routes, conflicts int) routeauth.Routes {
		table := make(routeauth.Routes, routes)
		for i := range routes - conflicts {
			table[fmt.Sprintf("GET /things-%d/{id}/parts/{part}", i)] = routeauth.Optional
		}
		for i := range conflicts {
			table[fmt.Sprintf("GET /things-%d/{other}/parts/{part}", i)] = routeauth.Mandatory
		}
		return table
	}
	allocated := func(build func()) (megabytes float64) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		build()
		runtime.ReadMemStats(&after)
		return float64(after.TotalAlloc-before.TotalAlloc) / 1e6
	}

	table := routes(10_000, 0)
	assert.Less(t, allocated(func() { newPolicy(t, "https://api.example.com/v1", table) }), 20.0, "MB for 10,000 routes")

	for _, conflicts := range []int{500, 5_000} {
		table := routes(10_000, conflicts)
		var err error
		assert.Less(t, allocated(func() { _, err = routeauth.NewPolicy("https://api.example.com/v1", table) }), 50.0, "MB for %d conflicts", conflicts)
		found := mistakes(t, err)
		require.Len(t, found, 101)
		requireSortedErrors(t, found[:100])
		assert.EqualError(t, found[100], fmt.Sprintf("routeauth: and %d more mistakes", conflicts-100))
		for _, mistake := range found[:100] {
			assert.Contains(t, mistake.Error(), "conflicts with")
			assert.Less(t, len(mistake.Error()), 1000)
		}
	}
}

// Rule 14: of too many mistakes the first hundred are named, and the others are
// counted.
func TestAtMostAHundredMistakesAreNamed(t *testing.T) {
	for n, more := range map[int]int{99: 0, 100: 0, 101: 1, 250: 150} {
		routes := routeauth.Routes{}
		for i := range n - 1 {
			routes[fmt.Sprintf("get /%03d", i)] = routeauth.Optional
		}
		_, err := routeauth.NewPolicy("http://api.example.com", routes)
		found := mistakes(t, err)
		require.Len(t, found, min(n, 100)+min(more, 1))
		requireSortedErrors(t, found[:min(n, 100)])
		assert.Contains(t, found[0].Error(), "plaintext")
		assert.Contains(t, found[98].Error(), `"get /097"`)
		if more > 0 {
			assert.EqualError(t, found[100], fmt.Sprintf("routeauth: and %d more mistakes", more))
		}
	}
}

func TestARequirementThatIsNoneIsRefused(t *testing.T) {
	_, err := routeauth.NewPolicy("https://api.example.com/v1", routeauth.Routes{"GET /files": 3, "/files": routeauth.Public})
	requireMistakes(t, err, `route "GET /files": Requirement(3) is not a requirement: use Mandatory, Optional or Public`)
}

// Rule 31.
func TestANilPolicyOptionIsRefused(t *testing.T) {
	policy, err := routeauth.NewPolicy("https://api.example.com/v1", nil, nil, routeauth.AllowPlaintext(), nil)
	require.Nil(t, policy)
	requireMistakes(t, err, "option", "option")
}

// Rule 14: one run shows everything that is to be mended.
func TestNewPolicyReportsEverythingAtOnce(t *testing.T) {
	_, err := routeauth.NewPolicy("http://user:hunter2@api.example.com/v1/../{x}?q#f", routeauth.Routes{
		"GET /files/{id":        routeauth.Optional,
		"":                      routeauth.Optional,
		"GET example.com/files": routeauth.Optional,
		"//files":               routeauth.Optional,
		"/{a}":                  routeauth.Optional,
		"/{b}":                  routeauth.Public,
		"GET /odd":              9,
		"GET /right":            routeauth.Optional,
	}, nil)
	requireMistakes(t, err,
		"plaintext", "user info", "query", "fragment", "path that is not clean", "brace",
		`"GET /files/{id"`, `route ""`, `"GET example.com/files"`, `"//files"`, `"/{a}"`, `"GET /odd"`,
		"option")
	for _, mistake := range mistakes(t, err) {
		assert.True(t, strings.HasPrefix(mistake.Error(), "routeauth: "), "%v", mistake)
	}
	text := err.Error()
	assert.NotContains(t, text, "hunter2")
	assert.NotContains(t, text, ".go:")
	assert.NotContains(t, text, "GET /right")

	routes := routeauth.Routes{"/{a}": 0, "/{b}": 1, "/{c}": 2, "": 0, "x": 0}
	_, want := routeauth.NewPolicy("https://api.example.com/", routes)
	requireMistakes(t, want, "conflicts", "conflicts", `""`, `"x"`)
	for range 10 { // maps have no order
		_, again := routeauth.NewPolicy("https://api.example.com/", routes)
		assert.EqualError(t, again, want.Error())
	}
}

// password is in urlsWithPassword, as a whole or in two halves.
const password = "hunter2"

var urlsWithPassword = []string{
	"https://user:hunter2@api.example.com/v1",
	"http://user:hunter2@api.example.com/v1",
	"ftp://user:hunter2@api.example.com/v1",
	"//user:hunter2@api.example.com/v1",
	"user:hunter2@api.example.com/v1",
	"://user:hunter2@api.example.com/v1",
	" https://user:hunter2@api.example.com/v1",
	"https//user:hunter2@api.example.com/v1",
	"https:/user:hunter2@api.example.com/v1",
	"https:user:hunter2@api.example.com/v1",
	"https://user:hunter2@",
	"https://user:hunter2@:443",
	"https://user:hunter2@api.example.com:port/v1",
	"https://user:hunter2@api.example.com:bad port/v1",
	"https://user:hunter2@api.example.com:/v1/%zz",
	"https://user:hunter2@[::1/v1",
	"https://user:hunter2@api example.com/v1",
	"https://user:hunter2@api.example.com/v1\n",
	"https://user:hunter2\x7f@api.example.com/v1",
	"https://user:hunter2%@api.example.com/v1",
	"https://user:hunter2%zz@api.example.com/v1",
	"https://user:%zzhunter2@api.example.com/v1",
	"https://user:hunter2 @api.example.com/v1",
	"https://user:hunter2[@api.example.com/v1",
	"https://user:hunter2^@api.example.com/v1",
	"https://user:hunt%65r2@api.example.com/v1",
	"https://hunter2@api.example.com:port/v1",
	"https://user:hunt/er2@api.example.com/v1",
	"https://user:/hunter2@api.example.com/v1",
	"https://user:hunter2/@api.example.com/v1",
	"https://user:hunt?er2@api.example.com/v1",
	"https://user:hunt#er2@api.example.com/v1",
	"https://user:hunt\\er2@api.example.com/v1",
	"https://user:hunt@er2@api.example.com/v1",
	"https://user:443/hunter2@api.example.com/{v1}",
	"https://api.example.com/v1?password=hunter2",
	"https://api.example.com/v1#hunter2",
	"https://api.example.com/hunter2/../v1",
	"hunter2",
}

// Rule 14.
func TestNoMessageShowsAPassword(t *testing.T) {
	for _, rawURL := range urlsWithPassword {
		_, err := routeauth.NewPolicy(rawURL, routeauth.Routes{"": 0})
		require.Error(t, err)
		for e := range tree(err) {
			shown := fmt.Sprintf("%v %+v %#v", e, e, e)
			for _, part := range []string{password, "hunt%65r2", "hunt", "er2"} {
				assert.NotContains(t, shown, part, rawURL)
			}
		}
	}
}

// Rule 14: a whole URL where a pattern is to stand is a likely mistake.
func TestNoMessageAboutAPatternShowsAPassword(t *testing.T) {
	for _, pattern := range []string{
		"https://user:hunter2@api.example.com/files",
		"GET https://user:hunter2@api.example.com/files",
		"get https://user:hunter2@api.example.com/files",
		"user:hunter2@api.example.com/files",
		"GET user:hunter2@api.example.com/files",
		"GET //user:hunter2@api.example.com/files",
		"//user:hunter2@api.example.com/files",
		"https://user:hunter2@api.example.com",
		"https://user: hunter2@api.example.com/files",
		"https://user:hunter2{@api.example.com/files",
		"https://user:/{hunter2}@api.example.com/files",
		"//user:/{hunter2!}/@api.example.com/files",
		"user:hunter2 /@api.example.com/files",
		"GET /user:hunter2@api.example.com/?",
		"/user:hunter2@api.example.com/..;",
	} {
		for _, requirement := range []routeauth.Requirement{routeauth.Optional, 9} {
			_, err := routeauth.NewPolicy("https://api.example.com/v1", routeauth.Routes{pattern: requirement})
			requireMistakes(t, err, "route")
			assert.NotContains(t, err.Error(), password)
			assert.Contains(t, err.Error(), "@api.example.com", "enough to know it by")
		}
	}
	_, err := routeauth.NewPolicy("https://api.example.com/v1", routeauth.Routes{"/user:hunter2@x/{a}": 0, "/user:hunter2@x/{b}": 1, "/{a}/y": 2})
	requireMistakes(t, err, "conflicts", "conflicts")
	assert.NotContains(t, err.Error(), password)
}

// tree is an error with all that it wraps.
func tree(err error) func(yield func(error) bool) {
	return func(yield func(error) bool) {
		if err == nil || !yield(err) {
			return
		}
		tree(errors.Unwrap(err))(yield)
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			for _, e := range joined.Unwrap() {
				tree(e)(yield)
			}
		}
	}
}
