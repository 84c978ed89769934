package token_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/tokenstore/internal/token"
	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func jwtOf(t *testing.T, claims jwt.MapClaims) routeauth.Secret {
	t.Helper()
	text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte("key"))
	require.NoError(t, err)
	return routeauth.Secret(text)
}

// A TokenCache is the model: it holds a token for as long as its lifetime says.
func TestALifetimeIsHowLongATokenCacheHoldsTheToken(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 2))
	seconds := func(n int) time.Duration { return time.Duration(draw.IntN(n)-n/2) * time.Second }
	for i := range 300 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				issued := routeauth.Token{Value: "opaque"}
				if draw.IntN(4) > 0 {
					claims := jwt.MapClaims{"exp": time.Now().Add(seconds(200)).Unix()}
					if draw.IntN(4) > 0 {
						claims["iat"] = time.Now().Add(seconds(200)).Unix()
					}
					issued.Value = jwtOf(t, claims)
				}
				if draw.IntN(2) > 0 {
					issued.Expiry = time.Now().Add(seconds(200))
				}
				took := time.Duration(draw.IntN(2000)) * time.Millisecond
				fetches := 0
				cache, err := routeauth.NewTokenCache(
					routeauth.TokenSourceFunc(func(context.Context, routeauth.Params) (routeauth.Token, error) {
						fetches++
						time.Sleep(took)
						return issued, nil
					}), routeauth.WithRefreshBefore(0), routeauth.WithMinRemaining(0), routeauth.WithFailurePause(0))
				require.NoError(t, err)
				fetch := func() {
					_, err := cache.Token(t.Context(), nil)
					require.NoError(t, err)
				}
				began := time.Now()
				fetch()
				now := time.Now()
				life := token.LifetimeOf(issued, began, now)
				left := life.Left(now)
				if left <= 0 {
					fetch()
					assert.Equal(t, 2, fetches, "%v: not to be held", left)
					return
				}
				time.Sleep(left - time.Nanosecond)
				fetch()
				assert.Equal(t, 1, fetches, "%v", left)
				time.Sleep(time.Nanosecond)
				fetch()
				assert.Equal(t, 2, fetches, "%v", left)
			})
		})
	}
}

func TestALifetimeKnowsHowLongTheTokenLivesInAll(t *testing.T) {
	now := time.Now()
	at := func(d time.Duration) int64 { return now.Add(d).Unix() }
	for name, test := range map[string]struct {
		issued routeauth.Token
		want   time.Duration
	}{
		"from iat to exp": {routeauth.Token{Value: jwtOf(t, jwt.MapClaims{"iat": at(-time.Minute), "exp": at(time.Minute)})}, 2 * time.Minute},
		"from now to exp": {routeauth.Token{Value: jwtOf(t, jwt.MapClaims{"exp": at(time.Minute)})}, time.Minute},
		"a wrong clock":   {routeauth.Token{Value: jwtOf(t, jwt.MapClaims{"iat": at(time.Hour), "exp": at(2 * time.Hour)})}, time.Hour},
		"until Expiry":    {routeauth.Token{Value: "opaque", Expiry: now.Add(time.Minute)}, time.Minute},
		"Expiry is first": {routeauth.Token{Value: jwtOf(t, jwt.MapClaims{"iat": at(0), "exp": at(time.Hour)}), Expiry: now.Add(time.Minute)}, time.Minute},
		"no end":          {routeauth.Token{Value: "opaque"}, 0},
		"no sense":        {routeauth.Token{Value: jwtOf(t, jwt.MapClaims{"iat": at(0), "exp": at(-time.Hour)})}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			life := token.LifetimeOf(test.issued, now, now)
			assert.InDelta(t, test.want, life.Total(), float64(time.Second))
		})
	}
}

func TestAWellFormedTokenIsPrintableASCIIWithoutSpaces(t *testing.T) {
	for text, want := range map[routeauth.Secret]bool{
		"a": true, "!~": true, "a.b-c_d/e+f=": true,
		"": false, " ": false, "a b": false, "a\n": false, "\x7f": false, "ü": false, "REDACTED": false,
	} {
		assert.Equal(t, want, token.IsWellFormed(text), "%q", string(text))
	}
}
