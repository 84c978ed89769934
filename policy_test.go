package routeauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"

	"example.com/routeauth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The treatments of a request. That of one in scope is its Requirement.
const (
	outOfScope = "out of scope"
	refused    = "refused"
	mandatory  = "mandatory"
	optional   = "optional"
	public     = "public"
)

// treatment is what policy says about req. A Transport with that policy must do
// as it says, with a request that is unchanged but for the credential.
func treatment(t testing.TB, policy *routeauth.Policy, req *http.Request) string {
	t.Helper()
	match := policy.Match(req)
	said := match.Verdict.String()
	if match.Verdict == routeauth.InScope {
		said = match.Requirement.String()
	} else if match.Requirement != routeauth.Mandatory || match.Pattern != "" {
		t.Fatalf("%v: Match says %+v", req.URL, match)
	}
	requirement, inScope := policy.Requirement(req)
	if requirement != match.Requirement || inScope != (match.Verdict == routeauth.InScope) {
		t.Fatalf("%v: Requirement says %v, %v; Match says %+v", req.URL, requirement, inScope, match)
	}

	want := said
	if said == outOfScope || said == public {
		want = unauthenticated
	}
	if done := sentWith(t, policy, req); done != want {
		t.Fatalf("%s %v was sent as %s; Match says %+v", req.Method, req.URL, done, match)
	}
	return said
}

// unauthenticated is what out of scope and public look like on the wire.
const unauthenticated = "without a credential"

// sentWith sends req through a Transport with policy, and says with what.
func sentWith(t testing.TB, policy *routeauth.Policy, req *http.Request) string {
	t.Helper()
	source := tokenFunc(func(context.Context, routeauth.Params) (string, error) { return "jwt", nil })
	b := new(base)
	transport, err := routeauth.New(policy, routeauth.JWTAuth{SubscriptionID: "subscription", Source: source}, b)
	require.NoError(t, err)
	resp, err := transport.RoundTrip(req)
	reached := b.sent()
	if errors.Is(err, routeauth.ErrRefusedPath) && resp == nil && len(reached) == 0 {
		return refused
	}
	if err != nil || len(reached) != 1 {
		t.Fatalf("%v reached the base %d times, and the error is %v", req.URL, len(reached), err)
	}
	_ = resp.Body.Close()
	got := reached[0]
	if *got.URL != *req.URL {
		t.Fatalf("%v was sent as %v", req.URL, got.URL)
	}
	switch {
	case got.Header.Get("Authorization") == "Bearer jwt":
		return mandatory
	case got.Header.Get("X-User-Id") == "subscription":
		return optional
	case got.Request != req:
		t.Fatalf("%v went out without a credential, but as another value", req.URL)
	}
	return unauthenticated
}

func newPolicy(t testing.TB, baseURL string, routes routeauth.Routes, opts ...routeauth.PolicyOption) *routeauth.Policy {
	t.Helper()
	policy, err := routeauth.NewPolicy(baseURL, routes, opts...)
	require.NoError(t, err)
	return policy
}

// everything makes each path in scope optional, so that "mandatory" needs a
// reason.
var everything = routeauth.Routes{"/": routeauth.Optional}

// requestOf returns a request for a method, which may be empty, and a path below
// the API's base URL.
func requestOf(t testing.TB, methodAndPath string) *http.Request {
	t.Helper()
	method, path, _ := strings.Cut(methodAndPath, " ")
	u, err := url.Parse(apiURL + path)
	require.NoError(t, err)
	return &http.Request{Method: method, URL: u}
}

// Rule 13. A request is a method, a space and a path below the base URL; what is
// said is the requirement and, where it matters which one it is, the pattern.
func TestARequestTakesTheRequirementOfItsMostSpecificPattern(t *testing.T) {
	const m, o, p = routeauth.Mandatory, routeauth.Optional, routeauth.Public
	for _, c := range []struct {
		name     string
		routes   routeauth.Routes
		requests map[string]string
	}{
		{"no routes", nil, map[string]string{"GET /files": mandatory, "GET ": mandatory, " /": mandatory}},
		{"an empty table", routeauth.Routes{}, map[string]string{"GET /files": mandatory}},
		{"what matches nothing is mandatory", routeauth.Routes{"/files": o, "GET /public": p}, map[string]string{
			"GET /other": mandatory, "GET /files/1": mandatory, "GET /Files": mandatory, "GET ": mandatory, "GET /": mandatory,
			"GET /file": mandatory, "GET /filess": mandatory, "POST /public": mandatory,
		}},
		{"each requirement", routeauth.Routes{"/m": m, "/o": o, "/p": p}, map[string]string{
			"GET /m": mandatory + " /m", "GET /o": optional + " /o", "GET /p": public + " /p",
		}},

		// Methods.
		{"no method matches every one", routeauth.Routes{"/files": o}, map[string]string{
			"GET /files": optional, "HEAD /files": optional, "DELETE /files": optional, "get /files": optional, " /files": optional, "BREW /files": optional,
		}},
		{"a method matches itself", routeauth.Routes{"POST /files": o, "BREW /tea": o}, map[string]string{
			"POST /files": optional, "post /files": mandatory, "GET /files": mandatory, "HEAD /files": mandatory, " /files": mandatory, "BREW /tea": optional,
		}},
		{"an empty method is GET", routeauth.Routes{"GET /files": o, "GET /{a}/b": o, "HEAD /head": o}, map[string]string{
			" /files": optional, " /x/b": optional, " /head": mandatory,
		}},
		{"GET also matches HEAD", routeauth.Routes{"GET /files": o, "GET /{a}/b": o}, map[string]string{"HEAD /files": optional, "HEAD /x/b": optional}},
		{"GET is more specific than no method", routeauth.Routes{"GET /files": m, "/files": o}, map[string]string{
			"GET /files": mandatory, "HEAD /files": mandatory, " /files": mandatory, "PUT /files": optional,
		}},
		{"HEAD is more specific than GET", routeauth.Routes{"HEAD /files": o, "GET /files": m}, map[string]string{
			"HEAD /files": optional, "GET /files": mandatory, " /files": mandatory,
		}},
		{"a method is more specific than none", routeauth.Routes{"POST /files": p, "/files": m, "/{id}": o, "POST /{id}": m}, map[string]string{
			"POST /files": public, "PUT /files": mandatory, "PUT /x": optional, "POST /x": mandatory,
		}},
		{"a method ends at a space or tab before the first slash", routeauth.Routes{"GET \t /files": o, " /a": o, "\t/b": o, "/c d": o, " /e f": o, " / ": o}, map[string]string{
			"GET /files": optional, "PUT /files": mandatory, "PUT /a": optional, "PUT /b": optional, "PUT /c d": optional, "PUT /e f": optional, "PUT / ": optional,
		}},
		{"CONNECT is mandatory", routeauth.Routes{"/": o, "CONNECT /files": p, "CONNECT /{id}": o, "/{a}/b": p}, map[string]string{
			"CONNECT /files": mandatory, "CONNECT //files": mandatory, "CONNECT /x": mandatory, "CONNECT /x/b": mandatory, "CONNECT /": mandatory,
		}},

		// Precedence.
		{"a literal is more specific than a wildcard", routeauth.Routes{"/files/{id}": o, "/files/new": m, "/{dir}/{id}": p}, map[string]string{
			"GET /files/new": mandatory, "GET /files/x": optional, "GET /x/new": public,
		}},
		{"a longer subtree is more specific", routeauth.Routes{"/": o, "/files/": m, "/files/public/": p}, map[string]string{
			"GET /files/1": mandatory, "GET /other": optional, "GET /files/public/1/2": public,
		}},
		{"a wildcard is found where the literal leads nowhere", routeauth.Routes{"/a/b/z": m, "/a/{x}/c": o}, map[string]string{
			"GET /a/b/c": optional, "GET /a/b/z": mandatory, "GET /a/b": mandatory,
		}},
		{"one segment is more specific than many", routeauth.Routes{"/a/{rest...}": o, "/a/{x}/c": m}, map[string]string{
			"GET /a/b/c": mandatory, "GET /a/b/c/d": optional, "GET /a/": optional,
		}},
		{"the end is more specific than a subtree", routeauth.Routes{"/files/": m, "/files/{$}": o}, map[string]string{
			"GET /files/": optional, "GET /files/1": mandatory, "GET /files/1/": mandatory,
		}},
		{"the end of the base URL", routeauth.Routes{"/{$}": o}, map[string]string{"GET /": optional, "GET ": optional, "GET /files": mandatory}},
		{"patterns that overlap and ask for the same", routeauth.Routes{"/users/{id}": o, "/{kind}/me": o, "GET /{kind}/{id}": o, "/a": o, "/%61": o, "/{x}": p, "/{y}": p}, map[string]string{
			"GET /users/me": optional, "PUT /users/me": optional, "PUT /users/x": optional, "PUT /x/me": optional, "PUT /x/y": mandatory,
			"GET /a": optional, "GET /b": public,
		}},

		// Mixed segments.
		{"text and wildcards in one segment", routeauth.Routes{
			"/accounts/{id}.json": o, "POST /batches/{id}:cancel": o, "/compare/{base}...{head}": o, "/v{n}": o, "/a{b}c{d}e": o, "/{a}{b}": p,
		}, map[string]string{
			"GET /accounts/17.json": optional, "GET /accounts/.json": mandatory, "GET /accounts/17.xml": mandatory, "GET /accounts/17.json.json": optional,
			"POST /batches/17:cancel": optional, "POST /batches/a%3Ab:cancel": optional, "POST /batches/17%3Acancel": optional, "POST /batches/17": mandatory,
			"GET /compare/main...next": optional, "GET /compare/...next": mandatory, "GET /compare/main...": mandatory, "GET /compare/a.....b": optional,
			"GET /v1": optional, "GET /v": mandatory, "GET /aXcYe": optional, "GET /acXe": public, "GET /aXce": public, "GET /aXccYe": optional, "GET /xy": public, "GET /x": mandatory,
		}},
		{"a mixed segment lies between literals and wildcards", routeauth.Routes{"/f/{id}.json": o, "/f/{id}": m, "/f/new.json": p, "/f/x{id}.json": m}, map[string]string{
			"GET /f/1.json": optional, "GET /f/1": mandatory, "GET /f/new.json": public, "GET /f/x1.json": mandatory, "GET /f/x.json": optional,
		}},

		// {name...} in the middle.
		{"any number of segments in the middle", routeauth.Routes{"/v2/{name...}/tags": o, "/v3/{name...}/blobs/{id}": p, "/v3/{name...}/blobs/new": m}, map[string]string{
			"GET /v2/a/tags": optional, "GET /v2/a/b/c/tags": optional, "GET /v2/tags": mandatory, "GET /v2//tags": mandatory, "GET /v2/tags/tags": optional,
			"GET /v2/a/tags/": mandatory, "GET /v3/a/blobs/1": public, "GET /v3/a/b/blobs/1": public, "GET /v3/a/blobs/new": mandatory,
			"GET /v3/a/blobs/new/blobs/1": public, "GET /v3/blobs/blobs/new": mandatory, "GET /v3/a/blobs": mandatory,
		}},
		{"what stands before and after the middle counts", routeauth.Routes{"/{a}/{b...}/z": o, "/{a}/{b...}": m, "/x/{b...}/z": p}, map[string]string{
			"GET /x/1/2/z": public, "GET /y/1/z": optional, "GET /x/1": mandatory, "GET /x/z": mandatory, "GET /y/z": mandatory,
		}},

		// Names.
		{"a name is anything", routeauth.Routes{"/{a-b}": o, "/b/{a.b c}/{a.b c}": o, "/c/{?#*:é}": o, "/d/{$$...}": o, "/e/{ ...}/x": o}, map[string]string{
			"GET /x": optional, "GET /b/1/2": optional, "GET /c/1": optional, "GET /d/1/2": optional, "GET /e/1/2/x": optional,
		}},

		// Escapes.
		{"a literal is compared decoded", routeauth.Routes{"/files": o, "/caf%c3%a9": o, "/naïve": o, "/a%20b": o, "/%7Bid%7D": o, "/users/@me": o, "/q%3F": o, "/f;v=1": o, "/100%": o, "/%zz": o}, map[string]string{
			"GET /fil%65s": optional, "GET /café": optional, "GET /caf%C3%A9": optional, "GET /na%C3%AFve": optional, "GET /a b": optional, "GET /a%20b": optional,
			"GET /%7bid%7D": optional, "GET /users/@me": optional, "GET /users/%40me": optional, "GET /q%3f": optional, "GET /q?": mandatory,
			"GET /f;v=1": optional, "GET /f%3Bv=1": optional, "GET /f": mandatory, "GET /100%25": optional, "GET /%25zz": optional,
		}},
		{"a literal is decoded once", routeauth.Routes{"/a%2541": o, "/a%41": m, "/%2525": p}, map[string]string{
			"GET /a%2541": optional, "GET /aA": mandatory, "GET /a%41": mandatory, "GET /a%252541": mandatory, "GET /%2525": public, "GET /%25": mandatory,
		}},
		{"an escaped slash is part of a value", routeauth.Routes{"/a%2fb": o, "/a/b": m, "/{id}": p, "/x/%2F": o, "/x/{$}": p}, map[string]string{
			"GET /a%2Fb": optional, "GET /a/b": mandatory, "GET /c%2fd": public, "GET /c/d": mandatory, "GET /x/%2f": optional, "GET /x/": public,
		}},
		{"a lone escaped slash is a value", routeauth.Routes{"GET /queues/{vhost}/{name}": m, "GET /queues/": o, "GET /queues/{vhost}": p, "/a/{x}/z": o}, map[string]string{
			"GET /queues/%2F/jobs": mandatory + " GET /queues/{vhost}/{name}", "GET /queues/%2f": public, "GET /queues/": optional,
			"GET /queues/%2F/%2f": mandatory, "GET /queues/%2F/jobs/x": optional, "GET /a/%2F/z": optional, "GET /a/%2F%2F/z": optional,
		}},
		{"a value may be anything but a dot segment", routeauth.Routes{"/{id}/x": o}, map[string]string{
			"GET /a%252Fb/x": optional, "GET /https:%2F%2Fexample.com%2Fa%3Fb/x": optional, "GET /%00/x": optional, "GET /a%0Ab/x": optional,
			"GET /a;b/x": optional, "GET /%5C/x": optional, "GET /.../x": optional, "GET /..a/x": optional, "GET /%25/x": optional,
			"GET /../x": refused, "GET /%2E/x": refused, "GET /..;a/x": refused, "GET /a%2F..%2Fb/x": refused,
		}},

		// A path without a last slash.
		{"a subtree is for its folder too", routeauth.Routes{"/files/": o, "/all/{rest...}": p, "/end/{$}": o, "/a/{dir}/sub/": p}, map[string]string{
			"GET /files": optional, "GET /all": public, "GET /end": optional, "GET /a/x/sub": public, "GET /end/x": mandatory,
		}},
		{"the folder of a subtree below another", routeauth.Routes{"/": o, "/files/": m}, map[string]string{"GET /files": mandatory, "GET ": optional}},
		{"the folder has a route of its own", routeauth.Routes{"/files/": o, "/files": m, "/a/": m, "/{id}": p}, map[string]string{
			"GET /files": mandatory, "GET /files/": optional, "GET /a": public, "GET /a/": mandatory,
		}},
		{"a folder for one method", routeauth.Routes{"POST /files/": o, "GET /files/": p, "PUT /files": m}, map[string]string{
			"POST /files": optional, "GET /files": public, " /files": public, "PUT /files": mandatory, "DELETE /files": mandatory,
		}},
		{"a wildcard is not its folder", routeauth.Routes{"/files/{id}": o}, map[string]string{"GET /files": mandatory, "GET /files/": mandatory}},
		{"a literal is not a subtree", routeauth.Routes{"/files": o}, map[string]string{"GET /files/": mandatory, "GET //files/": mandatory}},

		// Doubled slashes.
		{"doubled slashes count as one", routeauth.Routes{"/files": o, "/dir/": p, "POST /x": o, "/a/{b}": m, "/a%2fb": o}, map[string]string{
			"GET //files": optional, "GET ///files": optional, " //files": optional, "GET //dir//": public, "GET //dir": public, "GET /dir//a///b": public,
			"POST //x": optional, "GET //x": mandatory, "GET //a%2fb": optional, "GET //": mandatory, "GET /a///b": mandatory + " /a/{b}",
		}},
		{"doubled slashes at the root", routeauth.Routes{"/{$}": o}, map[string]string{"GET //": optional, "GET ///": optional}},
	} {
		t.Run(c.name, func(t *testing.T) {
			policy := newPolicy(t, apiURL, c.routes)
			for request, want := range c.requests {
				req := requestOf(t, request)
				got := treatment(t, policy, req)
				requirement, pattern, named := strings.Cut(want, " ")
				if got != requirement || named && pattern != policy.Match(req).Pattern {
					t.Errorf("%s: got %s %s, want %s", request, got, policy.Match(req).Pattern, want)
				}
			}
		})
	}
}

// Rule 13: the patterns are matched here, and not by net/http.ServeMux, whose
// wildcards this setting turns off.
func TestTheOldServeMuxChangesNothing(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "js" {
		t.Skip("js/wasm starts no processes")
	}
	program, err := os.Executable()
	require.NoError(t, err)
	again := exec.Command(program, "-test.run=^TestARequestTakesTheRequirementOfItsMostSpecificPattern$")
	again.Env = append(os.Environ(), "GODEBUG=httpmuxgo121=1")
	output, err := again.CombinedOutput()
	require.NoError(t, err, "%s", output)
	assert.NotContains(t, string(output), "no tests to run")
}

// Rule 13, held against a real ServeMux: all pairs of these patterns with
// different requirements, and each method on each path.
func TestMatchAgreesWithServeMux(t *testing.T) {
	t.Parallel()
	if strings.Contains(os.Getenv("GODEBUG"), "httpmuxgo121=1") {
		t.Skip("ServeMux has no wildcards under GODEBUG=httpmuxgo121=1")
	}
	var patterns []string
	for _, method := range []string{"", "GET ", "HEAD ", "POST ", "CONNECT "} {
		for _, path := range []string{"/files", "/fil%65s", "/files/", "/{id}", "/files/{$}", "/"} {
			patterns = append(patterns, method+path)
		}
	}
	var requests []*http.Request
	var received [][]*http.Request
	for _, method := range []string{"", "GET", "HEAD", "POST", "DELETE", "CONNECT"} {
		for _, path := range []string{"/files", "/fil%65s", "/files/", "/other", "/files/x", "//files", "/files//", ""} {
			req := requestOf(t, method+" "+path)
			requests, received = append(requests, req), append(received, asReceived(t, req))
		}
	}
	accepted := 0
	for _, optional := range patterns {
		for _, mandatory := range patterns {
			routes := routeauth.Routes{mandatory: routeauth.Mandatory, optional: routeauth.Optional}
			policy, err := routeauth.NewPolicy(apiURL, routes)
			if (err == nil) != muxAccepts(mandatory, optional) && mandatory != optional {
				t.Errorf("%v: ServeMux judges otherwise than %v", routes, err)
			}
			if err != nil {
				continue
			}
			accepted++
			mux := newMux("/v1", routes)
			for i, req := range requests {
				if got, want := policy.Match(req).Requirement, mux.requirement(received[i]); got != want {
					t.Errorf("%s %s on %v: got %v, ServeMux has %v", req.Method, req.URL, routes, got, want)
				}
			}
		}
	}
	assert.Greater(t, accepted, 500, "pairs of patterns without a conflict")
}

// Rule 13: which of several patterns is named depends on the table alone.
func TestOfPatternsThatOverlapItIsAlwaysTheSame(t *testing.T) {
	routes := routeauth.Routes{}
	for _, pattern := range []string{"/{a}/me", "/users/{a}", "GET /users/{b}", "GET /{b}/me", "/us{c}s/me", "/users/m{c}", "/{d...}/me"} {
		routes[pattern] = routeauth.Optional
	}
	req := requestOf(t, "GET /users/me")
	want := newPolicy(t, apiURL, routes).Match(req).Pattern
	for range 20 { // maps have no order
		assert.Equal(t, want, newPolicy(t, apiURL, routes).Match(req).Pattern)
	}
}

// Rule 13: many routes behave as few do.
func TestEachOfManyRoutesIsFound(t *testing.T) {
	routes := routeauth.Routes{}
	for i := range 2000 {
		requirement := routeauth.Requirement(i % 3)
		routes[fmt.Sprintf("GET /static/%d", i)] = requirement
		routes[fmt.Sprintf("POST /wild/%d/{id}", i)] = requirement
		routes[fmt.Sprintf("/mixed/{id}-%d", i)] = requirement
	}
	policy := newPolicy(t, apiURL, routes)
	for pattern, want := range routes {
		method, path, found := strings.Cut(pattern, " ")
		if !found {
			method, path = "PUT", pattern
		}
		req := &http.Request{Method: method, URL: &url.URL{Scheme: "https", Host: "api.example.com", Path: "/v1" + strings.ReplaceAll(path, "{id}", "x")}}
		if got := policy.Match(req); got.Verdict != routeauth.InScope || got.Requirement != want || got.Pattern != pattern {
			t.Errorf("%s: %+v", pattern, got)
		}
	}
}

// Rule 13: a path with doubled slashes is sent unchanged. A server may tell
// /v1//files and /v1/files apart.
func TestAPathIsSentAsItIs(t *testing.T) {
	policy := newPolicy(t, apiURL, routeauth.Routes{"GET /files/{id}": routeauth.Optional, "/dir/": routeauth.Optional})
	for _, url := range []string{
		"https://api.example.com/v1//files//1?a=%2F&b#c",
		"https://user@API.example.com:443/v1/files/1",
		"https://api.example.com/v1/dir",
		"https://api.example.com/v1/files/a%2fb",
		"https://api.example.com/v1/files/%e9%252f",
	} {
		req := newRequest(t, http.MethodGet, url, "")
		before := *req.URL
		require.Equal(t, optional, treatment(t, policy, req)) // which sees that the base got the same URL
		assert.Equal(t, before, *req.URL)
		assert.Equal(t, before.String(), req.URL.String())
	}
}

// Rule 13: a Public endpoint gets nothing, whoever asks it.
func TestAPublicRequestGoesToTheBaseAsItIs(t *testing.T) {
	unauthorized := answer(nil, http.StatusUnauthorized, "who are you?")
	policy := newPolicy(t, apiURL, routeauth.Routes{"/status": routeauth.Public, "/": routeauth.Optional})
	source := &countingSource{next: func(context.Context, routeauth.Params, int) (string, error) { return "jwt", nil }}
	noParams := func(*http.Request) (routeauth.Params, error) { return nil, errors.New("nobody asks for them") }
	for name, auth := range map[string]routeauth.Auth{
		"an API key": routeauth.APIKeyAuth{APIKey: "key"},
		"a JWT":      routeauth.JWTAuth{SubscriptionID: "subscription", Source: source, Params: noParams},
	} {
		t.Run(name, func(t *testing.T) {
			b := &base{respond: func(*http.Request, int) (*http.Response, error) { return unauthorized, nil }}
			transport, err := routeauth.New(policy, auth, b)
			require.NoError(t, err)
			req := newRequest(t, http.MethodPost, apiURL+"/status", "body")
			req.Header.Set("X-Api-Key", "the caller's own")
			header, body := req.Header.Clone(), req.Body

			resp, err := transport.RoundTrip(req)
			require.NoError(t, err, "nobody's credential was rejected")
			assert.Same(t, unauthorized, resp)
			got := b.only(t)
			assert.Same(t, req, got.Request)
			assert.Equal(t, header, got.Header)
			assert.Equal(t, body, got.Request.Body)
			assert.Equal(t, "body", got.Body)
		})
	}
	assert.Zero(t, source.count(), "tokens that were fetched")
}

// authOf makes the same transport, or none, of each of its fields.
type authOf struct {
	mandatory, optional func(base http.RoundTripper) http.RoundTripper
}

func (a authOf) RoundTrippers(base http.RoundTripper) (mandatory, optional http.RoundTripper, err error) {
	mandatory = a.mandatory(base)
	if a.optional != nil {
		optional = a.optional(base)
	}
	return mandatory, optional, nil
}

// S4: a program whose policy has no Optional route needs nothing for one.
func TestTheTransportForOptionalEndpointsMayBeMissingWhereThereAreNone(t *testing.T) {
	self := func(base http.RoundTripper) http.RoundTripper { return base }
	nothing := func(http.RoundTripper) http.RoundTripper { return (*routeauth.HeaderTransport)(nil) }
	without := newPolicy(t, apiURL, routeauth.Routes{"/status": routeauth.Public, "/files": routeauth.Mandatory})
	with := newPolicy(t, apiURL, routeauth.Routes{"/status": routeauth.Public, "GET /files": routeauth.Optional})

	for name, auth := range map[string]routeauth.Auth{
		"an Auth of one's own": authOf{self, nil},
		"JWTAuth":              routeauth.JWTAuth{Source: tokenFunc(func(context.Context, routeauth.Params) (string, error) { return "jwt", nil })},
	} {
		t.Run(name, func(t *testing.T) {
			b := new(base)
			transport, err := routeauth.New(without, auth, b)
			require.NoError(t, err)
			for _, path := range []string{"/status", "/files", "/other"} {
				_, err := transport.RoundTrip(newRequest(t, http.MethodGet, apiURL+path, ""))
				require.NoError(t, err)
			}
			assert.Len(t, b.sent(), 3)

			_, err = routeauth.New(with, auth, b)
			require.Error(t, err)
			assert.Contains(t, err.Error(), `"GET /files"`, "the route that needs it")
		})
	}
	for name, policy := range map[string]*routeauth.Policy{"none": without, "one": with} {
		_, err := routeauth.New(policy, authOf{self, nothing}, nil)
		assert.ErrorContains(t, err, "nil", "a typed nil is a mistake, with %s optional", name)
		_, err = routeauth.New(policy, authOf{self, self}, nil)
		assert.NoError(t, err)
	}
}

// Every verdict says which part of the URL decided, in a sentence.
func TestMatchSaysWhy(t *testing.T) {
	tryOn := newPolicy(t, "https://api.example.com/digital-tryon/v1", routeauth.Routes{
		"POST /operations":     routeauth.Mandatory,
		"GET /operations/{id}": routeauth.Optional,
		"GET /status":          routeauth.Public,
	})
	whole := newPolicy(t, "https://api.example.com:8443", nil)
	const baseURL = "https://api.example.com/digital-tryon/v1"
	scoped := func(r routeauth.Requirement, pattern, reason string) routeauth.Match {
		return routeauth.Match{Verdict: routeauth.InScope, Requirement: r, Pattern: pattern, Reason: reason}
	}
	out := func(reason string) routeauth.Match { return routeauth.Match{Reason: reason} }
	refuse := func(reason string) routeauth.Match {
		return routeauth.Match{Verdict: routeauth.Refused, Reason: reason}
	}
	for _, c := range []struct {
		name   string
		policy *routeauth.Policy
		req    *http.Request
		want   routeauth.Match
	}{
		{"mandatory", tryOn, newRequest(t, "POST", baseURL+"/operations", ""),
			scoped(routeauth.Mandatory, "POST /operations", `the route "POST /operations" is mandatory`)},
		{"optional", tryOn, newRequest(t, "HEAD", baseURL+"//operations/17?q", ""),
			scoped(routeauth.Optional, "GET /operations/{id}", `the route "GET /operations/{id}" is optional`)},
		{"public", tryOn, newRequest(t, "GET", baseURL+"/status", ""),
			scoped(routeauth.Public, "GET /status", `the route "GET /status" is public`)},
		{"no route", tryOn, newRequest(t, "PUT", baseURL+"/status", ""),
			scoped(routeauth.Mandatory, "", "no route matches, so it is mandatory")},
		{"no route at all", whole, newRequest(t, "GET", "https://api.example.com:8443", ""),
			scoped(routeauth.Mandatory, "", "no route matches, so it is mandatory")},

		{"another scheme", tryOn, newRequest(t, "GET", "http://api.example.com/digital-tryon/v1/status", ""),
			out("the scheme is http, the policy's is https")},
		{"no scheme", tryOn, newRequest(t, "GET", "/digital-tryon/v1/status", ""),
			out("the scheme is missing, the policy's is https")},
		{"another host", tryOn, newRequest(t, "GET", "https://www.api.example.com/digital-tryon/v1/status", ""),
			out("the host is www.api.example.com, the policy's is api.example.com")},
		{"another port", tryOn, newRequest(t, "GET", "https://api.example.com:8443/digital-tryon/v1/status", ""),
			out("the host is api.example.com:8443, the policy's is api.example.com")},
		{"the default port", whole, newRequest(t, "GET", "https://api.example.com/x", ""),
			out("the host is api.example.com, the policy's is api.example.com:8443")},
		{"no host", tryOn, newRequest(t, "GET", "https:///digital-tryon/v1/status", ""),
			out("the host is missing, the policy's is api.example.com")},
		{"a host that looks the same", tryOn, newRequest(t, "GET", "https://api.example.com%E2%80%8B/digital-tryon/v1", ""),
			out(`the host is "api.example.com\u200b", the policy's is api.example.com`)},
		{"another path", tryOn, newRequest(t, "GET", "https://api.example.com/digital-try-on/v1/status", ""),
			out("the path is not below /digital-tryon/v1")},
		{"a path that begins like it", tryOn, newRequest(t, "GET", baseURL+"0/status", ""),
			out("the path is not below /digital-tryon/v1")},
		{"a path without a slash", whole, &http.Request{URL: &url.URL{Scheme: "https", Host: "api.example.com:8443", Path: "x"}},
			out("the path is not below /")},
		{"a password", tryOn, newRequest(t, "GET", "https://user:hunter2@evil.example/?hunter2#hunter2", ""),
			out("the host is evil.example, the policy's is api.example.com")},
		{"a password in a URL made by hand", tryOn, &http.Request{URL: &url.URL{Scheme: "https", Host: "user:hunter2@api.example.com", Path: "/digital-tryon/v1"}},
			out("the host is api.example.com, the policy's is api.example.com")},

		{"an escaped dot segment", tryOn, newRequest(t, "GET", baseURL+"/x/..%2f/y", ""),
			refuse(`the segment "..%2f" may be read as a dot segment`)},
		{"a plain one", tryOn, newRequest(t, "GET", baseURL+"/x/../y?hunter2", ""),
			refuse(`the segment ".." may be read as a dot segment`)},
		{"the first of two", tryOn, newRequest(t, "GET", baseURL+"/a;.;/.;a/..", ""),
			refuse(`the segment ".;a" may be read as a dot segment`)},
		{"one that net/url escapes", tryOn, newRequest(t, "GET", baseURL+`/a\..`, ""),
			refuse(`the segment "a%5C.." may be read as a dot segment`)},
		{"opaque", tryOn, &http.Request{URL: &url.URL{Scheme: "https", Host: "api.example.com", Opaque: "//user:hunter2@api.example.com/x"}},
			refuse("the URL is opaque, so that its path cannot be judged")},

		{"no policy", nil, newRequest(t, "GET", baseURL, ""), out("the policy was not made by NewPolicy")},
		{"a policy that was not made", new(routeauth.Policy), newRequest(t, "GET", baseURL, ""), out("the policy was not made by NewPolicy")},
		{"no request", tryOn, nil, out("there is no request")},
		{"no URL", tryOn, &http.Request{Method: "GET"}, out("the request has no URL")},
		{"an empty URL", tryOn, &http.Request{URL: new(url.URL)}, out("the scheme is missing, the policy's is https")},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.want, c.policy.Match(c.req))
		})
	}
}

// A policy in a log is a table.
func TestAPolicyPrintsAsATable(t *testing.T) {
	policy := newPolicy(t, "https://API.example.com:443/v1/", routeauth.Routes{
		"POST /operations":       routeauth.Mandatory,
		"GET /operations/{id}":   routeauth.Optional,
		"GET /status":            routeauth.Public,
		"/files/":                routeauth.Optional,
		"DELETE /files/{id}.{x}": routeauth.Mandatory,
	})
	assert.Equal(t, `https://API.example.com:443/v1
  optional   /files/
  mandatory  DELETE /files/{id}.{x}
  optional   GET /operations/{id}
  public     GET /status
  mandatory  POST /operations`, policy.String())
	assert.Equal(t, policy.String(), fmt.Sprint(policy))

	assert.Equal(t, "https://api.example.com", newPolicy(t, "https://api.example.com/", nil).String())
	assert.Equal(t, "no policy", new(routeauth.Policy).String())
	assert.Equal(t, "no policy", (*routeauth.Policy)(nil).String())
}

func TestRequirementsAndVerdictsHaveNames(t *testing.T) {
	assert.Equal(t, "mandatory optional public Requirement(7)",
		fmt.Sprint(routeauth.Mandatory, routeauth.Optional, routeauth.Public, routeauth.Requirement(7)))
	assert.Equal(t, "out of scope, in scope, refused, Verdict(3)",
		fmt.Sprintf("%v, %v, %v, %v", routeauth.OutOfScope, routeauth.InScope, routeauth.Refused, routeauth.Verdict(3)))
}

// Rule 13: what nobody has said anything about demands the credential, and what
// is not judged gets none.
func TestZeroValuesAreTheCarefulOnes(t *testing.T) {
	var match routeauth.Match
	assert.Equal(t, routeauth.Mandatory, match.Requirement)
	assert.Equal(t, routeauth.OutOfScope, match.Verdict)
}

// Rule 13: a decision costs nothing, whatever is decided. Only a sentence about
// a request that takes no credential is made when it is asked for.
func TestADecisionAllocatesNothing(t *testing.T) {
	long := strings.Repeat("eyJ%2B", 100)
	for baseURL, paths := range map[string]map[string]routeauth.Verdict{
		"https://api.example.com/v1": {
			"https://evil.example/v1/files":                     routeauth.OutOfScope,
			"https://API.example.com/v2/files":                  routeauth.OutOfScope,
			"https://API.example.com:443/v1/files":              routeauth.InScope,
			"https://api.example.com/v1":                        routeauth.InScope,
			"https://api.example.com/v1/files/17":               routeauth.InScope,
			"https://api.example.com/v1//files///17":            routeauth.InScope,
			"https://api.example.com/v1/files":                  routeauth.InScope, // of a subtree
			"https://api.example.com/v1/other/a%2Fb/c":          routeauth.InScope,
			"https://api.example.com/v1/files/a%2fb":            routeauth.InScope,
			"https://api.example.com/v1/files/100%25":           routeauth.InScope,
			"https://api.example.com/v1/files/caf%C3%A9 !":      routeauth.InScope,
			"https://api.example.com/v1/files/(a)":              routeauth.InScope,
			"https://api.example.com/v1/files/%2F.json":         routeauth.InScope,
			"https://api.example.com/v1/x/%2F/y/tags":           routeauth.InScope,
			"https://api.example.com/v1/files/" + long:          routeauth.InScope,
			"https://api.example.com/v1/files/a%5Cb%3B%25u00":   routeauth.InScope,
			"https://api.example.com/v1/files/https:%2F%2Fa%2F": routeauth.InScope,
		},
		"https://api.example.com/caf%C3%A9/a%20b": {
			"https://api.example.com/café/a b/files/1":             routeauth.InScope,
			"https://api.example.com/caf%C3%A9/a%20b/files/1%2F2":  routeauth.InScope,
			"https://api.example.com/caf%C3%A9/a%20b/files/%E9%E9": routeauth.InScope,
			"https://api.example.com/caf%c3%a9/a%20b/files/1":      routeauth.OutOfScope,
		},
		"https://api.example.com": {
			"https://api.example.com":                  routeauth.InScope,
			"https://api.example.com/files/a%2Fb":      routeauth.InScope,
			"https://api.example.com/files/100%25/%25": routeauth.InScope,
		},
	} {
		policy := newPolicy(t, baseURL, routeauth.Routes{
			"GET /files/{id}": routeauth.Optional, "/files/": routeauth.Public, "/files/{id}.json": routeauth.Optional,
			"/x/{a...}/tags": routeauth.Public, "/files/new": routeauth.Optional,
		})
		for rawURL, want := range paths {
			u, err := url.Parse(rawURL)
			if err != nil {
				u = &url.URL{Scheme: "https", Host: "api.example.com", Path: strings.TrimPrefix(rawURL, "https://api.example.com")}
			}
			req := &http.Request{Method: "GET", URL: u}
			require.Equal(t, want, policy.Match(req).Verdict, rawURL)
			if n := testing.AllocsPerRun(10, func() { policy.Requirement(req) }); n != 0 {
				t.Errorf("Requirement of %s: %v allocations", rawURL, n)
			}
			if want != routeauth.InScope {
				continue
			}
			if n := testing.AllocsPerRun(10, func() { policy.Match(req) }); n != 0 {
				t.Errorf("Match of %s: %v allocations", rawURL, n)
			}
		}
	}
}

// Rule 9 and 13: what takes no credential costs nothing in a Transport either.
func TestARequestWithoutCredentialAllocatesNothing(t *testing.T) {
	resp := answer(nil, http.StatusNoContent, "")
	policy := newPolicy(t, apiURL, routeauth.Routes{"/public/{id}": routeauth.Public})
	transport, err := routeauth.New(policy, routeauth.APIKeyAuth{APIKey: "key"}, roundTripFunc(func(*http.Request) (*http.Response, error) { return resp, nil }))
	require.NoError(t, err)
	for _, url := range []string{"https://evil.example/v1/files", "https://api.example.com/v2", apiURL + "/public/1", apiURL + "/public/a%2Fb"} {
		req := newRequest(t, http.MethodGet, url, "")
		assert.Zero(t, testing.AllocsPerRun(10, func() { _, _ = transport.RoundTrip(req) }), url)
	}
}

func TestLaterChangesOfTheRoutesHaveNoEffect(t *testing.T) {
	routes := routeauth.Routes{"/files": routeauth.Optional, "/files/{id}": routeauth.Optional}
	policy := newPolicy(t, apiURL, routes)
	routes["/files"] = routeauth.Mandatory
	routes["/more"] = routeauth.Optional
	delete(routes, "/files/{id}")

	for path, want := range map[string]string{"/files": optional, "/files/1": optional, "/more": mandatory} {
		assert.Equal(t, want, treatment(t, policy, newRequest(t, http.MethodGet, apiURL+path, "")), path)
	}
	assert.Equal(t, routeauth.Routes{"/files": routeauth.Mandatory, "/more": routeauth.Optional}, routes, "NewPolicy changes nothing")
}

func TestAPolicyThatWasNotMadeCoversNothing(t *testing.T) {
	req := newRequest(t, http.MethodGet, apiURL+"/files", "")
	for name, policy := range map[string]*routeauth.Policy{"nil": nil, "zero": new(routeauth.Policy)} {
		t.Run(name, func(t *testing.T) {
			for _, req := range []*http.Request{req, nil, {}, {URL: &url.URL{}}} {
				requirement, inScope := policy.Requirement(req)
				assert.Equal(t, routeauth.Mandatory, requirement)
				assert.False(t, inScope)
				assert.Equal(t, routeauth.OutOfScope, policy.Match(req).Verdict)
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

func TestADecisionChangesNothing(t *testing.T) {
	policy := newPolicy(t, apiURL, routeauth.Routes{"GET /files/": routeauth.Optional})
	for _, url := range []string{"https://API.example.com:443/v1//files?q#f", "https://api.example.com/v1/files/a%252fb", "https://api.example.com/v1/%2e%2e"} {
		req := newRequest(t, http.MethodPost, url, "body")
		before, beforeURL := *req, *req.URL
		_, _ = policy.Requirement(req)
		_ = policy.Match(req)
		assert.Equal(t, beforeURL, *req.URL)
		before.GetBody, req.GetBody = nil, nil // functions cannot be compared
		assert.Equal(t, before, *req)
	}
}

// Rule 8, for the policy that all requests share.
func TestAPolicyIsSafeForConcurrentUse(t *testing.T) {
	policy := newPolicy(t, apiURL, routeauth.Routes{"/files": routeauth.Optional, "/files/{id}": routeauth.Optional})
	req := newRequest(t, http.MethodGet, apiURL+"//files/1", "")
	want := policy.Match(req)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 100 {
				if got := policy.Match(req); got != want {
					t.Errorf("got %+v, want %+v", got, want)
				}
				_ = policy.String()
			}
		})
	}
	group.Wait()
}
