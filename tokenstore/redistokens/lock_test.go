//go:build linux

package redistokens_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/tokenstore/internal/redistest"
	"example.com/routeauth/tokenstore/redistokens"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// lockName returns the name of the lock of the one token that the tests ask for.
func lockName(t testing.TB, client redis.UniversalClient, source routeauth.TokenSource) string {
	t.Helper()
	tokenOf(t, source)
	token := keyLike(t, client, "token")
	require.NoError(t, client.Del(t.Context(), token).Err())
	return token[:len(token)-len("token")] + "lock"
}

func TestALockIsRenewedForAsLongAsTheFetchRuns(t *testing.T) {
	server := redistest.Start(t)
	client := redistest.Client(t, server)
	mayEnd := make(chan struct{})
	source := newIssuer(time.Hour)
	source.before = func(context.Context, int64) error { <-mayEnd; return nil }
	fetched := make(chan routeauth.Secret)
	// A lease of 100 ms.
	opt := redistokens.WithFetchTimeout(time.Minute)
	go func() { fetched <- tokenOf(t, member(t, server, source, opt)) }()

	eventually(t, "a lock", func() bool { return keyLike(t, client, "lock") != "" })
	name := keyLike(t, client, "lock")
	left := client.PTTL(t.Context(), name).Val()
	assert.LessOrEqual(t, left, 2*time.Second)
	eventually(t, "a renewal", func() bool {
		before := left
		left = client.PTTL(t.Context(), name).Val()
		return left > before
	})
	close(mayEnd)
	assert.Equal(t, nth(1), <-fetched)
	assert.Empty(t, keyLike(t, client, "lock"))
	assert.NotEmpty(t, keyLike(t, client, "token"))
}

func TestALockIsNotRenewedForLongerThanTheFetchTimeout(t *testing.T) {
	server := redistest.Start(t)
	client := redistest.Client(t, server)
	mayEnd := make(chan struct{})
	source := newIssuer(time.Hour)
	source.before = func(_ context.Context, n int64) error {
		if n == 1 {
			<-mayEnd
		}
		return nil
	}
	opt := redistokens.WithFetchTimeout(300 * time.Millisecond)
	slow := make(chan routeauth.Secret)
	go func() { slow <- tokenOf(t, member(t, server, source, opt)) }()
	eventually(t, "a lock", func() bool { return keyLike(t, client, "lock") != "" })
	eventually(t, "no lock", func() bool { return keyLike(t, client, "lock") == "" })

	// Another process fetches. The first one's token, which is older, is not
	// written over the second's, but its caller gets it.
	assert.Equal(t, nth(2), tokenOf(t, member(t, server, source, opt)))
	close(mayEnd)
	assert.Equal(t, nth(1), <-slow)
	assert.Equal(t, nth(2), tokenOf(t, member(t, server, source, opt)))
}

func TestAProcessThatWasFrozenDoesNotGiveUpAnothersLock(t *testing.T) {
	server := redistest.Start(t)
	client := redistest.Client(t, server)
	source := newIssuer(time.Hour)
	name := lockName(t, client, member(t, server, source))
	for what, end := range map[string]error{"it writes": nil, "it fails": errors.New("the issuer is down")} {
		t.Run(what, func(t *testing.T) {
			require.NoError(t, client.FlushDB(t.Context()).Err())
			source.before = func(ctx context.Context, _ int64) error {
				assert.NoError(t, client.Set(ctx, name, "another process", time.Minute).Err())
				return end
			}
			_, err := member(t, server, source).Token(t.Context(), nil)
			assert.ErrorIs(t, err, end)
			assert.Equal(t, "another process", client.Get(t.Context(), name).Val())
			assert.Empty(t, keyLike(t, client, "token"))
		})
	}
}

func TestWhoGetsTheLockLooksAtTheTokenOnceMore(t *testing.T) {
	server := redistest.Start(t)
	client := redistest.Client(t, server)
	source := newIssuer(time.Hour)
	require.Equal(t, nth(1), tokenOf(t, member(t, server, source)))
	token := keyLike(t, client, "token")
	stored := client.Get(t.Context(), token).Val()
	require.NoError(t, client.Del(t.Context(), token).Err())

	// A hook of the second member's client lets another process be faster, after
	// the first look and before the lock.
	hooked := redis.NewClient(&redis.Options{Addr: server.Addr()})
	t.Cleanup(func() { _ = hooked.Close() })
	shared := memberWith(t, hooked, source)
	looks := 0
	hooked.AddHook(before(func(args []any) {
		if args[0] == "evalsha" {
			if looks++; looks == 2 { // the lock's script
				assert.NoError(t, client.Set(context.Background(), token, stored, time.Hour).Err())
			}
		}
	}))
	assert.Equal(t, nth(1), tokenOf(t, shared))
	assert.EqualValues(t, 1, source.fetches.Load())
	assert.Empty(t, keyLike(t, client, "lock"))
}

// before is a hook that sees each command before it is sent.
type before func(args []any)

func (b before) DialHook(next redis.DialHook) redis.DialHook { return next }
func (b before) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		b(cmd.Args())
		return next(ctx, cmd)
	}
}
func (b before) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func TestWhoWaitsForAHolderTooLongFetchesForItself(t *testing.T) {
	server := redistest.Start(t)
	client := redistest.Client(t, server)
	source := newIssuer(time.Hour)
	const timeout = 300 * time.Millisecond
	shared := member(t, server, source, redistokens.WithFetchTimeout(timeout))
	name := lockName(t, client, shared)
	require.NoError(t, client.Set(t.Context(), name, "a process that hangs", 2*time.Second).Err())

	began := time.Now()
	assert.Equal(t, nth(2), tokenOf(t, shared))
	assert.GreaterOrEqual(t, time.Since(began), timeout)
	assert.Empty(t, keyLike(t, client, "token"), "the lock is not this process's")
	assert.Equal(t, "a process that hangs", client.Get(t.Context(), name).Val())
}

func TestWhoWaitsBeginsAnewWhenTheHolderChanges(t *testing.T) {
	server := redistest.Start(t)
	client := redistest.Client(t, server)
	source := newIssuer(time.Hour)
	const timeout = 600 * time.Millisecond
	shared := member(t, server, source, redistokens.WithFetchTimeout(timeout))
	name := lockName(t, client, shared)
	require.NoError(t, client.Set(t.Context(), name, "a process that hangs", timeout/2).Err())
	changed := make(chan time.Time)
	go func() {
		for client.SetNX(context.Background(), name, "another", 2*time.Second).Val() == false {
			// The first holder has its whole time.
		}
		changed <- time.Now()
	}()
	got := make(chan routeauth.Secret)
	go func() { got <- tokenOf(t, shared) }()
	at := <-changed
	assert.Equal(t, nth(2), <-got)
	assert.GreaterOrEqual(t, time.Since(at), timeout)
}

func TestALockThatIsGarbageIsRemoved(t *testing.T) {
	server := redistest.Start(t)
	client := redistest.Client(t, server)
	source := newIssuer(time.Hour)
	name := lockName(t, client, member(t, server, source))
	for what, plant := range map[string]func() error{
		"without an end":  func() error { return client.Set(t.Context(), name, "for ever", 0).Err() },
		"for an hour":     func() error { return client.Set(t.Context(), name, "garbage", time.Hour).Err() },
		"of another type": func() error { return client.RPush(t.Context(), name, "a", "b").Err() },
		"a hash with an end": func() error {
			return errors.Join(client.HSet(t.Context(), name, "a", "b").Err(), client.PExpire(t.Context(), name, time.Hour).Err())
		},
	} {
		t.Run(what, func(t *testing.T) {
			require.NoError(t, client.FlushDB(t.Context()).Err())
			require.NoError(t, plant())
			fetches := source.fetches.Load()
			tokenOf(t, member(t, server, source))
			tokenOf(t, member(t, server, source))
			assert.Equal(t, fetches+1, source.fetches.Load())
			assert.Empty(t, keyLike(t, client, "lock"))
		})
	}
}

// after is a hook that sees each command after it was answered.
type after func(args []any)

func (a after) DialHook(next redis.DialHook) redis.DialHook { return next }
func (a after) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		a(cmd.Args())
		return err
	}
}
func (a after) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}
