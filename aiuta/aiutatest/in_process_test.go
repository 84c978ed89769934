package aiutatest_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/aiuta"
	"example.com/routeauth/aiuta/aiutatest"
	"example.com/routeauth/issuer"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// status sends a request that costs nothing, and returns the answer's status.
func status(t *testing.T, server *aiutatest.Server, auth routeauth.Auth) int {
	t.Helper()
	policy, err := routeauth.NewPolicy(server.DigitalTryOnURL(), aiuta.DigitalTryOnRoutes())
	require.NoError(t, err)
	transport, err := routeauth.New(policy, auth, server.Transport(), routeauth.KeepUnauthorized())
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), "POST", server.DigitalTryOnURL()+"/sku_images_operations", nil)
	require.NoError(t, err)
	resp, err := transport.RoundTrip(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp.StatusCode
}

// A server in the process lives in a bubble, with its clock.
func TestAServerInProcessLivesInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := aiutatest.NewServer(aiutatest.Config{InProcess: true})
		defer server.Close()
		tokens, err := issuer.New(aiutatest.JWTIssuer, aiutatest.JWTSecret)
		require.NoError(t, err)
		token, err := tokens.Token(t.Context(), nil)
		require.NoError(t, err)
		static, err := routeauth.NewStaticTokenSource(token.Value)
		require.NoError(t, err)
		auth := routeauth.JWTAuth{SubscriptionID: aiutatest.SubscriptionID, Source: static}
		assert.NotEqual(t, http.StatusUnauthorized, status(t, server, auth))
		<-time.After(2 * time.Minute)
		assert.Equal(t, http.StatusUnauthorized, status(t, server, auth), "the token has expired")
	})
}

func TestATransportReachesItsServerAlone(t *testing.T) {
	for _, cfg := range []aiutatest.Config{{InProcess: true}, {InProcess: true, TLS: true}, {}} {
		server := aiutatest.NewServer(cfg)
		defer server.Close()
		resp, err := server.Client().Get(server.UnifiedURL() + "/nothing")
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		_, err = (&http.Client{Transport: server.Transport()}).Get("http://elsewhere.example.com/")
		assert.ErrorContains(t, err, "elsewhere.example.com")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		req, err := http.NewRequestWithContext(ctx, "GET", server.UnifiedURL(), nil)
		require.NoError(t, err)
		_, err = server.Transport().RoundTrip(req)
		assert.ErrorIs(t, err, context.Canceled)
		assert.Len(t, server.Requests(), 1)
	}
}

func TestAServersKeysCanBeRotated(t *testing.T) {
	server := aiutatest.NewServer(aiutatest.Config{InProcess: true})
	defer server.Close()
	old, next := routeauth.APIKeyAuth{APIKey: aiutatest.APIKey}, routeauth.APIKeyAuth{APIKey: "key-2"}
	assert.Equal(t, http.StatusUnauthorized, status(t, server, next))
	server.SetAPIKeys(aiutatest.APIKey, "key-2")
	assert.NotEqual(t, http.StatusUnauthorized, status(t, server, old))
	assert.NotEqual(t, http.StatusUnauthorized, status(t, server, next))
	server.SetAPIKeys("key-2")
	assert.Equal(t, http.StatusUnauthorized, status(t, server, old))
	server.SetAPIKeys()
	assert.Equal(t, http.StatusUnauthorized, status(t, server, next))
}

func TestAServersTokensCanBeRevoked(t *testing.T) {
	server := aiutatest.NewServer(aiutatest.Config{InProcess: true})
	defer server.Close()
	tokens, err := issuer.New(aiutatest.JWTIssuer, aiutatest.JWTSecret)
	require.NoError(t, err)
	sourceOf := func(params routeauth.Params) routeauth.Auth {
		token, err := tokens.Token(t.Context(), params)
		require.NoError(t, err)
		static, err := routeauth.NewStaticTokenSource(token.Value)
		require.NoError(t, err)
		return routeauth.BearerAuth{Source: static}
	}
	first := sourceOf(nil)
	server.RevokeTokens()
	assert.NotEqual(t, http.StatusUnauthorized, status(t, server, first), "it was not accepted before")
	server.RevokeTokens()
	assert.Equal(t, http.StatusUnauthorized, status(t, server, first))
}

func TestAServerFailsWhenItIsAskedTo(t *testing.T) {
	server := aiutatest.NewServer(aiutatest.Config{InProcess: true})
	defer server.Close()
	auth := routeauth.APIKeyAuth{APIKey: aiutatest.APIKey}
	usual := status(t, server, auth)
	server.Fail(2, http.StatusServiceUnavailable)
	assert.Equal(t, http.StatusServiceUnavailable, status(t, server, auth))
	assert.Equal(t, http.StatusServiceUnavailable, status(t, server, auth))
	assert.Equal(t, usual, status(t, server, auth))
}
