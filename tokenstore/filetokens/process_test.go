//go:build unix

package filetokens_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/tokenstore/filetokens"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Environment variables that make this program a command that runs for a moment:
// it asks for a token and prints it.
const (
	folderVariable = "FILETOKENS_TEST_FOLDER"
	issuerVariable = "FILETOKENS_TEST_ISSUER"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(folderVariable); dir != "" {
		if err := command(dir, os.Getenv(issuerVariable), os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// command is what a user of the package writes. It prints the token and how long
// it took to get it. Its times are long, so that a slow machine changes nothing.
func command(dir, issuer string, output io.Writer) error {
	began := time.Now()
	source, err := filetokens.New(dir, routeauth.TokenSourceFunc(func(ctx context.Context, _ routeauth.Params) (routeauth.Token, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, issuer, nil)
		if err != nil {
			return routeauth.Token{}, err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return routeauth.Token{}, err
		}
		defer func() { _ = resp.Body.Close() }()
		value, err := io.ReadAll(resp.Body)
		return routeauth.Token{Value: routeauth.Secret(value), Expiry: time.Now().Add(time.Hour)}, err
	}), filetokens.WithFetchTimeout(2*time.Minute))
	if err != nil {
		return err
	}
	cache, err := routeauth.NewTokenCache(source, routeauth.WithFetchTimeout(4*time.Minute))
	if err != nil {
		return err
	}
	token, err := cache.Token(context.Background(), nil)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(output, "%s %d", string(token.Value), time.Since(began).Microseconds())
	return err
}

// startIssuer starts an issuer whose tokens are all different.
func startIssuer(t testing.TB) (url string, fetches *atomic.Int64) {
	t.Helper()
	fetches = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, string(nth(fetches.Add(1))))
	}))
	t.Cleanup(server.Close)
	return server.URL, fetches
}

func newCommand(t testing.TB, dir, issuer string) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), folderVariable+"="+dir, issuerVariable+"="+issuer)
	cmd.Stderr = os.Stderr
	return cmd
}

func TestAHundredCommandsAtOnceMakeOneFetchAndOneFile(t *testing.T) {
	dir := newFolder(t)
	issuer, fetches := startIssuer(t)
	var running sync.WaitGroup
	for range 100 {
		cmd := newCommand(t, dir, issuer)
		running.Go(func() {
			output, err := cmd.Output()
			assert.NoError(t, err)
			token, _, _ := strings.Cut(string(output), " ")
			assert.Equal(t, string(nth(1)), token)
		})
	}
	running.Wait()
	assert.EqualValues(t, 1, fetches.Load())
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 2, "one token and one lock")
}

func TestTheSecondRunOfACommandFetchesNothing(t *testing.T) {
	dir := newFolder(t)
	issuer, fetches := startIssuer(t)
	for range 2 {
		output, err := newCommand(t, dir, issuer).Output()
		require.NoError(t, err)
		assert.True(t, strings.HasPrefix(string(output), string(nth(1))+" "))
	}
	assert.EqualValues(t, 1, fetches.Load())
}

// Commands are killed at random moments of their short lives. The next one that is
// let live finds everything in order.
func TestACommandThatIsKilledLeavesNothingBehindAfterTheNextRun(t *testing.T) {
	dir := newFolder(t)
	issuer, fetches := startIssuer(t)
	began := time.Now()
	_, err := newCommand(t, dir, issuer).Output()
	require.NoError(t, err)
	life := time.Since(began)
	for range 30 {
		require.NoError(t, os.RemoveAll(theFile(t, dir)))
		cmd := newCommand(t, dir, issuer)
		require.NoError(t, cmd.Start())
		timer := time.AfterFunc(rand.N(life), func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		timer.Stop()

		before := fetches.Load()
		output, err := newCommand(t, dir, issuer).Output()
		require.NoError(t, err)
		assert.LessOrEqual(t, fetches.Load(), before+1)
		token, _, _ := strings.Cut(string(output), " ")
		assert.Equal(t, string(nth(fetches.Load())), token)
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		assert.Len(t, entries, 2, "one token and one lock")
	}
}
