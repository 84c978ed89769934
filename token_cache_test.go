package routeauth_test

import (
	"context"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/routeauth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// newCache returns a cache over source.
func newCache(t testing.TB, source routeauth.TokenSource, opts ...routeauth.CacheOption) *routeauth.TokenCache {
	t.Helper()
	cache, err := routeauth.NewTokenCache(source, opts...)
	require.NoError(t, err)
	return cache
}

// neverRefresh and toTheEnd are for tests of what happens without a refresh, and
// in the last moments of a token's life.
var (
	neverRefresh = routeauth.WithRefreshBefore(0)
	toTheEnd     = routeauth.WithMinRemaining(0)
)

// sourceLiving returns a source whose tokens live for life from the moment at
// which it is asked. No two of its tokens are alike.
func sourceLiving(t testing.TB, life time.Duration) *countingSource {
	return &countingSource{next: func(_ context.Context, _ routeauth.Params, nth int) (string, error) {
		now := time.Now()
		return mint(t, strconv.Itoa(nth), now, now.Add(life)), nil
	}}
}

// sourceOf returns a source that hands out these tokens one after the other,
// and the last one for ever.
func sourceOf(tokens ...string) *countingSource {
	return &countingSource{next: func(_ context.Context, _ routeauth.Params, nth int) (string, error) {
		return tokens[min(nth, len(tokens))-1], nil
	}}
}

// tokenSource returns what next returns and counts the calls.
type tokenSource struct {
	next  func(ctx context.Context, params routeauth.Params, nth int) (routeauth.Token, error)
	calls atomic.Int64
}

func (s *tokenSource) Token(ctx context.Context, params routeauth.Params) (routeauth.Token, error) {
	return s.next(ctx, params, int(s.calls.Add(1)))
}

func (s *tokenSource) count() int { return int(s.calls.Load()) }

// opaqueLiving returns a source of opaque tokens, 1, 2 and so on, whose Expiry
// is life from the moment at which it is asked.
func opaqueLiving(life time.Duration) *tokenSource {
	return &tokenSource{next: func(_ context.Context, _ routeauth.Params, nth int) (routeauth.Token, error) {
		return opaque(routeauth.Secret(strconv.Itoa(nth)), life), nil
	}}
}

// opaque returns a token that is no JWT and lives for life.
func opaque(value routeauth.Secret, life time.Duration) routeauth.Token {
	return routeauth.Token{Value: value, Expiry: time.Now().Add(life)}
}

// after makes every call of a source take d.
func after(d time.Duration, source *countingSource) *countingSource {
	next := source.next
	source.next = func(ctx context.Context, params routeauth.Params, nth int) (string, error) {
		advance(d)
		return next(ctx, params, nth)
	}
	return source
}

// tokenFor returns the token that source has for params.
func tokenFor(t testing.TB, source routeauth.TokenSource, params routeauth.Params) string {
	t.Helper()
	token, err := text(source.Token(t.Context(), params))
	require.NoError(t, err)
	return token
}

// advance moves the clock of a synctest bubble.
func advance(d time.Duration) { <-time.After(d) }

// as returns a context of the test in which an identity asks.
func as(t testing.TB, identity string) context.Context {
	return routeauth.ContextWithIdentity(t.Context(), identity)
}

// user returns the params of the nth user.
func user(n int) routeauth.Params { return routeauth.Params{"user": strconv.Itoa(n)} }

// unsigned returns a JWT that is put together by hand.
func unsigned(header, claims, signature string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(header)) + "." + encode([]byte(claims)) + "." + signature
}

// withRaceDetector reports whether these tests were built with -race.
var withRaceDetector = sync.OnceValue(func() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
})

// long makes tests as large as they were asked for. By default they are large
// enough to fail.
var long = flag.Bool("long", false, "run the largest forms of the tests of TokenCache")

// reply is what a caller of a source got, and when.
type reply struct {
	token string
	err   error
	at    time.Duration // since the caller asked
}

// ask calls a source from a goroutine of its own.
func ask(ctx context.Context, source routeauth.TokenSource, params routeauth.Params) <-chan reply {
	got := make(chan reply, 1)
	go func() {
		began := time.Now()
		token, err := text(source.Token(ctx, params))
		got <- reply{token, err, time.Since(began)}
	}()
	return got
}

// Rule 19: the params, all of them and nothing but them, are the key.
func TestCacheKeepsTokensPerParams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := sourceLiving(t, time.Hour)
		cache := newCache(t, source)
		different := []routeauth.Params{
			nil,
			{"a": ""},
			{"": "a"},
			{"a": "b"},
			{"a": "B"},
			{"A": "b"},
			{"ab": ""},
			{"a": "b", "c": "d"},
			{"a": "d", "c": "b"},
			{"a": "b\x01c\x01d"},
			{"a": "b&c=d"},
			{"a": "b,c:d"},
			{"a\x01b\x01c": "d"},
			{"a": strings.Repeat("x", 127)},
			{"a": strings.Repeat("x", 128)},
			{"a": strings.Repeat("x", 1000)},
			{"a": "x", "b": strings.Repeat("y", 253)},
			{"a": "x\x01b\xfd" + strings.Repeat("y", 253)}, // 257 bytes, which is 1 in a byte
			{"a": "é"},
			{"a": "e\u0301"},
			{"a": "\xff"},
			{"a": "\xfe"},
		}
		tokens := make(map[string]int)
		for i, params := range different {
			tokens[tokenFor(t, cache, params)] = i
		}
		assert.Len(t, tokens, len(different), "each has a token of its own")
		for i, params := range different {
			assert.Equal(t, i, tokens[tokenFor(t, cache, params)], "%v", params)
		}
		assert.Equal(t, len(different), source.count())
	})
}

// Rule 19.
func TestCacheTakesEqualParamsForTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := sourceLiving(t, time.Hour)
		cache := newCache(t, source)
		many := func(descending bool) routeauth.Params {
			params := routeauth.Params{}
			for i := range 50 {
				if descending {
					i = 49 - i
				}
				params["name "+strconv.Itoa(i)] = strconv.Itoa(i)
			}
			return params
		}
		first := tokenFor(t, cache, many(false))
		for range 20 { // the order of a map is another one each time
			require.Equal(t, first, tokenFor(t, cache, many(true)))
		}
		assert.Equal(t, tokenFor(t, cache, nil), tokenFor(t, cache, routeauth.Params{}))
		assert.Equal(t, 2, source.count())
	})
}

// Rule 19: so is the identity, which cannot be mistaken for a param.
func TestCacheKeepsTokensPerIdentity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := sourceLiving(t, time.Hour)
		cache := newCache(t, source)
		type key struct {
			identity string
			params   routeauth.Params
		}
		different := []key{
			{"", nil},
			{"alice", nil},
			{"bob", nil},
			{"alice", user(1)},
			{"bob", user(1)},
			{"user", routeauth.Params{"1": ""}},
			{"", user(1)},
			{strings.Repeat("a", 2000), nil},
			{strings.Repeat("a", 2001), nil},
			{"\x04user\x011", nil},
		}
		tokens := make(map[string]int)
		for range 2 {
			for i, key := range different {
				token, err := text(cache.Token(as(t, key.identity), key.params))
				require.NoError(t, err)
				if first, found := tokens[token]; found {
					assert.Equal(t, first, i)
				}
				tokens[token] = i
			}
		}
		assert.Len(t, tokens, len(different))
		assert.Equal(t, len(different), source.count())
	})
}

// Rule 19: what is elsewhere in the context tells no two callers apart.
func TestCacheLooksIntoTheContextForTheIdentityOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := sourceLiving(t, time.Hour)
		cache := newCache(t, source)
		for i := range 3 {
			ctx := context.WithValue(as(t, "alice"), contextKey{}, i)
			ctx = routeauth.ContextWithParams(ctx, user(i))
			_, err := cache.Token(ctx, routeauth.Params{"same": "params"})
			require.NoError(t, err)
		}
		assert.Equal(t, 1, source.count())
	})
}

// K6: a server of several users has an API whose tokens are bound to the body
// and to nothing else. Each user is sent the own token, though all bodies are
// equal, and no token is bound to the user.
func TestCacheServesSeveralUsersWhoseRequestsAreEqual(t *testing.T) {
	backend := &tokenSource{next: func(ctx context.Context, params routeauth.Params, _ int) (routeauth.Token, error) {
		owner := routeauth.IdentityFromContext(ctx)
		return opaque(routeauth.Secret(owner+"|"+fmt.Sprint(params)), time.Hour), nil
	}}
	api := &base{respond: func(req *http.Request, _ int) (*http.Response, error) {
		owner, bound, _ := strings.Cut(strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer "), "|")
		if bound != "map[sku:1]" {
			return answer(req, http.StatusUnauthorized, ""), nil
		}
		return answer(req, http.StatusOK, owner), nil
	}}
	transport := newJWTTransport(t, newCache(t, backend), api, routeauth.WithParams(routeauth.BodyParams("sku")))
	var users sync.WaitGroup
	for _, name := range []string{"alice", "bob", "carol", ""} {
		for range 5 {
			users.Go(func() {
				for range 10 {
					req := newRequest(t, http.MethodPost, endpoint, `{"sku":"1"}`)
					resp, err := transport.RoundTrip(req.WithContext(as(t, name)))
					if !assert.NoError(t, err) {
						return
					}
					owner, _ := io.ReadAll(resp.Body)
					assert.Equal(t, name, string(owner))
				}
			})
		}
	}
	users.Wait()
	assert.Equal(t, 4, backend.count())
}

// Rule 15: the source's params are its own, whatever the caller does with the
// map that it passed.
func TestCacheGivesTheSourceACopyOfTheParams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen []string
		source := &countingSource{next: func(_ context.Context, params routeauth.Params, _ int) (string, error) {
			advance(time.Second)
			seen = append(seen, params["user"])
			params["user"] = "changed by the source"
			return mint(t, "", time.Now(), time.Now().Add(time.Hour)), nil
		}}
		cache := newCache(t, source)
		params := routeauth.Params{"user": "u1"}
		ctx, cancel := context.WithCancel(t.Context())
		got := ask(ctx, cache, params)
		synctest.Wait()
		cancel()
		<-got
		params["user"] = "changed by the caller"
		advance(time.Second)
		synctest.Wait()
		assert.Equal(t, []string{"u1"}, seen)
		assert.Equal(t, "changed by the caller", params["user"])

		tokenFor(t, cache, routeauth.Params{"user": "u1"})
		assert.Equal(t, 1, source.count(), "the token is kept for the params that were asked for")
	})
	synctest.Test(t, func(t *testing.T) { // also where it is asked later, for somebody else
		source := &tokenSource{next: func(_ context.Context, params routeauth.Params, _ int) (routeauth.Token, error) {
			advance(time.Second)
			return opaque(routeauth.Secret("of-"+params["user"]), time.Hour), nil
		}}
		cache := newCache(t, source, routeauth.WithMaxFetches(1))
		ask(t.Context(), cache, user(1))
		synctest.Wait()
		params := user(2)
		ctx, cancel := context.WithCancel(t.Context())
		got := ask(ctx, cache, params)
		synctest.Wait()
		other := ask(t.Context(), cache, user(2))
		synctest.Wait()
		cancel()
		<-got
		params["user"] = "changed by the caller"
		assert.Equal(t, "of-2", (<-other).token)
	})
}

// Rule 31: options whose value makes no sense, and rule 6: sources that are nil.
func TestNewTokenCacheReportsEverythingThatIsWrong(t *testing.T) {
	good := sourceOf("token")
	for name, opt := range map[string]routeauth.CacheOption{
		"refresh before is -1ns: it must be 0 or more":  routeauth.WithRefreshBefore(-1),
		"fetch timeout is 0s: it must be more than 0":   routeauth.WithFetchTimeout(0),
		"fetch timeout is -1s: it must be more than 0":  routeauth.WithFetchTimeout(-time.Second),
		"max tokens is 0: it must be more than 0":       routeauth.WithMaxTokens(0),
		"max tokens is -1024: it must be more than 0":   routeauth.WithMaxTokens(-1024),
		"cache option is nil":                           nil,
		"refresh before is -1h0m0s: it must be 0 or mo": routeauth.WithRefreshBefore(-time.Hour),
		"min remaining is -1ns: it must be 0 or more":   routeauth.WithMinRemaining(-1),
		"failure pause is -1ns: it must be 0 or more":   routeauth.WithFailurePause(-1),
		"max fetches is 0: it must be more than 0":      routeauth.WithMaxFetches(0),
		"max fetches is -1: it must be more than 0":     routeauth.WithMaxFetches(-1),
	} {
		cache, err := routeauth.NewTokenCache(good, opt)
		assert.ErrorContains(t, err, "routeauth: "+name)
		assert.Nil(t, cache)
	}
	for _, source := range []routeauth.TokenSource{
		nil, routeauth.TokenSourceFunc(nil), (*routeauth.TokenCache)(nil), (*routeauth.RemoteTokenSource)(nil), (*countingSource)(nil),
	} {
		cache, err := routeauth.NewTokenCache(source)
		assert.ErrorContains(t, err, "token source is", "%T", source)
		assert.Nil(t, cache)
	}
	_, err := routeauth.NewTokenCache(nil, routeauth.WithMaxTokens(0), nil, routeauth.WithFetchTimeout(0), routeauth.WithRefreshBefore(-1),
		routeauth.WithMinRemaining(-1), routeauth.WithFailurePause(-1), routeauth.WithMaxFetches(0))
	for _, want := range []string{
		"token source", "max tokens", "option is nil", "fetch timeout", "refresh before", "min remaining", "failure pause", "max fetches",
	} {
		assert.ErrorContains(t, err, want)
	}
	_, err = routeauth.NewTokenCache(good, routeauth.WithRefreshBefore(0), routeauth.WithFetchTimeout(1), routeauth.WithMaxTokens(1),
		routeauth.WithMinRemaining(0), routeauth.WithFailurePause(0), routeauth.WithMaxFetches(1))
	assert.NoError(t, err, "the least that makes sense")
}

// A cache that NewTokenCache did not make has no token and makes no panic.
func TestACacheWithoutItsConstructorIsAnError(t *testing.T) {
	for _, cache := range []*routeauth.TokenCache{nil, {}} {
		_, err := cache.Token(t.Context(), nil)
		assert.ErrorContains(t, err, "NewTokenCache")
		assert.NotPanics(t, func() { cache.Discard(t.Context(), nil, "token") })
		assert.Zero(t, cache.Stats())
	}
}

// Rule 8: fetches, hits, refreshes, discards and evictions at the same time.
func TestCacheIsSafeForConcurrentUse(t *testing.T) {
	var users sync.Map // of tokens
	source := &countingSource{next: func(_ context.Context, params routeauth.Params, nth int) (string, error) {
		switch nth % 7 {
		case 0:
			return "", errors.New("down")
		case 1:
			panic("down")
		}
		life := time.Hour
		if params["user"] == "1" {
			life = time.Second // always near its end
		}
		now := time.Now()
		token := mint(t, strconv.Itoa(nth), now, now.Add(life))
		users.Store(token, params["user"])
		return token, nil
	}}
	cache := newCache(t, source, routeauth.WithMaxTokens(3), routeauth.WithMaxFetches(2), routeauth.WithFailurePause(time.Microsecond))
	var callers sync.WaitGroup
	for g := range 8 {
		callers.Go(func() {
			for i := range 100 {
				params := user((g + i/2) % 5) // each twice in a row
				token, err := text(cache.Token(t.Context(), params))
				if err == nil {
					owner, _ := users.Load(token)
					assert.Equal(t, params["user"], owner)
				}
				if err == nil && i%10 == g {
					cache.Discard(t.Context(), params, routeauth.Secret(token))
				}
				cache.Stats()
			}
		})
	}
	callers.Wait()
}

// Rule 8: what a cache did can be counted.
func TestCacheCountsWhatItDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &tokenSource{next: func(_ context.Context, params routeauth.Params, nth int) (routeauth.Token, error) {
			advance(time.Second)
			if params == nil {
				return routeauth.Token{}, errors.New("down")
			}
			return opaque("token", time.Minute), nil
		}}
		cache := newCache(t, source, routeauth.WithMaxTokens(2))
		assert.Zero(t, cache.Stats())
		got := ask(t.Context(), cache, user(1))
		synctest.Wait()
		assert.Equal(t, routeauth.CacheStats{Fetches: 1, Fetching: 1}, cache.Stats())
		<-got
		assert.Equal(t, routeauth.CacheStats{Fetches: 1, Tokens: 1}, cache.Stats())

		tokenFor(t, cache, user(1))
		tokenFor(t, cache, user(1))
		assert.Equal(t, routeauth.CacheStats{Hits: 2, Fetches: 1, Tokens: 1}, cache.Stats())

		for range 2 { // the second one asks nobody
			_, err := cache.Token(t.Context(), nil)
			assert.Error(t, err)
		}
		assert.Equal(t, routeauth.CacheStats{Hits: 2, Fetches: 2, Failures: 1, Tokens: 1}, cache.Stats())

		tokenFor(t, cache, user(2))
		tokenFor(t, cache, user(3))
		assert.Equal(t, routeauth.CacheStats{Hits: 2, Fetches: 4, Failures: 1, Evictions: 1, Tokens: 2}, cache.Stats())
		cache.Discard(t.Context(), user(3), "token")
		assert.Equal(t, 1, cache.Stats().Tokens)
	})
}

// A hit allocates nothing.
func TestACacheHitAllocatesNothing(t *testing.T) {
	if withRaceDetector() {
		t.Skip("the race detector allocates by itself")
	}
	cache := newCache(t, opaqueLiving(time.Hour))
	for name, params := range map[string]routeauth.Params{
		"no params":  nil,
		"one":        user(1),
		"two params": {"user": "1", "sku": "2"},
	} {
		ctx := as(t, "alice")
		_, err := cache.Token(ctx, params)
		require.NoError(t, err)
		assert.Zero(t, testing.AllocsPerRun(100, func() { _, _ = cache.Token(ctx, params) }), name)
	}
}
