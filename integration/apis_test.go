package integration_test

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"example.com/routeauth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// publicAPI is what an API's own OpenAPI document says of its operations.
type publicAPI struct {
	ID      string `json:"id"`
	Servers []struct {
		URL  string            `json:"url"`
		Vars map[string]string `json:"vars"`
	} `json:"servers"`
	Operations []operation `json:"ops"`
}

type operation struct {
	Method   string              `json:"m"`
	Path     string              `json:"p"`
	Security [][]json.RawMessage `json:"sec"` // the alternatives, each of schemes that go together
}

// readAPIs reads testdata/apis.jsonl.gz: the operations of 101 public APIs, and
// two files without any.
func readAPIs(t *testing.T) (apis []publicAPI) {
	file, err := os.Open("testdata/apis.jsonl.gz")
	require.NoError(t, err)
	defer file.Close()
	unpacked, err := gzip.NewReader(file)
	require.NoError(t, err)
	for decoder := json.NewDecoder(unpacked); ; {
		var api publicAPI
		err := decoder.Decode(&api)
		if errors.Is(err, io.EOF) {
			return apis
		}
		require.NoError(t, err)
		if len(api.Operations) > 0 {
			apis = append(apis, api)
		}
	}
}

// baseURL is the document's first server, on a host of ours where it names none.
func (a publicAPI) baseURL(t *testing.T) string {
	baseURL := ""
	if len(a.Servers) > 0 {
		baseURL = a.Servers[0].URL
		for name, value := range a.Servers[0].Vars {
			baseURL = strings.ReplaceAll(baseURL, "{"+name+"}", value)
		}
	}
	u, err := url.Parse(baseURL)
	require.NoError(t, err, a.ID)
	if u.Scheme == "" {
		u.Scheme, u.Host = "https", "api.example.com"
	}
	if u.Hostname() != "localhost" {
		u.Scheme = "https"
	}
	return u.String()
}

// routes is the table of all operations. Of two that come to the same pattern
// the stricter requirement counts.
func (a publicAPI) routes() routeauth.Routes {
	routes := make(routeauth.Routes, len(a.Operations))
	for _, o := range a.Operations {
		pattern := o.pattern()
		if known, found := routes[pattern]; !found || o.requirement() < known {
			routes[pattern] = o.requirement()
		}
	}
	for _, pattern := range raised[a.ID] {
		routes[pattern] = routeauth.Mandatory
	}
	return routes
}

// raised are the operations of an API that are optional by its document and are
// asked for more here, since they overlap with one that is mandatory:
// /guilds/templates/bans may be a template or the bans of a guild, and with the
// template its neighbours must be raised too.
var raised = map[string][]string{
	"discord": {"GET /guilds/templates/{code}", "GET /guilds/{guild_id}/widget.json", "GET /guilds/{guild_id}/widget.png"},
}

// requirement reads a security requirement: none makes an operation public, and
// an empty one among the alternatives makes it optional.
func (o operation) requirement() routeauth.Requirement {
	switch {
	case len(o.Security) == 0:
		return routeauth.Public
	case slices.ContainsFunc(o.Security, func(schemes []json.RawMessage) bool { return len(schemes) == 0 }):
		return routeauth.Optional
	}
	return routeauth.Mandatory
}

// sentPath is the part of the path that goes on the wire: some documents tell
// operations apart by a query or a fragment.
func (o operation) sentPath() string {
	i := strings.IndexAny(wildcard.ReplaceAllStringFunc(o.Path, func(w string) string { return strings.Repeat("x", len(w)) }), "?#")
	if i < 0 {
		return o.Path
	}
	return o.Path[:i]
}

var wildcard = regexp.MustCompile(`\{[^{}/]*\}`)

// pattern is the operation as a route: a last slash is no subtree in OpenAPI, and
// a colon no wildcard.
func (o operation) pattern() string {
	path := strings.ReplaceAll(o.sentPath(), "/:", "/%3A")
	if strings.HasSuffix(path, "/") {
		path += "{$}"
	}
	return o.Method + " " + path
}

// values are what callers put into paths.
var values = []string{
	"17", "-1", "3.14", "1e9", "true", "null", "me", "new", "a", "A_b-c~d", "v1.2.3", "file.json", "README.md", ".env", "..hidden", "...", "a..b", "a.",
	"66ec1726e728c1405e5ebca2", "9f1b5e0a-6d3c-4d57-9a43-0b0d7e5f1a2b", "2026-11-27T11:03:37Z", "2026-11-27T11:03:37+01:00",
	"user@example.com", "user+tag@example.com", "+4930123456", "@me", "$ref", "#channel", "a:b", ":id", "urn:uuid:1", "arn:aws:s3:::bucket/key", "*", "a*b",
	"{id}", "{", "}", "[0]", "a[]=1", "(a)", "a,b", "a;b=c", ";", "a=b&c=d", "a!", "it's", `"quoted"`, "<tag>", "a|b", "a^b", "`a`", `C:\dir`, `\`,
	" ", "a b", " a ", "100%", "%", "%41", "%2F", "a%2Fb", "%252F", "%00", "?", "a?b", "a?b=c#d",
	"/", "//", "a/b", "/a/b/", "main/feature/x", "https://example.com", "https://example.com/a/b?c=d&e=%2F#f", "https%3A%2F%2Fexample.com%2Fa",
	"café", "日本語", "🙂", "é", "\u202e", "\u200b", "\xff", "\x00", "a\x00b", "a\nb", "a\r\nb", "\t", "\x1b[0m", "\x7f",
	strings.Repeat("a", 300), "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0=",
}

// dotSegments are values that some server takes for a way out, if they are not
// written into a segment that begins or ends with something else.
var dotSegments = []string{
	".", "..", "a/..", "../a", "a/../b", "./a", `..\a`, "..;a", "..?a", "..#a", ".. ", "..\x00", "%2e%2e", "%252e", "a%2f..%2fb", "%u002e", "\xc0\xae", "．．",
}

// spellings are how callers write a value into a path.
var spellings = []func(value string) string{
	url.PathEscape,
	func(value string) string { return escapeAll(value, isUnreserved, "0123456789abcdef") },
	func(value string) string { return escapeAll(value, isAlphanumeric, "0123456789ABCDEF") },
	func(value string) string {
		return escapeAll(value, func(byte) bool { return false }, "0123456789ABCDEF")
	},
}

func escapeAll(value string, isSafe func(byte) bool, digits string) string {
	var escaped strings.Builder
	for _, c := range []byte(value) {
		if isSafe(c) {
			escaped.WriteByte(c)
		} else {
			escaped.Write([]byte{'%', digits[c>>4], digits[c&0xf]})
		}
	}
	return escaped.String()
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

func isUnreserved(c byte) bool { return isAlphanumeric(c) || strings.IndexByte("-._~", c) >= 0 }

// Rules 10, 13 and 14, on 101 public APIs: all of an API's operations are one
// policy, and each operation's own URLs find it, whatever the values in them.
// Only a dot segment is refused. Each value comes in all spellings, but not for
// each operation.
func TestEachOperationOf101APIsIsFoundByItsURLs(t *testing.T) {
	t.Parallel()
	apis := readAPIs(t)
	require.Len(t, apis, 101)
	operations, urls, refused, wrong := 0, 0, 0, 0
	for _, api := range apis {
		baseURL, routes := api.baseURL(t), api.routes()
		policy, err := routeauth.NewPolicy(baseURL, routes)
		if err != nil {
			t.Errorf("%s: %v", api.ID, err)
			continue
		}
		transport, err := routeauth.New(policy, apiKeyAuth, unreachable{})
		require.NoError(t, err)
		segments := api.segments()
		for _, o := range api.Operations {
			operations++
			pattern, pieces := o.pattern(), wildcard.Split(strings.TrimSuffix(baseURL, "/")+o.sentPath(), -1)
			check := func(value string, want routeauth.Verdict) {
				urls++
				u, err := url.Parse(strings.Join(pieces, value))
				if err != nil {
					t.Fatal(err)
				}
				req := &http.Request{Method: o.Method, URL: u}
				match := policy.Match(req)
				switch {
				case match.Verdict == want && want == routeauth.Refused && isRefused(transport, req):
					refused++
				case match.Verdict == want && match.Requirement == routes[pattern] && isSame(match.Pattern, pattern):
				default:
					if wrong++; wrong < 20 {
						t.Errorf("%s: %s %s is %+v", api.ID, pattern, u, match)
					}
				}
			}
			if len(pieces) == 1 {
				check("", routeauth.InScope)
				continue
			}
			for i, value := range values {
				if !segments[value] {
					check(spellings[(operations+i)%len(spellings)](value), routeauth.InScope)
				}
			}
			if whole.MatchString(o.Path) {
				for i, value := range dotSegments {
					check(spellings[(operations+i)%len(spellings)](value), routeauth.Refused)
				}
			}
		}
	}
	t.Logf("%d APIs, %d operations, %d URLs: %d refused, %d wrong", len(apis), operations, urls, refused, wrong)
	assert.Zero(t, wrong)
}

// isRefused reports whether transport refuses to send req.
func isRefused(transport *routeauth.Transport, req *http.Request) bool {
	_, err := transport.RoundTrip(req)
	var credentialErr *routeauth.CredentialError
	return errors.As(err, &credentialErr) && errors.Is(err, routeauth.ErrRefusedPath)
}

// unreachable is a base that gets no request.
type unreachable struct{}

func (unreachable) RoundTrip(req *http.Request) (*http.Response, error) {
	return nil, errors.New("it was sent")
}

// whole is a segment that is one wildcard and nothing else.
var whole = regexp.MustCompile(`/\{[^{}/]*\}(/|$)`)

// isSame reports whether two patterns are the same but for the names in them:
// some documents have an operation for each kind of value.
func isSame(a, b string) bool {
	return a == b || wildcard.ReplaceAllLiteralString(a, "{}") == wildcard.ReplaceAllLiteralString(b, "{}")
}

// segments are those of all paths, with the words that mean one operation where
// another has a wildcard, as in /users/me beside /users/{id}.
func (a publicAPI) segments() map[string]bool {
	segments := make(map[string]bool)
	for _, o := range a.Operations {
		for segment := range strings.SplitSeq(o.sentPath(), "/") {
			segments[segment] = true
		}
	}
	return segments
}
