package integration_test

import (
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"

	"example.com/routeauth"
	"example.com/routeauth/aiuta/aiutatest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
)

const gatewayToken = "a-token-of-the-gateway"

// overOAuth2 and underOAuth2 stack the two transports.
func overOAuth2(t *testing.T, baseURL string, auth routeauth.Auth, network http.RoundTripper) http.RoundTripper {
	return newTransport(t, baseURL, auth, newOAuth2(network))
}

func underOAuth2(t *testing.T, baseURL string, auth routeauth.Auth, network http.RoundTripper) http.RoundTripper {
	return newOAuth2(newTransport(t, baseURL, auth, network))
}

func newOAuth2(base http.RoundTripper) http.RoundTripper {
	return &oauth2.Transport{
		Source: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: gatewayToken}),
		Base:   base,
	}
}

// A gateway takes its token from Authorization, and the API behind it takes
// x-api-key.
func TestAGatewayThatWantsBothHeadersGetsBoth(t *testing.T) {
	for name, stack := range map[string]func(*testing.T, string, routeauth.Auth, http.RoundTripper) http.RoundTripper{
		"over oauth2": overOAuth2, "under oauth2": underOAuth2,
	} {
		t.Run(name, func(t *testing.T) {
			api := newAPI(t)
			target, err := url.Parse(api.URL)
			require.NoError(t, err)
			toAPI := httputil.NewSingleHostReverseProxy(target)
			toAPI.Transport = api.Client().Transport
			gateway := newServer(t, func(w http.ResponseWriter, req *http.Request) {
				if req.Header.Get("Authorization") != "Bearer "+gatewayToken {
					w.WriteHeader(http.StatusForbidden)
					return
				}
				req.Header.Del("Authorization")
				toAPI.ServeHTTP(w, req)
			})
			baseURL := gateway.URL + "/digital-try-on/v1"
			client := &http.Client{Transport: stack(t, baseURL, apiKeyAuth, http.DefaultTransport)}

			status, body, err := do(t, client, newRequest(t, t.Context(), "POST", baseURL+startPath, startBody))
			require.NoError(t, err)
			assert.Equal(t, 200, status, body)
			assert.Equal(t, []string{"POST sku_images_operations X-Api-Key"}, received(api))
		})
	}
}

// Rule 7: both own Authorization. The one that is next to the network wins, and
// there is one value.
func TestWhereBothOwnAuthorizationTheInnerOneWins(t *testing.T) {
	var mu sync.Mutex
	var seen [][]string
	api := newServer(t, func(_ http.ResponseWriter, req *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, req.Header.Values("Authorization"))
	})
	source, err := routeauth.NewStaticTokenSource("a-jwt")
	require.NoError(t, err)
	auth := routeauth.JWTAuth{SubscriptionID: aiutatest.SubscriptionID, Source: source}
	for _, stack := range []http.RoundTripper{
		underOAuth2(t, api.URL, auth, http.DefaultTransport),
		overOAuth2(t, api.URL, auth, http.DefaultTransport),
	} {
		_, _, err := do(t, &http.Client{Transport: stack}, newRequest(t, t.Context(), "POST", api.URL+startPath, startBody))
		require.NoError(t, err)
	}
	assert.Equal(t, [][]string{{"Bearer a-jwt"}, {"Bearer " + gatewayToken}}, seen)
}
