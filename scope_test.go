package routeauth_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"example.com/routeauth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// scopeCases are requests to the base URL https://api.example.com/v1. Those of
// which the path matters are in pathCases.
var scopeCases = []struct {
	url     string
	inScope bool
}{
	{"https://api.example.com/v1/files", true},
	{"https://api.example.com/v1/files?q=/../..", true},
	{"https://api.example.com/v1/files#/../..", true},
	// The scheme.
	{"http://api.example.com/v1/files", false},
	{"ftp://api.example.com/v1/files", false},
	{"HTTPS://api.example.com/v1/files", true}, // url.Parse makes it lower case
	// The port: the default and the empty one equal none.
	{"https://api.example.com:443/v1/files", true},
	{"https://api.example.com:/v1/files", true},
	{"https://api.example.com:80/v1/files", false},
	{"https://api.example.com:8443/v1/files", false},
	{"https://api.example.com:0443/v1/files", false},
	{"https://api.example.com:4430/v1/files", false},
	{"https://api.example.com:0/v1/files", false},
	// The host: the case of ASCII letters does not matter, all else does.
	{"https://API.Example.COM/v1/files", true},
	{"https://API.Example.COM:443/v1/files", true},
	{"https://api.example.com./v1/files", false},
	{"https://api.example.co/v1/files", false},
	{"https://api.example.comm/v1/files", false},
	{"https://example.com/v1/files", false},
	{"https://evil.api.example.com/v1/files", false},
	{"https://api.example.com.evil.example/v1/files", false},
	{"https://evilapi.example.com/v1/files", false},
	{"https://xn--pi-wia.example.com/v1/files", false},
	{"https://àpi.example.com/v1/files", false},
	{"https://api.example.com%E2%80%8B/v1/files", false}, // a space of no width
	{"https://api.exampleｃ.com/v1/files", false},
	{"https://[::1]/v1/files", false},
	{"https:///v1/files", false},
	{"https:/v1/files", false},
	// User info is no part of the host.
	{"https://user:password@api.example.com/v1/files", true},
	{"https://api.example.com@evil.example/v1/files", false},
	{"https://api.example.com:443@evil.example/v1/files", false},
	{`https://evil.example/https://api.example.com/v1/files`, false},
	// An opaque URL has no host, or another than it seems.
	{"https:api.example.com/v1/files", false},
	{"/v1/files", false},
	{"", false},
}

// Rule 9.
func TestTheScopeIsSchemeHostPortAndPrefix(t *testing.T) {
	policy := newPolicy(t, "https://api.example.com/v1", everything)
	for _, c := range scopeCases {
		t.Run(c.url, func(t *testing.T) {
			want := outOfScope
			if c.inScope {
				want = "optional"
			}
			assert.Equal(t, want, treatment(t, policy, newRequest(t, http.MethodGet, c.url, "")))
		})
	}
}

// Rule 9: the base URL may itself have a default port, letters in upper case, a
// trailing slash or no path.
func TestTheSpellingOfTheBaseURLDoesNotMatterEither(t *testing.T) {
	for _, c := range []struct {
		baseURL, url string
		inScope      bool
	}{
		{"https://api.example.com:443/v1", "https://api.example.com/v1/x", true},
		{"https://api.example.com:443/v1", "https://api.example.com:/v1/x", true},
		{"https://api.example.com:/v1", "https://api.example.com/v1/x", true},
		{"https://api.example.com:/v1", "https://api.example.com:443/v1/x", true},
		{"https://api.example.com:8443/v1", "https://api.example.com:8443/v1/x", true},
		{"https://api.example.com:8443/v1", "https://api.example.com/v1/x", false},
		{"https://api.example.com:80/v1", "https://api.example.com/v1/x", false},
		{"https://API.example.com/v1", "https://api.EXAMPLE.com/v1/x", true},
		{"HTTPS://api.example.com/v1", "https://api.example.com/v1/x", true},
		{"https://kelvin.example/v1", "https://\u212aelvin.example/v1/x", false}, // the Kelvin sign
		{"https://kelvin.example/v1", "https://KELVIN.example/v1/x", true},
		{"https://\u212aelvin.example/v1", "https://kelvin.example/v1/x", false},
		{"https://straße.example/v1", "https://STRASSE.example/v1/x", false},
		{"https://bücher.example/v1", "https://xn--bcher-kva.example/v1/x", false}, // compared as text
		{"https://bücher.example/v1", "https://BüCHER.example/v1/x", true},
		{"https://bücher.example/v1", "https://BÜCHER.example/v1/x", false},
		{"https://api.example.com./v1", "https://api.example.com./v1/x", true},
		{"https://api.example.com./v1", "https://api.example.com/v1/x", false},
		{"https://[2001:db8::1]/v1", "https://[2001:db8::1]:443/v1/x", true},
		{"https://[2001:DB8::1]/v1", "https://[2001:db8::1]/v1/x", true},
		{"https://[2001:db8::1]/v1", "https://[2001:db8:0::1]/v1/x", false}, // compared as text
		{"https://[2001:db8::1]/v1", "https://[2001:db8::1]:8443/v1/x", false},
		{"http://localhost:80/v1", "http://localhost/v1/x", true},
		{"http://localhost/v1", "http://localhost:80/v1/x", true},
		{"http://localhost/v1", "http://localhost:443/v1/x", false},
		{"http://localhost:443/v1", "http://localhost/v1/x", false},
		{"http://localhost/v1", "https://localhost/v1/x", false},
		{"http://localhost/v1", "https://localhost:80/v1/x", false},
		{"https://localhost/v1", "http://localhost:443/v1/x", false},
		{"https://api.example.com/v1/", "https://api.example.com/v1/x", true},
		{"https://api.example.com/v1/", "https://api.example.com/v1", true},
		{"https://api.example.com/v1/", "https://api.example.com/v10", false},
		{"https://api.example.com/a/v1", "https://api.example.com/a/v1/x", true},
		{"https://api.example.com/a/v1", "https://api.example.com/a/x", false},
		{"https://api.example.com/a/v1", "https://api.example.com/a/v1/../v2", false},
		{"https://api.example.com/a/v1", "https://api.example.com/a/v1/../../a/v1/x", true},
		{"https://api.example.com/a%20b", "https://api.example.com/a b/x", true},
		{"https://api.example.com/a%20b", "https://api.example.com/a b/x/../y", true},
		{"https://api.example.com/a%20b", "https://api.example.com/a b/..%20/y", false},
		{"https://api.example.com/caf%C3%A9", "https://api.example.com/café/x", true},
		{"https://api.example.com/caf%C3%A9", "https://api.example.com/caf%c3%a9/x", false}, // compared as text
		{"https://api.example.com/v%31", "https://api.example.com/v%31/x", true},
		{"https://api.example.com/v%31", "https://api.example.com/v1/x", false},
		{"https://api.example.com/100%25", "https://api.example.com/100%25/x", true},
		{"https://api.example.com", "https://api.example.com", true},
		{"https://api.example.com", "https://api.example.com/", true},
		{"https://api.example.com/", "https://api.example.com", true},
		{"https://api.example.com/", "https://api.example.com/x", true},
		{"https://api.example.com", "https://api.example.com?q=1", true},
		{"https://api.example.com", "https://api.example.com/../x", true},
		{"https://api.example.com", "https://api.example.com//x", true},
		{"https://api.example.com", "https://api.example.com/%252e", false},
	} {
		t.Run(c.baseURL+" has "+c.url, func(t *testing.T) {
			policy := newPolicy(t, c.baseURL, everything)
			got := treatment(t, policy, newRequest(t, http.MethodGet, c.url, ""))
			assert.Equal(t, c.inScope, got != outOfScope, got)
		})
	}
}

// Rule 9: what counts is where the request goes, not what it says it is for.
func TestTheHostFieldPlaysNoPart(t *testing.T) {
	policy := newPolicy(t, "https://api.example.com/v1", everything)

	away := newRequest(t, http.MethodGet, "https://evil.example/v1/files", "")
	away.Host = "api.example.com"
	away.Header.Set("Host", "api.example.com")
	assert.Equal(t, outOfScope, treatment(t, policy, away))

	home := newRequest(t, http.MethodGet, "https://api.example.com/v1/files", "")
	home.Host = "evil.example"
	assert.Equal(t, "optional", treatment(t, policy, home))
}

// Rules 9 and 10: a URL need not come from url.Parse.
func TestAURLMadeByHandIsJudgedByWhatIsSent(t *testing.T) {
	policy := newPolicy(t, "https://api.example.com/v1", everything)
	whole := newPolicy(t, "https://api.example.com", everything)
	for name, c := range map[string]struct {
		policy *routeauth.Policy
		url    url.URL
		want   string
	}{
		"RawPath that agrees":             {policy, url.URL{Path: "/v1/a/b", RawPath: "/v1/a%2fb"}, "optional"},
		"RawPath that is ignored":         {policy, url.URL{Path: "/v1/files", RawPath: "/v2/files"}, "optional"},
		"RawPath that only seems to be":   {policy, url.URL{Path: "/v2/files", RawPath: "/v1/files"}, outOfScope},
		"RawPath over no Path":            {policy, url.URL{RawPath: "/v1/files"}, outOfScope},
		"RawPath that hides a dot":        {policy, url.URL{Path: "/v1/../v2", RawPath: "/v1/%2e%2e/v2"}, outOfScope},
		"RawPath that is no escaped path": {policy, url.URL{Path: "/v1/../v2", RawPath: `/v1/files\`}, outOfScope},
		"Path with what looks escaped":    {policy, url.URL{Path: "/v1/%2e%2e/v2"}, outOfScope}, // is sent as %252e
		"Path with a percent sign":        {policy, url.URL{Path: "/v1/100%/x"}, "optional"},
		"Path with an invalid escape":     {policy, url.URL{Path: "/v1/%%32%65/v2"}, outOfScope}, // is %252e in the end
		"Path with a question mark":       {policy, url.URL{Path: "/v1/?/../.."}, outOfScope},
		"Path without a slash":            {policy, url.URL{Path: "v1/files"}, outOfScope},
		"Path without a slash, no prefix": {whole, url.URL{Path: "v1/files"}, outOfScope},
		"Path that ends a host":           {whole, url.URL{Path: ".evil.example/v1/files"}, outOfScope},
		"no Path":                         {policy, url.URL{}, outOfScope},
		"no Path, no prefix":              {whole, url.URL{}, "optional"},
		"asterisk":                        {whole, url.URL{Path: "*"}, outOfScope},
		"Opaque":                          {policy, url.URL{Path: "/v1/files", Opaque: "//evil.example/v1/files"}, outOfScope},
		"Opaque of the API":               {policy, url.URL{Path: "/v1/files", Opaque: "/v1/files"}, outOfScope},
		"Opaque, no prefix":               {whole, url.URL{Path: "/files", Opaque: "/files"}, outOfScope},
		"empty query":                     {policy, url.URL{Path: "/v1/files", ForceQuery: true}, "optional"},
		"Scheme in upper case":            {policy, url.URL{Scheme: "HTTPS", Path: "/v1/files"}, outOfScope},
		"Host with user info":             {policy, url.URL{Host: "user@api.example.com", Path: "/v1/files"}, outOfScope},
		"Host with two ports":             {policy, url.URL{Host: "api.example.com:443:443", Path: "/v1/files"}, outOfScope},
		"Host with two colons":            {policy, url.URL{Host: "api.example.com::443", Path: "/v1/files"}, outOfScope},
		"Host with a path":                {policy, url.URL{Host: "api.example.com/v1", Path: "/v1/files"}, outOfScope},
		"Host with a space":               {policy, url.URL{Host: "api.example.com ", Path: "/v1/files"}, outOfScope},
		"Host with a Kelvin sign":         {newPolicy(t, "https://k.example/v1", everything), url.URL{Host: "\u212a.example", Path: "/v1/files"}, outOfScope},
		"Host that is only the port":      {policy, url.URL{Host: ":443", Path: "/v1/files"}, outOfScope},
	} {
		t.Run(name, func(t *testing.T) {
			u := c.url
			if u.Scheme == "" {
				u.Scheme = "https"
			}
			if u.Host == "" {
				u.Host = "api.example.com"
			}
			assert.Equal(t, c.want, treatment(t, c.policy, &http.Request{Method: http.MethodGet, URL: &u}))
		})
	}
}

// pathCases are paths under the host of the base URL https://api.example.com/v1
// on which every route is optional. A path with an encoded dot segment is
// mandatory nevertheless (rule 13).
var pathCases = []struct{ path, want string }{
	{"/v1", "optional"},
	{"/v1/", "optional"},
	{"/v1/files", "optional"},
	{"/v1/files/", "optional"},
	{"/v1/files.json", "optional"},
	{"/v1/...", "optional"},
	{"/v1/..a", "optional"},
	{"/v1/a..", "optional"},
	{"/v1/.well-known/x", "optional"},
	// The prefix ends at a segment boundary, and is text.
	{"", outOfScope},
	{"/", outOfScope},
	{"/v", outOfScope},
	{"/v10", outOfScope},
	{"/v10/files", outOfScope},
	{"/v1.0/files", outOfScope},
	{"/v1;x/files", outOfScope},
	{"/v1%2ffiles", outOfScope},
	{"/v1%2Ffiles", outOfScope},
	{"/v1%5cfiles", outOfScope},
	{`/v1\files`, outOfScope},
	// A server that decodes a path and passes it on may end it where an escaped
	// space, ? or # stood.
	{"/v1/..%3f", outOfScope},
	{"/v1/..%3Fx", outOfScope},
	{"/v1/..%23", outOfScope},
	{"/v1/..%20", outOfScope},
	{"/v1/%2e%2E%20", outOfScope},
	{"/v1/a/..%2f..%23x/b", outOfScope},
	{"/v1/../x%3f/../v1/y", outOfScope},
	{"/v1/a/..%3fb/c", "optional"},
	{"/v1/a%3f/..%20/b", "optional"},
	{"/v1/what%3f", "optional"},
	{"/v1/a%20b%23c/..d", "optional"},
	// A regular expression may end at a line's end.
	{"/v1/..%0a", outOfScope},
	{"/v1/a%0ab", outOfScope},
	{"/v1/a%00", outOfScope},
	{"/v1/a%1F", outOfScope},
	{"/v1/a%7f", outOfScope},
	{"/v1/a%7F/b", outOfScope},
	{"/v1/a%7e%80", "optional"},
	// Some servers know an escape of four digits.
	{"/v1/%25u002e%25u002e", outOfScope},
	{"/v1/%25u2022", "optional"},
	{"/v1%00/files", outOfScope},
	{"/v1%3f/files", outOfScope},
	{"/v2/files", outOfScope},
	{"/V1/files", outOfScope},
	{"/%761/files", outOfScope},
	{"//v1/files", outOfScope},
	{"/./v1/files", outOfScope},
	{"/x/../v1/files", outOfScope},
	{"/x/v1/files", outOfScope},
	// Escapes and slashes that lead nowhere.
	{"/v1//files", "optional"},
	{"/v1/a%2fb", "optional"},
	{"/v1/a%5cb", "optional"},
	{`/v1/a\b`, "optional"},
	{"/v1/a;v=1/b", "optional"},
	{"/v1/;/b", "optional"},
	{"/v1/100%25", "optional"},
	{"/v1/%2541", "optional"},
	{"/v1/a%2eb", "optional"},
	// Dot segments as they are. ".." may go as far up as the prefix.
	{"/v1/./files", "optional"},
	{"/v1/x/../files", "optional"},
	{"/v1/x/..", "optional"},
	{"/v1/../v1/files", "optional"},
	{"/v1/..", outOfScope},
	{"/v1/../", outOfScope},
	{"/v1/../files", outOfScope},
	{"/v1/../v10/files", outOfScope},
	{"/v1/../v1%2ffiles", outOfScope},
	{"/v1/x/../../files", outOfScope},
	{"/v1/./../files", outOfScope},
	{"/v1/../../../v2", outOfScope},
	// Encoded dots.
	{"/v1/%2e/files", "mandatory"},
	{"/v1/x/%2e%2e/files", "mandatory"},
	{"/v1/x/%2E%2e/files", "mandatory"},
	{"/v1/x/.%2e/files", "mandatory"},
	{"/v1/x/%2e./files", "mandatory"},
	{"/v1/%2e%2e/files", outOfScope},
	{"/v1/%2E%2E/files", outOfScope},
	{"/v1/%2e%2E/files", outOfScope},
	{"/v1/.%2e/files", outOfScope},
	{"/v1/%2E./files", outOfScope},
	{"/v1/%2e%2e", outOfScope},
	{"/v1/%2e/../files", outOfScope}, // "%2e" may be a name or nothing
	{"/v1/x/../%2e%2e/files", outOfScope},
	// Encoded slashes.
	{"/v1/x%2f..", "mandatory"},
	{"/v1/x%2f..%2ffiles", "mandatory"},
	{"/v1/x%2F.%2Ffiles", "mandatory"},
	{"/v1/..%2ffiles", outOfScope},
	{"/v1/..%2Ffiles", outOfScope},
	{"/v1/%2f../files", outOfScope},
	{"/v1/x%2f../../files", outOfScope},
	{"/v1/%2e%2e%2ffiles", outOfScope},
	{"/v1/%2E%2e%2Ffiles", outOfScope},
	// Backslashes, encoded and not (which net/http sends encoded).
	{"/v1/x%5c..%5cfiles", "mandatory"},
	{`/v1/x\..\files`, "mandatory"},
	{"/v1/..%5cfiles", outOfScope},
	{"/v1/..%5Cfiles", outOfScope},
	{`/v1/..\files`, outOfScope},
	{`/v1\..\files`, outOfScope},
	{"/v1/%2e%2e%5Cfiles", outOfScope},
	{"/v1/%5c..%2f../files", outOfScope},
	// Parameters.
	{"/v1/.;a=1/files", "mandatory"},
	{"/v1/x/..;/files", "mandatory"},
	{"/v1/x/..%3b/files", "mandatory"}, // a proxy decodes, the server behind it cuts
	{"/v1/..%3Ba/files", outOfScope},
	{"/v1/x/..%253b/files", outOfScope},
	{"/v1/a%3bb", "optional"},
	{"/v1/..;/files", outOfScope},
	{"/v1/..;a=1;b=2/files", outOfScope},
	{"/v1/%2e%2e;a=1/files", outOfScope},
	{"/v1/..;%2f/files", outOfScope},
	{"/v1/.;/../files", outOfScope},
	// Slashes that are merged, or not.
	{"/v1//../files", outOfScope},
	{"/v1/x//../../files", outOfScope},
	{"/v1/;/../files", outOfScope},
	{"/v1/%2f/../../files", outOfScope},
	// What is encoded twice or more often.
	{"/v1/%252e%252e/files", outOfScope},
	{"/v1/x/%252e/files", outOfScope},
	{"/v1/a%252eb", outOfScope},
	{"/v1/a%252E", outOfScope},
	{"/v1/a%252fb", outOfScope},
	{"/v1/a%252Fb", outOfScope},
	{"/v1/a%255cb", outOfScope},
	{"/v1/a%255Cb", outOfScope},
	{"/v1/a%25252eb", outOfScope},
	{"/v1/a%2525252fb", outOfScope},
	{"/v1/a%25%32%65b", outOfScope},
	{"/v1/a%25%32%46b", outOfScope},
	{"/v1/a%25%35%63b", outOfScope},
	{"/v1/a%25252525252541", "optional"},                           // a letter in the end
	{"/v1/a%25" + strings.Repeat("25", 1000) + "41", outOfScope},   // nobody waits for it
	{"/v1/%25" + strings.Repeat("25", 1000) + "2e%2e", outOfScope}, // nor for this
	// Some servers see one segment where others see two, and some dot segments
	// where others see names. The worst mixture counts.
	{"/v1/a%2fb/%2e%2e/../x", outOfScope},
	{"/v1/a%2fb/../%2e%2e/x", outOfScope},
	{`/v1/a\b/%2e%2e/../x`, outOfScope},
	{"/v1/a%2fb/..;/../x", outOfScope},
	{"/v1/a%2fb/..%5c../x", outOfScope},
	{"/v1/a%2fb/../x", "optional"},
	{"/v1/a%2fb/%2e%2e/x", "mandatory"},
	// So does a server that resolves what it sees and hands the rest to one that
	// sees more.
	{"/v1/a%2fb/../..%2fx", outOfScope},
	{"/v1/a%5cb/../..%5cx", outOfScope},
	{"/v1/a%2fb/../%2e%2e%2fx", outOfScope},
	{"/v1/a%2fb%2fc/../x%2f..%2f..%2fy", outOfScope},
	{"/v1/a%2fb/../x%2f..", "mandatory"},
	// Nobody follows all readings of a path that has hundreds.
	{"/v1" + strings.Repeat("/a", 60) + "/;/..../%2e.//..%2f%5c%2e.//..//a..%2f/..;/..a%5c%5c..a%5c/..a%5c%2e.%5c//..%2f/a%2f/..%2fa%5c/../..//%2e", outOfScope},
	// Some cut parameters before they decode slashes, some after.
	{"/v1/%2f;%2fa/../x", outOfScope},
	{"/v1/a;%2f..%2f../x", outOfScope},
	{"/v1/a;%2f../x", "mandatory"},
}

// Rule 10, and rule 13 for what is in scope.
func TestAPathIsInScopeOnlyIfEveryReadingIs(t *testing.T) {
	policy := newPolicy(t, "https://api.example.com/v1", everything)
	for _, c := range pathCases {
		t.Run(c.path, func(t *testing.T) {
			assert.Equal(t, c.want, treatment(t, policy, newRequest(t, http.MethodGet, "https://api.example.com"+c.path, "")))
		})
	}
}

// Rule 10: what a path costs is bounded. Where no server sees a dot segment, it
// may be as long as it likes.
func TestALongPathWithDotSegmentsIsOutOfScope(t *testing.T) {
	policy := newPolicy(t, "https://api.example.com/v1", everything)
	for path, want := range map[string]string{
		"/v1/a/../" + strings.Repeat("b", 8<<10-9):       "optional",
		"/v1/a/../" + strings.Repeat("b", 8<<10-8):       outOfScope,
		"/v1/a%2f" + strings.Repeat("b", 1<<20):          "optional",
		"/v1/" + strings.Repeat("/x%2f..%3b%5c;/", 1000): outOfScope,
	} {
		req := newRequest(t, http.MethodGet, "https://api.example.com"+path, "")
		assert.Equal(t, want, treatment(t, policy, req), "%.40s, %d bytes", path, len(path))
	}
}

// Rules 10 and 13, held against the model: all paths of up to four parts of the
// kinds that servers read in different ways.
func TestEachShortPathIsReadAsTheModelReadsIt(t *testing.T) {
	policy := newPolicy(t, "https://api.example.com/v1", everything)
	model := apiModel{scheme: "https", host: "api.example.com", prefix: "/v1"}
	paths := []string{"/v1/"}
	for length := 0; length <= 4; length++ {
		var longer []string
		for _, path := range paths {
			req := newRequest(t, http.MethodGet, "https://api.example.com"+path, "")
			requirement, inScope := policy.Requirement(req)
			require.Equal(t, model.covers(req.URL), inScope, path)
			if inScope {
				written := wirePath(req.URL)
				require.Equal(t, hasEncodedDots(written) || hasSlashSegment(written), requirement == routeauth.Mandatory, path)
			}
			for _, part := range []string{"/", "a", ".", "..", "%2e", "%2F", `\`, ";", "%25", "%3f"} {
				longer = append(longer, path+part)
			}
		}
		paths = longer
	}
}

// Rule 9.
func TestWhatIsOutOfScopeIsSentAsItIs(t *testing.T) {
	unauthorized := answer(nil, http.StatusUnauthorized, "who are you?")
	b := &base{respond: func(*http.Request, int) (*http.Response, error) { return unauthorized, nil }}
	transport, err := routeauth.New(newPolicy(t, "https://api.example.com/v1", everything), routeauth.APIKeyAuth{APIKey: "key"}, b)
	require.NoError(t, err)
	for _, url := range []string{
		"https://evil.example/v1/files",
		"http://api.example.com/v1/files",
		"https://api.example.com/v2/files",
		"https://api.example.com/v1/..%2fv2",
	} {
		req := newRequest(t, http.MethodPost, url, "body")
		req.Header.Set("X-Api-Key", "the caller's own")
		header := req.Header.Clone()
		resp, err := transport.RoundTrip(req)

		require.NoError(t, err, "a 401 that rejects nothing of ours is no error")
		assert.Same(t, unauthorized, resp)
		got := b.sent()[len(b.sent())-1]
		assert.Same(t, req, got.Request)
		assert.Equal(t, header, got.Header)
		assert.Equal(t, "body", got.Body)
	}
}

// Rule 12.
func TestPlaintextIsForLoopbackAlone(t *testing.T) {
	for baseURL, loopback := range map[string]bool{
		"http://localhost":                    true,
		"http://LOCALHOST:8080/v1":            true,
		"http://127.0.0.1:8080/v1":            true,
		"http://127.8.9.10/v1":                true,
		"http://[::1]:8080/v1":                true,
		"http://[::ffff:127.0.0.1]/v1":        true,
		"http://api.example.com/v1":           false,
		"HTTP://api.example.com/v1":           false,
		"http://localhost.example.com/v1":     false,
		"http://localhost.:8080/v1":           false,
		"http://127.0.0.1.example.com/v1":     false,
		"http://0.0.0.0/v1":                   false,
		"http://10.0.0.1/v1":                  false,
		"http://[::]/v1":                      false,
		"http://[fe80::1]/v1":                 false,
		"http://128.0.0.1/v1":                 false,
		"http://2130706433/v1":                false,
		"http://api.example.com:443/v1":       false,
		"http://xn--lcalhost-g1a.example/v1":  false,
		"http://localho\u017ft/v1":            false, // a long s
		"http://127.0.0.1%E3%80%82evil.de/v1": false,
	} {
		t.Run(baseURL, func(t *testing.T) {
			policy, err := routeauth.NewPolicy(baseURL, nil)
			if loopback {
				require.NoError(t, err)
			} else {
				requireMistakes(t, err, "plaintext")
				require.Nil(t, policy)
			}

			policy, err = routeauth.NewPolicy(baseURL, nil, routeauth.AllowPlaintext())
			require.NoError(t, err)
			assert.Equal(t, "mandatory", treatment(t, policy, newRequest(t, http.MethodGet, baseURL, "")))
		})
	}
}

// Rule 12: the permission concerns http:// alone, and opens nothing else.
func TestAllowPlaintextDoesNotWidenTheScope(t *testing.T) {
	secure := newPolicy(t, "https://api.example.com/v1", everything, routeauth.AllowPlaintext())
	assert.Equal(t, outOfScope, treatment(t, secure, newRequest(t, http.MethodGet, "http://api.example.com/v1/x", "")))
	plain := newPolicy(t, "http://api.example.com/v1", everything, routeauth.AllowPlaintext())
	assert.Equal(t, outOfScope, treatment(t, plain, newRequest(t, http.MethodGet, "https://api.example.com/v1/x", "")))
	assert.Equal(t, "optional", treatment(t, plain, newRequest(t, http.MethodGet, "http://api.example.com:80/v1/x", "")))

	_, err := routeauth.NewPolicy("ftp://api.example.com/v1", nil, routeauth.AllowPlaintext())
	requireMistakes(t, err, "neither https nor http")
}

// hasSlashSegment reports whether a segment is an escaped slash alone.
func hasSlashSegment(written string) bool {
	return slices.Contains(strings.Split(strings.ToLower(written), "/"), "%2f")
}
