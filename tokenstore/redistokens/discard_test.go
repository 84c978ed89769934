//go:build linux

package redistokens_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/tokenstore/internal/redistest"
	"example.com/routeauth/tokenstore/redistokens"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDiscardTakesOutTheRejectedTokenAndNoOther(t *testing.T) {
	server := redistest.Start(t)
	client := redistest.Client(t, server)
	source := newIssuer(time.Hour)
	shared := member(t, server, source)
	tokenOf(t, shared)

	shared.Discard(t.Context(), nil, "another token")
	shared.Discard(t.Context(), routeauth.Params{"image": "1"}, nth(1))
	shared.Discard(routeauth.ContextWithIdentity(t.Context(), "a"), nil, nth(1))
	assert.NotEmpty(t, keyLike(t, client, "token"))

	shared.Discard(t.Context(), nil, nth(1))
	assert.Empty(t, keyLike(t, client, "token"))
	assert.Equal(t, nth(2), tokenOf(t, member(t, server, source)))
}

func TestDiscardDeletesOnlyTheBytesThatItRead(t *testing.T) {
	server := redistest.Start(t)
	client := redistest.Client(t, server)
	source := newIssuer(time.Hour)
	shared := memberWith(t, client, source)
	tokenOf(t, shared)
	name := keyLike(t, client, "token")

	scripts := 0
	client.AddHook(before(func(args []any) {
		if args[0] == "evalsha" {
			if scripts++; scripts == 2 { // after the look, before the deletion
				assert.NoError(t, redistest.Client(t, server).Set(context.Background(), name, "newer", time.Hour).Err())
			}
		}
	}))
	shared.Discard(t.Context(), nil, nth(1))
	assert.Equal(t, 2, scripts)
	assert.Equal(t, "newer", client.Get(t.Context(), name).Val())
}

func TestARejectedTokenIsNeverTakenOutOfRedisAgain(t *testing.T) {
	server := redistest.Start(t)
	source := newIssuer(time.Hour)
	shared := member(t, server, source)
	tokenOf(t, shared)
	require.NoError(t, server.Freeze())
	shared.Discard(t.Context(), nil, nth(1)) // Redis does not get to know of it
	require.NoError(t, server.Thaw())

	require.Equal(t, nth(2), tokenOf(t, shared), "Redis is left alone")
	another := member(t, server, source)
	require.Equal(t, nth(1), tokenOf(t, another), "the others have no better one")
	eventually(t, "a token that is shared again", func() bool {
		token := tokenOf(t, shared)
		require.NotEqual(t, nth(1), token)
		return token == tokenOf(t, another)
	})
}

func TestATokenThatIsRejectedWhileItIsLookedForIsNotReturned(t *testing.T) {
	server := redistest.Start(t)
	client := redistest.Client(t, server)
	source := newIssuer(time.Hour)
	shared := memberWith(t, client, source)
	tokenOf(t, shared)
	var looked atomic.Bool
	answered, mayGoOn := make(chan struct{}), make(chan struct{})
	client.AddHook(after(func(args []any) {
		if args[0] == "evalsha" && looked.CompareAndSwap(false, true) {
			close(answered)
			<-mayGoOn
		}
	}))
	got := make(chan routeauth.Secret)
	go func() { got <- tokenOf(t, shared) }()
	<-answered
	shared.Discard(t.Context(), nil, nth(1))
	close(mayGoOn)
	assert.Equal(t, nth(2), <-got)
}

func TestDiscardGoesOnToASourceThatIsADiscarder(t *testing.T) {
	server := redistest.Start(t)
	source := newIssuer(time.Hour)
	cache, err := routeauth.NewTokenCache(source)
	require.NoError(t, err)
	shared := member(t, server, cache)
	require.Equal(t, nth(1), tokenOf(t, shared))
	shared.Discard(t.Context(), nil, nth(1))
	assert.Equal(t, nth(2), tokenOf(t, shared))
}

// An issuer may have been right all along, and the server confused.
func TestARejectedTokenThatTheSourceReturnsAnewIsReturnedButNotShared(t *testing.T) {
	server := redistest.Start(t)
	client := redistest.Client(t, server)
	source := sourceOf(routeauth.Token{Value: "the only one", Expiry: time.Now().Add(time.Hour)})
	shared := member(t, server, source)
	require.EqualValues(t, "the only one", tokenOf(t, shared))
	shared.Discard(t.Context(), nil, "the only one")
	assert.EqualValues(t, "the only one", tokenOf(t, shared))
	assert.Empty(t, keyLike(t, client, "token"))
	assert.Empty(t, keyLike(t, client, "lock"))
}

func TestACallerDoesNotWaitForADiscardOnceItsContextEnds(t *testing.T) {
	server := redistest.Start(t)
	shared := member(t, server, newIssuer(time.Hour), redistokens.WithFetchTimeout(time.Second))
	tokenOf(t, shared)
	require.NoError(t, server.Freeze())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	began := time.Now()
	shared.Discard(ctx, nil, nth(1))
	assert.Less(t, time.Since(began), 500*time.Millisecond)
	require.NoError(t, server.Thaw())
	client := redistest.Client(t, server)
	eventually(t, "the token gone", func() bool { return keyLike(t, client, "token") == "" })
}
