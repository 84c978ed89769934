// Package redistest gives tests a Redis of their own. Where none is installed it
// skips the test, or fails it if the environment variable
// ROUTEAUTH_REQUIRE_REDIS is 1.
package redistest

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"sync"
	"testing"

	"example.com/routeauth/tokenstore/internal/redisserver"
	"github.com/redis/go-redis/v9"
)

// silence takes the place of go-redis's logger, which reports each failure that
// a test brings about.
type silence struct{}

// Printf does nothing.
func (silence) Printf(context.Context, string, ...any) {}

var silenced = sync.OnceFunc(func() { redis.SetLogger(silence{}) })

// Start starts a server that is killed when the test ends.
func Start(t testing.TB, args ...string) *redisserver.Server {
	t.Helper()
	s, err := redisserver.Start(t.TempDir(), args...)
	check(t, err)
	t.Cleanup(s.Kill)
	return s
}

// StartCluster starts a cluster that is killed when the test ends.
func StartCluster(t testing.TB) *redisserver.Cluster {
	t.Helper()
	c, err := redisserver.StartCluster(t.TempDir())
	check(t, err)
	t.Cleanup(c.Kill)
	return c
}

// StartGuarded starts a primary, a replica and their sentinels, which are killed
// when the test ends.
func StartGuarded(t testing.TB) *redisserver.Guarded {
	t.Helper()
	g, err := redisserver.StartGuarded(t.TempDir())
	check(t, err)
	t.Cleanup(g.Kill)
	return g
}

func check(t testing.TB, err error) {
	t.Helper()
	silenced()
	switch {
	case err == nil:
	case errors.Is(err, redisserver.ErrNotInstalled) && os.Getenv("ROUTEAUTH_REQUIRE_REDIS") != "1":
		t.Skip("needs a real Redis, and", err)
	default:
		t.Fatal(err)
	}
}

// Client returns a client of a server that is closed when the test ends.
func Client(t testing.TB, s *redisserver.Server) *redis.Client {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: s.Addr()})
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// Require skips or fails a test where no Redis is installed.
func Require(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath(redisserver.Program); err != nil {
		check(t, redisserver.ErrNotInstalled)
	}
}
