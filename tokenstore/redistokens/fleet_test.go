//go:build linux

package redistokens_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/tokenstore/internal/redisserver"
	"example.com/routeauth/tokenstore/internal/redistest"
	"example.com/routeauth/tokenstore/redistokens"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

const encryptionKey routeauth.Secret = "an encryption key of the tests"

// issuer is a source of tokens that are all different and says how often it was
// asked.
type issuer struct {
	life    time.Duration
	fetches atomic.Int64
	before  func(ctx context.Context, n int64) error // of the nth fetch; may be nil
}

func newIssuer(life time.Duration) *issuer { return &issuer{life: life} }

func (i *issuer) Token(ctx context.Context, _ routeauth.Params) (routeauth.Token, error) {
	n := i.fetches.Add(1)
	if i.before != nil {
		if err := i.before(ctx, n); err != nil {
			return routeauth.Token{}, err
		}
	}
	return i.token(n), nil
}

func (i *issuer) token(n int64) routeauth.Token {
	return routeauth.Token{Value: nth(n), Expiry: time.Now().Add(i.life)}
}

// nth is the token of the nth fetch.
func nth(n int64) routeauth.Secret { return routeauth.Secret(fmt.Sprintf("secret-token-%d", n)) }

// member returns a Source with a client of its own, as another process has it.
func member(t testing.TB, s *redisserver.Server, source routeauth.TokenSource, opts ...redistokens.Option) *redistokens.Source {
	t.Helper()
	return memberWith(t, redistest.Client(t, s), source, opts...)
}

func memberWith(t testing.TB, client redis.UniversalClient, source routeauth.TokenSource, opts ...redistokens.Option) *redistokens.Source {
	t.Helper()
	shared, err := redistokens.New(client, source, append([]redistokens.Option{redistokens.WithEncryptionKey(encryptionKey)}, opts...)...)
	require.NoError(t, err)
	return shared
}

// tokenOf returns the token that a source returns, which must be one.
func tokenOf(t testing.TB, source routeauth.TokenSource) routeauth.Secret {
	t.Helper()
	token, err := source.Token(t.Context(), nil)
	require.NoError(t, err)
	return token.Value
}

// eventually waits until a condition holds that a server or another goroutine
// brings about.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, 20*time.Second, 5*time.Millisecond, what)
}

// together calls do from n goroutines at once and waits for all.
func together(n int, do func(i int)) {
	var ready, done sync.WaitGroup
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			ready.Wait()
			do(i)
		})
	}
	done.Wait()
}

// keyLike returns the one key in Redis that ends so, or "".
func keyLike(t testing.TB, client redis.UniversalClient, ending string) string {
	t.Helper()
	keys, err := client.Keys(context.Background(), "*:"+ending).Result()
	require.NoError(t, err)
	if len(keys) == 0 {
		return ""
	}
	require.Len(t, keys, 1)
	return keys[0]
}
