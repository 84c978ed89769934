package integration_test

import (
	"io"
	"net/http"
	"testing"

	"example.com/routeauth"
	"example.com/routeauth/integration/measure"
	"github.com/gregjones/httpcache"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var httpCache = measure.Neighbour{
	Module: "github.com/gregjones/httpcache",
	File:   "httpcache_test.go",
	Server: measure.Server{Sends: measure.APIKey},
	Call: func(t *testing.T, baseURL string, client *http.Client) measure.Answer {
		cache := newHTTPCache(t, baseURL, "no-cache, stale-if-error=60")
		cache.Transport = client.Transport
		resp, err := cache.Client().Get(baseURL)
		if err == nil {
			resp.Body.Close()
		}
		return measure.Answer{Err: err, Resp: resp}
	},
	Facts: []measure.Fact{
		{Says: "under `stale-if-error` a 401 that is an error is answered with what an earlier key has read", Test: httpCacheStale},
		{Says: "what is fresh is served whatever the key, without a request", Test: httpCacheFresh},
	},
}

// newHTTPCache returns a cache that holds an answer of the API.
func newHTTPCache(t *testing.T, baseURL, cacheControl string) *httpcache.Transport {
	before := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", cacheControl)
		_, _ = io.WriteString(w, "read before")
	})
	cache := httpcache.NewMemoryCacheTransport()
	cache.Transport = roundTripper(func(req *http.Request) (*http.Response, error) {
		req, err := http.NewRequestWithContext(req.Context(), req.Method, before.URL, nil)
		require.NoError(t, err)
		return http.DefaultTransport.RoundTrip(req)
	})
	readFrom(t, cache, baseURL)
	return cache
}

func readFrom(t *testing.T, cache *httpcache.Transport, url string) (status int, text string) {
	status, text, err := do(t, cache.Client(), newRequest(t, t.Context(), "GET", url, ""))
	require.NoError(t, err)
	return status, text
}

func httpCacheStale(t *testing.T) {
	for _, test := range []struct {
		opts   []routeauth.Option
		status int
		text   string
	}{
		{nil, http.StatusOK, "read before"},
		{[]routeauth.Option{routeauth.KeepUnauthorized()}, http.StatusUnauthorized, `{"detail":"no such credential"}`},
	} {
		api := measure.Server{Sends: measure.APIKey}.Start(t)
		cache := newHTTPCache(t, api.URL, "no-cache, stale-if-error=60")
		cache.Transport = api.Client(t, measure.Wrong, test.opts...).Transport
		status, text := readFrom(t, cache, api.URL)
		assert.Equal(t, test.status, status)
		assert.Equal(t, test.text, text)
		assert.Equal(t, 1, api.Rejected())
	}
}

func httpCacheFresh(t *testing.T) {
	api := measure.Server{Sends: measure.APIKey}.Start(t)
	cache := newHTTPCache(t, api.URL, "max-age=60")
	cache.Transport = api.Client(t, measure.Wrong, routeauth.KeepUnauthorized()).Transport
	status, text := readFrom(t, cache, api.URL)
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, "read before", text)
	assert.Zero(t, api.Rejected())
}
