//go:build linux

package redistokens_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/tokenstore/internal/redisserver"
	"example.com/routeauth/tokenstore/internal/redistest"
	"example.com/routeauth/tokenstore/redistokens"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Each way in which Redis fails, and how it recovers. No request fails, none is
// held up for much longer than a second, and afterwards tokens are shared again.
func TestAFailingRedisFailsNoRequestThatTheSourceCouldServe(t *testing.T) {
	do := func(t *testing.T, s *redisserver.Server, args ...any) {
		client := redis.NewClient(&redis.Options{Addr: s.Addr()})
		defer func() { _ = client.Close() }()
		require.NoError(t, client.Do(context.Background(), args...).Err())
	}
	for name, test := range map[string]struct {
		fail, recover func(t *testing.T, s *redisserver.Server)
	}{
		"it is down": {
			func(_ *testing.T, s *redisserver.Server) { s.Kill() },
			func(t *testing.T, s *redisserver.Server) { require.NoError(t, s.Start()) },
		},
		"it is frozen": {
			func(t *testing.T, s *redisserver.Server) { require.NoError(t, s.Freeze()) },
			func(t *testing.T, s *redisserver.Server) { require.NoError(t, s.Thaw()) },
		},
		"it is busy with a script": {
			func(t *testing.T, s *redisserver.Server) {
				do(t, s, "CONFIG", "SET", "busy-reply-threshold", "1")
				go func() {
					client := redis.NewClient(&redis.Options{Addr: s.Addr(), MaxRetries: -1})
					defer func() { _ = client.Close() }()
					_ = client.Eval(context.Background(), "while true do end", nil).Err()
				}()
				eventually(t, "a busy server", func() bool {
					client := redis.NewClient(&redis.Options{Addr: s.Addr(), MaxRetries: -1})
					defer func() { _ = client.Close() }()
					return redis.HasErrorPrefix(client.Get(context.Background(), "a").Err(), "BUSY")
				})
			},
			func(t *testing.T, s *redisserver.Server) { do(t, s, "SCRIPT", "KILL") },
		},
		"it is full": {
			func(t *testing.T, s *redisserver.Server) {
				do(t, s, "SET", "filler", strings.Repeat("x", 1<<20))
				do(t, s, "CONFIG", "SET", "maxmemory", "1")
			},
			func(t *testing.T, s *redisserver.Server) { do(t, s, "CONFIG", "SET", "maxmemory", "0") },
		},
		"it is read-only": {
			func(t *testing.T, s *redisserver.Server) { do(t, s, "REPLICAOF", "127.0.0.1", "1") },
			func(t *testing.T, s *redisserver.Server) { do(t, s, "REPLICAOF", "NO", "ONE") },
		},
		"it forbids everything": {
			func(t *testing.T, s *redisserver.Server) { do(t, s, "ACL", "SETUSER", "default", "-eval", "-evalsha") },
			func(t *testing.T, s *redisserver.Server) { do(t, s, "ACL", "SETUSER", "default", "+eval", "+evalsha") },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			source := newIssuer(time.Hour)
			one, another := member(t, server, source), member(t, server, source)
			require.Equal(t, tokenOf(t, one), tokenOf(t, another))

			test.fail(t, server)
			began := time.Now()
			tokenOf(t, one)
			assert.Less(t, time.Since(began), 2*time.Second)
			for range 5 { // it is left alone, and so holds up nobody
				began = time.Now()
				tokenOf(t, one)
				assert.Less(t, time.Since(began), 500*time.Millisecond)
			}
			test.recover(t, server)
			require.NoError(t, redistest.Client(t, server).FlushDB(t.Context()).Err())
			eventually(t, "a shared token", func() bool {
				return tokenOf(t, one) == tokenOf(t, another) && keyLike(t, redistest.Client(t, server), "token") != ""
			})
			fetches := source.fetches.Load()
			assert.Equal(t, tokenOf(t, one), tokenOf(t, another))
			assert.Equal(t, fetches, source.fetches.Load())
		})
	}
}

func TestAReplicaIsTakenForARedisThatFails(t *testing.T) {
	primary := redistest.Start(t)
	replica := redistest.Start(t, "--replicaof", "127.0.0.1", fmt.Sprint(primary.Port()))
	source := newIssuer(time.Hour)
	tokenOf(t, member(t, primary, source))
	client := redistest.Client(t, replica)
	eventually(t, "the token on the replica", func() bool { return client.DBSize(t.Context()).Val() == 1 })
	assert.Equal(t, nth(2), tokenOf(t, member(t, replica, source)))
}

func TestAWipeCostsOneFetch(t *testing.T) {
	server := redistest.Start(t)
	client := redistest.Client(t, server)
	source := newIssuer(time.Hour)
	shared := member(t, server, source)
	tokenOf(t, shared)
	require.NoError(t, client.FlushAll(t.Context()).Err())
	require.NoError(t, client.ScriptFlush(t.Context()).Err())
	assert.Equal(t, nth(2), tokenOf(t, shared))
	assert.Equal(t, nth(2), tokenOf(t, member(t, server, source)))
}

func TestAWipeDuringAFetchCostsOneMore(t *testing.T) {
	server := redistest.Start(t)
	client := redistest.Client(t, server)
	source := newIssuer(time.Hour)
	source.before = func(ctx context.Context, n int64) error {
		if n == 1 {
			return client.FlushAll(ctx).Err()
		}
		return nil
	}
	shared := member(t, server, source)
	assert.Equal(t, nth(1), tokenOf(t, shared))
	assert.Equal(t, nth(2), tokenOf(t, shared))
	assert.Equal(t, nth(2), tokenOf(t, member(t, server, source)))
}

func TestGarbageInThePlaceOfATokenIsAMiss(t *testing.T) {
	server := redistest.Start(t)
	client := redistest.Client(t, server)
	source := newIssuer(time.Hour)
	first := member(t, server, source)
	tokenOf(t, first)
	name := keyLike(t, client, "token")
	stored := client.Get(t.Context(), name).Val()
	another := memberWith(t, client, source, redistokens.WithNamespace("another"))
	for what, plant := range map[string]func() error{
		"a list":             func() error { return client.RPush(t.Context(), name, "a").Err() },
		"empty":              func() error { return client.Set(t.Context(), name, "", time.Hour).Err() },
		"text":               func() error { return client.Set(t.Context(), name, "a token", time.Hour).Err() },
		"cut off":            func() error { return client.Set(t.Context(), name, stored[:len(stored)-1], time.Hour).Err() },
		"one bit is another": func() error { return client.Set(t.Context(), name, flip(stored), time.Hour).Err() },
		"without an end":     func() error { return client.Set(t.Context(), name, stored, 0).Err() },
		"in the clear": func() error {
			return client.Set(t.Context(), name, "p\x00\x00\x00\x00\x00\x00\xff\xffplain", time.Hour).Err()
		},
		"another user's value": func() error {
			if _, err := first.Token(routeauth.ContextWithIdentity(t.Context(), "a"), nil); err != nil {
				return err
			}
			return client.Rename(t.Context(), keyLike(t, client, "token"), name).Err()
		},
		"another key's value": func() error {
			tokenOf(t, another)
			for _, key := range client.Keys(t.Context(), "*:token").Val() {
				if key != name {
					return client.Copy(t.Context(), key, name, 0, true).Err()
				}
			}
			return fmt.Errorf("no other key")
		},
	} {
		t.Run(what, func(t *testing.T) {
			require.NoError(t, client.FlushDB(t.Context()).Err())
			require.NoError(t, plant())
			fetches := source.fetches.Load()
			assert.Equal(t, nth(fetches+1), tokenOf(t, first))
			assert.Equal(t, nth(fetches+1), tokenOf(t, first), "it is no failure either")
		})
	}
}

func flip(stored string) string {
	b := []byte(stored)
	b[len(b)/2] ^= 1
	return string(b)
}
