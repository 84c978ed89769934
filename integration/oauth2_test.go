package integration_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"

	"example.com/routeauth"
	"example.com/routeauth/aiuta/aiutatest"
	"example.com/routeauth/integration/measure"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

var xOAuth2 = measure.Neighbour{
	Module: "golang.org/x/oauth2",
	File:   "oauth2_test.go",
	Server: measure.Server{Sends: measure.APIKey},
	Call: func(t *testing.T, baseURL string, client *http.Client) measure.Answer {
		client.Transport = newOAuth2(client.Transport)
		return post(t, baseURL, client)
	},
	Facts: []measure.Fact{
		{Says: "a gateway that wants both fields gets both, in either order", Test: oauth2Gateway},
		{Says: "where both own `Authorization`, the inner one wins", Test: oauth2InnerWins},
		{Says: "as a source, its `Config.Token` is asked anew after a 401, but its `TokenSource` serves a revoked token again", Test: oauth2Source},
	},
}

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
func oauth2Gateway(t *testing.T) {
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
func oauth2InnerWins(t *testing.T) {
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

// Rule 24 needs a source that can be asked anew. What x/oauth2 calls a
// TokenSource keeps its token until that expires.
func oauth2Source(t *testing.T) {
	for name, test := range map[string]struct {
		newSource func(config *clientcredentials.Config) func(context.Context) (*oauth2.Token, error)
		fetches   int
		revoked   bool // the second call fails
	}{
		"Token": {func(config *clientcredentials.Config) func(context.Context) (*oauth2.Token, error) {
			return config.Token
		}, 2, false},
		"TokenSource": {func(config *clientcredentials.Config) func(context.Context) (*oauth2.Token, error) {
			source := config.TokenSource(context.Background())
			return func(context.Context) (*oauth2.Token, error) { return source.Token() }
		}, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			fetches, good := 0, "token-1"
			backend := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
				fetches++
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"Bearer","expires_in":3600}`, fetches)
			})
			api := newServer(t, func(w http.ResponseWriter, req *http.Request) {
				if req.Header.Get("Authorization") != "Bearer "+good {
					w.WriteHeader(http.StatusUnauthorized)
				}
			})
			token := test.newSource(&clientcredentials.Config{ClientID: "id", ClientSecret: "secret", TokenURL: backend.URL})
			cache, err := routeauth.NewTokenCache(routeauth.TokenSourceFunc(func(ctx context.Context, _ routeauth.Params) (routeauth.Token, error) {
				fetched, err := token(ctx)
				if err != nil {
					return routeauth.Token{}, err
				}
				return routeauth.Token{Value: routeauth.Secret(fetched.AccessToken), Expiry: fetched.Expiry}, nil
			}))
			require.NoError(t, err)
			client := &http.Client{Transport: newTransport(t, api.URL, routeauth.BearerAuth{Source: cache}, nil)}

			require.NoError(t, post(t, api.URL, client).Err)
			good = "token-2"
			assert.Equal(t, test.revoked, post(t, api.URL, client).Err != nil)
			assert.Equal(t, test.fetches, fetches)
		})
	}
}
