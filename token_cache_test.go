package routeauth_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http/httptrace"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
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

// neverRefresh is for tests of what happens without a refresh.
var neverRefresh = routeauth.WithRefreshBefore(0)

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

// Rule 19: what is only in the context tells no two callers apart.
func TestCacheDoesNotLookIntoTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := sourceLiving(t, time.Hour)
		cache := newCache(t, source)
		for i := range 3 {
			ctx := routeauth.ContextWithParams(t.Context(), user(i))
			_, err := cache.Token(ctx, routeauth.Params{"same": "params"})
			require.NoError(t, err)
		}
		assert.Equal(t, 1, source.count())
	})
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
}

// Rule 20. The race detector allows no more than 8,128 goroutines.
func TestCacheMakesOneFetchForTenThousandCallers(t *testing.T) {
	callers := 10_000
	if withRaceDetector() {
		callers = 500
	}
	synctest.Test(t, func(t *testing.T) {
		source := after(time.Second, sourceLiving(t, time.Hour))
		cache := newCache(t, source)
		tokens := make(chan string, callers)
		for range callers {
			go func() {
				token, err := text(cache.Token(t.Context(), user(1)))
				assert.NoError(t, err)
				tokens <- token
			}()
		}
		first := <-tokens
		for range callers - 1 {
			require.Equal(t, first, <-tokens)
		}
		assert.NotEmpty(t, first)
		assert.Equal(t, 1, source.count())
	})
}

// Rule 20: also the error of a fetch is everybody's who shared it.
func TestCacheSharesTheErrorOfAFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		source := after(time.Second, &countingSource{next: func(context.Context, routeauth.Params, int) (string, error) {
			return "ignored", broken
		}})
		cache := newCache(t, source)
		one, other := ask(t.Context(), cache, nil), ask(t.Context(), cache, nil)
		for _, got := range []reply{<-one, <-other} {
			assert.Equal(t, reply{"", broken, time.Second}, got)
		}
		assert.Equal(t, 1, source.count())
	})
}

// Rule 20: who leaves takes nobody along, not even the one who came first.
func TestCacheLetsACallerLeaveAndGoesOnForTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := after(10*time.Second, sourceLiving(t, time.Hour))
		cache := newCache(t, source)
		cancelled, cancel := context.WithCancelCause(t.Context())
		impatient, stop := context.WithTimeout(t.Context(), 3*time.Second)
		defer stop()
		first := ask(cancelled, cache, nil)
		synctest.Wait()
		second := ask(impatient, cache, nil)
		third := ask(t.Context(), cache, nil)

		advance(time.Second)
		cause := errors.New("the caller has seen enough")
		cancel(cause)
		left := <-first
		assert.ErrorIs(t, left.err, context.Canceled)
		assert.ErrorIs(t, left.err, cause)
		assert.Equal(t, time.Second, left.at)
		assert.Equal(t, reply{"", context.DeadlineExceeded, 3 * time.Second}, <-second)
		got := <-third
		assert.NoError(t, got.err)
		assert.Equal(t, 10*time.Second, got.at)
		assert.Equal(t, got.token, tokenFor(t, cache, nil))
		assert.Equal(t, 1, source.count())
	})
}

// Rule 20: a fetch that everybody left is not in vain.
func TestCacheFinishesAFetchThatEverybodyLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := after(10*time.Second, sourceLiving(t, time.Hour))
		cache := newCache(t, source)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := cache.Token(ctx, nil)
		assert.Equal(t, context.DeadlineExceeded, err)

		advance(time.Second)
		got := <-ask(t.Context(), cache, nil)
		assert.NoError(t, got.err)
		assert.Equal(t, 8*time.Second, got.at, "it joins the fetch under way")
		assert.Equal(t, got.token, tokenFor(t, cache, nil))
		assert.Equal(t, 1, source.count())
	})
}

// Rule 20: a caller whose context has ended starts nothing.
func TestCacheAsksNothingForACallerThatHasLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := sourceLiving(t, time.Hour)
		cache := newCache(t, source)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := cache.Token(ctx, nil)
		assert.Equal(t, context.Canceled, err)
		synctest.Wait()
		assert.Zero(t, source.count())
	})
}

type contextKey struct{}

// Rule 20: the source gets the values of the first caller's context, and so
// its httptrace hooks, but not its cancellation and not its deadline.
func TestCacheAsksWithTheValuesOfTheFirstCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		trace := &httptrace.ClientTrace{}
		ctx := httptrace.WithClientTrace(context.WithValue(t.Context(), contextKey{}, "first"), trace)
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		source := &countingSource{next: func(ctx context.Context, _ routeauth.Params, _ int) (string, error) {
			began := time.Now()
			advance(2 * time.Second)
			assert.NoError(t, ctx.Err(), "the caller's deadline has passed")
			assert.Equal(t, "first", ctx.Value(contextKey{}))
			assert.Same(t, trace, httptrace.ContextClientTrace(ctx))
			deadline, ok := ctx.Deadline()
			assert.True(t, ok)
			assert.Equal(t, 30*time.Second, deadline.Sub(began), "the fetch timeout's default")
			return "token", nil
		}}
		cache := newCache(t, source)
		first := ask(ctx, cache, nil)
		synctest.Wait()
		second := ask(context.WithValue(t.Context(), contextKey{}, "second"), cache, nil)
		assert.Equal(t, context.DeadlineExceeded, (<-first).err)
		assert.Equal(t, "token", (<-second).token)
	})
}

// Rule 20: a source that ignores its context holds up nobody, and its late
// answer is dropped, whether somebody is waiting for the next fetch or not.
func TestCacheReleasesEverybodyAfterTheFetchTimeout(t *testing.T) {
	tests := []struct {
		name    string
		opts    []routeauth.CacheOption
		timeout time.Duration
	}{
		{"default", nil, 30 * time.Second},
		{"option", []routeauth.CacheOption{routeauth.WithFetchTimeout(5 * time.Second)}, 5 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				late, release := mint(t, "late", time.Now(), time.Now().Add(24*time.Hour)), make(chan struct{})
				source := &countingSource{next: func(_ context.Context, _ routeauth.Params, nth int) (string, error) {
					if nth == 1 {
						<-release
						return late, nil
					}
					advance(10 * time.Millisecond)
					return mint(t, strconv.Itoa(nth), time.Now(), time.Now().Add(time.Hour)), nil
				}}
				cache := newCache(t, source, append(test.opts, neverRefresh)...)
				first := ask(t.Context(), cache, nil)
				advance(time.Second)
				second := ask(t.Context(), cache, nil)
				assert.Equal(t, reply{"", context.DeadlineExceeded, test.timeout}, <-first)
				assert.Equal(t, reply{"", context.DeadlineExceeded, test.timeout - time.Second}, <-second)

				third := ask(t.Context(), cache, nil)
				synctest.Wait()
				assert.Equal(t, 2, source.count(), "the next caller starts a new fetch")
				close(release)
				synctest.Wait()
				got := <-third
				require.NoError(t, got.err)
				assert.Equal(t, 10*time.Millisecond, got.at)
				assert.NotEqual(t, late, got.token)
				assert.Equal(t, got.token, tokenFor(t, cache, nil))
				assert.Equal(t, 2, source.count())
			})
		})
	}
}

// Rule 20.
func TestCacheDropsAnAnswerAfterTheFetchTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := after(31*time.Second, sourceLiving(t, time.Hour))
		cache := newCache(t, source)
		_, err := cache.Token(t.Context(), nil)
		assert.Equal(t, context.DeadlineExceeded, err)
		advance(2 * time.Second)
		got := ask(t.Context(), cache, nil)
		synctest.Wait()
		assert.Equal(t, 2, source.count(), "the late token is not held")
		assert.Equal(t, context.DeadlineExceeded, (<-got).err)
		advance(2 * time.Second)
	})
}

// Rule 20: whatever a source makes of the end of its context, the error is
// context.DeadlineExceeded. Which of the two is first is chance, hence so many.
func TestCacheTellsTheTimeoutAlikeWhateverTheSourceSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &countingSource{next: func(ctx context.Context, _ routeauth.Params, _ int) (string, error) {
			ended := make(chan struct{})
			context.AfterFunc(ctx, func() { close(ended) })
			<-ended
			return "", errors.New("interrupted")
		}}
		cache := newCache(t, source)
		var all []<-chan reply
		for i := range 200 {
			all = append(all, ask(t.Context(), cache, user(i)))
		}
		for _, got := range all {
			require.Equal(t, reply{"", context.DeadlineExceeded, 30 * time.Second}, <-got)
		}
	})
}

// Rule 20: a source that panics, or ends its goroutine, fails one fetch. The
// error does not show what it panicked with.
func TestCacheOutlivesASourceThatPanics(t *testing.T) {
	for name, fail := range map[string]func(){
		"a string":         func() { panic("hunter2") },
		"an error":         func() { panic(errors.New("hunter2")) },
		"a struct":         func() { panic(struct{ password string }{"hunter2"}) },
		"nil":              func() { panic(any(nil)) },
		"a type assertion": func() { _ = any("hunter2").(error) },
		"an index":         func() { _ = []string{}[len(t.Name())] },
		"Goexit":           runtime.Goexit,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				token := mint(t, "good", time.Now(), time.Now().Add(time.Hour))
				source := &countingSource{next: func(_ context.Context, _ routeauth.Params, nth int) (string, error) {
					advance(time.Second)
					if nth == 1 {
						fail()
					}
					return token, nil
				}}
				cache := newCache(t, source)
				one, other := ask(t.Context(), cache, nil), ask(t.Context(), cache, nil)
				for _, got := range []reply{<-one, <-other} {
					require.Error(t, got.err)
					assert.Empty(t, got.token)
					assert.Equal(t, time.Second, got.at)
					assert.NotContains(t, fmt.Sprintf("%+v %#v", got.err, got.err), "hunter2")
				}
				assert.Equal(t, token, tokenFor(t, cache, nil))
				assert.Equal(t, 2, source.count())
			})
		})
	}
}

// Rule 23.
func TestCacheKeepsNoError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		token := mint(t, "", time.Now(), time.Now().Add(time.Hour))
		source := &countingSource{next: func(_ context.Context, _ routeauth.Params, nth int) (string, error) {
			if nth < 3 {
				return "", fmt.Errorf("failure %d", nth)
			}
			return token, nil
		}}
		cache := newCache(t, source)
		for _, want := range []string{"failure 1", "failure 2"} {
			_, err := cache.Token(t.Context(), nil)
			assert.EqualError(t, err, want)
		}
		assert.Equal(t, token, tokenFor(t, cache, nil))
	})
}

// Rule 23: a hit takes no lock that another key's fetch holds, nor does another
// key's fetch.
func TestCacheHitsDoNotWaitForTheFetchOfAnotherKey(t *testing.T) {
	var cache *routeauth.TokenCache
	now := time.Now()
	token := mint(t, "", now, now.Add(time.Hour))
	source := &countingSource{next: func(ctx context.Context, params routeauth.Params, _ int) (string, error) {
		if params["user"] != "0" {
			return token, nil
		}
		// The fetch for user 0 is under way.
		if _, err := cache.Token(ctx, user(1)); err != nil {
			return "", err
		}
		return text(cache.Token(ctx, user(2)))
	}}
	cache = newCache(t, source)
	tokenFor(t, cache, user(1))
	got := ask(t.Context(), cache, user(0))
	select {
	case got := <-got:
		assert.NoError(t, got.err)
		assert.Equal(t, 3, source.count())
	case <-time.After(10 * time.Second):
		t.Fatal("the cache is locked while a source is asked")
	}
}

// Discard drops the token that it is given, for the params that it is given.
func TestCacheDiscardsTheTokenThatItIsGiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := sourceLiving(t, time.Hour)
		cache := newCache(t, source)
		first, other := tokenFor(t, cache, user(1)), tokenFor(t, cache, user(2))

		cache.Discard(t.Context(), user(1), routeauth.Secret(other))
		cache.Discard(t.Context(), user(1), "")
		cache.Discard(t.Context(), user(1), routeauth.Secret("Bearer "+first))
		cache.Discard(t.Context(), user(3), routeauth.Secret(first))
		cache.Discard(t.Context(), nil, routeauth.Secret(first))
		assert.Equal(t, first, tokenFor(t, cache, user(1)))
		assert.Equal(t, 2, source.count())

		cache.Discard(t.Context(), user(1), routeauth.Secret(first))
		second := tokenFor(t, cache, user(1))
		assert.NotEqual(t, first, second)
		assert.Equal(t, other, tokenFor(t, cache, user(2)))
		cache.Discard(t.Context(), user(1), routeauth.Secret(first)) // late
		assert.Equal(t, second, tokenFor(t, cache, user(1)))
		assert.Equal(t, 3, source.count())
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
	_, err := routeauth.NewTokenCache(nil, routeauth.WithMaxTokens(0), nil, routeauth.WithFetchTimeout(0), routeauth.WithRefreshBefore(-1))
	for _, want := range []string{"token source", "max tokens", "option is nil", "fetch timeout", "refresh before"} {
		assert.ErrorContains(t, err, want)
	}
	_, err = routeauth.NewTokenCache(good, routeauth.WithRefreshBefore(0), routeauth.WithFetchTimeout(1), routeauth.WithMaxTokens(1))
	assert.NoError(t, err, "the least that makes sense")
}

// A cache that NewTokenCache did not make hands out no token and makes no panic.
func TestACacheWithoutItsConstructorIsAnError(t *testing.T) {
	for _, cache := range []*routeauth.TokenCache{nil, {}} {
		_, err := cache.Token(t.Context(), nil)
		assert.ErrorContains(t, err, "NewTokenCache")
		assert.NotPanics(t, func() { cache.Discard(t.Context(), nil, "token") })
	}
}

// Rule 8: fetches, hits, refreshes, discards and evictions at the same time.
func TestCacheIsSafeForConcurrentUse(t *testing.T) {
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
		return mint(t, strconv.Itoa(nth), now, now.Add(life)), nil
	}}
	cache := newCache(t, source, routeauth.WithMaxTokens(3))
	var callers sync.WaitGroup
	for g := range 8 {
		callers.Go(func() {
			for i := range 50 {
				params := user((g + i) % 5)
				token, err := text(cache.Token(t.Context(), params))
				if err == nil && i%10 == g {
					cache.Discard(t.Context(), params, routeauth.Secret(token))
				}
			}
		})
	}
	callers.Wait()
}
