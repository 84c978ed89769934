package integration_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/aiuta/aiutatest"
	"example.com/routeauth/integration/measure"
	"github.com/golang-jwt/jwt/v5"
	"github.com/hashicorp/go-retryablehttp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var goRetryableHTTP = measure.Neighbour{
	Module: "github.com/hashicorp/go-retryablehttp",
	File:   "retryablehttp_test.go",
	Server: measure.Server{Sends: measure.APIKey},
	Call: func(t *testing.T, baseURL string, client *http.Client) measure.Answer {
		client.Transport = withRetries(client.Transport)
		return post(t, baseURL, client)
	},
	Facts: []measure.Fact{
		{Says: "that is with `routeauth.CheckRetry`; without, a 401 that is an error is tried again", Test: retryableOwnPolicy},
		{Says: "a POST whose connection was cut is not sent again", Test: retryableCutPost},
		{Says: "a GET is", Test: retryableCutGet},
		{Says: "below auth and without `CheckRedirect`, it takes the key to another host", Test: retryableRedirect},
		{Says: "without `CheckRedirect` a POST whose second hop fails is sent again", Test: retryableSecondHop},
		{Says: "it closes no request's body: close a file yourself", Test: retryableOpenBody},
	},
}

const retryMax = 3

// newRetrying returns go-retryablehttp's client as both recipes have it, but
// for its patience.
func newRetrying(base http.RoundTripper) *retryablehttp.Client {
	retrying := retryablehttp.NewClient()
	retrying.Logger = nil
	retrying.RetryMax, retrying.RetryWaitMin, retrying.RetryWaitMax = retryMax, time.Millisecond, time.Millisecond
	retrying.CheckRetry = routeauth.CheckRetry(retryablehttp.DefaultRetryPolicy)
	retrying.HTTPClient = &http.Client{
		Transport: base,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
	return retrying
}

func withRetries(base http.RoundTripper) http.RoundTripper {
	return &retryablehttp.RoundTripper{Client: newRetrying(base)}
}

// retryStack builds a client in which change had its say.
type retryStack func(t *testing.T, baseURL string, auth routeauth.Auth, network http.RoundTripper, change func(*retryablehttp.Client)) *http.Client

// retryStacks are the two recipes.
var retryStacks = map[string]retryStack{"retry above auth": retryAboveAuth, "retry below auth": retryBelowAuth}

func retryAboveAuth(t *testing.T, baseURL string, auth routeauth.Auth, network http.RoundTripper, change func(*retryablehttp.Client)) *http.Client {
	retrying := newRetrying(newTransport(t, baseURL, auth, network))
	change(retrying)
	return &http.Client{Transport: &retryablehttp.RoundTripper{Client: retrying}}
}

func retryBelowAuth(t *testing.T, baseURL string, auth routeauth.Auth, network http.RoundTripper, change func(*retryablehttp.Client)) *http.Client {
	retrying := newRetrying(network)
	change(retrying)
	return &http.Client{Transport: newTransport(t, baseURL, auth, &retryablehttp.RoundTripper{Client: retrying})}
}

func asRecommended(*retryablehttp.Client) {}

// followingRedirects is go-retryablehttp's client as it comes.
func followingRedirects(retrying *retryablehttp.Client) { retrying.HTTPClient.CheckRedirect = nil }

// newClientFunc builds a client as recommended.
type newClientFunc func(baseURL string, auth routeauth.Auth, network http.RoundTripper) *http.Client

func forEachRetryStack(t *testing.T, test func(t *testing.T, newClient newClientFunc)) {
	for name, stack := range retryStacks {
		t.Run(name, func(t *testing.T) {
			test(t, func(baseURL string, auth routeauth.Auth, network http.RoundTripper) *http.Client {
				return stack(t, baseURL, auth, network, asRecommended)
			})
		})
	}
}

// Rule 28.
func TestA401ReachesTheCallerAfterOneRequest(t *testing.T) {
	forEachRetryStack(t, func(t *testing.T, newClient newClientFunc) {
		api := newAPI(t)
		client := newClient(api.DigitalTryOnURL(), wrongKey, api.Client().Transport)
		_, _, err := do(t, client, newRequest(t, t.Context(), "POST", api.DigitalTryOnURL()+startPath, startBody))
		var unauthorized *routeauth.UnauthorizedError
		require.ErrorAs(t, err, &unauthorized)
		assert.NotEmpty(t, unauthorized.Detail)
		assert.Len(t, received(api), 1)
	})
}

func retryableOwnPolicy(t *testing.T) {
	api := measure.Server{Sends: measure.APIKey}.Start(t)
	client := api.Client(t, measure.Wrong)
	retrying := newRetrying(client.Transport)
	retrying.CheckRetry = retryablehttp.DefaultRetryPolicy
	client.Transport = &retryablehttp.RoundTripper{Client: retrying}
	require.Error(t, post(t, api.URL, client).Err)
	assert.Equal(t, 1+retryMax, api.Rejected())
}

// newCutting starts an API in front of api that acts on each request and cuts
// the connections of the first ones instead of answering.
func newCutting(t *testing.T, api *aiutatest.Server, cuts int32) *httptest.Server {
	var requests atomic.Int32
	return newServer(t, func(w http.ResponseWriter, req *http.Request) {
		if requests.Add(1) > cuts {
			api.Config.Handler.ServeHTTP(w, req)
			return
		}
		api.Config.Handler.ServeHTTP(httptest.NewRecorder(), req)
		panic(http.ErrAbortHandler)
	})
}

// Rule 28: a start that may have been acted on is not sent again, and the caller
// learns of it.
func retryableCutPost(t *testing.T) {
	forEachRetryStack(t, func(t *testing.T, newClient newClientFunc) {
		for name, auth := range auths(t) {
			api := newAPI(t)
			server := newCutting(t, api, 1)
			baseURL := server.URL + "/digital-try-on/v1"
			client := newClient(baseURL, auth, nil)
			_, _, err := do(t, client, newRequest(t, t.Context(), "POST", baseURL+startPath, startBody))
			require.Error(t, err, name)
			assert.NotErrorIs(t, err, routeauth.ErrUnauthorized, name)
			assert.Equal(t, 1, api.Generations(), name)
			assert.Len(t, received(api), 1, name)
		}
	})
}

// Rule 28.
func retryableCutGet(t *testing.T) {
	forEachRetryStack(t, func(t *testing.T, newClient newClientFunc) {
		for name, auth := range auths(t) {
			api := newAPI(t)
			server := newCutting(t, api, 2)
			baseURL := server.URL + "/digital-try-on/v1"
			client := newClient(baseURL, auth, nil)
			status, body, err := do(t, client, newRequest(t, t.Context(), "GET", baseURL+"/predefined_try_on_models", ""))
			require.NoError(t, err, name)
			assert.Equal(t, 200, status, body)
			assert.Len(t, received(api), 3, name)
		}
	})
}

// Rule 28: where nobody listens nothing was acted on, and a POST may go again.
func TestAPostThatReachedNobodyIsTriedAgain(t *testing.T) {
	forEachRetryStack(t, func(t *testing.T, newClient newClientFunc) {
		attempts := 0
		client := newClient(nobodyURL, apiKeyAuth, countAttempts(&attempts, http.DefaultTransport))
		_, _, err := do(t, client, newRequest(t, t.Context(), "POST", nobodyURL+startPath, startBody))
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
		assert.Equal(t, 1+retryMax, attempts)
	})
}

// Rule 29: above auth each attempt is authenticated afresh, so a token that is
// not to be had for the moment is asked for again. Below auth the call fails.
func TestOnlyRetryAboveAuthAsksForATokenAgain(t *testing.T) {
	for name, wantErr := range map[string]bool{"retry above auth": false, "retry below auth": true} {
		t.Run(name, func(t *testing.T) {
			api := newAPI(t)
			auth, tokens, asked := newJWTAuth(t), newIssuer(t), 0
			auth.Source = routeauth.TokenSourceFunc(func(ctx context.Context, p routeauth.Params) (routeauth.Token, error) {
				if asked++; asked == 1 {
					return routeauth.Token{}, fmt.Errorf("the backend restarts")
				}
				return tokens.Token(ctx, p)
			})
			client := retryStacks[name](t, api.DigitalTryOnURL(), auth, api.Client().Transport, asRecommended)
			_, _, err := do(t, client, newRequest(t, t.Context(), "POST", api.DigitalTryOnURL()+startPath, startBody))
			assert.Equal(t, wantErr, err != nil, "%v", err)
		})
	}
}

// Rule 24: a token that was held and is no longer good is replaced, and the
// request sent once more, whole. The retries around it take no part.
func TestAStaleTokenIsReplacedInEitherOrder(t *testing.T) {
	forEachRetryStack(t, func(t *testing.T, newClient newClientFunc) {
		var generation atomic.Int64 // of the tokens that are good
		var bodies []string
		api := newServer(t, func(w http.ResponseWriter, req *http.Request) {
			body, _ := io.ReadAll(req.Body)
			bodies = append(bodies, string(body))
			claims := jwt.MapClaims{}
			token := strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")
			_, _, _ = jwt.NewParser().ParseUnverified(token, claims)
			if claims["generation"] != fmt.Sprint(generation.Load()) {
				w.WriteHeader(http.StatusUnauthorized)
			}
		})
		auth, tokens := newJWTAuth(t), newIssuer(t)
		cache, err := routeauth.NewTokenCache(routeauth.TokenSourceFunc(
			func(ctx context.Context, p routeauth.Params) (routeauth.Token, error) {
				p["generation"] = fmt.Sprint(generation.Load())
				return tokens.Token(ctx, p)
			}))
		require.NoError(t, err)
		auth.Source = cache
		client := newClient(api.URL, auth, nil)
		for range 2 {
			status, _, err := do(t, client, newRequest(t, t.Context(), "POST", api.URL+startPath, startBody))
			require.NoError(t, err)
			assert.Equal(t, 200, status)
			generation.Add(1)
		}
		assert.Equal(t, []string{startBody, startBody, startBody}, bodies, "one, and one that was sent twice")
	})
}

// Rule 29: below auth, go-retryablehttp's client would carry the key along to
// another host, since http.Client strips only the fields that it knows. With
// CheckRedirect the outermost client follows the redirect, without the key.
func retryableRedirect(t *testing.T) {
	keysElsewhere := func(t *testing.T, change func(*retryablehttp.Client)) (keys []string) {
		elsewhere := newServer(t, func(_ http.ResponseWriter, req *http.Request) {
			keys = append(keys, req.Header.Get("X-Api-Key"))
		})
		api := newServer(t, http.RedirectHandler(elsewhere.URL, http.StatusFound).ServeHTTP)
		client := retryBelowAuth(t, api.URL, apiKeyAuth, nil, change)
		status, _, err := do(t, client, newRequest(t, t.Context(), "GET", api.URL+statusPath, ""))
		require.NoError(t, err)
		assert.Equal(t, 200, status)
		return keys
	}
	assert.Equal(t, []string{""}, keysElsewhere(t, asRecommended))
	assert.Equal(t, []string{aiutatest.APIKey}, keysElsewhere(t, followingRedirects),
		"if this is empty, the recipe can be relaxed")
}

// Rule 11: the chain of a redirect survives go-retryablehttp, so the way back
// from another host carries no key either, and its 401 is nobody's.
func TestTheWayBackFromAnotherHostCarriesNoKey(t *testing.T) {
	forEachRetryStack(t, func(t *testing.T, newClient newClientFunc) {
		var keys []string
		var back string
		elsewhere := newServer(t, func(w http.ResponseWriter, req *http.Request) {
			keys = append(keys, req.Header.Get("X-Api-Key"))
			http.Redirect(w, req, back, http.StatusFound)
		})
		api := newServer(t, func(w http.ResponseWriter, req *http.Request) {
			keys = append(keys, req.Header.Get("X-Api-Key"))
			if req.URL.Path == statusPath {
				http.Redirect(w, req, elsewhere.URL, http.StatusFound)
				return
			}
			w.WriteHeader(http.StatusUnauthorized)
		})
		back = api.URL + "/subscription_details"

		client := newClient(api.URL, apiKeyAuth, nil)
		status, _, err := do(t, client, newRequest(t, t.Context(), "GET", api.URL+statusPath, ""))
		require.NoError(t, err)
		assert.Equal(t, 401, status)
		assert.Equal(t, []string{aiutatest.APIKey, "", ""}, keys)
	})
}

// closeCounter is a request body that knows how often it was closed.
type closeCounter struct {
	io.Reader
	closed int
}

func (c *closeCounter) Close() error {
	c.closed++
	return nil
}

// Rule 2: closing is the base's duty, and go-retryablehttp does not do it.
func retryableOpenBody(t *testing.T) {
	forEachRetryStack(t, func(t *testing.T, newClient newClientFunc) {
		api := newAPI(t)
		body := &closeCounter{Reader: strings.NewReader(startBody)}
		req := newRequest(t, t.Context(), "POST", api.DigitalTryOnURL()+startPath, "")
		req.Body = body
		status, answer, err := do(t, newClient(api.DigitalTryOnURL(), apiKeyAuth, api.Client().Transport), req)
		require.NoError(t, err)
		assert.Equal(t, 200, status, answer)
		assert.Zero(t, body.closed, "if this is 1, the README need not warn of it")
	})
}

// Rule 28: a POST that was answered 303 has been acted on. If its second hop
// cannot be dialled, the error alone does not tell, and without CheckRedirect
// the POST goes again.
func retryableSecondHop(t *testing.T) {
	for name, newClient := range retryStacks {
		posts := func(t *testing.T, change func(*retryablehttp.Client)) (n int) {
			api := newServer(t, func(w http.ResponseWriter, req *http.Request) {
				n++
				http.Redirect(w, req, nobodyURL, http.StatusSeeOther)
			})
			client := newClient(t, api.URL, apiKeyAuth, nil, change)
			_, _, err := do(t, client, newRequest(t, t.Context(), "POST", api.URL+startPath, startBody))
			var opErr *net.OpError
			require.ErrorAs(t, err, &opErr)
			assert.Equal(t, "dial", opErr.Op)
			return n
		}
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, 1, posts(t, asRecommended))
			assert.Greater(t, posts(t, followingRedirects), 1, "if this is 1, the recipe can be relaxed")
		})
	}
}
