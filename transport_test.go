package routeauth_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"example.com/routeauth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	apiURL         = "https://api.example.com/v1"
	mandatoryURL   = apiURL + "/operations"
	optionalURL    = apiURL + "/operations/17"
	apiKey         = "key-0123456789"
	subscriptionID = "66ec1726e728c1405e5ebca2"
	token          = "header.payload.signature"
)

var routes = routeauth.Routes{
	"POST /operations":     routeauth.Mandatory,
	"GET /operations":      routeauth.Mandatory,
	"GET /operations/{id}": routeauth.Optional,
}

// wrapper is one of the package's RoundTrippers, with what it is to send.
type wrapper struct {
	name  string
	url   string // of a request that gets the credential
	field string
	value string
	wrap  func(base http.RoundTripper) (http.RoundTripper, error)
}

// wrappers lists every RoundTripper of the package, so that a new one cannot
// escape the rules that hold for all.
func wrappers(t testing.TB) []wrapper {
	policy, err := routeauth.NewPolicy(apiURL, routes)
	require.NoError(t, err)
	source, err := routeauth.NewStaticTokenSource(token)
	require.NoError(t, err)
	jwtAuth := routeauth.JWTAuth{SubscriptionID: subscriptionID, Source: source}
	keyAuth := routeauth.APIKeyAuth{APIKey: apiKey}

	return []wrapper{
		{"HeaderTransport", mandatoryURL, "X-Gateway", "Token abc", func(base http.RoundTripper) (http.RoundTripper, error) {
			return routeauth.NewHeaderTransport("gateway", "x-gateway", "Token abc", base)
		}},
		{"APIKeyTransport", mandatoryURL, routeauth.HeaderAPIKey, apiKey, func(base http.RoundTripper) (http.RoundTripper, error) {
			return routeauth.NewAPIKeyTransport(apiKey, base)
		}},
		{"SubscriptionTransport", mandatoryURL, routeauth.HeaderUserID, subscriptionID, func(base http.RoundTripper) (http.RoundTripper, error) {
			return routeauth.NewSubscriptionTransport(subscriptionID, base)
		}},
		{"JWTTransport", mandatoryURL, routeauth.HeaderAuthorization, "Bearer " + token, func(base http.RoundTripper) (http.RoundTripper, error) {
			return routeauth.NewJWTTransport(source, base)
		}},
		{"JWTTransport over a cache", mandatoryURL, routeauth.HeaderAuthorization, "Bearer " + token, func(base http.RoundTripper) (http.RoundTripper, error) {
			cache, err := routeauth.NewTokenCache(source)
			if err != nil {
				return nil, err
			}
			return routeauth.NewJWTTransport(cache, base)
		}},
		{"Transport with JWTAuth, mandatory", mandatoryURL, routeauth.HeaderAuthorization, "Bearer " + token, func(base http.RoundTripper) (http.RoundTripper, error) {
			return routeauth.New(policy, jwtAuth, base)
		}},
		{"Transport with JWTAuth, optional", optionalURL, routeauth.HeaderUserID, subscriptionID, func(base http.RoundTripper) (http.RoundTripper, error) {
			return routeauth.New(policy, jwtAuth, base)
		}},
		{"Transport with APIKeyAuth, mandatory", mandatoryURL, routeauth.HeaderAPIKey, apiKey, func(base http.RoundTripper) (http.RoundTripper, error) {
			return routeauth.New(policy, keyAuth, base)
		}},
		{"Transport with APIKeyAuth, optional", optionalURL, routeauth.HeaderAPIKey, apiKey, func(base http.RoundTripper) (http.RoundTripper, error) {
			return routeauth.New(policy, keyAuth, base)
		}},
		{"HeaderTransport over a source", mandatoryURL, "X-Gateway", "Token abc", func(base http.RoundTripper) (http.RoundTripper, error) {
			return routeauth.NewHeaderSourceTransport("gateway", "x-gateway", "Token ", secretFunc("abc"), base)
		}},
		{"Transport with APIKeyAuth over a source", optionalURL, routeauth.HeaderAPIKey, apiKey, func(base http.RoundTripper) (http.RoundTripper, error) {
			return routeauth.New(policy, routeauth.APIKeyAuth{Source: secretFunc(apiKey)}, base)
		}},
		{"Transport with HeaderAuth", mandatoryURL, "X-Gateway", "Token abc", func(base http.RoundTripper) (http.RoundTripper, error) {
			return routeauth.New(policy, routeauth.HeaderAuth{Scheme: "gateway", Name: "x-gateway", Prefix: "Token ", Value: "abc"}, base)
		}},
		{"Transport with BearerAuth", optionalURL, routeauth.HeaderAuthorization, "Bearer " + token, func(base http.RoundTripper) (http.RoundTripper, error) {
			return routeauth.New(policy, routeauth.BearerAuth{Source: source}, base)
		}},
		{"Transport with BasicAuth", optionalURL, routeauth.HeaderAuthorization, "Basic YWRhOmxvdmVsYWNl", func(base http.RoundTripper) (http.RoundTripper, error) {
			return routeauth.New(policy, routeauth.BasicAuth{Username: "ada", Password: "lovelace"}, base)
		}},
		{"Transport with SplitAuth, mandatory", mandatoryURL, routeauth.HeaderAuthorization, "Bearer " + token, func(base http.RoundTripper) (http.RoundTripper, error) {
			return routeauth.New(policy, routeauth.SplitAuth{Mandatory: routeauth.BearerAuth{Source: source}, Optional: keyAuth}, base)
		}},
		{"Transport with SplitAuth, optional", optionalURL, routeauth.HeaderAPIKey, apiKey, func(base http.RoundTripper) (http.RoundTripper, error) {
			return routeauth.New(policy, routeauth.SplitAuth{Mandatory: routeauth.BearerAuth{Source: source}, Optional: keyAuth}, base)
		}},
	}
}

// secretFunc is a source of one secret.
func secretFunc(secret routeauth.Secret) routeauth.SecretSource {
	return routeauth.SecretSourceFunc(func(context.Context) (routeauth.Secret, error) { return secret, nil })
}

// forEachWrapper runs a test over every wrapper.
func forEachWrapper(t *testing.T, test func(t *testing.T, w wrapper, over func(base http.RoundTripper) http.RoundTripper)) {
	for _, w := range wrappers(t) {
		t.Run(w.name, func(t *testing.T) {
			test(t, w, func(base http.RoundTripper) http.RoundTripper {
				transport, err := w.wrap(base)
				require.NoError(t, err)
				return transport
			})
		})
	}
}

// The four cells of the table.
func TestEachEndpointGetsTheCredentialThatItsRouteCallsFor(t *testing.T) {
	forEachWrapper(t, func(t *testing.T, w wrapper, over func(http.RoundTripper) http.RoundTripper) {
		b := &base{}
		_, err := over(b).RoundTrip(newRequest(t, "GET", w.url, ""))
		require.NoError(t, err)

		credentials := map[string][]string{}
		for _, name := range []string{"Authorization", "X-User-Id", "X-Api-Key", "X-Gateway"} {
			if values := fieldValues(b.only(t).Header, name); values != nil {
				credentials[name] = values
			}
		}
		assert.Equal(t, map[string][]string{w.field: {w.value}}, credentials)
	})
}

// Rule 1.
func TestTheCallersRequestIsNeverChanged(t *testing.T) {
	forEachWrapper(t, func(t *testing.T, w wrapper, over func(http.RoundTripper) http.RoundTripper) {
		body := newTrackedBody("body")
		req := newRequest(t, "GET", w.url, "")
		req.Body, req.ContentLength = body, 4
		req.Header = http.Header{"Accept": {"a", "b"}, "X-Nil": nil, w.field: {"the caller's"}, "X-Other": {"c"}}
		req.Trailer = http.Header{"X-Checksum": nil}
		before, header := *req, req.Header.Clone()

		_, err := over(roundTripFunc(func(sent *http.Request) (*http.Response, error) {
			require.NotSame(t, req, sent)
			assert.Equal(t, header, req.Header, "while the base runs")
			for name := range sent.Header {
				sent.Header[name] = append(sent.Header[name], "appended")
				sent.Header[name][0] = "written"
			}
			sent.Header.Set("X-Added", "by the base")
			sent.Method, sent.Host = "CHANGED", "changed.example"
			require.NoError(t, sent.Body.Close())
			return answer(sent, 200, ""), nil
		})).RoundTrip(req)
		require.NoError(t, err)

		assert.Equal(t, header, req.Header)
		after := *req
		after.Header, before.Header = nil, nil
		assert.Equal(t, before, after)
	})
}

// Rule 1: what the base appends to one field does not show in the next.
func TestTheFieldsOfTheBasesHeaderShareNoMemory(t *testing.T) {
	forEachWrapper(t, func(t *testing.T, w wrapper, over func(http.RoundTripper) http.RoundTripper) {
		req := newRequest(t, "GET", w.url, "")
		req.Header = http.Header{"A": {"1", "2"}, "B": {"3", "4"}, "C": {"5"}, "D": nil}
		_, err := over(roundTripFunc(func(sent *http.Request) (*http.Response, error) {
			assert.Contains(t, sent.Header, "D")
			assert.Nil(t, sent.Header["D"], "net/http tells nil from empty")
			want := sent.Header.Clone()
			for name := range sent.Header {
				_ = append(sent.Header[name], "appended")
			}
			assert.Equal(t, want, sent.Header)
			return answer(sent, 200, ""), nil
		})).RoundTrip(req)
		require.NoError(t, err)
	})
}

// Rule 1: trailers that are set while the body is read reach the base.
func TestTrailersAreTheCallers(t *testing.T) {
	forEachWrapper(t, func(t *testing.T, w wrapper, over func(http.RoundTripper) http.RoundTripper) {
		req := newRequest(t, "GET", w.url, "")
		req.Trailer = http.Header{"X-Checksum": nil}
		_, err := over(roundTripFunc(func(sent *http.Request) (*http.Response, error) {
			req.Trailer.Set("X-Checksum", "abc")
			assert.Equal(t, "abc", sent.Trailer.Get("X-Checksum"))
			return answer(sent, 200, ""), nil
		})).RoundTrip(req)
		require.NoError(t, err)
	})
}

// Rule 2.
func TestTheBodyReachesTheBaseAsItIsAndIsNotClosedByTheWrapper(t *testing.T) {
	failure := errors.New("base failed")
	forEachWrapper(t, func(t *testing.T, w wrapper, over func(http.RoundTripper) http.RoundTripper) {
		for _, baseErr := range []error{nil, failure} {
			body := newTrackedBody("body")
			req := newRequest(t, "GET", w.url, "")
			req.Body = body
			_, err := over(roundTripFunc(func(sent *http.Request) (*http.Response, error) {
				assert.Same(t, body, sent.Body)
				return answer(sent, 200, ""), baseErr
			})).RoundTrip(req)
			require.ErrorIs(t, err, baseErr)
			assert.Zero(t, body.closes(), "a base that returned may still be reading")
		}
	})
}

// Rules 2 and 6.
func TestARequestWithoutURLIsNotSentAndItsBodyIsClosedOnce(t *testing.T) {
	forEachWrapper(t, func(t *testing.T, w wrapper, over func(http.RoundTripper) http.RoundTripper) {
		b, body := &base{}, newTrackedBody("body")
		_, err := over(b).RoundTrip(&http.Request{Body: body})

		var credentialErr *routeauth.CredentialError
		require.ErrorAs(t, err, &credentialErr)
		assert.Equal(t, "GET", credentialErr.Method)
		assert.False(t, credentialErr.Temporary())
		assert.Equal(t, 1, body.closes())
		assert.Empty(t, b.sent())

		_, err = over(b).RoundTrip(nil)
		require.ErrorAs(t, err, &credentialErr)
	})
}

// Rule 3.
func TestResponsesLeadBackToTheCallersRequest(t *testing.T) {
	forEachWrapper(t, func(t *testing.T, w wrapper, over func(http.RoundTripper) http.RoundTripper) {
		req := newRequest(t, "GET", w.url, "")
		resp, err := over(&base{}).RoundTrip(req)
		require.NoError(t, err)
		assert.Same(t, req, resp.Request)
		assert.Empty(t, fieldValues(resp.Request.Header, w.field))
	})
}

// Rule 3: a copy of the request that the base sent is the caller's own, also where
// the user info of its URL was copied. With other user info it is another one.
func TestACopyOfTheRequestIsTheCallersOwn(t *testing.T) {
	for user, own := range map[*url.Userinfo]bool{
		url.UserPassword("ada", "pw"):    true,
		url.UserPassword("ada", "other"): false,
		nil:                              false,
	} {
		transport, err := routeauth.NewAPIKeyTransport(apiKey, roundTripFunc(func(req *http.Request) (*http.Response, error) {
			resp := answer(req.Clone(req.Context()), 204, "")
			resp.Request.URL.User = user
			return resp, nil
		}))
		require.NoError(t, err)
		req := newRequest(t, "GET", "https://ada:pw@api.example.com/v1/operations", "")
		resp, err := transport.RoundTrip(req)
		require.NoError(t, err)
		assert.Equal(t, own, resp.Request == req, "%v", user)
		assert.Empty(t, fieldValues(resp.Request.Header, routeauth.HeaderAPIKey))
	}
}

// readWriteCloser is what the body of a 101 is.
type readWriteCloser struct{ io.ReadWriteCloser }

func (readWriteCloser) Read([]byte) (int, error) { panic("the body was read") }
func (readWriteCloser) Close() error             { panic("the body was closed") }

// Rule 4.
func TestEveryResponseButA401IsTheBasesOwn(t *testing.T) {
	forEachWrapper(t, func(t *testing.T, w wrapper, over func(http.RoundTripper) http.RoundTripper) {
		for _, status := range []int{101, 200, 204, 302, 304, 400, 403, 407, 429, 500, 503} {
			req := newRequest(t, "GET", w.url, "")
			want := answer(req, status, "")
			want.Body = readWriteCloser{}
			got, err := over(roundTripFunc(func(*http.Request) (*http.Response, error) { return want, nil })).RoundTrip(req)
			require.NoError(t, err)
			assert.Same(t, want, got, "status %d", status)
			assert.Equal(t, readWriteCloser{}, got.Body)
		}
	})
}

// Rule 5.
func TestCloseIdleConnectionsReachesTheBase(t *testing.T) {
	forEachWrapper(t, func(t *testing.T, w wrapper, over func(http.RoundTripper) http.RoundTripper) {
		b := &base{}
		(&http.Client{Transport: over(b)}).CloseIdleConnections()
		assert.Equal(t, 1, b.idle)

		// A base that has no idle connections is no reason to panic.
		(&http.Client{Transport: over(roundTripFunc(b.RoundTrip))}).CloseIdleConnections()
	})
}

// Rule 6.
func TestANilBaseIsTheDefaultTransportOfTheMomentOfTheRequest(t *testing.T) {
	saved := http.DefaultTransport
	defer func() { http.DefaultTransport = saved }()

	forEachWrapper(t, func(t *testing.T, w wrapper, over func(http.RoundTripper) http.RoundTripper) {
		http.DefaultTransport = saved
		transport := over(nil)
		b := &base{}
		http.DefaultTransport = b
		_, err := transport.RoundTrip(newRequest(t, "GET", w.url, ""))
		require.NoError(t, err)
		assert.Equal(t, []string{w.value}, b.only(t).Header[w.field])
		(&http.Client{Transport: transport}).CloseIdleConnections()
		assert.Equal(t, 1, b.idle)

		http.DefaultTransport = nil
		body := newTrackedBody("body")
		req := newRequest(t, "GET", w.url, "")
		req.Body = body
		_, err = transport.RoundTrip(req)
		require.ErrorContains(t, err, "DefaultTransport is nil")
		assert.Equal(t, 1, body.closes())
	})
}

// Rule 6: a transport that was made over the default one cannot replace it.
func TestATransportThatReplacesItsOwnBaseSendsNothing(t *testing.T) {
	saved := http.DefaultTransport
	defer func() { http.DefaultTransport = saved }()

	forEachWrapper(t, func(t *testing.T, w wrapper, over func(http.RoundTripper) http.RoundTripper) {
		http.DefaultTransport = saved
		http.DefaultTransport = over(over(nil))
		body := newTrackedBody("body")
		req := newRequest(t, "GET", w.url, "")
		req.Body = body
		_, err := http.DefaultTransport.RoundTrip(req)
		require.ErrorContains(t, err, "would send with itself")
		assert.Equal(t, 1, body.closes())
		(&http.Client{}).CloseIdleConnections()

		b := &base{}
		http.DefaultTransport = over(b) // as it should be done
		_, err = over(nil).RoundTrip(newRequest(t, "GET", w.url, ""))
		require.NoError(t, err)
		b.only(t)
	})
	http.DefaultTransport = &routeauth.Transport{}
	_, err := (&http.Client{}).Do(newRequest(t, "GET", mandatoryURL, ""))
	require.ErrorContains(t, err, "not made by New")
}

// Rule 6.
func TestANilHeaderAndAnEmptyMethodWork(t *testing.T) {
	forEachWrapper(t, func(t *testing.T, w wrapper, over func(http.RoundTripper) http.RoundTripper) {
		b := &base{}
		req := newRequest(t, "GET", w.url, "")
		req.Header, req.Method = nil, ""
		_, err := over(b).RoundTrip(req)
		require.NoError(t, err)
		assert.Equal(t, http.Header{w.field: {w.value}}, b.only(t).Header)
		assert.Nil(t, req.Header)
	})
}

// Rule 6.
func TestABaseThatMisbehavesMakesNoPanic(t *testing.T) {
	forEachWrapper(t, func(t *testing.T, w wrapper, over func(http.RoundTripper) http.RoundTripper) {
		resp, err := over(roundTripFunc(func(*http.Request) (*http.Response, error) {
			return nil, nil
		})).RoundTrip(newRequest(t, "GET", w.url, ""))
		require.ErrorContains(t, err, "neither a response nor an error")
		assert.Nil(t, resp)

		_, err = over(roundTripFunc(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusUnauthorized}, nil
		})).RoundTrip(newRequest(t, "GET", w.url, ""))
		require.ErrorIs(t, err, routeauth.ErrUnauthorized)

		failure := errors.New("both")
		_, err = over(roundTripFunc(func(req *http.Request) (*http.Response, error) {
			return answer(req, http.StatusUnauthorized, ""), failure
		})).RoundTrip(newRequest(t, "GET", w.url, ""))
		require.ErrorIs(t, err, failure)
		require.NotErrorIs(t, err, routeauth.ErrUnauthorized)
	})
}

// Rule 6: errors of the base come back as they are.
func TestErrorsOfTheBaseComeBack(t *testing.T) {
	failure := errors.New("connection refused")
	forEachWrapper(t, func(t *testing.T, w wrapper, over func(http.RoundTripper) http.RoundTripper) {
		_, err := over(roundTripFunc(func(*http.Request) (*http.Response, error) {
			return nil, failure
		})).RoundTrip(newRequest(t, "GET", w.url, ""))
		assert.Equal(t, failure, err)
	})
}

// Rule 7.
func TestTheCredentialHasOneValueWhateverTheCallerSet(t *testing.T) {
	forEachWrapper(t, func(t *testing.T, w wrapper, over func(http.RoundTripper) http.RoundTripper) {
		b := &base{}
		req := newRequest(t, "GET", w.url, "")
		req.Header = http.Header{
			w.field:                  {"one", "two"},
			strings.ToLower(w.field): {"three"},
			strings.ToUpper(w.field): nil,
			"X-Other":                {"stays"},
		}
		_, err := over(b).RoundTrip(req)
		require.NoError(t, err)
		assert.Equal(t, http.Header{w.field: {w.value}, "X-Other": {"stays"}}, b.only(t).Header)
	})
}

// Rule 8.
func TestWrappersAreSafeForConcurrentUse(t *testing.T) {
	forEachWrapper(t, func(t *testing.T, w wrapper, over func(http.RoundTripper) http.RoundTripper) {
		transport := over(&base{})
		shared := newRequest(t, "GET", w.url, "")
		shared.Header.Set("Accept", "application/json")
		var group sync.WaitGroup
		for range 50 {
			group.Go(func() {
				resp, err := transport.RoundTrip(shared.WithContext(context.Background()))
				if assert.NoError(t, err) {
					assert.Equal(t, http.StatusNoContent, resp.StatusCode)
				}
			})
		}
		group.Wait()
	})
}

// The zero value of each type sends nothing.
func TestZeroValuesSendNothing(t *testing.T) {
	for name, transport := range map[string]http.RoundTripper{
		"HeaderTransport":       &routeauth.HeaderTransport{},
		"APIKeyTransport":       &routeauth.APIKeyTransport{},
		"SubscriptionTransport": &routeauth.SubscriptionTransport{},
		"JWTTransport":          &routeauth.JWTTransport{},
		"Transport":             &routeauth.Transport{},
	} {
		t.Run(name, func(t *testing.T) {
			body := newTrackedBody("body")
			req := newRequest(t, "GET", mandatoryURL, "")
			req.Body = body
			_, err := transport.RoundTrip(req)
			var credentialErr *routeauth.CredentialError
			require.ErrorAs(t, err, &credentialErr)
			assert.Equal(t, mandatoryURL, credentialErr.URL)
			assert.Equal(t, 1, body.closes())
			(&http.Client{Transport: transport}).CloseIdleConnections()
		})
	}
}

type authFunc func(base http.RoundTripper) (mandatory, optional http.RoundTripper, err error)

func (f authFunc) RoundTrippers(base http.RoundTripper) (mandatory, optional http.RoundTripper, err error) {
	return f(base)
}

// Rule 6: New names everything that is wrong, and never passes a nil base on.
func TestNewRefusesBadConfiguration(t *testing.T) {
	policy, err := routeauth.NewPolicy(apiURL, routes)
	require.NoError(t, err)
	good := routeauth.APIKeyAuth{APIKey: apiKey}

	for name, test := range map[string]struct {
		policy *routeauth.Policy
		auth   routeauth.Auth
		base   http.RoundTripper
		want   []string
	}{
		"everything nil":    {nil, nil, nil, []string{"policy is nil", "auth is nil"}},
		"empty policy":      {&routeauth.Policy{}, good, nil, []string{"policy is nil or empty"}},
		"nil pointer auth":  {policy, (*routeauth.JWTAuth)(nil), nil, []string{"auth is a nil *routeauth.JWTAuth"}},
		"nil function auth": {policy, authFunc(nil), nil, []string{"auth is a nil routeauth_test.authFunc"}},
		"nil pointer base":  {policy, good, (*http.Transport)(nil), []string{"base is a nil *http.Transport"}},
		"nil function base": {policy, good, roundTripFunc(nil), []string{"base is a nil routeauth_test.roundTripFunc"}},
		"base and bad key":  {nil, routeauth.APIKeyAuth{}, (*http.Transport)(nil), []string{"policy is nil", "base is a nil", "API key is empty"}},
		"JWTAuth all wrong": {policy, routeauth.JWTAuth{}, nil, []string{"token source is nil", "subscription ID is empty"}},
		"JWTAuth nil func":  {policy, routeauth.JWTAuth{SubscriptionID: "a", Source: routeauth.TokenSourceFunc(nil)}, nil, []string{"token source is a nil routeauth.TokenSourceFunc"}},
		"JWTAuth nil cache": {policy, routeauth.JWTAuth{SubscriptionID: "a", Source: (*routeauth.TokenCache)(nil)}, nil, []string{"token source is a nil *routeauth.TokenCache"}},
		"auth without result": {policy, authFunc(func(http.RoundTripper) (http.RoundTripper, http.RoundTripper, error) {
			return nil, (*routeauth.HeaderTransport)(nil), nil
		}), nil, []string{"for mandatory endpoints is nil", "for optional endpoints is a nil *routeauth.HeaderTransport"}},
	} {
		t.Run(name, func(t *testing.T) {
			transport, err := routeauth.New(test.policy, test.auth, test.base)
			require.Error(t, err)
			assert.Nil(t, transport)
			for _, want := range test.want {
				assert.ErrorContains(t, err, want)
			}
			assert.Len(t, strings.Split(err.Error(), "\n"), len(test.want))
			assert.NotContains(t, err.Error(), apiKey)
		})
	}

	// The error of an auth comes back.
	failure := errors.New("no key in the vault")
	_, err = routeauth.New(policy, authFunc(func(base http.RoundTripper) (http.RoundTripper, http.RoundTripper, error) {
		assert.NotNil(t, base)
		return nil, nil, failure
	}), nil)
	require.ErrorIs(t, err, failure)
}

// Rule 6: nil options and functions are constructor errors.
func TestNewJWTTransportRefusesNil(t *testing.T) {
	_, err := routeauth.NewJWTTransport(nil, (*http.Transport)(nil), nil, routeauth.WithParams(nil))
	for _, want := range []string{"token source is nil", "base is a nil *http.Transport", "JWT option is nil", "params function is a nil"} {
		assert.ErrorContains(t, err, want)
	}
}

// Three allocations hold a request with a credential, whatever its route, and a
// request without one costs none.
func TestARequestCostsThreeAllocations(t *testing.T) {
	if withRaceDetector() {
		t.Skip("the race detector allocates")
	}
	policy, err := routeauth.NewPolicy(apiURL, routeauth.Routes{
		"GET /status":            routeauth.Public,
		"GET /operations/{id}":   routeauth.Optional,
		"GET /{a}/x/{b}/y/{c}":   routeauth.Optional,
		"GET /files/{name}.json": routeauth.Optional,
	})
	require.NoError(t, err)
	cache := newCache(t, sourceOf(longLived(t, 1)...))
	auths := map[string]routeauth.Auth{
		"APIKeyAuth": routeauth.APIKeyAuth{APIKey: apiKey},
		"JWTAuth":    routeauth.JWTAuth{SubscriptionID: subscriptionID, Source: cache},
		"BearerAuth": routeauth.BearerAuth{Source: cache},
	}
	resp := &http.Response{StatusCode: http.StatusNoContent}
	b := roundTripFunc(func(req *http.Request) (*http.Response, error) {
		resp.Request = req
		return resp, nil
	})
	for name, auth := range auths {
		transport, err := routeauth.New(policy, auth, b)
		require.NoError(t, err)
		for url, most := range map[string]float64{
			apiURL + "/operations":              3,
			apiURL + "/operations/17":           3,
			apiURL + "/operations/a%2Fb":        3,
			apiURL + "/operations/a%20b":        3,
			apiURL + "/1/x/2/y/3":               3,
			apiURL + "/files/a.json":            3,
			apiURL + "/no/route/at/all":         3,
			apiURL + "/status":                  0,
			"https://other.example.com/v1/x":    0,
			"https://api.example.com/v2/x":      0,
			"https://api.example.com/v2/x%2F..": 0,
		} {
			req := newRequest(t, "GET", url, "")
			req.Header = http.Header{"Accept": {"a"}, "Content-Type": {"b"}, "User-Agent": {"c"}, "X-Trace": {"d"}}
			got := testing.AllocsPerRun(50, func() { _, _ = transport.RoundTrip(req) })
			assert.LessOrEqual(t, got, most, "%s, %s", name, url)
		}
	}
}
