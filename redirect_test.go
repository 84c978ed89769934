package routeauth_test

import (
	"io"
	"net/http"
	"net/url"
	"testing"

	"example.com/routeauth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// site answers each URL with a redirect to the next one, and the last with 200.
// It records which of its requests carried a credential.
type site struct {
	next     map[string]string
	status   int // of the redirects
	last     int // status of the end of the chain
	received []hop
}

type hop struct {
	url           string
	authenticated bool
}

var credentialFields = []string{"Authorization", "X-User-Id", "X-Api-Key", "X-Gateway"}

func (s *site) RoundTrip(req *http.Request) (*http.Response, error) {
	h := hop{url: req.URL.String()}
	for _, name := range credentialFields {
		h.authenticated = h.authenticated || len(fieldValues(req.Header, name)) > 0
	}
	s.received = append(s.received, h)
	location, redirects := s.next[h.url]
	if !redirects {
		return answer(req, s.last, "the end"), nil
	}
	resp := answer(req, s.status, "")
	resp.Header.Set("Location", location)
	return resp, nil
}

// Rule 11.
func TestACredentialFollowsARedirectOnlyWithinItsOrigin(t *testing.T) {
	chains := map[string][]string{ // the URLs after the first, in order
		"same origin":            {apiURL + "/operations/a", apiURL + "/operations/b"},
		"same origin, port":      {"https://api.example.com:443/v1/operations/a"},
		"same origin, case":      {"https://API.example.com/v1/operations/a"},
		"another host":           {"https://evil.example.com/v1/operations"},
		"a subdomain":            {"https://sub.api.example.com/v1/operations"},
		"another port":           {"https://api.example.com:8443/v1/operations"},
		"a downgrade":            {"http://api.example.com/v1/operations"},
		"leaves and comes back":  {"https://evil.example.com/", apiURL + "/operations/a"},
		"downgrade and back":     {"http://api.example.com/v1", apiURL + "/operations/a"},
		"back and on":            {"https://evil.example.com/", apiURL + "/operations/a", apiURL + "/operations/b"},
		"leaves at the last hop": {apiURL + "/operations/a", apiURL + "/operations/b", "https://evil.example.com/"},
	}
	forEachWrapper(t, func(t *testing.T, w wrapper, over func(http.RoundTripper) http.RoundTripper) {
		for name, chain := range chains {
			for _, status := range []int{301, 302, 303, 307, 308} {
				s := &site{next: map[string]string{}, status: status, last: 200}
				want := []hop{{w.url, true}}
				left := false
				for from, to := w.url, 0; to < len(chain); from, to = chain[to], to+1 {
					s.next[from] = chain[to]
					left = left || !isAPI(t, chain[to])
					want = append(want, hop{chain[to], !left})
				}
				resp, err := (&http.Client{Transport: over(s)}).Do(newRequest(t, "GET", w.url, ""))
				require.NoError(t, err, "%s, %d", name, status)
				for ; resp != nil; resp = resp.Request.Response {
					for _, name := range credentialFields {
						assert.Empty(t, fieldValues(resp.Request.Header, name))
					}
				}
				assert.Equal(t, want, s.received, "%s, %d", name, status)
			}
		}
	})
}

func isAPI(t *testing.T, raw string) bool {
	u, err := url.Parse(raw)
	require.NoError(t, err)
	return u.Scheme == "https" && (u.Host == "api.example.com" || u.Host == "API.example.com" || u.Host == "api.example.com:443")
}

// Rules 9 and 11: the transports of somebody's own Auth get only requests that
// may carry a credential.
func TestAnOwnAuthGetsNoHopThatLeftItsOrigin(t *testing.T) {
	careless := func(base http.RoundTripper) http.RoundTripper {
		return roundTripFunc(func(req *http.Request) (*http.Response, error) {
			req = req.Clone(req.Context())
			req.Header.Set("X-Gateway", "key")
			return base.RoundTrip(req)
		})
	}
	policy, err := routeauth.NewPolicy(apiURL, routes)
	require.NoError(t, err)
	for name, first := range map[string]string{"mandatory": mandatoryURL, "optional": optionalURL} {
		s := &site{status: 307, last: 200, next: map[string]string{
			first:                       "https://evil.example.com/",
			"https://evil.example.com/": optionalURL + "/back",
			optionalURL + "/back":       mandatoryURL + "/back",
		}}
		transport, err := routeauth.New(policy, authFunc(func(base http.RoundTripper) (mandatory, optional http.RoundTripper, err error) {
			return careless(base), careless(base), nil
		}), s)
		require.NoError(t, err)
		resp, err := (&http.Client{Transport: transport}).Do(newRequest(t, "GET", first, ""))
		require.NoError(t, err)
		resp.Body.Close()
		assert.Equal(t, []hop{
			{first, true}, {"https://evil.example.com/", false}, {optionalURL + "/back", false}, {mandatoryURL + "/back", false},
		}, s.received, name)
	}
}

// Rule 5: it reaches the base from an own Auth's transport too.
func TestAnOwnAuthReachesTheIdleConnectionsOfItsBase(t *testing.T) {
	policy, err := routeauth.NewPolicy(apiURL, nil)
	require.NoError(t, err)
	b, own := &base{}, http.RoundTripper(nil)
	_, err = routeauth.New(policy, authFunc(func(base http.RoundTripper) (mandatory, optional http.RoundTripper, err error) {
		own = base
		return base, nil, nil
	}), b)
	require.NoError(t, err)
	(&http.Client{Transport: own}).CloseIdleConnections()
	assert.Equal(t, 1, b.idle)
}

// Rule 11: nobody's credential was rejected.
func TestA401ToAHopWithoutCredentialIsAnOrdinaryResponse(t *testing.T) {
	forEachWrapper(t, func(t *testing.T, w wrapper, over func(http.RoundTripper) http.RoundTripper) {
		s := &site{next: map[string]string{w.url: "https://evil.example.com/"}, status: 302, last: 401}
		resp, err := (&http.Client{Transport: over(s)}).Do(newRequest(t, "GET", w.url, ""))
		require.NoError(t, err)
		assert.Equal(t, http.StatusUnauthorized, resp.StatusCode)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		assert.Equal(t, "the end", string(body))
	})
}

// Rule 11: such a hop goes to the base as the same request, as in rule 9, and
// no token is asked for.
func TestAHopThatLeftItsOriginGoesToTheBaseAsItIs(t *testing.T) {
	elsewhere := &http.Response{Request: newRequest(t, "GET", "https://evil.example.com/", "")}
	circle := &http.Response{}
	circle.Request = newRequest(t, "GET", mandatoryURL, "")
	circle.Request.Response = circle

	forEachWrapper(t, func(t *testing.T, w wrapper, over func(http.RoundTripper) http.RoundTripper) {
		for name, response := range map[string]*http.Response{
			"came from elsewhere":             elsewhere,
			"came from nowhere":               {},
			"came from a request without URL": {Request: &http.Request{}},
			"runs in a circle":                circle,
		} {
			b := &base{}
			req := newRequest(t, "GET", w.url, "")
			req.Response = response
			_, err := over(b).RoundTrip(req)
			require.NoError(t, err)
			assert.Same(t, req, b.only(t).Request, name)
		}
	})

	source := &countingSource{}
	jwt, err := routeauth.NewJWTTransport(source, &base{})
	require.NoError(t, err)
	req := newRequest(t, "GET", mandatoryURL, "")
	req.Response = elsewhere
	_, err = jwt.RoundTrip(req)
	require.NoError(t, err)
	assert.Zero(t, source.count())
}

// Rule 11: a request that is missing in the chain of a base that follows redirects
// by itself stays missing, and counts as another origin.
func TestAMissingRequestInTheBasesChainStaysMissing(t *testing.T) {
	forEachWrapper(t, func(t *testing.T, w wrapper, over func(http.RoundTripper) http.RoundTripper) {
		var fields []string
		transport := over(roundTripFunc(func(req *http.Request) (*http.Response, error) {
			fields = append(fields, fieldValues(req.Header, w.field)...)
			resp := answer(req, http.StatusFound, "")
			if len(fields) == 1 {
				hop := newRequest(t, "GET", w.url+"/b", "")
				hop.Response = &http.Response{StatusCode: http.StatusFound}
				resp.Request = hop
			}
			return resp, nil
		}))
		resp, err := transport.RoundTrip(newRequest(t, "GET", w.url, ""))
		require.NoError(t, err)
		next := newRequest(t, "GET", w.url+"/c", "")
		next.Response = resp
		_, err = transport.RoundTrip(next)
		require.NoError(t, err)
		assert.Len(t, fields, 1)
	})
}
