//go:build linux

package redistokens_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/tokenstore/internal/redistest"
	"example.com/routeauth/tokenstore/redistokens"
	"github.com/golang-jwt/jwt/v5"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// jwtOf returns a JWT that lives from iat on.
func jwtOf(t testing.TB, iat time.Time, life time.Duration) routeauth.Secret {
	t.Helper()
	claims := jwt.MapClaims{"iat": iat.Unix(), "exp": iat.Add(life).Unix()}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte("key"))
	require.NoError(t, err)
	return routeauth.Secret(token)
}

func sourceOf(token routeauth.Token) routeauth.TokenSource {
	return routeauth.TokenSourceFunc(func(context.Context, routeauth.Params) (routeauth.Token, error) { return token, nil })
}

func TestASharedTokenEndsWhenRedisSaysSo(t *testing.T) {
	server := redistest.Start(t)
	client := redistest.Client(t, server)
	tokenOf(t, member(t, server, newIssuer(time.Hour)))
	age(t, client, 10*time.Minute)
	before := time.Now()
	token, err := member(t, server, newIssuer(time.Hour)).Token(t.Context(), nil)
	require.NoError(t, err)
	assert.WithinRange(t, token.Expiry, before.Add(10*time.Minute-5*time.Second), time.Now().Add(10*time.Minute))
}

// A key that was let live on, or a Redis whose clock was set back, makes no token
// live longer.
func TestASharedTokenLivesNoLongerThanItsWholeLife(t *testing.T) {
	server := redistest.Start(t)
	source := newIssuer(time.Minute)
	tokenOf(t, member(t, server, source))
	age(t, redistest.Client(t, server), 10*time.Hour)
	token, err := member(t, server, source).Token(t.Context(), nil)
	require.NoError(t, err)
	assert.Equal(t, nth(1), token.Value)
	assert.LessOrEqual(t, time.Until(token.Expiry), time.Minute)
}

func TestAFetchedTokenHasItsEndAsItsExpiry(t *testing.T) {
	server := redistest.Start(t)
	now := time.Now().Truncate(time.Second)
	token, err := member(t, server, sourceOf(routeauth.Token{Value: jwtOf(t, now, time.Hour)})).Token(t.Context(), nil)
	require.NoError(t, err)
	assert.WithinDuration(t, now.Add(time.Hour), token.Expiry, 10*time.Millisecond)
}

// In a synctest bubble it is the year 2000, while the issuer and Redis live in
// the present: a host whose clock is wrong.
func TestAHostWhoseClockIsWrongSharesTokensWithTheOthers(t *testing.T) {
	server := redistest.Start(t)
	client := redistest.Client(t, server)
	now := time.Now()
	inThePast := func(t *testing.T, do func(t *testing.T, client *redis.Client)) {
		synctest.Test(t, func(t *testing.T) {
			client := redis.NewClient(&redis.Options{Addr: server.Addr()})
			defer func() { _ = client.Close() }()
			require.Less(t, time.Now().Year(), now.Year())
			do(t, client)
		})
	}
	source := sourceOf(routeauth.Token{Value: jwtOf(t, now, time.Hour)})

	t.Run("it fetches", func(t *testing.T) {
		inThePast(t, func(t *testing.T, wrong *redis.Client) {
			began := time.Now()
			token, err := memberWith(t, wrong, source).Token(t.Context(), nil)
			require.NoError(t, err)
			assert.WithinDuration(t, began.Add(time.Hour), token.Expiry, time.Second, "on its own clock")
		})
		left := client.PTTL(t.Context(), keyLike(t, client, "token")).Val()
		assert.InDelta(t, time.Hour, left, float64(5*time.Second))
	})
	t.Run("it finds a token", func(t *testing.T) {
		age(t, client, 40*time.Minute)
		inThePast(t, func(t *testing.T, wrong *redis.Client) {
			cache, err := routeauth.NewTokenCache(memberWith(t, wrong, newIssuer(0)))
			require.NoError(t, err)
			token, err := cache.Token(t.Context(), nil)
			require.NoError(t, err)
			assert.WithinDuration(t, time.Now().Add(40*time.Minute), token.Expiry, 5*time.Second)
		})
	})
}

// While a server is stopped, what it is told waits. The token is written late,
// and lives shorter by just that time.
func TestNothingThatIsWrittenOutlivesItsToken(t *testing.T) {
	server := redistest.Start(t)
	client := redistest.Client(t, server)
	const life = 5 * time.Second
	var end time.Time
	source := newIssuer(life)
	thawed := make(chan struct{})
	source.before = func(context.Context, int64) error {
		end = time.Now().Add(life)
		assert.NoError(t, server.Freeze())
		time.AfterFunc(700*time.Millisecond, func() {
			assert.NoError(t, server.Thaw())
			close(thawed)
		})
		return nil
	}
	tokenOf(t, member(t, server, source, redistokens.WithFetchTimeout(time.Minute)))
	<-thawed
	before := time.Now()
	left := client.PTTL(t.Context(), keyLike(t, client, "token")).Val()
	assert.Positive(t, left)
	assert.LessOrEqual(t, left, end.Sub(before)+time.Millisecond)
}
