package integration_test

import (
	"context"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/aiuta/aiutatest"
	"example.com/routeauth/integration/measure"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var httpClient = measure.Neighbour{
	Name:   "`http.Client`",
	File:   "http_client_test.go",
	Server: measure.Server{Sends: measure.APIKey},
	Call:   post,
	Facts: []measure.Fact{
		{Says: "a cookie jar works beside the credential", Test: clientJar},
		{Says: "the jar keeps the cookies of a 401 only if that is a response", Test: clientJarOf401},
		{Says: "`Timeout` ends a request that is not answered, with `context.DeadlineExceeded`", Test: clientTimeout},
		{Says: "it ends the wait for a token too, but not the fetch", Test: clientTimeoutOfAToken},
	},
}

func clientJar(t *testing.T) {
	type visit struct{ key, cookie string }
	var visits []visit
	api := newServer(t, func(w http.ResponseWriter, req *http.Request) {
		cookie, _ := req.Cookie("session")
		visits = append(visits, visit{req.Header.Get("X-Api-Key"), cookie.String()})
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "17"})
	})
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	client := &http.Client{Transport: newTransport(t, api.URL, apiKeyAuth, nil), Jar: jar}
	for range 2 {
		_, _, err := do(t, client, newRequest(t, t.Context(), "GET", api.URL+statusPath, ""))
		require.NoError(t, err)
	}
	assert.Equal(t, []visit{{aiutatest.APIKey, ""}, {aiutatest.APIKey, "session=17"}}, visits)
}

func clientJarOf401(t *testing.T) {
	for _, test := range []struct {
		opts    []routeauth.Option
		cookies int
	}{{nil, 0}, {[]routeauth.Option{routeauth.KeepUnauthorized()}, 1}} {
		api := measure.Server{Sends: measure.APIKey}.Start(t)
		jar, err := cookiejar.New(nil)
		require.NoError(t, err)
		client := api.Client(t, measure.Wrong, test.opts...)
		client.Jar = jar
		post(t, api.URL, client)
		u, err := url.Parse(api.URL)
		require.NoError(t, err)
		assert.Len(t, jar.Cookies(u), test.cookies)
	}
}

func clientTimeout(t *testing.T) {
	api := newServer(t, func(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done() })
	client := &http.Client{Transport: newTransport(t, api.URL, apiKeyAuth, nil), Timeout: 50 * time.Millisecond}
	_, _, err := do(t, client, newRequest(t, t.Context(), "GET", api.URL+statusPath, ""))
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

// Rule 20: the caller leaves, and the fetch goes on for the next one.
func clientTimeoutOfAToken(t *testing.T) {
	api := newAPI(t)
	var fetches atomic.Int32
	release := make(chan struct{})
	tokens := newIssuer(t)
	cache, err := routeauth.NewTokenCache(routeauth.TokenSourceFunc(
		func(ctx context.Context, p routeauth.Params) (routeauth.Token, error) {
			fetches.Add(1)
			<-release
			return tokens.Token(ctx, p)
		}))
	require.NoError(t, err)
	auth := newJWTAuth(t)
	auth.Source = cache
	client := newClient(t, api, auth)

	client.Timeout = 50 * time.Millisecond
	_, _, err = do(t, client, newRequest(t, t.Context(), "POST", api.DigitalTryOnURL()+startPath, startBody))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Empty(t, received(api))

	close(release)
	client.Timeout = 0
	status, body, err := do(t, client, newRequest(t, t.Context(), "POST", api.DigitalTryOnURL()+startPath, startBody))
	require.NoError(t, err)
	assert.Equal(t, 200, status, body)
	assert.EqualValues(t, 1, fetches.Load())
}
