//go:build linux

package redistokens_test

import (
	"net/http"
	"testing"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/tokenstore/internal/redisserver"
	"example.com/routeauth/tokenstore/internal/redistest"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ofMany returns the options of a client of several servers.
func ofMany(t testing.TB, opts *redis.UniversalOptions) redis.UniversalClient {
	t.Helper()
	client := redis.NewUniversalClient(opts)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func TestAClusterSharesTokens(t *testing.T) {
	cluster := redistest.StartCluster(t)
	source := newIssuer(time.Hour)
	api := &server401{}
	transports := make([]http.RoundTripper, 5)
	for i := range transports {
		// A client that would rather read from replicas.
		client := ofMany(t, &redis.UniversalOptions{Addrs: cluster.Addrs(), RouteRandomly: true})
		require.IsType(t, &redis.ClusterClient{}, client)
		cache, err := routeauth.NewTokenCache(memberWith(t, client, source))
		require.NoError(t, err)
		transports[i], err = routeauth.NewJWTTransport(cache, api)
		require.NoError(t, err)
	}
	together(len(transports), func(i int) { assert.NoError(t, get(t, transports[i])) })
	assert.EqualValues(t, 1, source.fetches.Load())
	api.reject(nth(1))
	together(len(transports), func(i int) { assert.NoError(t, get(t, transports[i])) })
	assert.EqualValues(t, 2, source.fetches.Load())
}

func TestAClusterSharesTheTokensOfManyUsers(t *testing.T) {
	cluster := redistest.StartCluster(t)
	source := newIssuer(time.Hour)
	for range 3 {
		shared := memberWith(t, ofMany(t, &redis.UniversalOptions{Addrs: cluster.Addrs()}), source)
		together(50, func(i int) {
			_, err := shared.Token(routeauth.ContextWithIdentity(t.Context(), string(rune('a'+i))), nil)
			assert.NoError(t, err)
		})
	}
	assert.EqualValues(t, 50, source.fetches.Load())
}

func TestAFailoverCostsAtMostOneFetch(t *testing.T) {
	guarded := redistest.StartGuarded(t)
	opts := &redis.UniversalOptions{Addrs: guarded.Addrs(), MasterName: redisserver.MasterName}
	source := newIssuer(time.Hour)
	one, another := memberWith(t, ofMany(t, opts), source), memberWith(t, ofMany(t, opts), source)
	require.Equal(t, tokenOf(t, one), tokenOf(t, another))
	require.EqualValues(t, 1, source.fetches.Load())

	guarded.Primary.Kill()
	client := ofMany(t, opts)
	eventually(t, "a new primary", func() bool {
		return client.Set(t.Context(), "written", "1", time.Minute).Err() == nil
	})
	// Nobody asked meanwhile, as caches hold their tokens, but for the command
	// that finds out.
	eventually(t, "shared tokens", func() bool { return tokenOf(t, one) == tokenOf(t, another) })
	before := source.fetches.Load()
	assert.LessOrEqual(t, before, int64(1+2), "each may find out for itself")
	assert.Equal(t, tokenOf(t, one), tokenOf(t, another))
	assert.Equal(t, before, source.fetches.Load())
}
