package routeauth_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
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

// newBackend returns an app's own backend. It knows its users by their sessions,
// and makes the user a claim of each token, which the API compares with the field
// of that name in a request.
func newBackend(t *testing.T, issued *atomic.Int32) http.RoundTripper {
	tokens, err := issuer.New(aiutatest.JWTIssuer, aiutatest.JWTSecret, issuer.WithTTL(time.Hour))
	require.NoError(t, err)
	source := routeauth.TokenSourceFunc(func(ctx context.Context, params routeauth.Params) (routeauth.Token, error) {
		issued.Add(1)
		advance(100 * time.Millisecond)
		params["user_id"] = routeauth.IdentityFromContext(ctx)
		return tokens.Token(ctx, params)
	})
	authorize := func(req *http.Request, _ routeauth.Params) error {
		if routeauth.IdentityFromContext(req.Context()) == "" {
			return errors.New("nobody is logged in")
		}
		return nil
	}
	handler, err := issuer.NewHandler(source, authorize, issuer.WithLogger(slog.New(slog.DiscardHandler)))
	require.NoError(t, err)
	return roundTripFunc(func(req *http.Request) (*http.Response, error) {
		user := strings.TrimPrefix(req.Header.Get("X-Session"), "session of ")
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, req.WithContext(routeauth.ContextWithIdentity(context.Background(), user)))
		return answer.Result(), nil
	})
}

// loggedIn is the transport of the app's client for its backend: it sends the
// session of the user for whom a token is fetched.
func loggedIn(base http.RoundTripper) http.RoundTripper {
	return roundTripFunc(func(req *http.Request) (*http.Response, error) {
		req = req.Clone(req.Context())
		req.Header.Set("X-Session", "session of "+routeauth.IdentityFromContext(req.Context()))
		return base.RoundTrip(req)
	})
}

// Rules 19, 24 and 30, end to end: two users of one cache, in the same moments,
// are each sent their own token, also when all tokens are revoked.
func TestTwoUsersOfOneCacheEachGetTheirOwnTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := aiutatest.NewServer(aiutatest.Config{InProcess: true})
		defer api.Close()
		var issued atomic.Int32
		remote, err := routeauth.NewRemoteTokenSource("https://backend.example.com/jwt",
			&http.Client{Transport: loggedIn(newBackend(t, &issued))})
		require.NoError(t, err)
		policy, err := routeauth.NewPolicy(api.DigitalTryOnURL(), aiuta.DigitalTryOnRoutes())
		require.NoError(t, err)
		auth := routeauth.JWTAuth{SubscriptionID: aiutatest.SubscriptionID, Source: newCache(t, remote)}
		transport, err := routeauth.New(policy, auth, api.Transport())
		require.NoError(t, err)
		client := &http.Client{Transport: transport}

		start := func(user string, n int) {
			body := fmt.Sprintf(`{"uploaded_image_id": %q, "sku_id": "sku %d", "user_id": %q}`, aiutatest.ModelImageID, n, user)
			req, err := http.NewRequestWithContext(as(t, user), http.MethodPost,
				api.DigitalTryOnURL()+"/sku_images_operations", strings.NewReader(body))
			require.NoError(t, err)
			req.Header.Set("Content-Type", "application/json")
			resp, err := client.Do(req)
			if assert.NoError(t, err, "%s, request %d", user, n) {
				assert.NoError(t, resp.Body.Close())
				assert.Equal(t, http.StatusOK, resp.StatusCode, "%s, request %d", user, n)
			}
		}
		const rounds, starts = 6, 20
		for round := range rounds {
			var running sync.WaitGroup
			for n := range starts {
				running.Go(func() { start("ada", round*starts+n) })
				running.Go(func() { start("bob", round*starts+n) })
			}
			running.Wait()
			assert.EqualValues(t, 2*(round+1), issued.Load(), "one token for each user, and one more after each revocation")
			advance(2 * time.Second)
			api.RevokeTokens()
		}
		assert.Equal(t, rounds*2*starts, api.Generations())
	})
}
