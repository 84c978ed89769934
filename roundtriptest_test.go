package routeauth_test

import (
	"net/http"
	"testing"

	"example.com/routeauth"
	"example.com/routeauth/roundtriptest"
	"github.com/stretchr/testify/require"
)

// Rules 1 to 8 and 11: every wrapper passes the contract suite, but for a 401,
// which it makes an error of.
func TestEveryWrapperKeepsTheContract(t *testing.T) {
	t.Parallel()
	run, wait := atOnce(t) // it waits for what must not happen
	defer wait()
	for _, w := range wrappers(t) {
		run(w.name, func(t *testing.T) {
			roundtriptest.Test(t, w.wrap,
				roundtriptest.Strict(),
				roundtriptest.WithURL(w.url),
				roundtriptest.WithCredential(w.field),
				roundtriptest.WithSkip("a 401 to a credential becomes an *UnauthorizedError", "response/401"),
			)
		})
	}
}

// Rule 32: with KeepUnauthorized a 401 is no exception.
func TestWithKeepUnauthorizedEveryAuthKeepsTheWholeContract(t *testing.T) {
	t.Parallel()
	run, wait := atOnce(t)
	defer wait()
	policy, err := routeauth.NewPolicy(apiURL, routes)
	require.NoError(t, err)
	source, err := routeauth.NewStaticTokenSource(token)
	require.NoError(t, err)
	// No source here can be told of a 401: one that can is asked again, and the
	// request is sent a second time.
	key := routeauth.APIKeyAuth{APIKey: apiKey}
	bearer := routeauth.BearerAuth{Source: source}
	for name, a := range map[string]struct {
		auth       routeauth.Auth
		url, field string
	}{
		"JWTAuth, mandatory":   {routeauth.JWTAuth{SubscriptionID: subscriptionID, Source: source}, mandatoryURL, routeauth.HeaderAuthorization},
		"JWTAuth, optional":    {routeauth.JWTAuth{SubscriptionID: subscriptionID, Source: source}, optionalURL, routeauth.HeaderUserID},
		"APIKeyAuth":           {key, mandatoryURL, routeauth.HeaderAPIKey},
		"BearerAuth":           {bearer, mandatoryURL, routeauth.HeaderAuthorization},
		"BasicAuth":            {routeauth.BasicAuth{Username: "ada", Password: "lovelace"}, mandatoryURL, routeauth.HeaderAuthorization},
		"HeaderAuth":           {routeauth.HeaderAuth{Scheme: "gateway", Name: "x-gateway", Value: "abc"}, mandatoryURL, "X-Gateway"},
		"SplitAuth, mandatory": {routeauth.SplitAuth{Mandatory: bearer, Optional: key}, mandatoryURL, routeauth.HeaderAuthorization},
		"SplitAuth, optional":  {routeauth.SplitAuth{Mandatory: bearer, Optional: key}, optionalURL, routeauth.HeaderAPIKey},
	} {
		run(name, func(t *testing.T) {
			roundtriptest.Test(t,
				func(base http.RoundTripper) (http.RoundTripper, error) {
					return routeauth.New(policy, a.auth, base, routeauth.KeepUnauthorized())
				},
				roundtriptest.Strict(),
				roundtriptest.WithURL(a.url),
				roundtriptest.WithCredential(a.field),
			)
		})
	}
}
