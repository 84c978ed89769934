//go:build linux

package redistokens_test

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"example.com/routeauth/tokenstore/internal/redistest"
	"example.com/routeauth/tokenstore/redistokens"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// delay is a hook that holds back each command for so long.
type delay time.Duration

func (d delay) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		time.Sleep(time.Duration(d))
		return next(ctx, network, addr)
	}
}
func (d delay) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		time.Sleep(time.Duration(d))
		return next(ctx, cmd)
	}
}
func (d delay) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		time.Sleep(time.Duration(d))
		return next(ctx, cmds)
	}
}

// slowMember returns a Source whose client is slow in each command.
func slowMember(t testing.TB, addr string, source *issuer, d time.Duration) *redistokens.Source {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: addr})
	t.Cleanup(func() { _ = client.Close() })
	client.AddHook(delay(d))
	return memberWith(t, client, source)
}

// No command is as slow as a call's patience, and all of them together are.
func TestARedisThatIsSlowInEachCommandHoldsUpACallForASecondAtMost(t *testing.T) {
	server := redistest.Start(t)
	for _, d := range []time.Duration{300 * time.Millisecond, 700 * time.Millisecond, 850 * time.Millisecond} {
		t.Run(fmt.Sprint(d), func(t *testing.T) {
			t.Parallel()
			source := newIssuer(time.Hour)
			shared := slowMember(t, server.Addr(), source, d)
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			began := time.Now()
			_, err := shared.Token(ctx, nil)
			require.NoError(t, err)
			assert.Less(t, time.Since(began), 1700*time.Millisecond)
			assert.EqualValues(t, 1, source.fetches.Load())
			began = time.Now()
			tokenOf(t, shared)
			assert.Less(t, time.Since(began), 500*time.Millisecond, "it is a failure, and Redis is left alone")
		})
	}
}
