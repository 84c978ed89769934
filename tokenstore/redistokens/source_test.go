//go:build linux

package redistokens_test

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/tokenstore/internal/redistest"
	"example.com/routeauth/tokenstore/redistokens"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAColdFleetMakesOneFetch(t *testing.T) {
	server := redistest.Start(t)
	source := newIssuer(time.Minute)
	members := make([]*redistokens.Source, 20)
	for i := range members {
		members[i] = member(t, server, source)
	}
	together(100, func(i int) {
		assert.Equal(t, nth(1), tokenOf(t, members[i%len(members)]))
	})
	assert.EqualValues(t, 1, source.fetches.Load())
}

func TestARenewalIsOneFetchAndHoldsUpNobody(t *testing.T) {
	server := redistest.Start(t)
	renewing, mayEnd := make(chan struct{}), make(chan struct{})
	source := newIssuer(time.Hour)
	source.before = func(_ context.Context, n int64) error {
		if n == 2 {
			close(renewing)
			<-mayEnd
		}
		return nil
	}
	// The token is in the window from the beginning: half of its life, and more.
	opts := []redistokens.Option{redistokens.WithRefreshBefore(2 * time.Hour)}
	members := []*redistokens.Source{member(t, server, source, opts...), member(t, server, source, opts...), member(t, server, source, opts...)}
	require.Equal(t, nth(1), tokenOf(t, members[0]))
	client := redistest.Client(t, server)
	age(t, client, 29*time.Minute)

	assert.Equal(t, nth(1), tokenOf(t, members[0]))
	<-renewing
	together(30, func(i int) { // nobody waits for the fetch that goes on
		assert.Equal(t, nth(1), tokenOf(t, members[i%len(members)]))
	})
	close(mayEnd)
	for _, m := range members {
		eventually(t, "the new token", func() bool { return tokenOf(t, m) == nth(2) })
	}
	assert.EqualValues(t, 2, source.fetches.Load())
}

// age lets the shared token have only so long to live.
func age(t testing.TB, client redis.UniversalClient, left time.Duration) {
	t.Helper()
	require.True(t, client.PExpire(t.Context(), keyLike(t, client, "token"), left).Val())
}

func TestATokenOutsideOfItsWindowIsNotRenewed(t *testing.T) {
	server := redistest.Start(t)
	for name, test := range map[string]struct {
		refreshBefore time.Duration
		left          time.Duration
		fetches       int64
	}{
		"at its beginning, whatever the window": {24 * time.Hour, 59 * time.Minute, 1},
		"before half of its life":               {24 * time.Hour, 31 * time.Minute, 1},
		"after half of its life":                {24 * time.Hour, 29 * time.Minute, 2},
		"before a short window":                 {time.Minute, 61 * time.Second, 1},
		"in a short window":                     {time.Minute, 59 * time.Second, 2},
		"never":                                 {0, 5 * time.Second, 1},
	} {
		t.Run(name, func(t *testing.T) {
			source := newIssuer(time.Hour)
			m := member(t, server, source, redistokens.WithRefreshBefore(test.refreshBefore), redistokens.WithNamespace(t.Name()))
			client := redistest.Client(t, server)
			require.NoError(t, client.FlushDB(t.Context()).Err())
			tokenOf(t, m)
			age(t, client, test.left)
			tokenOf(t, m)
			if test.fetches == 2 {
				eventually(t, "a renewal", func() bool { return source.fetches.Load() == 2 && tokenOf(t, m) == nth(2) })
			}
			tokenOf(t, m)
			assert.EqualValues(t, test.fetches, source.fetches.Load())
		})
	}
}

func TestInItsLastMomentATokenIsReplacedBeforeItIsReturned(t *testing.T) {
	server := redistest.Start(t)
	source := newIssuer(time.Hour)
	m := member(t, server, source, redistokens.WithRefreshBefore(0))
	tokenOf(t, m)
	age(t, redistest.Client(t, server), 900*time.Millisecond)
	assert.Equal(t, nth(2), tokenOf(t, m))
}

func TestInItsLastMomentATokenIsReturnedIfNoOtherCanBeHad(t *testing.T) {
	server := redistest.Start(t)
	source := newIssuer(time.Hour)
	source.before = func(_ context.Context, n int64) error {
		if n > 1 {
			return errors.New("the issuer is down")
		}
		return nil
	}
	m := member(t, server, source)
	tokenOf(t, m)
	age(t, redistest.Client(t, server), 900*time.Millisecond)
	assert.Equal(t, nth(1), tokenOf(t, m))
	assert.EqualValues(t, 2, source.fetches.Load())
}

func TestAfterAFailedRenewalTheFleetLeavesTheSourceAlone(t *testing.T) {
	server := redistest.Start(t)
	source := newIssuer(time.Hour)
	failed := make(chan struct{}, 10)
	source.before = func(_ context.Context, n int64) error {
		if n > 1 {
			failed <- struct{}{}
			return errors.New("the issuer is down")
		}
		return nil
	}
	one, another := member(t, server, source), member(t, server, source)
	tokenOf(t, one)
	age(t, redistest.Client(t, server), 10*time.Second)
	tokenOf(t, one)
	<-failed
	for range 20 { // far less than the two seconds that the lock lives on
		tokenOf(t, one)
		tokenOf(t, another)
	}
	assert.EqualValues(t, 2, source.fetches.Load())
}

// server401 rejects the tokens that it is told to.
type server401 struct {
	mu       sync.Mutex
	rejected map[string]bool
	sent     []string
}

func (s *server401) RoundTrip(req *http.Request) (*http.Response, error) {
	token := strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, token)
	status := http.StatusOK
	if s.rejected[token] {
		status = http.StatusUnauthorized
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: http.NoBody, Request: req}, nil
}

func (s *server401) reject(tokens ...routeauth.Secret) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rejected = map[string]bool{}
	for _, token := range tokens {
		s.rejected[string(token)] = true
	}
}

func get(t testing.TB, transport http.RoundTripper) error {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.example.com/", nil)
	require.NoError(t, err)
	resp, err := transport.RoundTrip(req)
	if err == nil {
		_ = resp.Body.Close()
	}
	return err
}

func TestARevocationIsOneFetchWhoeverMeetsTheFirst401(t *testing.T) {
	server := redistest.Start(t)
	source := newIssuer(time.Hour)
	api := &server401{}
	transports := make([]http.RoundTripper, 20)
	for i := range transports {
		cache, err := routeauth.NewTokenCache(member(t, server, source))
		require.NoError(t, err)
		transports[i], err = routeauth.NewJWTTransport(cache, api)
		require.NoError(t, err)
		require.NoError(t, get(t, transports[i]))
	}
	require.EqualValues(t, 1, source.fetches.Load())

	api.reject(nth(1))
	together(len(transports), func(i int) { assert.NoError(t, get(t, transports[i])) })
	assert.EqualValues(t, 2, source.fetches.Load())

	api.reject(nth(1), nth(2)) // and now one after the other
	for _, transport := range transports {
		assert.NoError(t, get(t, transport))
	}
	assert.EqualValues(t, 3, source.fetches.Load())
}

// A token that was in Redis is not fresh, though this process asked for it just
// now: its 401 is not final.
func TestARejectedTokenOutOfRedisIsReplacedForTheSameRequest(t *testing.T) {
	server := redistest.Start(t)
	source := newIssuer(time.Hour)
	tokenOf(t, member(t, server, source))
	api := &server401{}
	api.reject(nth(1))
	for name, source := range map[string]routeauth.TokenSource{
		"under a cache": func() routeauth.TokenSource {
			cache, err := routeauth.NewTokenCache(member(t, server, source))
			require.NoError(t, err)
			return cache
		}(),
		"alone": member(t, server, source),
	} {
		t.Run(name, func(t *testing.T) {
			transport, err := routeauth.NewJWTTransport(source, api)
			require.NoError(t, err)
			assert.NoError(t, get(t, transport))
		})
	}
	assert.EqualValues(t, 2, source.fetches.Load())
}

func TestATokenThatAProcessHoldsCostsNoCommand(t *testing.T) {
	server := redistest.Start(t)
	cache, err := routeauth.NewTokenCache(member(t, server, newIssuer(time.Hour)))
	require.NoError(t, err)
	tokenOf(t, cache)
	client := redistest.Client(t, server)
	before := scripts(t, client)
	require.Positive(t, before)
	for range 1000 {
		tokenOf(t, cache)
	}
	assert.Equal(t, before, scripts(t, client))
}

// scripts counts the scripts that a server was told to run.
func scripts(t testing.TB, client *redis.Client) (total int) {
	t.Helper()
	stats, err := client.Info(t.Context(), "commandstats").Result()
	require.NoError(t, err)
	for _, calls := range regexp.MustCompile(`cmdstat_eval(?:sha)?:calls=(\d+)`).FindAllStringSubmatch(stats, -1) {
		n, err := strconv.Atoi(calls[1])
		require.NoError(t, err)
		total += n
	}
	return total
}

func TestWhatIsPartOfTheKeyTellsTokensApart(t *testing.T) {
	server := redistest.Start(t)
	source := newIssuer(time.Hour)
	client := redistest.Client(t, server)
	sharedWith := func(opts ...redistokens.Option) *redistokens.Source {
		s, err := redistokens.New(client, source, opts...)
		require.NoError(t, err)
		return s
	}
	plain := redistokens.WithEncryptionKey(encryptionKey)
	user := func(name string) context.Context { return routeauth.ContextWithIdentity(t.Context(), name) }
	for i, asked := range []struct {
		source *redistokens.Source
		ctx    context.Context
		params routeauth.Params
	}{
		{sharedWith(plain), t.Context(), nil},
		{sharedWith(plain), user("a"), nil},
		{sharedWith(plain), user("b"), nil},
		{sharedWith(plain), user("a"), routeauth.Params{"image": "1"}},
		{sharedWith(plain), user("a"), routeauth.Params{"image": "2"}},
		{sharedWith(plain), t.Context(), routeauth.Params{"image": "1"}},
		{sharedWith(plain, redistokens.WithNamespace("a")), t.Context(), nil},
		{sharedWith(plain, redistokens.WithNamespace("b")), t.Context(), nil},
		{sharedWith(redistokens.WithEncryptionKey("another encryption key")), t.Context(), nil},
		{sharedWith(redistokens.AllowUnencrypted()), t.Context(), nil},
		{sharedWith(redistokens.AllowUnencrypted(), redistokens.WithNamespace("a")), t.Context(), nil},
	} {
		for range 2 {
			token, err := asked.source.Token(asked.ctx, asked.params)
			require.NoError(t, err)
			assert.Equal(t, nth(int64(i+1)), token.Value, "%d", i)
		}
	}
}

func TestASourceGetsTheIdentityAndACopyOfTheParams(t *testing.T) {
	server := redistest.Start(t)
	shared := member(t, server, routeauth.TokenSourceFunc(func(ctx context.Context, params routeauth.Params) (routeauth.Token, error) {
		assert.Equal(t, "a", routeauth.IdentityFromContext(ctx))
		assert.Equal(t, routeauth.Params{"image": "1"}, params)
		params["image"] = "2"
		return routeauth.Token{Value: "token"}, nil
	}))
	params := routeauth.Params{"image": "1"}
	_, err := shared.Token(routeauth.ContextWithIdentity(t.Context(), "a"), params)
	require.NoError(t, err)
	assert.Equal(t, routeauth.Params{"image": "1"}, params)
}

func TestATokenWithoutAKnownEndIsNotShared(t *testing.T) {
	server := redistest.Start(t)
	source := newIssuer(0)
	shared := member(t, server, routeauth.TokenSourceFunc(func(ctx context.Context, params routeauth.Params) (routeauth.Token, error) {
		token, err := source.Token(ctx, params)
		return routeauth.Token{Value: token.Value}, err
	}))
	client := redistest.Client(t, server)
	for n := range int64(3) {
		assert.Equal(t, nth(n+1), tokenOf(t, shared))
		assert.Zero(t, client.DBSize(t.Context()).Val())
	}
}

func TestATokenThatIsNoneIsNotShared(t *testing.T) {
	server := redistest.Start(t)
	for _, bad := range []routeauth.Secret{"", "two words", "line\n", "REDACTED", "ü"} {
		shared := member(t, server, routeauth.TokenSourceFunc(func(context.Context, routeauth.Params) (routeauth.Token, error) {
			return routeauth.Token{Value: bad, Expiry: time.Now().Add(time.Hour)}, nil
		}))
		assert.Equal(t, bad, tokenOf(t, shared)) // for the cache to refuse
		assert.Zero(t, redistest.Client(t, server).DBSize(t.Context()).Val())
	}
}

func TestASourceThatFailsFailsTheCallAndGivesUpTheLock(t *testing.T) {
	server := redistest.Start(t)
	down := errors.New("the issuer is down")
	client := redistest.Client(t, server)
	for name, test := range map[string]struct {
		do   func() (routeauth.Token, error)
		want string
	}{
		"an error": {func() (routeauth.Token, error) { return routeauth.Token{}, routeauth.Permanent(down) }, "the issuer is down"},
		"a panic":  {func() (routeauth.Token, error) { panic("secret") }, "the token source panicked (string)"},
	} {
		t.Run(name, func(t *testing.T) {
			shared := member(t, server, routeauth.TokenSourceFunc(func(context.Context, routeauth.Params) (routeauth.Token, error) {
				return test.do()
			}))
			_, err := shared.Token(t.Context(), nil)
			assert.ErrorContains(t, err, test.want)
			assert.NotContains(t, err.Error(), "secret")
			assert.Zero(t, client.DBSize(t.Context()).Val())
		})
	}
}

func TestACallerWhoLeavesDoesNoHarmToTheOthers(t *testing.T) {
	server := redistest.Start(t)
	fetching, mayEnd := make(chan struct{}), make(chan struct{})
	source := newIssuer(time.Hour)
	source.before = func(ctx context.Context, _ int64) error {
		close(fetching)
		<-mayEnd
		return ctx.Err()
	}
	shared := member(t, server, source)
	why := errors.New("the user went away")
	ctx, cancel := context.WithCancelCause(t.Context())
	left := make(chan error)
	go func() {
		_, err := shared.Token(ctx, nil)
		left <- err
	}()
	<-fetching
	stayed := make(chan routeauth.Secret)
	go func() { stayed <- tokenOf(t, shared) }()
	cancel(why)
	err := <-left
	assert.ErrorIs(t, err, context.Canceled)
	assert.ErrorIs(t, err, why)
	close(mayEnd)
	assert.Equal(t, nth(1), <-stayed)
	assert.EqualValues(t, 1, source.fetches.Load())
}

func TestAFetchThatEverybodyLeftIsStillShared(t *testing.T) {
	server := redistest.Start(t)
	fetching, mayEnd := make(chan struct{}), make(chan struct{})
	source := newIssuer(time.Hour)
	source.before = func(ctx context.Context, _ int64) error {
		close(fetching)
		<-mayEnd
		return ctx.Err()
	}
	ctx, cancel := context.WithCancel(t.Context())
	shared := member(t, server, source)
	left := make(chan error)
	go func() {
		_, err := shared.Token(ctx, nil)
		left <- err
	}()
	<-fetching
	cancel()
	require.ErrorIs(t, <-left, context.Canceled)
	close(mayEnd)
	assert.Equal(t, nth(1), tokenOf(t, member(t, server, source)))
	assert.EqualValues(t, 1, source.fetches.Load())
}

func TestAContextThatHasEndedAsksNobody(t *testing.T) {
	server := redistest.Start(t)
	source := newIssuer(time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := member(t, server, source).Token(ctx, nil)
	assert.ErrorIs(t, err, context.Canceled)
	assert.Zero(t, source.fetches.Load())
}

func TestAZeroSourceFailsForGood(t *testing.T) {
	var zero redistokens.Source
	for _, s := range []*redistokens.Source{&zero, nil} {
		_, err := s.Token(t.Context(), nil)
		require.Error(t, err)
		assert.ErrorContains(t, err, "not made by New")
		s.Discard(t.Context(), nil, "token")
	}
}
