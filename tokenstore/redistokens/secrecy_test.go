//go:build linux

package redistokens_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"sync"
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

// wholeLife goes through everything that a Source does: a miss, a wait, a hit,
// a rejection, a failure and a renewal.
func wholeLife(t *testing.T, server *redisserver.Server, client redis.UniversalClient, opts ...redistokens.Option) {
	t.Helper()
	source := newIssuer(time.Hour)
	shared, err := redistokens.New(client, source, opts...)
	require.NoError(t, err)
	ctx := routeauth.ContextWithIdentity(t.Context(), "secret-user")
	params := routeauth.Params{"secret-param": "secret-value"}
	token := func() routeauth.Secret {
		token, err := shared.Token(ctx, params)
		require.NoError(t, err)
		return token.Value
	}
	together(10, func(int) { token() })
	shared.Discard(ctx, params, token())
	token()
	age(t, redistest.Client(t, server), 2*time.Second)
	eventually(t, "a renewal", func() bool { return token() == nth(3) })
}

// monitor returns everything that a server is told, until stop is called.
func monitor(t *testing.T, s *redisserver.Server) (stop func() string) {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr())
	require.NoError(t, err)
	_, err = conn.Write([]byte("MONITOR\r\n"))
	require.NoError(t, err)
	lines := bufio.NewReader(conn)
	answer, err := lines.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "+OK\r\n", answer)
	var seen strings.Builder
	var reading sync.WaitGroup
	reading.Go(func() {
		for !strings.Contains(seen.String(), "the end of it") {
			line, err := lines.ReadString('\n')
			if err != nil {
				return
			}
			seen.WriteString(line)
		}
	})
	return func() string {
		require.NoError(t, redistest.Client(t, s).Echo(context.Background(), "the end of it").Err())
		reading.Wait()
		_ = conn.Close()
		return seen.String()
	}
}

func TestWhoeverReadsRedisLearnsNeitherTokenNorUser(t *testing.T) {
	server := redistest.Start(t)
	client := redistest.Client(t, server)
	stop := monitor(t, server)
	wholeLife(t, server, client, redistokens.WithEncryptionKey(encryptionKey), redistokens.WithNamespace("secret-namespace"))
	seen := stop()
	require.Contains(t, seen, "evalsha")
	assert.NotContains(t, seen, "secret")
	assert.NotContains(t, seen, string(encryptionKey))
	for _, key := range client.Keys(t.Context(), "*").Val() {
		assert.NotContains(t, key, "secret")
		assert.NotContains(t, client.Dump(t.Context(), key).Val(), "secret")
	}
}

func TestWithoutEncryptionTheUserIsStillNotSeen(t *testing.T) {
	server := redistest.Start(t)
	client := redistest.Client(t, server)
	stop := monitor(t, server)
	wholeLife(t, server, client, redistokens.AllowUnencrypted())
	seen := stop()
	assert.Contains(t, seen, "secret-token", "which is what AllowUnencrypted allows")
	for _, secret := range []string{"secret-user", "secret-param", "secret-value"} {
		assert.NotContains(t, seen, secret)
	}
}

func TestTheCommandsThatTheDocumentationNamesAreEnough(t *testing.T) {
	server := redistest.Start(t)
	admin := redistest.Client(t, server)
	require.NoError(t, admin.Do(t.Context(), "ACL", "SETUSER", "tokens", "on", ">password", "resetchannels", "-@all",
		"~routeauth:*", "+get", "+set", "+del", "+pttl", "+pexpire", "+getrange", "+evalsha", "+eval",
		"+hello").Err())
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), Username: "tokens", Password: "password"})
	t.Cleanup(func() { _ = client.Close() })
	lock := lockName(t, admin, memberWith(t, client, newIssuer(time.Hour)))
	require.NoError(t, admin.Set(t.Context(), lock, "for ever", 0).Err())
	wholeLife(t, server, client, redistokens.WithEncryptionKey(encryptionKey), redistokens.WithNamespace("another"))
	memberWith(t, client, newIssuer(time.Hour)).Token(t.Context(), nil)

	refused, err := admin.Do(t.Context(), "ACL", "LOG").Slice()
	require.NoError(t, err)
	for _, entry := range refused {
		assert.Contains(t, fmt.Sprint(entry), " object:client|", "which go-redis tries and does without")
	}
	keys := admin.Keys(t.Context(), "*").Val()
	require.NotEmpty(t, keys)
	for _, key := range keys {
		assert.Regexp(t, `^routeauth:\{[\w-]{43}\}:(token|lock)$`, key)
	}
}

// A server before 7.2 has no CLIENT SETINFO that could be allowed.
func TestInAClusterTheCommandsThatTheDocumentationNamesAreEnough(t *testing.T) {
	cluster := redistest.StartCluster(t)
	for _, s := range cluster.Nodes {
		require.NoError(t, redistest.Client(t, s).Do(t.Context(), "ACL", "SETUSER", "tokens", "on", ">password", "resetchannels", "-@all",
			"~routeauth:*", "+get", "+set", "+del", "+pttl", "+pexpire", "+getrange", "+evalsha", "+eval", "+hello",
			"+cluster", "+command", "+readonly").Err())
	}
	for name, opts := range map[string]redis.UniversalOptions{
		"from primaries": {},
		"from replicas":  {ReadOnly: true, RouteRandomly: true},
	} {
		t.Run(name, func(t *testing.T) {
			opts.Addrs, opts.Username, opts.Password = cluster.Addrs(), "tokens", "password"
			source := newIssuer(time.Hour)
			for range 2 {
				shared := memberWith(t, ofMany(t, &opts), source, redistokens.WithNamespace(name))
				for _, user := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} { // on every node
					ctx := routeauth.ContextWithIdentity(t.Context(), user)
					token, err := shared.Token(ctx, nil)
					require.NoError(t, err)
					shared.Discard(ctx, nil, "another token than "+token.Value)
				}
			}
			assert.EqualValues(t, 8, source.fetches.Load())
			for _, s := range cluster.Nodes {
				refused, err := redistest.Client(t, s).Do(t.Context(), "ACL", "LOG").Slice()
				require.NoError(t, err)
				for _, entry := range refused {
					assert.Contains(t, fmt.Sprint(entry), " object:client|", "which go-redis tries and does without")
				}
			}
		})
	}
}

func TestFormattingASourceShowsNoSecret(t *testing.T) {
	server := redistest.Start(t)
	shared := member(t, server, newIssuer(time.Hour))
	tokenOf(t, shared)
	var printed strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&printed, verb+"\n", shared)
		fmt.Fprintf(&printed, verb+"\n", *shared)
		fmt.Fprintf(&printed, verb+"\n", struct{ s redistokens.Source }{*shared})
		fmt.Fprintf(&printed, verb+"\n", redistokens.WithEncryptionKey(encryptionKey))
	}
	marshalled, err := json.Marshal(struct{ Source *redistokens.Source }{shared})
	require.NoError(t, err)
	printed.Write(marshalled)
	for _, secret := range []string{"secret-token", string(encryptionKey), fmt.Sprintf("%x", string(encryptionKey))} {
		assert.NotContains(t, printed.String(), secret)
	}
}
