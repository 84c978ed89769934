package routeauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
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
	{"https://api.example.com/v1/files?q=/../..", true}, // a server's path ends there, too
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
	// An opaque URL has no host.
	{"https:api.example.com/v1/files", false},
	{"/v1/files", false},
	{"", false},
}

// Rule 9.
func TestTheScopeIsSchemeHostPortAndPrefix(t *testing.T) {
	policy := newPolicy(t, "https://api.example.com/v1", everything)
	for _, c := range scopeCases {
		want := outOfScope
		if c.inScope {
			want = optional
		}
		if got := treatment(t, policy, newRequest(t, http.MethodGet, c.url, "")); got != want {
			t.Errorf("%s: got %s, want %s", c.url, got, want)
		}
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
		{"https://api.example.com/a%20b", "https://api.example.com/a b/x", true},
		{"https://api.example.com/a%20b", "https://api.example.com/a%20b/x%2Fy", true},
		{"https://api.example.com/a%20b", "https://api.example.com/a+b/x", false},
		{"https://api.example.com/a(b)", "https://api.example.com/a(b)/x", true},
		{"https://api.example.com/a(b)", "https://api.example.com/a%28b%29/x", false}, // compared as text
		{"https://api.example.com/a%28b%29", "https://api.example.com/a%28b%29/x", true},
		{"https://api.example.com/caf%C3%A9", "https://api.example.com/café/x", true},
		{"https://api.example.com/caf%C3%A9", "https://api.example.com/caf%c3%a9/x", false}, // compared as text
		{"https://api.example.com/v%31", "https://api.example.com/v%31/x", true},
		{"https://api.example.com/v%31", "https://api.example.com/v1/x", false},
		{"https://api.example.com/what%3F", "https://api.example.com/what%3F/x", true},
		{"https://api.example.com/what%3F", "https://api.example.com/what?/x", false},
		{"https://api.example.com", "https://api.example.com", true},
		{"https://api.example.com", "https://api.example.com/", true},
		{"https://api.example.com/", "https://api.example.com", true},
		{"https://api.example.com/", "https://api.example.com/x", true},
		{"https://api.example.com", "https://api.example.com?q=1", true},
		{"https://api.example.com", "https://api.example.com//x", true},
		{"https://api.example.com", "https://api.example.com/%252f", true},
	} {
		want := outOfScope
		if c.inScope {
			want = optional
		}
		policy := newPolicy(t, c.baseURL, everything)
		if got := treatment(t, policy, newRequest(t, http.MethodGet, c.url, "")); got != want {
			t.Errorf("%s for the base URL %s: got %s, want %s", c.url, c.baseURL, got, want)
		}
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
	assert.Equal(t, optional, treatment(t, policy, home))
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
		"RawPath that agrees":              {policy, url.URL{Path: "/v1/a/b", RawPath: "/v1/a%2fb"}, optional},
		"RawPath that is ignored":          {policy, url.URL{Path: "/v1/files", RawPath: "/v2/files"}, optional},
		"RawPath that only seems to be":    {policy, url.URL{Path: "/v2/files", RawPath: "/v1/files"}, outOfScope},
		"RawPath over no Path":             {policy, url.URL{RawPath: "/v1/files"}, outOfScope},
		"RawPath that hides a dot":         {policy, url.URL{Path: "/v1/../v2", RawPath: "/v1/%2e%2e/v2"}, refused},
		"RawPath that hides the prefix":    {policy, url.URL{Path: "/v1/x", RawPath: "/v%31/x"}, outOfScope},
		"RawPath that is no escaped path":  {policy, url.URL{Path: "/v1/../v2", RawPath: `/v1/files\`}, refused},
		"RawPath with half an escape":      {policy, url.URL{Path: "/v1/a", RawPath: "/v1/a%2"}, optional},
		"RawPath with no escape":           {policy, url.URL{Path: "/v1/%zz", RawPath: "/v1/%zz"}, optional},
		"RawPath with a letter beyond it":  {policy, url.URL{Path: "/v1/é", RawPath: "/v1/é"}, optional},
		"RawPath longer than Path":         {policy, url.URL{Path: "/v1/a", RawPath: "/v1/a/..%2f"}, optional},
		"RawPath shorter than Path":        {policy, url.URL{Path: "/v1/a/../", RawPath: "/v1/a"}, refused},
		"Path with what looks escaped":     {policy, url.URL{Path: "/v1/%2e%2e/v2"}, refused}, // is sent as %252e
		"Path with an escaped letter":      {policy, url.URL{Path: "/v1/%41"}, optional},
		"Path with an escape in a prefix":  {policy, url.URL{Path: "/v%31/x"}, outOfScope},
		"Path with a percent sign":         {policy, url.URL{Path: "/v1/100%/x"}, optional},
		"Path with an invalid escape":      {policy, url.URL{Path: "/v1/%%32%65/v2"}, refused}, // is %252e in the end
		"Path with a question mark":        {policy, url.URL{Path: "/v1/a?b/c"}, optional},
		"Path that a question mark ends":   {policy, url.URL{Path: "/v1/..?b/c"}, refused},
		"Path with bytes that are no text": {policy, url.URL{Path: "/v1/\xff\xc0"}, optional},
		"Path that is too long in UTF-8":   {policy, url.URL{Path: "/v1/\xc0\xae"}, refused},
		"Path without a slash":             {policy, url.URL{Path: "v1/files"}, outOfScope},
		"Path without a slash, no prefix":  {whole, url.URL{Path: "v1/files"}, outOfScope},
		"Path that ends a host":            {whole, url.URL{Path: ".evil.example/v1/files"}, outOfScope},
		"no Path":                          {policy, url.URL{}, outOfScope},
		"no Path, no prefix":               {whole, url.URL{}, optional},
		"asterisk":                         {whole, url.URL{Path: "*"}, outOfScope},
		"empty query":                      {policy, url.URL{Path: "/v1/files", ForceQuery: true}, optional},
		"Scheme in upper case":             {policy, url.URL{Scheme: "HTTPS", Path: "/v1/files"}, outOfScope},
		"Host with user info":              {policy, url.URL{Host: "user@api.example.com", Path: "/v1/files"}, outOfScope},
		"Host with two ports":              {policy, url.URL{Host: "api.example.com:443:443", Path: "/v1/files"}, outOfScope},
		"Host with two colons":             {policy, url.URL{Host: "api.example.com::443", Path: "/v1/files"}, outOfScope},
		"Host with a path":                 {policy, url.URL{Host: "api.example.com/v1", Path: "/v1/files"}, outOfScope},
		"Host with a space":                {policy, url.URL{Host: "api.example.com ", Path: "/v1/files"}, outOfScope},
		"Host with a Kelvin sign":          {newPolicy(t, "https://k.example/v1", everything), url.URL{Host: "\u212a.example", Path: "/v1/files"}, outOfScope},
		"Host that is only the port":       {policy, url.URL{Host: ":443", Path: "/v1/files"}, outOfScope},
		"prefix that is written otherwise": {newPolicy(t, "https://api.example.com/(v1)", everything), url.URL{Path: "/(v1)/x"}, outOfScope}, // is sent as %28v1%29
		"prefix that is escaped":           {newPolicy(t, "https://api.example.com/%28v1%29", everything), url.URL{Path: "/(v1)/x"}, optional},

		// A request line can hold an opaque text instead of a path.
		"Opaque":                     {policy, url.URL{Path: "/v1/files", Opaque: "//evil.example/v1/files"}, refused},
		"Opaque of the API":          {policy, url.URL{Path: "/v1/files", Opaque: "/v1/files"}, refused},
		"Opaque, no prefix":          {whole, url.URL{Path: "/files", Opaque: "/files"}, refused},
		"Opaque and no Path":         {policy, url.URL{Host: "API.example.com:443", Opaque: "//api.example.com/v1/%2F"}, refused},
		"Opaque at another host":     {policy, url.URL{Host: "evil.example", Opaque: "//api.example.com/v1/files"}, outOfScope},
		"Opaque with another scheme": {policy, url.URL{Scheme: "http", Opaque: "//api.example.com/v1/files"}, outOfScope},
		"Opaque at another port":     {policy, url.URL{Host: "api.example.com:8443", Opaque: "/v1/files"}, outOfScope},
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
// on which every route is optional.
var pathCases = []struct{ path, want string }{
	{"/v1", optional},
	{"/v1/", optional},
	{"/v1/files", optional},
	{"/v1/files/", optional},
	{"/v1/files.json", optional},
	{"/v1/...", optional},
	{"/v1/..a", optional},
	{"/v1/a..", optional},
	{"/v1/.a/..b/...c", optional},
	{"/v1/.well-known/x", optional},
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
	{"/v1%2f..", outOfScope},
	{`/v1\files`, outOfScope},
	{`/v1\..\files`, outOfScope},
	{"/v1%00/files", outOfScope},
	{"/v1%3f/files", outOfScope},
	{"/v2/files", outOfScope},
	{"/v2/../v1/files", outOfScope},
	{"/V1/files", outOfScope},
	{"/%761/files", outOfScope},
	{"//v1/files", outOfScope},
	{"/./v1/files", outOfScope},
	{"/x/../v1/files", outOfScope},
	{"/x/v1/files", outOfScope},
	{"/..", outOfScope},
	// Escapes and slashes that lead nowhere.
	{"/v1//files", optional},
	{"/v1//", optional},
	{"/v1/a%2fb", optional},
	{"/v1/%2F", optional},
	{"/v1/%2F/x", optional},
	{"/v1/a%5cb", optional},
	{`/v1/a\b`, optional},
	{"/v1/a;v=1/b", optional},
	{"/v1/;/b", optional},
	{"/v1/a%3bb", optional},
	{"/v1/100%25", optional},
	{"/v1/%2541", optional},
	{"/v1/a%2eb", optional},
	{"/v1/%2ewell-known", optional},
	{"/v1/a%252eb", optional},
	{"/v1/a%252fb", optional},
	{"/v1/a%252Fb", optional},
	{"/v1/%252F", optional},
	{"/v1/a%255Cb", optional},
	{"/v1/a%25252eb", optional},
	{"/v1/a%2525252fb", optional},
	{"/v1/a%25%32%46b", optional},
	{"/v1/what%3f", optional},
	{"/v1/a%20b%23c/..d", optional},
	{"/v1/https:%2F%2Fexample.com%2Fa%2Fb%3Fc%3Dd%23e", optional},
	{"/v1/https%3A%252F%252Fexample.com", optional},
	// Control characters.
	{"/v1/a%0ab", optional},
	{"/v1/a%00", optional},
	{"/v1/%00", optional},
	{"/v1/a%1F", optional},
	{"/v1/a%7f", optional},
	{"/v1/a%7F/b", optional},
	{"/v1/a%7e%80", optional},
	{"/v1/a%0d%0a..", optional},
	{"/v1/..%0a", refused},
	{"/v1/..%00/x", refused},
	{"/v1/.%7F", refused},
	{"/v1/.%80", optional},
	// Dot segments as they are.
	{"/v1/.", refused},
	{"/v1/./files", refused},
	{"/v1/x/../files", refused},
	{"/v1/x/..", refused},
	{"/v1/../v1/files", refused},
	{"/v1/..", refused},
	{"/v1/../", refused},
	{"/v1/../files", refused},
	{"/v1//../files", refused},
	{"/v1/x//../../files", refused},
	{"/v1/../../../v2", refused},
	// Escaped dots.
	{"/v1/%2e/files", refused},
	{"/v1/%2E", refused},
	{"/v1/x/%2e%2e/files", refused},
	{"/v1/x/%2E%2e/files", refused},
	{"/v1/x/.%2e/files", refused},
	{"/v1/x/%2e./files", refused},
	{"/v1/%2e%2e", refused},
	{"/v1/%2e%2e%2e", optional},
	{"/v1/a%2e%2e", optional},
	// Escaped slashes.
	{"/v1/x%2f..", refused},
	{"/v1/x%2f..%2ffiles", refused},
	{"/v1/x%2F.%2Ffiles", refused},
	{"/v1/..%2ffiles", refused},
	{"/v1/%2f../files", refused},
	{"/v1/x%2f..a", optional},
	{"/v1/x..%2fa", optional},
	// Backslashes, escaped and not (which net/http sends escaped).
	{"/v1/x%5c..%5cfiles", refused},
	{`/v1/x\..\files`, refused},
	{"/v1/..%5cfiles", refused},
	{`/v1/..\files`, refused},
	{"/v1/%2e%2e%5Cfiles", refused},
	{"/v1/%5c..%2f../files", refused},
	// Parameters.
	{"/v1/.;a=1/files", refused},
	{"/v1/x/..;/files", refused},
	{"/v1/x/..%3b/files", refused}, // a proxy decodes, the server behind it cuts
	{"/v1/..%3Ba/files", refused},
	{"/v1/..%253b/files", refused},
	{"/v1/..;a=1;b=2/files", refused},
	{"/v1/%2e%2e;a=1/files", refused},
	{"/v1/..;%2f/files", refused},
	{"/v1/a;%2f../x", refused},
	{"/v1/a;..", optional},
	{"/v1/a;/..b", optional},
	{"/v1/;..", optional},
	// A server that decodes a path and passes it on may end it, or a segment, where
	// an escaped space, ? or # stood.
	{"/v1/..%3f", refused},
	{"/v1/..%3Fx", refused},
	{"/v1/..%23", refused},
	{"/v1/..%20", refused},
	{"/v1/.. ", refused},
	{"/v1/%2e%2E%20", refused},
	{"/v1/a/..%3fb/c", refused},
	{"/v1/a%3f/..%20/b", refused},
	{"/v1/a/..%2f..%23x/b", refused},
	{"/v1/%20..", optional},
	{"/v1/a%3f..", optional},
	{"/v1/a%3f..%2f", optional},
	{"/v1/a%3f%2f..", refused},
	// What is escaped twice or more often.
	{"/v1/%252e%252e/files", refused},
	{"/v1/x/%252e/files", refused},
	{"/v1/%25%32%65", refused},
	{"/v1/%25%32e%25%32%65", refused},
	{"/v1/a%25252f..", refused},
	{"/v1/%252525252525252525252525252525252e", refused},
	{"/v1/a%25" + strings.Repeat("25", 1000) + "41", optional},
	{"/v1/%25" + strings.Repeat("25", 1000) + "2e%2e", refused},
	{"/v1/" + strings.Repeat("%25", 300) + strings.Repeat("32", 300) + "e", optional},
	// Some servers know an escape of four digits.
	{"/v1/%25u002e%25u002e", refused},
	{"/v1/%25u002E", refused},
	{"/v1/%25U002e", refused},
	{"/v1/a%25u002f..", refused},
	{"/v1/%25u00%32e", refused},
	{"/v1/%25u0025%25u0032e", refused},
	{"/v1/%25uff0e", refused},
	{"/v1/%25u2022", optional},
	{"/v1/%25u002", optional},
	{"/v1/%25u002g", optional},
	{"/v1/%25ud800..", optional},
	// UTF-8 that is longer than it must be.
	{"/v1/%c0%ae", refused},
	{"/v1/%C0%AE%c0%ae/x", refused},
	{"/v1/%e0%80%ae", refused},
	{"/v1/%f0%80%80%ae", refused},
	{"/v1/%f8%80%80%80%ae", refused},
	{"/v1/%fc%80%80%80%80%ae", refused},
	{"/v1/a%c0%af..", refused},
	{"/v1/a%c1%9c..", refused},
	{"/v1/a%e0%81%9c..", refused},
	{"/v1/..%c0%bb", refused},
	{"/v1/..%c0%80", refused},
	{"/v1/%c0%a5%c0%b2%c1%a5", refused}, // %2e
	{"/v1/%25c0%25ae", refused},
	{"/v1/%c0%2e", optional},
	{"/v1/%c0.", optional},
	{"/v1/.%c0", optional},
	{"/v1/%c2%ae", optional},
	{"/v1/%e0%82%ae", optional},
	{"/v1/%f0%80%81%ae/x", optional}, // n
	{"/v1/%c0%c0%ae", optional},
	{"/v1/%e0%c0%ae", optional},
	{"/v1/%e0%80", optional},
	{"/v1/%fe%80%80%80%80%80%ae", optional},
	// Full-width forms.
	{"/v1/\uff0e\uff0e/x", refused},
	{"/v1/%ef%bc%8e", refused},
	{"/v1/a\uff0f..", refused},
	{"/v1/a\uff3c..", refused},
	{"/v1/..\uff1b", refused},
	{"/v1/..\uff1f", refused},
	{"/v1/..\uff03", refused},
	{"/v1/\uff052e", refused},
	{"/v1/\uff0ea", optional},
	{"/v1/..\uff21", optional},
	{"/v1/\uff05\uff12\uff45", optional}, // digits and letters are not read so
	{"/v1/\u3002", optional},
	{"/v1/日本語/🙂", optional},
}

// Rule 10.
func TestAPathInWhichAServerMaySeeADotSegmentIsRefused(t *testing.T) {
	policy := newPolicy(t, "https://api.example.com/v1", everything)
	for _, c := range pathCases {
		if got := treatment(t, policy, newRequest(t, http.MethodGet, "https://api.example.com"+c.path, "")); got != c.want {
			t.Errorf("%s: got %s, want %s", c.path, got, c.want)
		}
	}
}

// Rule 10: with no prefix there is nothing to leave, and yet a server behind the
// first one may have more than one API.
func TestADotSegmentIsRefusedWithoutAPrefixToo(t *testing.T) {
	policy := newPolicy(t, "https://api.example.com", everything)
	for path, want := range map[string]string{
		"/..": refused, "/../x": refused, "/a/./b": refused, "/%2e": refused, "/a%2f..": refused, "/x/..;": refused,
		"": optional, "/": optional, "//": optional, "/a%2fb": optional, "/%00": optional,
	} {
		assert.Equal(t, want, treatment(t, policy, newRequest(t, http.MethodGet, "https://api.example.com"+path, "")), path)
	}
}

// Rule 10: no route lets a dot segment through.
func TestARefusedPathIsRefusedWhateverItsRoute(t *testing.T) {
	for _, requirement := range []routeauth.Requirement{routeauth.Mandatory, routeauth.Optional, routeauth.Public} {
		policy := newPolicy(t, "https://api.example.com/v1", routeauth.Routes{"/": requirement, "/x/{id}": requirement, "CONNECT /": requirement})
		for _, method := range []string{"", http.MethodGet, http.MethodConnect} {
			u := &url.URL{Scheme: "https", Host: "api.example.com", Path: "/v1/x/..", RawPath: "/v1/x/%2e."}
			assert.Equal(t, refused, treatment(t, policy, &http.Request{Method: method, URL: u}))
		}
	}
}

// Rule 10: a path may be as long as it likes, and the work grows with it.
func TestALongPathIsReadToItsEnd(t *testing.T) {
	policy := newPolicy(t, "https://api.example.com/v1", everything)
	for name, path := range map[string]string{
		"letters":         strings.Repeat("b", 1<<16),
		"segments":        strings.Repeat("/b", 1<<14),
		"slashes":         strings.Repeat("/", 1<<14),
		"escapes":         strings.Repeat("%2f", 1<<14),
		"percent signs":   strings.Repeat("%25", 1<<14),
		"escaped escapes": "%25" + strings.Repeat("25", 1<<14) + "41",
		"half sequences":  strings.Repeat("%e0%80", 1<<13),
	} {
		for suffix, want := range map[string]string{"x": optional, "/..": refused, "%2f%2e": refused} {
			req := newRequest(t, http.MethodGet, "https://api.example.com/v1/"+path+suffix, "")
			if got := treatment(t, policy, req); got != want {
				t.Errorf("%d %s before %s: got %s, want %s", len(path), name, suffix, got, want)
			}
		}
	}
}

// Rule 10: all paths of up to four parts that servers read in different ways,
// held against the model.
func TestEachShortPathIsReadAsTheModelReadsIt(t *testing.T) {
	t.Parallel()
	parts := []string{"/", "a", ".", "%2e", "%2F", `\`, ";", "%3f", "%20", "%25", "2e", "%c0%ae", "%ef%bc%8f", "u002e"}
	longest := 4
	if testing.Short() {
		longest = 3
	}
	policy := newPolicy(t, "https://api.example.com/v1", everything)
	model := newScopeModel("https", "api.example.com", "/v1")
	seen := map[routeauth.Verdict]int{}
	paths := []string{"/v1/"}
	for length := 0; length <= longest; length++ {
		var longer []string
		for _, path := range paths {
			u, err := url.Parse("https://api.example.com" + path)
			if err != nil {
				continue // not a whole escape, or not yet
			}
			match := policy.Match(&http.Request{Method: http.MethodGet, URL: u})
			seen[match.Verdict]++
			if fault := model.judge(u, match.Verdict); fault != "" {
				t.Errorf("%s is %v: %s", path, match.Verdict, fault)
			}
			for _, part := range parts {
				longer = append(longer, path+part)
			}
		}
		paths = longer
	}
	t.Logf("%d paths in scope, %d refused, %d readings", seen[routeauth.InScope], seen[routeauth.Refused], len(model.safe))
	assert.Zero(t, seen[routeauth.OutOfScope])
}

// Rule 10.
func TestARefusedRequestIsNotSent(t *testing.T) {
	elsewhere := newRequest(t, http.MethodGet, "https://evil.example/", "")
	circle := &http.Response{Request: newRequest(t, http.MethodGet, apiURL, "")}
	circle.Request.Response = circle
	source := &countingSource{next: func(context.Context, routeauth.Params, int) (string, error) { return "jwt", nil }}
	auths := map[string]routeauth.Auth{
		"an API key": routeauth.APIKeyAuth{APIKey: "key"},
		"a JWT": routeauth.JWTAuth{SubscriptionID: "subscription", Source: source, Params: func(*http.Request) (routeauth.Params, error) {
			return nil, errors.New("nobody asks for them")
		}},
	}
	for name, response := range map[string]*http.Response{
		"a first request":         nil,
		"a hop of the API":        {Request: newRequest(t, http.MethodGet, apiURL, "")},
		"a hop from elsewhere":    {Request: elsewhere},
		"a hop from nowhere":      {},
		"a hop that has no end":   circle,
		"a hop of a refused path": {Request: newRequest(t, http.MethodGet, apiURL+"/..", "")},
	} {
		for kind, auth := range auths {
			t.Run(name+" with "+kind, func(t *testing.T) {
				b := new(base)
				transport, err := routeauth.New(newPolicy(t, apiURL, everything), auth, b)
				require.NoError(t, err)
				body := newTrackedBody("body")
				req := newRequest(t, http.MethodPost, "https://user:hunter2@api.example.com/v1/x/..%2Fy?access=granted#f", "")
				req.Body, req.Response = body, response

				resp, err := transport.RoundTrip(req)
				require.Nil(t, resp)
				assert.Empty(t, b.sent())
				assert.Equal(t, 1, body.closes())
				require.ErrorIs(t, err, routeauth.ErrRefusedPath)
				var credentialErr *routeauth.CredentialError
				require.ErrorAs(t, err, &credentialErr)
				assert.Equal(t, routeauth.Scheme(""), credentialErr.Scheme)
				assert.Equal(t, http.MethodPost, credentialErr.Method)
				assert.Equal(t, apiURL+"/x/..%2Fy", credentialErr.URL)
				assert.False(t, credentialErr.Temporary(), "asking again does not help")
				assert.False(t, credentialErr.Timeout())
				assert.Contains(t, err.Error(), `"..%2Fy"`, "the segment as it is written")
				assert.NotContains(t, err.Error(), "credential for", "none was looked for")
				assert.NotContains(t, err.Error(), "hunter2")
				assert.NotContains(t, err.Error(), "granted")
			})
		}
	}
	assert.Zero(t, source.count(), "tokens that were fetched")
}

// Rule 10: an opaque URL is refused with words of its own.
func TestAnOpaqueURLIsNotSent(t *testing.T) {
	b := new(base)
	transport, err := routeauth.New(newPolicy(t, apiURL, everything), routeauth.APIKeyAuth{APIKey: "key"}, b)
	require.NoError(t, err)
	body := newTrackedBody("body")
	_, err = transport.RoundTrip(&http.Request{Method: http.MethodPost, Body: body, URL: &url.URL{
		Scheme: "https", Host: "api.example.com", Opaque: "//user:hunter2@api.example.com/v1/files",
	}})
	require.ErrorIs(t, err, routeauth.ErrRefusedPath)
	assert.Contains(t, err.Error(), "opaque")
	assert.NotContains(t, err.Error(), "hunter2")
	assert.Empty(t, b.sent())
	assert.Equal(t, 1, body.closes())
}

// Rule 10: a server cannot lead a client to a path that is refused.
func TestARedirectToARefusedPathEndsTheCall(t *testing.T) {
	s := &site{status: http.StatusTemporaryRedirect, next: map[string]string{apiURL + "/a": apiURL + "/x/%2e%2e/b"}}
	transport, err := routeauth.New(newPolicy(t, apiURL, everything), routeauth.APIKeyAuth{APIKey: "key"}, s)
	require.NoError(t, err)
	_, err = (&http.Client{Transport: transport}).Do(newRequest(t, http.MethodPost, apiURL+"/a", "body"))
	require.ErrorIs(t, err, routeauth.ErrRefusedPath)
	assert.Equal(t, []hop{{apiURL + "/a", true}}, s.received)
}

// Rule 11: on a host that several tenants share by path, a neighbour's redirect
// starts nothing with this key.
func TestARedirectThatWasOutOfScopeTakesNoCredentialBack(t *testing.T) {
	inScope := apiURL + "/operations"
	for name, before := range map[string]*url.URL{
		"another path":    {Scheme: "https", Host: "api.example.com", Path: "/tenant-evil/x"},
		"a refused path":  {Scheme: "https", Host: "api.example.com", Path: "/v1/../tenant-evil/x"},
		"an opaque URL":   {Scheme: "https", Host: "api.example.com", Opaque: "/v1/x"},
		"another host":    {Scheme: "https", Host: "evil.example", Path: "/v1/x"},
		"another scheme":  {Scheme: "http", Host: "api.example.com", Path: "/v1/x"},
		"a sibling's":     {Scheme: "https", Host: "api.example.com", Path: "/v10/x"},
		"the host itself": {Scheme: "https", Host: "api.example.com"},
	} {
		for _, hops := range []int{0, 1, 5} { // in scope, between that one and this
			t.Run(fmt.Sprintf("%s %d hops ago", name, hops+1), func(t *testing.T) {
				unauthorized := answer(nil, http.StatusUnauthorized, "who are you?")
				b := &base{respond: func(*http.Request, int) (*http.Response, error) { return unauthorized, nil }}
				transport, err := routeauth.New(newPolicy(t, apiURL, everything), routeauth.APIKeyAuth{APIKey: "key"}, b)
				require.NoError(t, err)

				last := &http.Request{URL: before}
				for range hops {
					next := newRequest(t, http.MethodGet, inScope, "")
					next.Response, last = &http.Response{Request: last}, next
				}
				req := newRequest(t, http.MethodPost, inScope, "body")
				req.Response = &http.Response{Request: last}
				resp, err := transport.RoundTrip(req)
				require.NoError(t, err, "nobody's credential was rejected")
				assert.Same(t, unauthorized, resp)
				assert.Same(t, req, b.only(t).Request)
			})
		}
	}
}

// Rule 11.
func TestARedirectWithinTheScopeKeepsTheCredential(t *testing.T) {
	s := &site{status: http.StatusTemporaryRedirect, last: http.StatusOK, next: map[string]string{
		apiURL + "/a":     apiURL + "/b%2Fc",
		apiURL + "/b%2Fc": "https://API.example.com:443/v1//d",
	}}
	transport, err := routeauth.New(newPolicy(t, apiURL, everything), routeauth.APIKeyAuth{APIKey: "key"}, s)
	require.NoError(t, err)
	resp, err := (&http.Client{Transport: transport}).Do(newRequest(t, http.MethodPost, apiURL+"/a", "body"))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, []hop{{apiURL + "/a", true}, {apiURL + "/b%2Fc", true}, {"https://API.example.com:443/v1//d", true}}, s.received)
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
		"https://api.example.com/v10",
		"https://api.example.com/x/../v1/files",
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
			assert.Equal(t, mandatory, treatment(t, policy, newRequest(t, http.MethodGet, baseURL, "")))
		})
	}
}

// Rule 12: the permission concerns http:// alone, and opens nothing else.
func TestAllowPlaintextDoesNotWidenTheScope(t *testing.T) {
	secure := newPolicy(t, "https://api.example.com/v1", everything, routeauth.AllowPlaintext())
	assert.Equal(t, outOfScope, treatment(t, secure, newRequest(t, http.MethodGet, "http://api.example.com/v1/x", "")))
	plain := newPolicy(t, "http://api.example.com/v1", everything, routeauth.AllowPlaintext())
	assert.Equal(t, outOfScope, treatment(t, plain, newRequest(t, http.MethodGet, "https://api.example.com/v1/x", "")))
	assert.Equal(t, optional, treatment(t, plain, newRequest(t, http.MethodGet, "http://api.example.com:80/v1/x", "")))

	_, err := routeauth.NewPolicy("ftp://api.example.com/v1", nil, routeauth.AllowPlaintext())
	requireMistakes(t, err, "neither https nor http")
}
