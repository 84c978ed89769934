package routeauth_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
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
	source := tokenFunc(func(context.Context, routeauth.Params) (string, error) { return "jwt", nil })
	b := new(base)
	transport, err := routeauth.New(policy, routeauth.JWTAuth{SubscriptionID: "subscription", Source: source}, b)
	require.NoError(t, err)
	resp, err := transport.RoundTrip(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())

	got := b.only(t)
	require.Equal(t, req.URL, got.URL, "the URL is sent as it is")
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
