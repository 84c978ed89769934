package wasm_test

import (
	"maps"
	"slices"
	"testing"

	"example.com/routeauth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// secret is the credential, and the session of the app's user.
const secret = "a-secret-that-goes-to-one-origin"

// redirects are every status that fetch follows.
var redirects = []string{"301", "302", "303", "307", "308"}

// transports are those in program/transport.go, with the field and the value
// that each of them sends.
var transports = map[string]struct{ field, value string }{
	"APIKeyAuth":            {routeauth.HeaderAPIKey, secret},
	"APIKeyTransport":       {routeauth.HeaderAPIKey, secret},
	"JWTAuth, mandatory":    {routeauth.HeaderAuthorization, "Bearer " + secret},
	"JWTAuth, optional":     {routeauth.HeaderUserID, secret},
	"JWTTransport":          {routeauth.HeaderAuthorization, "Bearer " + secret},
	"SubscriptionTransport": {routeauth.HeaderUserID, secret},
	"APIKeyTransport over SubscriptionTransport": {routeauth.HeaderAPIKey, secret},
}

// Rule 11: fetch follows redirects itself, unless the request says otherwise.
func TestFetchFollowsNoRedirectToAnotherOrigin(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(transports)) {
		t.Run(name, func(t *testing.T) {
			testRedirects(t, browser, transports[name].field, transports[name].value, "-transport", name)
		})
	}
	for _, base := range []string{"http.Transport", "unknown"} {
		t.Run("base "+base, func(t *testing.T) {
			testRedirects(t, browser, routeauth.HeaderAPIKey, secret, "-transport", "APIKeyTransport", "-base", base)
		})
	}
	t.Run("Node by its full path", func(t *testing.T) {
		testRedirects(t, fullPath, routeauth.HeaderAPIKey, secret, "-transport", "APIKeyAuth")
	})
	t.Run("whatever the caller says", func(t *testing.T) {
		testRedirects(t, browser, routeauth.HeaderAPIKey, secret, "-transport", "APIKeyAuth", "-redirect", "follow")
	})
	t.Run("POST", func(t *testing.T) {
		testRedirects(t, browser, routeauth.HeaderAPIKey, secret, "-transport", "APIKeyAuth", "-method", "POST")
	})
	t.Run("at each attempt of a retry above", func(t *testing.T) {
		elsewhere := newElsewhere(t)
		api := newAPI(t, elsewhere.URL)
		outcomes := run(t, browser, "-transport", "APIKeyAuth", "-credential", secret, "-api", api.URL+"/v1", "-retry",
			api.URL+"/v1/429-then-307")
		require.Len(t, outcomes, 1)
		assert.Contains(t, outcomes[0].Error, "redirect")
		assert.Equal(t, []string{secret, secret}, api.values(routeauth.HeaderAPIKey))
		assert.Empty(t, elsewhere.received())
	})
}

// testRedirects sends a request that is not redirected and one for each redirect.
// All of them reach the API with the credential, and none goes elsewhere.
func testRedirects(t *testing.T, where environment, field, value string, args ...string) {
	elsewhere := newElsewhere(t)
	api := newAPI(t, elsewhere.URL)
	args = append(args, "-credential", secret, "-api", api.URL+"/v1", api.URL+"/v1/200")
	for _, status := range redirects {
		args = append(args, api.URL+"/v1/"+status)
	}
	outcomes := run(t, where, args...)

	require.Len(t, outcomes, 1+len(redirects))
	assert.Equal(t, 200, outcomes[0].Status, outcomes[0].Error)
	for _, outcome := range outcomes[1:] {
		assert.Contains(t, outcome.Error, "redirect", outcome.URL)
	}
	assert.Equal(t, slices.Repeat([]string{value}, len(outcomes)), api.values(field))
	assert.Empty(t, elsewhere.received())
}

// A limit: fetch refuses all redirects or none.
func TestFetchFollowsNoRedirectWithinTheOriginEither(t *testing.T) {
	api := newAPI(t, "/v1/200")
	outcomes := run(t, browser, "-transport", "APIKeyAuth", "-credential", secret, "-api", api.URL+"/v1", api.URL+"/v1/302")
	require.Len(t, outcomes, 1)
	assert.Contains(t, outcomes[0].Error, "redirect")
	assert.Len(t, api.received(), 1)
}

// This is what routeauth prevents, and shows that the other tests can fail.
func TestFetchTakesAKeySetByHandToAnotherOrigin(t *testing.T) {
	for name, where := range map[string]environment{"browser": browser, "Node by its full path": fullPath} {
		t.Run(name, func(t *testing.T) {
			elsewhere := newElsewhere(t)
			api := newAPI(t, elsewhere.URL)
			args := []string{"-transport", "plain", "-credential", secret}
			for _, status := range redirects {
				args = append(args, api.URL+"/"+status)
			}
			outcomes := run(t, where, args...)

			require.Len(t, outcomes, len(redirects))
			for _, outcome := range outcomes {
				assert.Equal(t, 200, outcome.Status, outcome.Error)
			}
			assert.Equal(t, slices.Repeat([]string{secret}, len(redirects)), elsewhere.values(routeauth.HeaderAPIKey))
		})
	}
}

// A limit: net/http deletes the option from the header when it sends a request.
// A base that sends the same request again sends it without. Retry above.
func TestARetryBelowFollowsTheRedirectOfItsSecondAttempt(t *testing.T) {
	elsewhere := newElsewhere(t)
	api := newAPI(t, elsewhere.URL)
	run(t, browser, "-transport", "APIKeyAuth", "-credential", secret, "-api", api.URL+"/v1", "-base", "retrying",
		api.URL+"/v1/429-then-307")
	assert.Equal(t, []string{secret}, elsewhere.values(routeauth.HeaderAPIKey))
}

// Rule 24: after a 401 the request goes out once more, with a new token.
func TestFetchFollowsNoRedirectOfAReplay(t *testing.T) {
	elsewhere, tokens := newElsewhere(t), newTokenEndpoint(t)
	api := newAPI(t, elsewhere.URL)
	outcomes := run(t, browser, "-transport", "JWTAuth, mandatory", "-credential", secret, "-api", api.URL+"/v1",
		"-token-endpoint", tokens.URL, "-token-client", "session", api.URL+"/v1/200", api.URL+"/v1/401-then-307")

	require.Len(t, outcomes, 2)
	assert.Equal(t, 200, outcomes[0].Status, outcomes[0].Error)
	assert.Contains(t, outcomes[1].Error, "redirect")
	var sent []string
	for _, authorization := range api.values(routeauth.HeaderAuthorization) {
		sent = append(sent, idOf(t, authorization))
	}
	assert.Equal(t, []string{"token-1", "token-1", "token-2"}, sent)
	assert.Equal(t, []string{secret, secret}, tokens.values("X-Session"))
	assert.Empty(t, elsewhere.received())
}

// Rule 11: neither the app's session nor the params leave the backend, and no
// token of another origin is believed.
func TestFetchFollowsNoRedirectOfATokenEndpoint(t *testing.T) {
	for _, client := range []string{"nil", "session"} {
		for _, status := range []string{"302", "307"} {
			t.Run(client+" "+status, func(t *testing.T) {
				elsewhere := newElsewhere(t)
				api, tokens := newAPI(t, elsewhere.URL), newAPI(t, elsewhere.URL)
				outcomes := run(t, browser, "-transport", "JWTTransport", "-credential", secret,
					"-token-endpoint", tokens.URL+"/"+status, "-token-client", client, api.URL+"/200")

				require.Len(t, outcomes, 1)
				assert.Contains(t, outcomes[0].Error, "redirect")
				assert.Len(t, tokens.received(), 1)
				assert.Empty(t, elsewhere.received())
				assert.Empty(t, api.received())
			})
		}
	}
}

// A transport that dials would reject the option as an invalid field name.
func TestATransportThatDialsGetsNoFetchOption(t *testing.T) {
	for _, dialing := range []struct{ base, scheme string }{
		{"Dial", "http"},
		{"DialContext", "http"},
		{"DialTLS", "https"},
		{"DialTLSContext", "https"},
		{"nil, and http.DefaultTransport dials", "http"},
	} {
		t.Run(dialing.base, func(t *testing.T) {
			outcomes := run(t, browser, "-transport", "APIKeyTransport over SubscriptionTransport", "-credential", secret,
				"-base", dialing.base, dialing.scheme+"://api.example.com/v1/operations")
			require.Len(t, outcomes, 1)
			assert.Equal(t, 200, outcomes[0].Status, outcomes[0].Error)
			assert.Contains(t, outcomes[0].Body, "X-Api-Key X-User-Id")
			assert.NotContains(t, outcomes[0].Body, "fetch")
		})
	}
	t.Run("to a token endpoint", func(t *testing.T) {
		outcomes := run(t, browser, "-transport", "JWTTransport", "-token-endpoint", "http://localhost/jwt",
			"-token-client", "DialContext", "https://api.example.com/v1/operations")
		require.Len(t, outcomes, 1)
		assert.Contains(t, outcomes[0].Error, "200 OK: the answer is not a JSON object")
	})
}

// Under Node net/http does not use fetch, and a base gets what it gets natively.
func TestUnderNodeARequestHasNoFetchOption(t *testing.T) {
	for _, name := range []string{"APIKeyAuth", "JWTAuth, mandatory", "JWTAuth, optional"} {
		t.Run(name, func(t *testing.T) {
			outcomes := run(t, underNode, "-transport", name, "-credential", secret, "-api", "https://api.example.com/v1",
				"-base", "memory", "https://api.example.com/v1/operations")
			require.Len(t, outcomes, 1)
			assert.Equal(t, 200, outcomes[0].Status, outcomes[0].Error)
			assert.Equal(t, transports[name].field, outcomes[0].Body)
		})
	}
}

// If this fails, net/http has begun to use fetch under Node, and fetchAvailable
// in fetch_js.go must follow.
func TestUnderNodeNetHTTPDoesWithoutFetch(t *testing.T) {
	api := newAPI(t, "")
	for name, args := range map[string][]string{
		"plain":               {"-transport", "plain"},
		"with a key":          {"-transport", "APIKeyTransport"},
		"to a token endpoint": {"-transport", "JWTTransport", "-token-endpoint", api.URL + "/200"},
	} {
		t.Run(name, func(t *testing.T) {
			outcomes := run(t, underNode, append(args, "-credential", secret, api.URL+"/200")...)
			require.Len(t, outcomes, 1)
			assert.Contains(t, outcomes[0].Error, "dial tcp")
			assert.Empty(t, api.received())
		})
	}
}
