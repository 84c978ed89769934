package routeauth_test

import (
	"errors"
	"fmt"
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
	require.True(t, slices.IsSortedFunc(mistakes(t, err), func(a, b error) int { return strings.Compare(a.Error(), b.Error()) }),
		"not sorted:\n%v", err)
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
	{"https://api.example.com/v1%2e", []string{"clean"}},
	{"https://api.example.com/v1%2fa", []string{"clean"}},
	{"https://api.example.com/v1%5ca", []string{"clean"}},
	{`https://api.example.com/v1\a`, []string{"clean"}},
	{"https://api.example.com/v1;a=b", []string{"clean"}},
	{"https://api.example.com/v1%252e", []string{"clean"}},
	{"https://api.example.com/%25252f", []string{"clean"}},
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
		t.Run(c.url, func(t *testing.T) {
			policy, err := routeauth.NewPolicy(c.url, routeauth.Routes{"GET /files": routeauth.Optional})
			if len(c.words) == 0 {
				require.NoError(t, err)
				return
			}
			require.Nil(t, policy)
			requireMistakes(t, err, c.words...)
			for _, mistake := range mistakes(t, err) {
				assert.Contains(t, mistake.Error(), "base URL")
			}
		})
	}
}

// patternCases are single patterns and what the message about them says.
var patternCases = []struct{ pattern, word string }{
	{"/", ""},
	{"/{$}", ""},
	{"GET /files/{id}", ""},
	{"GET /files/{rest...}", ""},
	{"/users/@me", ""},
	{"/files/%2F", ""},
	{"/.well-known/x", ""},
	// Malformed.
	{"", "malformed"},
	{"GET", "malformed"},
	{"GET ", "malformed"},
	{"files", "malformed"},
	{"GET files", "malformed"},
	{"/a b", "malformed"},
	{"G(T /files", "malformed"},
	{"/{", "malformed"},
	{"/{id", "malformed"},
	{"/{}", "malformed"},
	{"/{id}x", "malformed"},
	{"/x{id}", "malformed"},
	{"/{a b}", "malformed"},
	{"/{a-b}", "malformed"},
	{"/{id}/{id}", "malformed"},
	{"/{$}/x", "malformed"},
	{"/{rest...}/x", "malformed"},
	{"/@{me", "malformed"},
	{"/{...}", "malformed"},
	{"GET //files", "malformed"},
	{"GET /a/../b", "malformed"},
	// With a host.
	{"api.example.com/files", "has a host"},
	{"GET api.example.com/files", "has a host"},
	{"GET api.example.com/", "has a host"},
	{"api.example.com:443/files", "has a host"},
	{"files/{id}", "has a host"},
	{"https://api.example.com/files", "has a host"},
	{"GET https://api.example.com/files", "has a host"},
	// ServeMux takes a path that is not clean if there is no method, and no
	// request ever matches it.
	{"//files", "not clean"},
	{"/a/../b", "not clean"},
	{"/./a", "not clean"},
	{"/a//", "not clean"},
	{"CONNECT //files", "not clean"},
}

// Rule 14.
func TestEachPatternThatIsWrongIsNamed(t *testing.T) {
	for _, c := range patternCases {
		t.Run(c.pattern, func(t *testing.T) {
			policy, err := routeauth.NewPolicy("https://api.example.com/v1", routeauth.Routes{c.pattern: routeauth.Optional})
			if c.word == "" {
				require.NoError(t, err)
				return
			}
			require.Nil(t, policy)
			requireMistakes(t, err, c.word)
			assert.Contains(t, err.Error(), quote(c.pattern))
		})
	}
}

// conflictCases are patterns of which no one is more specific.
var conflictCases = []struct{ a, b string }{
	{"/files", " /files"},
	{"GET /files", "GET\t/files"},
	{"/files", "/fil%65s"},
	{"/{a}", "/{b}"},
	{"/{$}", "/%2F"},
	{"/a/", "/a/{rest...}"},
	{"/a/{x}", "/{x}/b"},
	{"GET /{x}", "/files"},
	{"HEAD /{x}", "GET /files"},
	{"POST /", "/files"},
}

// Rule 14.
func TestAConflictNamesBothPatternsAndNoSourcePosition(t *testing.T) {
	for _, c := range conflictCases {
		t.Run(c.a+" and "+c.b, func(t *testing.T) {
			policy, err := routeauth.NewPolicy("https://api.example.com/v1", routeauth.Routes{c.a: routeauth.Mandatory, c.b: routeauth.Optional})
			require.Nil(t, policy)
			requireMistakes(t, err, "conflicts")
			text := err.Error()
			assert.Contains(t, text, quote(c.a))
			assert.Contains(t, text, quote(c.b))
			assert.NotContains(t, text, ".go:")
			assert.NotContains(t, text, "registered at")
			assert.NotContains(t, text, "\n", "one line for one mistake")
			assert.NotContains(t, text, "/v1/", "the patterns are named as the caller wrote them")
		})
	}
}

// Rule 14: also a conflict with a pattern that itself is in conflict.
func TestEveryPairInConflictIsReported(t *testing.T) {
	_, err := routeauth.NewPolicy("https://api.example.com/v1", routeauth.Routes{
		"/a/{x}":     routeauth.Optional, // in conflict with the next alone
		"/{x}/b":     routeauth.Optional,
		"/~user/{x}": routeauth.Optional, // likewise
	})
	requireMistakes(t, err, "conflicts", "conflicts")
	for _, pattern := range []string{"/a/{x}", "/{x}/b", "/~user/{x}"} {
		assert.Contains(t, err.Error(), quote(pattern))
	}

	_, err = routeauth.NewPolicy("https://api.example.com/v1", routeauth.Routes{
		"/{a}": routeauth.Optional, "/{b}": routeauth.Optional, "/{c}": routeauth.Optional,
	})
	requireMistakes(t, err, "conflicts", "conflicts", "conflicts")
}

func TestARequirementThatIsNoneIsRefused(t *testing.T) {
	_, err := routeauth.NewPolicy("https://api.example.com/v1", routeauth.Routes{"GET /files": 2})
	requireMistakes(t, err, `"GET /files"`)
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
		"/{b}":                  routeauth.Optional,
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

	for range 10 { // maps have no order
		_, again := routeauth.NewPolicy("https://api.example.com/", routeauth.Routes{"/{a}": 0, "/{b}": 0, "/{c}": 0, "": 0, "x": 0})
		requireMistakes(t, again, "conflicts", "conflicts", "conflicts", `""`, `"x"`)
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
		t.Run(rawURL, func(t *testing.T) {
			_, err := routeauth.NewPolicy(rawURL, routeauth.Routes{"": 0})
			require.Error(t, err)
			for e := range tree(err) {
				for _, part := range []string{password, "hunt%65r2", "hunt", "er2"} {
					assert.NotContains(t, fmt.Sprintf("%v %+v %#v", e, e, e), part)
				}
			}
		})
	}
	// A whole URL where a pattern is to stand is a likely mistake.
	for _, pattern := range []string{
		"https://user:hunter2@api.example.com/files",
		"GET https://user:hunter2@api.example.com/files",
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
	} {
		t.Run(pattern, func(t *testing.T) {
			_, err := routeauth.NewPolicy("https://api.example.com/v1", routeauth.Routes{pattern: 9})
			requireMistakes(t, err, "neither Mandatory nor Optional", "route")
			assert.NotContains(t, err.Error(), password)
			assert.Contains(t, err.Error(), "@api.example.com", "enough to know it by")
		})
	}
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
