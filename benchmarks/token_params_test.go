package benchmarks

import (
	"context"
	"testing"

	"example.com/routeauth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// countFetches counts what the source is asked during the test.
func countFetches(t *testing.T) *int {
	var fetches int
	original := source
	t.Cleanup(func() { source = original })
	source = func(ctx context.Context, params routeauth.Params) (routeauth.Token, error) {
		fetches++
		return original(ctx, params)
	}
	return &fetches
}

func TestAHitAsksTheSourceForNothing(t *testing.T) {
	fetches := countFetches(t)
	for _, size := range []int{1, 10, maxRequests + 500} {
		operation, err := HitTokens(size, 1)
		require.NoError(t, err)
		assert.Equal(t, size, *fetches, "tokens that fill the cache")
		for range 2 * maxRequests {
			require.NoError(t, operation())
		}
		assert.Equal(t, size, *fetches)
		*fetches = 0
	}
}

func TestAMissAsksTheSourceOnce(t *testing.T) {
	fetches := countFetches(t)
	operation, err := MissToken(10)
	require.NoError(t, err)
	before := *fetches
	for range 25 {
		require.NoError(t, operation())
	}
	assert.Equal(t, before+25, *fetches)
}

func TestJWTAuthIsMeasuredWithATokenThatIsHeld(t *testing.T) {
	fetches := countFetches(t)
	operation, err := JWTAuth(API, 10, StaticPath).RoundTrips(OneResponse())
	require.NoError(t, err)
	for range 10 {
		require.NoError(t, operation())
	}
	assert.Equal(t, 1, *fetches)
}
