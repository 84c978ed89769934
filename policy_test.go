package routeauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"example.com/routeauth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// outOfScope is the treatment of a request that gets no credential. That of the
// others is their Requirement.
const outOfScope = "out of scope"

// treatment sends req through a Transport with policy and says what it got. The
// policy's own answer must be the same, and the base must get the caller's URL.
func treatment(t testing.TB, policy *routeauth.Policy, req *http.Request) string {
	t.Helper()
	source := routeauth.TokenSourceFunc(func(context.Context, routeauth.Params) (string, error) { return "jwt", nil })
	b := new(base)
	transport, err := routeauth.New(policy, routeauth.JWTAuth{SubscriptionID: "subscription", Source: source}, b)
	require.NoError(t, err)
	resp, err := transport.RoundTrip(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())

	got := b.only(t)
	require.Same(t, req.URL, got.URL, "the URL is sent as it is")
	treated := outOfScope
	switch {
	case got.Header.Get("Authorization") == "Bearer jwt":
		treated = "mandatory"
	case got.Header.Get("X-User-Id") == "subscription":
		treated = "optional"
	default:
		require.Same(t, req, got.Request, "what is out of scope is the caller's own request")
	}
	requirement, inScope := policy.Requirement(req)
	if inScope {
		require.Equal(t, treated, requirement.String())
	} else {
		require.Equal(t, outOfScope, treated)
		require.Equal(t, routeauth.Mandatory, requirement)
	}
	return treated
}

func newPolicy(t testing.TB, baseURL string, routes routeauth.Routes, opts ...routeauth.PolicyOption) *routeauth.Policy {
	t.Helper()
	policy, err := routeauth.NewPolicy(baseURL, routes, opts...)
	require.NoError(t, err)
	return policy
}

// everything makes each path in scope optional, so that "mandatory" needs a
// reason. It has one path without a wildcard, which takes a shorter way.
var everything = routeauth.Routes{"/": routeauth.Optional, "/files": routeauth.Optional}

func TestRequirementsHaveNames(t *testing.T) {
	assert.Equal(t, "mandatory", routeauth.Mandatory.String())
	assert.Equal(t, "optional", routeauth.Optional.String())
	assert.Equal(t, "Requirement(7)", routeauth.Requirement(7).String())
	assert.Equal(t, "optional", fmt.Sprint(routeauth.Optional))
}

// Rule 13: what nobody has said anything about demands the credential.
func TestTheZeroRequirementIsMandatory(t *testing.T) {
	var zero routeauth.Requirement
	assert.Equal(t, routeauth.Mandatory, zero)
}

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
				require.Equal(t, hasEncodedDots(wirePath(req.URL)), requirement == routeauth.Mandatory, path)
			}
			for _, part := range []string{"/", "a", ".", "..", "%2e", "%2F", `\`, ";", "%25"} {
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

// Rule 13.
func TestARequestTakesTheRequirementOfItsMostSpecificPattern(t *testing.T) {
	const m, o = routeauth.Mandatory, routeauth.Optional
	for _, c := range []struct {
		routes       routeauth.Routes
		method, path string
		want         string
	}{
		// What matches nothing is mandatory.
		{nil, "GET", "/files", "mandatory"},
		{routeauth.Routes{}, "GET", "/files", "mandatory"},
		{routeauth.Routes{"/files": o}, "GET", "/other", "mandatory"},
		{routeauth.Routes{"/files": o}, "GET", "/files/1", "mandatory"},
		{routeauth.Routes{"/files": o}, "GET", "/Files", "mandatory"},
		{routeauth.Routes{"/files": o}, "GET", "", "mandatory"},
		{routeauth.Routes{"POST /files": o}, "GET", "/files", "mandatory"},
		{routeauth.Routes{"GET /files": o}, "get", "/files", "mandatory"},
		{routeauth.Routes{"GET /{id}": o}, "POST", "/files", "mandatory"},
		// Methods.
		{routeauth.Routes{"/files": o}, "DELETE", "/files", "optional"},
		{routeauth.Routes{"/files": o}, "get", "/files", "optional"},
		{routeauth.Routes{"POST /files": o}, "POST", "/files", "optional"},
		{routeauth.Routes{"GET /files": o}, "", "/files", "optional"},
		{routeauth.Routes{"GET /{id}": o}, "", "/files", "optional"},
		{routeauth.Routes{"HEAD /files": o}, "", "/files", "mandatory"},
		{routeauth.Routes{"GET /files": o, "/files": m}, "", "/files", "optional"},
		{routeauth.Routes{"GET /{id}": o, "/{id}": m}, "", "/files", "optional"},
		{routeauth.Routes{"POST /files": m, "/files": o}, "POST", "/files", "mandatory"},
		{routeauth.Routes{"POST /files": m, "/files": o}, "PUT", "/files", "optional"},
		{routeauth.Routes{"POST /files": o, "/files": m}, "POST", "/files", "optional"},
		{routeauth.Routes{"BREW /files": o}, "BREW", "/files", "optional"},
		{routeauth.Routes{"GET \t /files": o}, "GET", "/files", "optional"},
		{routeauth.Routes{" /files": o}, "GET", "/files", "optional"},
		{routeauth.Routes{" /{id}": o}, "GET", "/files", "optional"},
		{routeauth.Routes{" /a b": o}, "GET", "/a b", "optional"}, // no method, and a space in the path
		{routeauth.Routes{" / ": o, "GET /x\ty": m}, "GET", "/ ", "optional"},
		// GET also matches HEAD.
		{routeauth.Routes{"GET /files": o}, "HEAD", "/files", "optional"},
		{routeauth.Routes{"GET /{id}": o}, "HEAD", "/files", "optional"},
		{routeauth.Routes{"GET /files": m, "/files": o}, "HEAD", "/files", "mandatory"},
		{routeauth.Routes{"HEAD /files": o, "GET /files": m}, "HEAD", "/files", "optional"},
		{routeauth.Routes{"HEAD /files": o, "GET /files": m}, "GET", "/files", "mandatory"},
		{routeauth.Routes{"HEAD /files": o}, "GET", "/files", "mandatory"},
		{routeauth.Routes{"HEAD /files": o}, "HEAD", "/files", "optional"},
		{routeauth.Routes{"POST /files": o}, "HEAD", "/files", "mandatory"},
		// CONNECT is mandatory, whatever the routes say.
		{routeauth.Routes{"/files": o}, "CONNECT", "/files", "mandatory"},
		{routeauth.Routes{"CONNECT /files": o}, "CONNECT", "/files", "mandatory"},
		{routeauth.Routes{"CONNECT /{id}": o}, "CONNECT", "/files", "mandatory"},
		{routeauth.Routes{"/": o}, "CONNECT", "/files", "mandatory"},
		{routeauth.Routes{"/": o}, "CONNECT", "//files", "mandatory"},
		// Precedence.
		{routeauth.Routes{"/files/{id}": o, "/files/new": m}, "GET", "/files/new", "mandatory"},
		{routeauth.Routes{"/files/{id}": o, "/files/new": m}, "GET", "/files/old", "optional"},
		{routeauth.Routes{"/files/{id}": m, "/files/new": o}, "GET", "/files/new", "optional"},
		{routeauth.Routes{"/": o, "/files/": m}, "GET", "/files/1", "mandatory"},
		{routeauth.Routes{"/": o, "/files/": m}, "GET", "/other", "optional"},
		{routeauth.Routes{"/a/b/z": m, "/a/{x}/c": o}, "GET", "/a/b/c", "optional"},
		{routeauth.Routes{"/a/{rest...}": o, "/a/{x}/c": m}, "GET", "/a/b/c", "mandatory"},
		{routeauth.Routes{"/a/{rest...}": o, "/a/{x}/c": m}, "GET", "/a/b/c/d", "optional"},
		{routeauth.Routes{"/files/": m, "/files/{$}": o}, "GET", "/files/", "optional"},
		{routeauth.Routes{"/{$}": o}, "GET", "/", "optional"},
		{routeauth.Routes{"/{$}": o}, "GET", "/files", "mandatory"},
		{routeauth.Routes{"/files": o, "GET /fil%65s": m}, "GET", "/files", "mandatory"}, // the same path
		{routeauth.Routes{"/files": o, "GET /fil%65s": m}, "PUT", "/files", "optional"},
		{routeauth.Routes{"GET /files": m, "HEAD /%66iles": o}, "HEAD", "/files", "optional"},
		// Escapes.
		{routeauth.Routes{"/files": o}, "GET", "/fil%65s", "optional"},
		{routeauth.Routes{"/fil%65s": o}, "GET", "/files", "optional"},
		{routeauth.Routes{"/a/b": o}, "GET", "/a%2fb", "mandatory"},
		{routeauth.Routes{"/a%2fb": o}, "GET", "/a%2Fb", "optional"},
		{routeauth.Routes{"/a%2fb": o}, "GET", "/a/b", "mandatory"},
		{routeauth.Routes{"/a%2fb": o, "/a/b": m}, "GET", "/a/b", "mandatory"},
		{routeauth.Routes{"/{id}": o}, "GET", "/a%2fb", "optional"},
		{routeauth.Routes{"/{id}": o}, "GET", "/a/b", "mandatory"},
		{routeauth.Routes{"/café": o}, "GET", "/caf%C3%A9", "optional"},
		{routeauth.Routes{"/caf%c3%a9": o}, "GET", "/café", "optional"},
		{routeauth.Routes{"/a%20b": o}, "GET", "/a b", "optional"},
		{routeauth.Routes{"/.well-known/x": o}, "GET", "/.well-known/x", "optional"},
		{routeauth.Routes{"/users/@me": o}, "GET", "/users/@me", "optional"},
		{routeauth.Routes{"/users/@me": o}, "GET", "/users/%40me", "optional"},
		{routeauth.Routes{"/files;v=1": o}, "GET", "/files;v=1", "optional"},
		{routeauth.Routes{"/files": o}, "GET", "/files;v=1", "mandatory"},
		// /files without a route of its own takes the requirement of /files/.
		{routeauth.Routes{"/files/": o}, "GET", "/files", "optional"},
		{routeauth.Routes{"/files/": m, "/": o}, "GET", "/files", "mandatory"},
		{routeauth.Routes{"/files/": o, "/files": m}, "GET", "/files", "mandatory"},
		{routeauth.Routes{"/files/": m, "/files": o}, "GET", "/files", "optional"},
		{routeauth.Routes{"/files/": m, "/{id}": o}, "GET", "/files", "optional"},
		{routeauth.Routes{"/files/{$}": o}, "GET", "/files", "optional"},
		{routeauth.Routes{"/files/{rest...}": o}, "GET", "/files", "optional"},
		{routeauth.Routes{"/files/{id}": o}, "GET", "/files", "mandatory"},
		{routeauth.Routes{"/{dir}/": o}, "GET", "/files", "optional"},
		{routeauth.Routes{"POST /files/": o}, "GET", "/files", "mandatory"},
		{routeauth.Routes{"POST /files/": o}, "POST", "/files", "optional"},
		{routeauth.Routes{"GET /files/": o}, "", "/files", "optional"},
		{routeauth.Routes{"GET /files/": o, "POST /files": m}, "GET", "/files", "optional"},
		{routeauth.Routes{"/files": o}, "GET", "/files/", "mandatory"},
		{routeauth.Routes{"/{$}": o}, "GET", "", "optional"},
		{routeauth.Routes{"/": o}, "GET", "", "optional"},
		// A path that is not clean is matched as its clean form.
		{routeauth.Routes{"/files": o}, "GET", "//files", "optional"},
		{routeauth.Routes{"/files": o}, "GET", "/./files", "optional"},
		{routeauth.Routes{"/files": o}, "GET", "/x/../files", "optional"},
		{routeauth.Routes{"/files": o}, "GET", "/files/.", "optional"},
		{routeauth.Routes{"/files": o}, "GET", "/files/x/..", "optional"},
		{routeauth.Routes{"/files/": o}, "GET", "//files//", "optional"},
		{routeauth.Routes{"/files/": o}, "GET", "//files", "optional"},
		{routeauth.Routes{"/files": o}, "GET", "//files/", "mandatory"},
		{routeauth.Routes{"/files": o}, "", "//files", "optional"},
		{routeauth.Routes{"/files": m, "/": o}, "GET", "/x/../files", "mandatory"},
		{routeauth.Routes{"POST /files": o}, "POST", "//files", "optional"},
		{routeauth.Routes{"POST /files": o}, "GET", "//files", "mandatory"},
		{routeauth.Routes{"/a%2fb": o}, "GET", "//a%2fb", "optional"},
		{routeauth.Routes{"/{id}": o}, "GET", "//a%2fb", "optional"},
		// A path with an encoded dot segment is mandatory.
		{routeauth.Routes{"/": o}, "GET", "/x/%2e%2e/files", "mandatory"},
		{routeauth.Routes{"/{a}/{b}/{c}": o}, "GET", "/x/%2e%2e/files", "mandatory"},
		{routeauth.Routes{"/": o}, "GET", "/x/..;/files", "mandatory"},
		{routeauth.Routes{"/": o}, "GET", "/x%2f../files", "mandatory"},
		{routeauth.Routes{"/": o}, "GET", "/../v1/%2e/files", "mandatory"},
	} {
		t.Run(fmt.Sprintf("%s %s on %v", c.method, c.path, c.routes), func(t *testing.T) {
			policy := newPolicy(t, "https://api.example.com/v1", c.routes)
			u, err := url.Parse("https://api.example.com/v1" + c.path)
			require.NoError(t, err)
			assert.Equal(t, c.want, treatment(t, policy, &http.Request{Method: c.method, URL: u}))
		})
	}
}

// Rule 13, held against a real ServeMux: all pairs of these patterns, with
// either of them optional, and each method on each path.
func TestRequirementAgreesWithServeMux(t *testing.T) {
	var patterns []string
	for _, method := range []string{"", "GET ", "HEAD ", "POST ", "CONNECT "} {
		for _, path := range []string{"/files", "/fil%65s", "/files/", "/{id}", "/files/{$}", "/"} {
			patterns = append(patterns, method+path)
		}
	}
	methods := []string{"", "GET", "HEAD", "POST", "DELETE", "CONNECT"}
	paths := []string{"/files", "/fil%65s", "/files/", "/other", "/files/x", "//files", "/files//", ""}
	accepted := 0
	for _, optional := range patterns {
		for _, mandatory := range patterns {
			routes := routeauth.Routes{mandatory: routeauth.Mandatory, optional: routeauth.Optional}
			policy, err := routeauth.NewPolicy("https://api.example.com/v1", routes)
			if err != nil {
				continue
			}
			accepted++
			model := apiModel{scheme: "https", host: "api.example.com", prefix: "/v1", routes: routes}
			for _, method := range methods {
				for _, path := range paths {
					u := &url.URL{Scheme: "https", Host: "api.example.com", Path: "/v1" + path}
					if path == "/fil%65s" {
						u.Path, u.RawPath = "/v1/files", "/v1/fil%65s"
					}
					got, inScope := policy.Requirement(&http.Request{Method: method, URL: u})
					require.True(t, inScope)
					require.Equal(t, model.requirement(t, method, u), got, "%s %s on %v", method, path, routes)
				}
			}
		}
	}
	assert.Greater(t, accepted, 500, "pairs of patterns without a conflict")
}

// Rule 13: a path that is not clean is matched as its clean form, and sent as it
// is. A server may tell /v1//files and /v1/files apart.
func TestAPathThatIsNotCleanIsSentAsItIs(t *testing.T) {
	policy := newPolicy(t, "https://api.example.com/v1", routeauth.Routes{"GET /files/{id}": routeauth.Optional, "/dir/": routeauth.Optional})
	for _, url := range []string{
		"https://api.example.com/v1//files/./1?a=%2F&b#c",
		"https://user@API.example.com:443/v1/x/../files/1",
		"https://api.example.com/v1/dir",
		"https://api.example.com/v1/files/a%2fb",
	} {
		req := newRequest(t, http.MethodGet, url, "")
		before := *req.URL
		require.Equal(t, "optional", treatment(t, policy, req)) // which sees that the base got req.URL
		assert.Equal(t, before, *req.URL)
		assert.Equal(t, before.String(), req.URL.String())
	}
}

// Rule 13: many routes behave as few do.
func TestEachOfManyRoutesIsFound(t *testing.T) {
	routes := routeauth.Routes{}
	for i := range 2000 {
		routes[fmt.Sprintf("GET /static/%d", i)] = routeauth.Requirement(i % 2)
		routes[fmt.Sprintf("POST /wild/%d/{id}", i)] = routeauth.Requirement(i % 2)
	}
	policy := newPolicy(t, "https://api.example.com/v1", routes)
	for i := range 2000 {
		for _, c := range []struct{ method, path string }{{"GET", "/static/%d"}, {"POST", "/wild/%d/x"}} {
			req := newRequest(t, c.method, "https://api.example.com/v1"+fmt.Sprintf(c.path, i), "")
			got, inScope := policy.Requirement(req)
			require.True(t, inScope)
			require.Equal(t, routeauth.Requirement(i%2), got, req.URL.Path)
		}
	}
}

func TestLaterChangesOfTheRoutesHaveNoEffect(t *testing.T) {
	routes := routeauth.Routes{"/files": routeauth.Optional, "/files/{id}": routeauth.Optional}
	policy := newPolicy(t, "https://api.example.com/v1", routes)
	routes["/files"] = routeauth.Mandatory
	routes["/more"] = routeauth.Optional
	delete(routes, "/files/{id}")

	for path, want := range map[string]string{"/files": "optional", "/files/1": "optional", "/more": "mandatory"} {
		assert.Equal(t, want, treatment(t, policy, newRequest(t, http.MethodGet, "https://api.example.com/v1"+path, "")), path)
	}
	assert.Equal(t, routeauth.Routes{"/files": routeauth.Mandatory, "/more": routeauth.Optional}, routes, "NewPolicy changes nothing")
}

func TestAPolicyThatWasNotMadeCoversNothing(t *testing.T) {
	req := newRequest(t, http.MethodGet, "https://api.example.com/v1/files", "")
	for name, policy := range map[string]*routeauth.Policy{"nil": nil, "zero": new(routeauth.Policy)} {
		t.Run(name, func(t *testing.T) {
			for _, req := range []*http.Request{req, nil, {}, {URL: &url.URL{}}} {
				requirement, inScope := policy.Requirement(req)
				assert.Equal(t, routeauth.Mandatory, requirement)
				assert.False(t, inScope)
			}
		})
	}
}

func TestARequestWithoutURLIsOutOfScope(t *testing.T) {
	policy := newPolicy(t, "https://api.example.com", everything)
	for name, req := range map[string]*http.Request{
		"nil":       nil,
		"no URL":    {Method: http.MethodGet, Host: "api.example.com"},
		"empty URL": {URL: &url.URL{}},
	} {
		t.Run(name, func(t *testing.T) {
			requirement, inScope := policy.Requirement(req)
			assert.Equal(t, routeauth.Mandatory, requirement)
			assert.False(t, inScope)
		})
	}
}

func TestRequirementChangesNothing(t *testing.T) {
	policy := newPolicy(t, "https://api.example.com/v1", routeauth.Routes{"GET /files/": routeauth.Optional})
	req := newRequest(t, http.MethodPost, "https://API.example.com:443/v1//files?q#f", "body")
	before, beforeURL := *req, *req.URL
	_, _ = policy.Requirement(req)
	assert.Equal(t, beforeURL, *req.URL)
	before.GetBody, req.GetBody = nil, nil // functions cannot be compared
	assert.Equal(t, before, *req)
}

// Rule 8, for the policy that all requests share.
func TestAPolicyIsSafeForConcurrentUse(t *testing.T) {
	policy := newPolicy(t, "https://api.example.com/v1", routeauth.Routes{"/files": routeauth.Optional, "/files/{id}": routeauth.Optional})
	req := newRequest(t, http.MethodGet, "https://api.example.com/v1//files/1", "")
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 100 {
				requirement, inScope := policy.Requirement(req)
				assert.True(t, inScope)
				assert.Equal(t, routeauth.Optional, requirement)
			}
		})
	}
	group.Wait()
}

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
