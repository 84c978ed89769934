package routeauth_test

import (
	"bufio"
	"net"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"example.com/routeauth"
	"github.com/stretchr/testify/require"
)

// scopeModel is rules 9 and 10 written a second time: slowly, and with nothing of
// the package in it. Where the package decodes a path and looks at it once, the
// model follows every reading: whatever a chain of servers may make of a path,
// each doing a step or several of them, in any order.
type scopeModel struct {
	scheme, host    string // of the base URL; the host in lower case
	prefix, decoded string // of the base URL's path, escaped and decoded
	steps           []func(path string) string
	safe            map[string]bool // readings whose own readings all lie below the prefix, without a dot segment
}

func newScopeModel(scheme, host, prefix string) *scopeModel {
	m := &scopeModel{scheme: scheme, host: host, prefix: prefix, decoded: decodeOnce(prefix), safe: map[string]bool{}}
	cutAt := func(ends string) func(string) string {
		return func(path string) string {
			for _, prefix := range []string{m.prefix, m.decoded} {
				if rest, below := cutBelow(path, prefix); below {
					return prefix + cutAny(rest, ends)
				}
			}
			return path
		}
	}
	cutSegmentsAt := func(ends string) func(string) string {
		return func(path string) string {
			for _, prefix := range []string{m.prefix, m.decoded} {
				if rest, below := cutBelow(path, prefix); below {
					segments := strings.Split(rest, "/")
					for i, segment := range segments {
						segments[i] = cutAny(segment, ends)
					}
					return prefix + strings.Join(segments, "/")
				}
			}
			return path
		}
	}
	m.steps = []func(string) string{
		decodeToTheEnd, // first, since it finds most of what is to be found
		func(path string) string { return strings.ReplaceAll(path, `\`, "/") },
		cutSegmentsAt(anyEnd),
		decodeOnce,
		untilItStays(decodeOnce),
		decodeUnicodeEscapes,
		overlongForms.Replace,
		fullWidthForms.Replace,
		cutSegmentsAt(";"),
		cutAt("?"),
		cutAt("#"),
		cutAt(" "),
		cutAt(controls),
		untilItStays(func(path string) string { return strings.ReplaceAll(path, "//", "/") }),
		withoutDotSegments,
	}
	return m
}

// maxReadings is how many readings of a path the model follows.
const maxReadings = 5000

// judge says what is wrong with a verdict on u, or "".
func (m *scopeModel) judge(u *url.URL, verdict routeauth.Verdict) string {
	written := wirePath(u)
	_, below := cutBelow(written, m.prefix)
	switch {
	case u.Scheme != m.scheme || plainHost(u) != m.host:
		return unless(verdict == routeauth.OutOfScope, "it is another origin's")
	case u.Opaque != "":
		return unless(verdict == routeauth.Refused, "it is opaque")
	case !below:
		return unless(verdict == routeauth.OutOfScope, "it does not lie below the prefix as text")
	case verdict == routeauth.OutOfScope:
		return "it lies below the prefix as text"
	}
	worst, found := m.worstReading(written)
	if verdict == routeauth.Refused {
		return unless(found, "no reading has a dot segment")
	}
	return unless(!found, "it may be read as "+strconv.Quote(worst))
}

func unless(right bool, fault string) string {
	if right {
		return ""
	}
	return fault
}

// worstReading returns a reading of a path that lies outside the prefix or that
// has a dot segment, if there is one among the first maxReadings.
func (m *scopeModel) worstReading(written string) (worst string, found bool) {
	known := len(m.safe)
	var follow func(path string) bool
	follow = func(path string) bool {
		if m.safe[path] || len(m.safe)-known > maxReadings {
			return false
		}
		_, below := cutBelow(path, m.prefix)
		_, belowDecoded := cutBelow(path, m.decoded)
		if !below && !belowDecoded || hasDotSegment(path) {
			worst = path
			return true
		}
		m.safe[path] = true // unless what follows says otherwise
		for _, step := range m.steps {
			if follow(step(path)) {
				delete(m.safe, path)
				return true
			}
		}
		return false
	}
	return worst, follow(written)
}

// cutBelow cuts a prefix off a path that it ends a segment of.
func cutBelow(path, prefix string) (rest string, below bool) {
	rest, below = strings.CutPrefix(path, prefix)
	return rest, below && (rest == "" || rest[0] == '/')
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

const controls = "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\x7f"

// anyEnd are the characters at which some server ends a path or a segment.
const anyEnd = ";?# " + controls

func cutAny(text, ends string) string {
	if i := strings.IndexAny(text, ends); i >= 0 {
		return text[:i]
	}
	return text
}

func hasDotSegment(path string) bool {
	return slices.ContainsFunc(strings.Split(path, "/"), func(segment string) bool { return segment == "." || segment == ".." })
}

// untilItStays repeats a step until it changes nothing.
func untilItStays(step func(string) string) func(string) string {
	return func(path string) string {
		for {
			next := step(path)
			if next == path {
				return path
			}
			path = next
		}
	}
}

var decodeToTheEnd = untilItStays(func(path string) string {
	return fullWidthForms.Replace(overlongForms.Replace(decodeUnicodeEscapes(decodeOnce(path))))
})

// decodeOnce decodes each escape of two digits.
func decodeOnce(path string) string {
	return decodeEscapes(path, "%", 2, func(value uint64) string { return string([]byte{byte(value)}) })
}

// decodeUnicodeEscapes decodes each escape of four digits.
func decodeUnicodeEscapes(path string) string {
	character := func(value uint64) string { return string(rune(value)) }
	return decodeEscapes(decodeEscapes(path, "%u", 4, character), "%U", 4, character)
}

func decodeEscapes(path, begin string, digits int, character func(uint64) string) string {
	var decoded strings.Builder
	for {
		before, after, found := strings.Cut(path, begin)
		decoded.WriteString(before)
		if !found {
			return decoded.String()
		}
		if value, err := strconv.ParseUint(after[:min(digits, len(after))], 16, 32); err == nil && len(after) >= digits {
			decoded.WriteString(character(value))
			path = after[digits:]
		} else {
			decoded.WriteString(begin)
			path = after
		}
	}
}

// overlongForms are the ASCII characters in UTF-8 of two to six bytes.
var overlongForms = func() *strings.Replacer {
	var pairs []string
	for c := range utf8.RuneSelf {
		high, low := byte(c>>6), byte(c&0x3f)
		for size, lead := range []byte{2: 0xc0, 3: 0xe0, 4: 0xf0, 5: 0xf8, 6: 0xfc} {
			switch {
			case size == 2:
				pairs = append(pairs, string([]byte{lead | high, 0x80 | low}), string(rune(c)))
			case size > 2:
				middle := strings.Repeat("\x80", size-3)
				pairs = append(pairs, string([]byte{lead})+middle+string([]byte{0x80 | high, 0x80 | low}), string(rune(c)))
			}
		}
	}
	return strings.NewReplacer(pairs...)
}()

var fullWidthForms = strings.NewReplacer("．", ".", "／", "/", "＼", `\`, "％", "%", "；", ";", "？", "?", "＃", "#")

// withoutDotSegments removes dot segments (RFC 3986, section 5.2.4).
func withoutDotSegments(p string) string {
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

// routedMux is rule 13 for what net/http.ServeMux can say.
type routedMux struct{ *http.ServeMux }

// handlerOf is the handler of an endpoint with a requirement.
type handlerOf routeauth.Requirement

func (handlerOf) ServeHTTP(http.ResponseWriter, *http.Request) {}

func newMux(prefix string, routes routeauth.Routes) routedMux {
	mux := http.NewServeMux()
	for pattern, requirement := range routes {
		mux.Handle(strings.Replace(pattern, "/", prefix+"/", 1), handlerOf(requirement))
	}
	return routedMux{mux}
}

// requirement is that of a request in scope, in the forms in which it is received.
func (m routedMux) requirement(received []*http.Request) routeauth.Requirement {
	for _, req := range received {
		handler, pattern := m.Handler(req)
		if found, ok := handler.(handlerOf); ok && req.Method != http.MethodConnect {
			return routeauth.Requirement(found)
		}
		if pattern == "" { // not found, or not with this method
			break
		}
	}
	return routeauth.Mandatory
}

// asReceived returns a request as a server reads it off the wire, and after it the
// requests for the places to which ServeMux may redirect and which rule 13 looks
// up at once.
func asReceived(t testing.TB, req *http.Request) (received []*http.Request) {
	method := req.Method
	if method == "" {
		method = http.MethodGet
	}
	written := wirePath(req.URL)
	clean := cleanForm(written)
	for _, target := range []string{written, clean, clean + "/"} {
		if method == http.MethodConnect {
			target = "api.example.com:443"
		}
		read, err := http.ReadRequest(bufio.NewReader(strings.NewReader(
			method + " " + target + " HTTP/1.1\r\nHost: api.example.com\r\n\r\n")))
		if err != nil {
			t.Fatalf("%s %s cannot be read: %v", method, target, err)
		}
		received = append(received, read)
	}
	return received
}

// cleanForm is a path without empty and dot segments; a trailing slash stays.
func cleanForm(written string) string {
	if clean := path.Clean(written); clean == "/" || !strings.HasSuffix(written, "/") {
		return clean
	}
	return path.Clean(written) + "/"
}

// loneSlash is a segment that is a value here, and a last slash to ServeMux.
var loneSlash = regexp.MustCompile(`(?i)/%2f(/|$)`)

// tokenOnly is a method as RFC 9110 has it.
var tokenOnly = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]*$")

// fuzzedRoutes are what ServeMux can say.
var fuzzedRoutes = routeauth.Routes{
	"GET /files":           routeauth.Optional,
	"HEAD /files":          routeauth.Mandatory,
	"/files/":              routeauth.Public,
	"GET /files/{id}":      routeauth.Optional,
	"POST /files/{id}/tag": routeauth.Optional,
	"/a/b":                 routeauth.Optional,
	"GET /a/%62":           routeauth.Mandatory,
	"/a/{$}":               routeauth.Public,
	"/100%25/{x}":          routeauth.Optional,
	"/a%2541":              routeauth.Optional,
	"/aA":                  routeauth.Public,
	"/dir/":                routeauth.Optional,
	"CONNECT /a":           routeauth.Optional,
	"PUT /put/{x...}":      routeauth.Optional,
}

// Rules 9, 10 and 13: no reading of a path that is in scope leaves it, no path is
// refused without a reading that might, and a request in scope gets what ServeMux
// would route it to.
func FuzzPolicyScope(f *testing.F) {
	apis := []struct {
		baseURL string
		model   *scopeModel
	}{
		{"https://api.example.com/v1", newScopeModel("https", "api.example.com", "/v1")},
		{"https://api.example.com", newScopeModel("https", "api.example.com", "")},
		{"https://API.example.com:443/digital-try-on/v1/", newScopeModel("https", "api.example.com", "/digital-try-on/v1")},
		{"https://api.example.com:8443/caf%C3%A9/a%20b", newScopeModel("https", "api.example.com:8443", "/caf%C3%A9/a%20b")},
		{"http://[::1]:80/v%31", newScopeModel("http", "[::1]", "/v%31")},
	}
	var policies []*routeauth.Policy
	var muxes []routedMux
	for _, api := range apis {
		policies = append(policies, newPolicy(f, api.baseURL, fuzzedRoutes))
		muxes = append(muxes, newMux(api.model.prefix, fuzzedRoutes))
	}

	for _, c := range scopeCases {
		f.Add(uint8(0), "GET", c.url, "")
	}
	for _, c := range pathCases {
		if len(c.path) > maxFuzzed/2 {
			continue
		}
		f.Add(uint8(0), "GET", "https://api.example.com"+c.path, "")
		f.Add(uint8(1), "POST", "https://api.example.com"+c.path, "")
		f.Add(uint8(2), "GET", "https://api.example.com/digital-try-on"+c.path, "")
		f.Add(uint8(3), "GET", "https://api.example.com:8443"+strings.Replace(c.path, "/v1", "/caf%C3%A9/a b", 1), "")
		f.Add(uint8(4), "GET", "http://[::1]"+strings.Replace(c.path, "/v1", "/v%31", 1), "")
	}
	for _, method := range []string{"", "GET", "HEAD", "POST", "PUT", "CONNECT", "get"} {
		for pattern := range fuzzedRoutes {
			path := strings.NewReplacer("{id}", "1", "{x}", "%2541", "{x...}", "y/%25", "{$}", "").Replace(pattern[strings.IndexByte(pattern, '/'):])
			for _, suffix := range []string{"", "/", "//", "/x"} {
				f.Add(uint8(0), method, "https://api.example.com/v1"+path+suffix, "")
				f.Add(uint8(3), method, "https://api.example.com:8443/café/a%20b/"+path+suffix, "")
			}
		}
	}
	f.Add(uint8(0), "GET", "https://api.example.com/v1/../v2", "/v1/files")
	f.Add(uint8(0), "GET", "https://api.example.com/v1/a/b", "/v1/a%2fb")
	f.Add(uint8(0), "GET", "https://api.example.com/v1/files", "/v2/files")
	f.Add(uint8(0), "GET", "https:v1/files", "")
	f.Add(uint8(1), "OPTIONS", "https://api.example.com*", "")
	f.Add(uint8(3), "GET", "https://api.example.com:8443/caf%c3%a9/a%20b/files", "")
	f.Add(uint8(4), "GET", "http://[::1]/v1/files", "")

	f.Fuzz(func(t *testing.T, api uint8, method, rawURL, rawPath string) {
		if len(rawURL)+len(rawPath) > maxFuzzed || !tokenOnly.MatchString(method) {
			t.Skip("too long for the model, or no method that net/http sends")
		}
		u, err := url.Parse(rawURL)
		if err != nil {
			u = &url.URL{Scheme: "https", Host: "api.example.com", Path: rawURL}
		}
		if rawPath != "" {
			u.RawPath = rawPath // consistent with Path or not
		}
		i := int(api) % len(apis)
		model := apis[i].model
		clear(model.safe)

		req := &http.Request{Method: method, URL: u}
		got := treatment(t, policies[i], req)
		match := policies[i].Match(req)
		if fault := model.judge(u, match.Verdict); fault != "" {
			t.Fatalf("%#v is %v of %s: %s", u, match.Verdict, apis[i].baseURL, fault)
		}
		if match.Verdict != routeauth.InScope || loneSlash.MatchString(wirePath(u)) {
			return
		}
		if want := muxes[i].requirement(asReceived(t, req)); got != want.String() {
			t.Fatalf("%s %#v of %s: got %s, ServeMux has %v", method, u, apis[i].baseURL, got, want)
		}
	})
}

// maxFuzzed is how long a URL may be for the model.
const maxFuzzed = 200

// muxAccepts reports whether one ServeMux takes all of the patterns.
func muxAccepts(patterns ...string) (accepted bool) {
	defer func() { accepted = recover() == nil }()
	mux := http.NewServeMux()
	for _, pattern := range patterns {
		mux.Handle(pattern, http.NotFoundHandler())
	}
	return true
}

// isOurs reports whether ServeMux takes a pattern for something that NewPolicy
// refuses on purpose: it has a host, or matches nothing that a client sends.
func isOurs(pattern string) bool {
	method, _, found := strings.Cut(pattern, "/")
	written := pattern
	if space := strings.IndexAny(pattern, " \t"); space >= 0 && (!found || space < len(method)) {
		method, written = pattern[:space], strings.TrimLeft(pattern[space:], " \t")
	} else {
		method = ""
	}
	if method != strings.ToUpper(method) || method == "*" || strings.Contains(method, "|") || !strings.HasPrefix(written, "/") || written != cleanForm(written) {
		return false
	}
	for segment := range strings.SplitSeq(written[1:], "/") {
		text := wildcards.ReplaceAllString(segment, "")
		if segment == "*" || strings.HasPrefix(segment, ":") || strings.ContainsAny(text, "?#{}") {
			return false
		}
	}
	_, found = newScopeModel("", "", "").worstReading(wildcards.ReplaceAllString(written, "x"))
	return !found
}

var wildcards = regexp.MustCompile(`\{[^{}/]*\}`)

// Rules 12 to 14: NewPolicy never panics, takes what ServeMux takes but for what
// matches nothing, shows no password, and what it returns can be used.
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
	for _, rawURL := range []string{"https://api.example.com", "https://api.example.com/", "http://[::1]:80/a%20/b"} {
		f.Add(rawURL, "/%2F", "/{$}")
		f.Add(rawURL, "/%zz", "GET /%zz")
		f.Add(rawURL, " /x", "GET  \t/x")
		f.Add(rawURL, " / ", "\t/a b")
		f.Add(rawURL, "/{a...}/b", "/{a}.{b}/{c...}")
	}

	f.Fuzz(func(t *testing.T, baseURL, a, b string) {
		routes := routeauth.Routes{a: routeauth.Optional, b: routeauth.Mandatory}
		policy, err := routeauth.NewPolicy("https://api.example.com/v1", routes)
		oursA, oursB, both := isOurs(a), isOurs(b), a == b || !isConflict(err)
		if want := oursA && oursB && both; muxAccepts(a) && muxAccepts(b) && want != (err == nil) {
			t.Fatalf("%q and %q: %v", a, b, err)
		}
		if muxAccepts(a) && muxAccepts(b) && oursA && oursB && !holdsLoneSlash(a+" "+b) && muxAccepts(a, b) != both {
			t.Fatalf("ServeMux finds another relation between %q and %q: %v", a, b, err)
		}
		if err == nil {
			_ = policy.String()
		}

		policy, err = routeauth.NewPolicy(baseURL, routes)
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
		require.Equal(t, routeauth.InScope, policy.Match(&http.Request{URL: u}).Verdict, "the base URL %q itself", baseURL)
		below := *u
		below.Path, below.RawPath = u.Path+"/files", u.EscapedPath()+"/files"
		require.Equal(t, routeauth.InScope, policy.Match(&http.Request{URL: &below}).Verdict, "below %q", baseURL)
	})
}

func isConflict(err error) bool { return err != nil && strings.Contains(err.Error(), "conflicts with") }

// holdsLoneSlash reports whether a pattern has a segment that ServeMux takes for a
// last slash.
func holdsLoneSlash(pattern string) bool { return strings.Contains(strings.ToLower(pattern), "/%2f") }

// isBase is what rules 12 and 14 say of a base URL without AllowPlaintext.
func isBase(u *url.URL) bool {
	host := u.Hostname()
	if strings.HasPrefix(u.Host, "[") {
		host, _, _ = strings.Cut(host, "%") // the zone
	}
	loopback := strings.EqualFold(host, "localhost") || net.ParseIP(host).IsLoopback()
	return (u.Scheme == "https" || u.Scheme == "http" && loopback) &&
		host != "" && u.User == nil && u.RawQuery == "" && !u.ForceQuery && u.Fragment == "" &&
		!strings.ContainsAny(u.Path, "{}"+`%\;`+controls) && u.Path == decodeToTheEnd(u.EscapedPath()) &&
		strings.Count(u.Path, "/") == strings.Count(u.EscapedPath(), "/") &&
		(u.Path == "" || u.EscapedPath() == cleanForm(u.EscapedPath()))
}
