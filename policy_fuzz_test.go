package routeauth_test

import (
	"bufio"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"regexp"
	"strings"
	"testing"

	"example.com/routeauth"
	"github.com/stretchr/testify/require"
)

// apiModel is rules 9, 10 and 13 written a second time: slowly, and with
// nothing of the package in it. What the policy says is held against it.
type apiModel struct {
	scheme, host, prefix string // of the base URL; the host in lower case
	routes               routeauth.Routes
}

// covers is rules 9 and 10.
func (m apiModel) covers(u *url.URL) bool {
	if u.Opaque != "" || u.Scheme != m.scheme || plainHost(u) != m.host {
		return false
	}
	written := wirePath(u)
	if hidesEscapes(written) || control.MatchString(written) {
		return false
	}
	for _, reading := range m.readings(written) {
		if reading != m.prefix && !strings.HasPrefix(reading, m.prefix+"/") {
			return false
		}
	}
	return true
}

// plainHost is the host and port with ASCII letters in lower case, without a
// port that is the scheme's own or empty.
func plainHost(u *url.URL) string {
	lower := strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r - 'A' + 'a'
		}
		return r
	}, u.Host)
	colon := strings.LastIndexByte(lower, ':')
	if colon < 0 {
		return lower
	}
	ports := map[string]string{"http": "80", "https": "443"}
	if port := lower[colon+1:]; port == "" || port == ports[u.Scheme] {
		return lower[:colon]
	}
	return lower
}

// wirePath is the path in the request line.
func wirePath(u *url.URL) string {
	written, _, _ := strings.Cut(u.RequestURI(), "?")
	return written
}

var (
	escape       = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)
	hiddenEscape = regexp.MustCompile(`(?i)%2e|%2f|%5c|%3b|%u00`)
	control      = regexp.MustCompile(`(?i)%[01].|%7f`)
	end          = regexp.MustCompile(`(?i)%20|%23|%3f`)
	encodedDot   = regexp.MustCompile(`(?i)%2e`)
	encodedSlash = regexp.MustCompile(`(?i)%2f`)
	backslash    = regexp.MustCompile(`(?i)%5c|\\`)
	semicolon    = regexp.MustCompile(`(?i)%3b`)
	parameters   = regexp.MustCompile(`;[^/]*`)
	slashes      = regexp.MustCompile(`/+`)
)

// hidesEscapes reports whether %25 leads to an escape that matters. A path that
// was escaped more than sixteen times over hides something, whatever it is.
func hidesEscapes(written string) bool {
	if !strings.Contains(written, "%25") {
		return false
	}
	for range 1 + 16 {
		decoded := escape.ReplaceAllStringFunc(written, func(e string) string {
			c, _ := url.PathUnescape(e)
			return c
		})
		if decoded == written {
			return false
		}
		if hiddenEscape.MatchString(decoded) {
			return true
		}
		written = decoded
	}
	return true
}

// readings are all the paths to which a server, or one server after another,
// may resolve a path, and the path as it is written.
func (m apiModel) readings(written string) []string {
	steps := []func(string) string{
		func(p string) string { return encodedDot.ReplaceAllString(p, ".") },
		func(p string) string { return encodedSlash.ReplaceAllString(p, "/") },
		func(p string) string { return backslash.ReplaceAllString(p, "/") },
		func(p string) string { return semicolon.ReplaceAllString(p, ";") },
		func(p string) string { return parameters.ReplaceAllString(p, "") },
		func(p string) string { return slashes.ReplaceAllString(p, "/") },
		func(p string) string {
			rest, below := strings.CutPrefix(p, m.prefix)
			if !below {
				return end.Split(p, 2)[0]
			}
			return m.prefix + end.Split(rest, 2)[0]
		},
		withoutDots,
	}
	seen := map[string]bool{written: true}
	found := []string{written}
	for next := found; len(next) > 0; {
		var reached []string
		for _, p := range next {
			for _, step := range steps {
				if read := step(p); !seen[read] {
					seen[read] = true
					reached = append(reached, read)
				}
			}
		}
		found = append(found, reached...)
		next = reached
	}
	return found
}

// withoutDots removes dot segments (RFC 3986, section 5.2.4).
func withoutDots(p string) string {
	var kept []string
	segments := strings.Split(p, "/")
	for i, segment := range segments[1:] {
		last := i == len(segments)-2
		if segment == ".." && len(kept) > 0 {
			kept = kept[:len(kept)-1]
		}
		if segment != "." && segment != ".." {
			kept = append(kept, segment)
		} else if last {
			kept = append(kept, "")
		}
	}
	return segments[0] + "/" + strings.Join(kept, "/")
}

// hasEncodedDots reports whether some segment hides a dot segment.
func hasEncodedDots(written string) bool {
	for _, segment := range strings.Split(written, "/") {
		if segment == "." || segment == ".." {
			continue
		}
		decoded := encodedDot.ReplaceAllString(segment, ".")
		decoded = encodedSlash.ReplaceAllString(decoded, "/")
		decoded = backslash.ReplaceAllString(decoded, "/")
		decoded = semicolon.ReplaceAllString(decoded, ";")
		for _, part := range strings.Split(parameters.ReplaceAllString(decoded, ""), "/") {
			if part == "." || part == ".." {
				return true
			}
		}
	}
	return false
}

// requirement is rule 13: the request is put on the wire, read back as a server
// reads it, and served by a real ServeMux. Where that redirects, the place that
// rule 13 names is served instead.
func (m apiModel) requirement(t *testing.T, method string, u *url.URL) routeauth.Requirement {
	written := wirePath(u)
	if method == "" {
		method = http.MethodGet
	}
	if method == http.MethodConnect || hasEncodedDots(written) {
		return routeauth.Mandatory
	}
	var served *routeauth.Requirement
	mux := http.NewServeMux()
	for pattern, requirement := range m.routes {
		mux.HandleFunc(strings.Replace(pattern, "/", m.prefix+"/", 1),
			func(http.ResponseWriter, *http.Request) { served = &requirement })
	}
	clean := cleanForm(written)
	for _, target := range []string{written, clean, clean + "/"} {
		req, err := http.ReadRequest(bufio.NewReader(strings.NewReader(
			method + " " + target + " HTTP/1.1\r\nHost: api.example.com\r\n\r\n")))
		require.NoError(t, err)
		response := httptest.NewRecorder()
		mux.ServeHTTP(response, req)
		switch {
		case served != nil:
			return *served
		case response.Code < 300 || response.Code > 399: // not found, or not with this method
			return routeauth.Mandatory
		}
	}
	t.Fatalf("ServeMux redirects %s %s for ever", method, written)
	return routeauth.Mandatory
}

// cleanForm is a path without empty and dot segments; a trailing slash stays.
func cleanForm(written string) string {
	if clean := path.Clean(written); clean == "/" || !strings.HasSuffix(written, "/") {
		return clean
	}
	return path.Clean(written) + "/"
}

// fuzzedBases are the APIs of FuzzPolicyScope, as base URL and as what the
// model is to compare with.
var fuzzedBases = []struct {
	url   string
	model apiModel
}{
	{"https://api.example.com/v1", apiModel{scheme: "https", host: "api.example.com", prefix: "/v1"}},
	{"https://api.example.com", apiModel{scheme: "https", host: "api.example.com"}},
	{"https://API.example.com:443/digital-try-on/v1/", apiModel{scheme: "https", host: "api.example.com", prefix: "/digital-try-on/v1"}},
	{"https://api.example.com:8443/caf%C3%A9", apiModel{scheme: "https", host: "api.example.com:8443", prefix: "/caf%C3%A9"}},
	{"http://[::1]:80/v%31", apiModel{scheme: "http", host: "[::1]", prefix: "/v%31"}},
}

// fuzzedRoutes are the routes of FuzzPolicyScope beside the fuzzed one.
var fuzzedRoutes = routeauth.Routes{
	"GET /files":           routeauth.Optional,
	"HEAD /files":          routeauth.Mandatory,
	"/files/":              routeauth.Mandatory,
	"GET /files/{id}":      routeauth.Optional,
	"POST /files/{id}/tag": routeauth.Optional,
	"/a/b":                 routeauth.Optional,
	"GET /a/%62":           routeauth.Mandatory,
	"/a/{$}":               routeauth.Optional,
	"/dir/":                routeauth.Optional,
	"CONNECT /a":           routeauth.Optional,
	"PUT /put/{x...}":      routeauth.Optional,
}

// tokenOnly is a method as RFC 9110 has it.
var tokenOnly = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]*$")

// Rules 9, 10 and 13: no credential leaves the scope, and a request in it gets
// the one that ServeMux would route it to.
func FuzzPolicyScope(f *testing.F) {
	for _, c := range scopeCases {
		f.Add(uint8(0), "GET", c.url, "", "/x")
	}
	for _, c := range pathCases {
		f.Add(uint8(0), "GET", "https://api.example.com"+c.path, "", "/x")
		f.Add(uint8(1), "POST", "https://api.example.com"+c.path, "", "/x")
		f.Add(uint8(2), "GET", "https://api.example.com/digital-try-on"+c.path, "", "GET /{x}/")
		f.Add(uint8(4), "GET", "http://[::1]"+strings.Replace(c.path, "/v1", "/v%31", 1), "", "/x")
	}
	for _, method := range []string{"", "GET", "HEAD", "POST", "PUT", "CONNECT", "get"} {
		for _, p := range []string{"/files", "/files/", "/files/1", "/files/1/tag", "/a", "/a/b", "/a/%62", "/a/", "/dir", "/dir/x", "//files", "/x"} {
			f.Add(uint8(0), method, "https://api.example.com/v1"+p, "", "DELETE /x")
		}
	}
	f.Add(uint8(0), "GET", "https://api.example.com/v1/../v2", "/v1/files", "/x")
	f.Add(uint8(0), "GET", "https://api.example.com/v1/a/b", "/v1/a%2fb", "/a%2fb")
	f.Add(uint8(0), "GET", "https:/v1/files", "", "/x")
	f.Add(uint8(0), "GET", "https:v1/files", "", "/x")
	f.Add(uint8(1), "OPTIONS", "https://api.example.com*", "", "/x")
	f.Add(uint8(3), "GET", "https://api.example.com:8443/café/files", "", "/x")
	f.Add(uint8(3), "GET", "https://api.example.com:8443/caf%c3%a9/files", "", "/x")
	f.Add(uint8(4), "GET", "http://[::1]/v1/files", "", "/files/%2F")

	f.Fuzz(func(t *testing.T, api uint8, method, rawURL, rawPath, pattern string) {
		if len(rawURL) > 200 || !tokenOnly.MatchString(method) {
			t.Skip("too long for the model, or no method that net/http sends")
		}
		u, err := url.Parse(rawURL)
		if err != nil {
			u = &url.URL{Scheme: "https", Host: "api.example.com", Path: rawURL}
		}
		if rawPath != "" {
			u.RawPath = rawPath // consistent with Path or not
		}
		chosen := fuzzedBases[int(api)%len(fuzzedBases)]
		chosen.model.routes = routeauth.Routes{pattern: routeauth.Optional}
		for known, requirement := range fuzzedRoutes {
			chosen.model.routes[known] = requirement
		}
		policy, err := routeauth.NewPolicy(chosen.url, chosen.model.routes)
		if err != nil {
			chosen.model.routes = fuzzedRoutes
			policy, err = routeauth.NewPolicy(chosen.url, fuzzedRoutes)
			require.NoError(t, err)
		}

		want := outOfScope
		if chosen.model.covers(u) {
			want = chosen.model.requirement(t, method, u).String()
		}
		got := treatment(t, policy, &http.Request{Method: method, URL: u})
		if got == outOfScope && len(chosen.model.readings(wirePath(u))) > 200 {
			return // a path of so many readings need not be followed to the end
		}
		require.Equal(t, want, got, "%s %s %s", chosen.url, u, pattern)
	})
}

// isAcceptable is what NewPolicy adds to ServeMux's own verdict on a pattern:
// it has no host and its path is clean.
func isAcceptable(pattern string) bool {
	rest := pattern
	if i := strings.IndexAny(pattern, " \t"); i >= 0 {
		rest = strings.TrimLeft(pattern[i:], " \t")
	}
	return strings.HasPrefix(rest, "/") && rest == cleanForm(rest)
}

// muxAccepts reports whether one ServeMux takes all of the patterns.
func muxAccepts(patterns ...string) (accepted bool) {
	defer func() { accepted = recover() == nil }()
	mux := http.NewServeMux()
	for _, pattern := range patterns {
		mux.Handle(pattern, http.NotFoundHandler())
	}
	return true
}

// Rules 12 and 14: NewPolicy never panics, takes what ServeMux takes, shows no
// password, and what it returns can be used.
func FuzzNewPolicy(f *testing.F) {
	for _, c := range baseURLCases {
		f.Add(c.url, "GET /files", "/files/{id}")
	}
	for _, rawURL := range urlsWithPassword {
		f.Add(rawURL, "GET /files", "/files/{id}")
	}
	for _, c := range patternCases {
		f.Add("https://api.example.com/v1", c.pattern, "/files/{id}")
	}
	for _, c := range conflictCases {
		f.Add("https://api.example.com//", c.a, c.b)
	}
	for _, rawURL := range []string{"https://api.example.com", "https://api.example.com/", "http://[::1]:80/a%25/b"} {
		f.Add(rawURL, "/%2F", "/{$}")
		f.Add(rawURL, "/%zz", "GET /%zz")
		f.Add(rawURL, " /x", "GET  \t/x")
		f.Add(rawURL, " / ", "\t/a b")
	}

	f.Fuzz(func(t *testing.T, baseURL, a, b string) {
		routes := routeauth.Routes{a: routeauth.Optional, b: routeauth.Mandatory}
		_, err := routeauth.NewPolicy("https://api.example.com/v1", routes)
		switch {
		case !isAcceptable(a) || !muxAccepts(a):
			require.Error(t, err)
		case !isAcceptable(b) || !muxAccepts(b):
			require.Error(t, err)
		case a != b && !muxAccepts(a, b):
			require.Error(t, err)
			message := err.Error()
			require.Contains(t, message, quote(a))
			require.Contains(t, message, quote(b))
			require.NotContains(t, message, "registered at")
		default:
			require.NoError(t, err)
		}

		policy, err := routeauth.NewPolicy(baseURL, routes)
		if err != nil {
			require.Nil(t, policy)
			if !strings.Contains(a+b, password) {
				require.NotContains(t, err.Error(), password)
			}
			requireSorted(t, err)
			if policy, err = routeauth.NewPolicy(baseURL, nil); err != nil {
				return
			}
		}
		u, err := url.Parse(baseURL)
		require.NoError(t, err)
		require.True(t, isBase(u), "accepted %q", baseURL)
		require.NotEqual(t, outOfScope, treatment(t, policy, &http.Request{URL: u}), "the base URL %q itself", baseURL)
		below := *u
		below.Path, below.RawPath = u.Path+"/files", u.EscapedPath()+"/files"
		require.NotEqual(t, outOfScope, treatment(t, policy, &http.Request{URL: &below}), "below %q", baseURL)
	})
}

// isBase is what rules 12 and 14 say of a base URL without AllowPlaintext.
func isBase(u *url.URL) bool {
	host := u.Hostname()
	if strings.HasPrefix(u.Host, "[") {
		host, _, _ = strings.Cut(host, "%") // the zone
	}
	loopback := strings.EqualFold(host, "localhost") || net.ParseIP(host).IsLoopback()
	return (u.Scheme == "https" || u.Scheme == "http" && loopback) &&
		host != "" && u.User == nil && u.RawQuery == "" && !u.ForceQuery && u.Fragment == "" &&
		!strings.ContainsAny(u.Path, "{}") &&
		(u.Path == "" || u.EscapedPath() == cleanForm(u.EscapedPath()))
}
