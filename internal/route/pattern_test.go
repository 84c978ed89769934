package route_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"example.com/routeauth/internal/route"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// goodPatterns are well-formed.
var goodPatterns = []string{
	"/", "/{$}", "/a", "/a/", "/a/{$}", "/{x}", "/{x}/", "/{x...}", "/a/{x...}", "/a/{x}/{y}/{z...}",
	"GET /a", "HEAD /a", "BREW /a", "CONNECT /a", "VERSION-CONTROL /a", "M-SEARCH /a", "GET\t/a", "GET \t  /a",
	// What stands before the first space is a method only if no slash comes before it.
	" /a", "\t/a", "/a b", "GET /a b", "/a\tb", "/ ", "/{a b}",
	// Text and wildcards.
	"/{id}.json", "/{id}:cancel", "/{base}...{head}", "/v{id}", "/v{id}.{format}", "/{a}{b}", "/%7B{a}%7D", "/a:b", "/a:{b}", "/a*", "/*a", "/**",
	// {name...} in the middle.
	"/{x...}/a", "/{x...}/", "/{x...}/{y...}/{z}", "/a/{x...}/b/{y...}/{$}",
	// Names.
	"/{enterprise-team}", "/{id.value}", "/{1}", "/{a b}", "/{ }", "/{:id}", "/{*}", "/{a?b#c}", "/{é}", "/{a$}", "/{$a}", "/{%61}", "/{a...b}", "/{a....}",
	"/{x}/{x}", "/{x}{x}", "/{x}/{x...}",
	// The characters themselves.
	"/%3Aid", "/%2A", "/a%3Fb", "/a%23b", "/%2F", "/a%2Fb", "/%", "/100%", "/%zz", "/%B7", "/é", "/users/@me", "/.well-known/a", "/...", "/{x}/..a", "/a..", "/{x}..", "/.{x}",
}

// badPatterns are patterns and what the message about them says.
var badPatterns = []struct{ pattern, word string }{
	{"", "no path"},
	{"GET", "does not begin with a slash"},
	{"GET ", "no path"},
	{" ", "no path"},
	{"files", "does not begin with a slash"},
	{"GET files", "does not begin with a slash"},
	{"*", "does not begin with a slash; write /*"},
	// Methods.
	{"get /x", "write the method in capitals, GET for get"},
	{"Get /x", "GET for Get"},
	{"pOST /x", "POST for pOST"},
	{"G(T /x", "method"},
	{"A=B /x", "method"},
	{"GÉT /x", "method"},
	{"GET, POST /x", "method"},
	{"GET\n /x", "method"},
	// With a host.
	{"api.example.com/x", "has a host"},
	{"GET api.example.com/", "has a host"},
	{"api.example.com:443/x", "has a host"},
	{"https://api.example.com/x", "has a host"},
	{"files/{id}", "has a host"},
	{"{id}/files", "has a host"},
	{"GET/files", "no space after its method"},
	// Other routers' forms.
	{"/operations/:id", "write {id} for :id, or %3A"},
	{"/:task_id/x", "write {task_id} for :task_id, or %3A"},
	{"/:id.json", "write {id} for :id, or %3A"},
	{"/:", "write {name} for a wildcard, or %3A"},
	{"/:{id}", "write {name} for a wildcard, or %3A"},
	{"* /x", "leave the method out for every method"},
	{"GET,POST /x", "write one pattern for each method"},
	{"GET|POST /x", "write one pattern for each method"},
	{"GET /x/*", "write {name} for one segment, {name...} for one or more, or %2A"},
	{"/*/x", "or %2A"},
	// URLs with more than a path.
	{"GET /x?y=1", "no query; write %3F"},
	{"/x/{id}?", "no query; write %3F"},
	{"POST /a#b", "no fragment; write %23"},
	{"/x/{id}#a", "no fragment; write %23"},
	// Braces.
	{"/{", "not closed"},
	{"/{id", "not closed"},
	{"/@{me", "not closed"},
	{"/{a/b}", "not closed"},
	{"/{a{b}", "not closed"},
	{"/{a{b}}", "not closed"},
	{"/a}", "write %7D"},
	{"/{a}}", "write %7D"},
	{"/}{a}", "write %7D"},
	{"/{}", "no name"},
	{"/{...}", "no name"},
	{"/{$...}", "no name"},
	{"/a{}b", "no name"},
	{"/a/{$}/b", "{$} must stand last"},
	{"/{$}/", "{$} must stand last"},
	{"/a{$}", "{$} must be a segment of its own"},
	{"/{$}a", "{$} must be a segment of its own"},
	{"/{x}{$}", "{$} must be a segment of its own"},
	{"/{x...}.json", "{x...} must be a segment of its own"},
	{"/a{x...}", "{x...} must be a segment of its own"},
	{"/{x...}{y}/b", "{x...} must be a segment of its own"},
	{"/{x}%B7{y}", "not UTF-8"},
	// Paths that are not clean.
	{"//files", "not clean, so it can match nothing; write /files"},
	{"GET //files", "write /files"},
	{"/a//b", "write /a/b"},
	{"/a//", "write /a/"},
	{"/a/../b", "write /b"},
	{"/./a", "write /a"},
	{"/a/.", "write /a"},
	{"/{x}/../{y}", "write /{y}"},
	{"CONNECT //files", "not clean"},
	{"/%2e%2E/a", "dot segment"},
	{"/a/%2e", "dot segment"},
}

// Rule 13.
func TestAPatternIsKeptAsItWasWritten(t *testing.T) {
	for _, text := range goodPatterns {
		p, err := route.ParsePattern(text)
		require.NoError(t, err, text)
		assert.Equal(t, text, p.String())
	}
}

// Rules 13 and 14.
func TestAMalformedPatternSaysWhatToWrite(t *testing.T) {
	for _, c := range badPatterns {
		t.Run(c.pattern, func(t *testing.T) {
			_, err := route.ParsePattern(c.pattern)
			require.ErrorContains(t, err, c.word)
			require.ErrorContains(t, err, "the pattern is malformed: ")
			require.NotContains(t, err.Error(), "%!", "a format went wrong")
			require.NotContains(t, err.Error(), "\n")
		})
	}
}

// Rule 14: a whole URL where a pattern is to stand is a likely mistake.
func TestNoMessageShowsAPassword(t *testing.T) {
	for _, pattern := range []string{
		"https://user:hunter2@api.example.com/files",
		"GET https://user:hunter2@api.example.com/files",
		"user:hunter2@api.example.com/files",
		"GET user:hunter2@api.example.com/files",
		"GET //user:hunter2@api.example.com/files",
		"//user:hunter2@api.example.com/files",
		"/user:hunter2@api.example.com/../files",
		"https://user:hunter2@api.example.com",
		"https://user: hunter2@api.example.com/files",
		"https://user:hunter2{@api.example.com/files",
		"https://user:/{hunter2}@api.example.com/files",
		"//user:/{hunter2!}/@api.example.com/files",
		"user:hunter2 /@api.example.com/files",
		"hunter2 /user:@api.example.com/files",
		"/:hunter2@api.example.com/files",
		"/x/user:{hunter2...}@api.example.com/files",
	} {
		_, err := route.ParsePattern(pattern)
		require.Error(t, err, pattern)
		assert.NotContains(t, strings.ToLower(err.Error()), "hunter2", pattern)
		_, errs := route.New(routesOf(pattern), nil)
		require.Len(t, errs, 1, pattern)
		assert.NotContains(t, strings.ToLower(errs[0].Error()), "hunter2", pattern)
		assert.Contains(t, errs[0].Error(), "REDACTED@api.example.com", "enough to know it by")
	}
	// These are patterns, and only their conflict goes wrong.
	for p, q := range map[string]string{
		"/user:hunter2@api.example.com/{x}": "/{x}/files",
		"/{x}/user:hunter2@api.example.com": "/files/{x}",
		"/user:hunter2@api.example.com/{y}": "/user:hunter2@api.example.com/{z}",
	} {
		_, errs := route.New([]route.Route{{p, "mandatory"}, {q, "optional"}}, nil)
		require.Len(t, errs, 1)
		assert.NotContains(t, errs[0].Error(), "hunter2")
		assert.Contains(t, errs[0].Error(), `"REDACTED@api.example.com`)
	}
}

// rewritten returns a pattern with other names and all its texts escaped.
func rewritten(pattern string) string {
	method, path := "", pattern
	if space := strings.IndexAny(pattern, " \t"); space >= 0 && space < strings.Index(pattern, "/") {
		method, path = pattern[:space]+" ", strings.TrimLeft(pattern[space:], " \t")
	}
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		var b strings.Builder
		for segment != "" {
			text, _, _ := strings.Cut(segment, "{")
			segment = segment[len(text):]
			if decoded, err := url.PathUnescape(text); err == nil {
				text = decoded
			}
			for _, c := range []byte(text) {
				fmt.Fprintf(&b, "%%%02X", c)
			}
			if segment != "" {
				name, after, _ := strings.Cut(segment[1:], "}")
				segment = after
				switch {
				case name == "$":
				case strings.HasSuffix(name, "..."):
					name = "other..."
				default:
					name = "other"
				}
				b.WriteString("{" + name + "}")
			}
		}
		segments[i] = b.String()
	}
	return method + strings.Join(segments, "/")
}

// Rule 13, and nothing panics on input.
func FuzzParsePattern(f *testing.F) {
	for _, pattern := range goodPatterns {
		f.Add(pattern)
	}
	for _, c := range badPatterns {
		f.Add(c.pattern)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := route.ParsePattern(text)
		if err != nil {
			require.Contains(t, err.Error(), "malformed")
			return
		}
		require.Equal(t, text, p.String())
		again, err := route.ParsePattern(rewritten(text))
		require.NoError(t, err, rewritten(text))
		require.Equal(t, route.Equivalent, p.Compare(again), rewritten(text))

		// It matches its own path, with a value for each wildcard.
		method, path := "GET", strings.ReplaceAll(rewritten(text), "{$}", "")
		if before, after, found := strings.Cut(path, " "); found {
			path = after
			if before != "" {
				method = before
			}
		}
		path = strings.NewReplacer("{other}", "x", "{other...}", "x").Replace(path)
		_, found := newTable(t, text).Match(method, path)
		require.Equal(t, method != "CONNECT", found, "%s %s", method, path)
	})
}
