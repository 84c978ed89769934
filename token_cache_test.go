package routeauth_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
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
	"github.com/golang-jwt/jwt/v5"
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
	token, err := source.Token(t.Context(), params)
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
		token, err := source.Token(ctx, params)
		got <- reply{token, err, time.Since(began)}
	}()
	return got
}

// Rule 19: when a token ends, counted from the moment at which it was asked
// for. The clock of these tests begins at 2000-01-01.
func TestCacheKeepsATokenUntilItsEnd(t *testing.T) {
	const hour = 3600
	tests := []struct {
		name     string
		took     time.Duration // by the source
		iat, exp any           // seconds from the moment at which it was asked for; nil for none
		kept     time.Duration
	}{
		{"the clock is right", 0, 0, 60, time.Minute},
		{"the token was issued earlier", 0, -10, 50, 50 * time.Second},
		{"the token was issued long ago", 0, -hour, 50, 50 * time.Second},
		{"the source is slow", 5 * time.Second, 1, 61, 61 * time.Second},
		{"the token arrives at its iat", 5 * time.Second, 5, 65, 65 * time.Second},
		{"iat and exp are fractions", 0, -0.5, 1.25, 1250 * time.Millisecond},
		{"the clock is slow", 5 * time.Second, hour, hour + 60, time.Minute},
		{"the clock is slow by a second", 5 * time.Second, 6, 66, time.Minute},
		{"the clock is fast", 5 * time.Second, -hour, -hour + 60, time.Minute},
		{"the token arrives at its exp", 5 * time.Second, -55, 5, time.Minute},
		{"the clock is wrong and iat and exp are fractions", 0, hour + 0.5, hour + 2.75, 2250 * time.Millisecond},
		{"without iat", 5 * time.Second, nil, 60, time.Minute},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				claims := jwt.MapClaims{}
				for name, seconds := range map[string]any{"iat": test.iat, "exp": test.exp} {
					switch seconds := seconds.(type) {
					case int:
						claims[name] = time.Now().Unix() + int64(seconds)
					case float64:
						claims[name] = float64(time.Now().Unix()) + seconds
					}
				}
				token := sign(t, claims)
				source := after(test.took, sourceOf(token))
				cache := newCache(t, source, neverRefresh)

				assert.Equal(t, token, tokenFor(t, cache, nil))
				advance(test.kept - test.took - time.Nanosecond)
				assert.Equal(t, token, tokenFor(t, cache, nil))
				assert.Equal(t, 1, source.count(), "a nanosecond before the end")
				advance(time.Nanosecond)
				tokenFor(t, cache, nil)
				assert.Equal(t, 2, source.count(), "at the end")
			})
		})
	}
}

// Rule 19: an algorithm that is not known here, and a far end, are no reason
// not to keep a token.
func TestCacheKeepsAnyJWTWithAnExp(t *testing.T) {
	for name, token := range map[string]string{
		"unknown alg":   unsigned(`{"alg":"XX999"}`, `{"exp":4000000000}`, "c2ln"),
		"no alg":        unsigned(`{"typ":"JWT"}`, `{"exp":4000000000}`, "c2ln"),
		"alg none":      unsigned(`{"alg":"none"}`, `{"exp":4000000000}`, ""),
		"the year 9999": unsigned(`{"alg":"HS256"}`, `{"iat":0,"exp":253402300799}`, "c2ln"),
		"exp as 4e9":    unsigned(`{"alg":"HS256"}`, `{"exp":4e9}`, "c2ln"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := sourceOf(token)
				cache := newCache(t, source)
				tokenFor(t, cache, nil)
				advance(24 * time.Hour)
				assert.Equal(t, token, tokenFor(t, cache, nil))
				assert.Equal(t, 1, source.count())
			})
		})
	}
}

// Rule 19: what is no JWT with a credible exp is handed out and not kept.
func TestCacheDoesNotKeepWhatHasNoEnd(t *testing.T) {
	// The clock stands at 946684800 when the source is asked, and 5 s later
	// when the token arrives.
	claims := func(text string) string { return unsigned(`{"alg":"HS256"}`, text, "c2ln") }
	for name, token := range map[string]string{
		"no exp":                          claims(`{"iat":946684800}`),
		"exp in another case":             claims(`{"EXP":946684900}`),
		"exp is null":                     claims(`{"iat":946684800,"exp":null}`),
		"exp is a string":                 claims(`{"iat":946684800,"exp":"946684900"}`),
		"exp is a list":                   claims(`{"exp":[946684900]}`),
		"exp is true":                     claims(`{"exp":true}`),
		"exp is iat":                      claims(`{"iat":946684900,"exp":946684900}`),
		"exp is before iat":               claims(`{"iat":946684900,"exp":946684899}`),
		"exp is before iat, both in past": claims(`{"iat":900,"exp":899}`),
		"exp is negative":                 claims(`{"iat":946684800,"exp":-1}`),
		"iat and exp are negative":        claims(`{"iat":-100,"exp":-40}`),
		"exp is after the year 9999":      claims(`{"exp":253402300800}`),
		"exp is after the end of int64":   claims(`{"exp":1e19}`),
		"exp is as large as floats go":    claims(`{"exp":1e308}`),
		"exp is larger than floats go":    claims(`{"exp":1e309}`),
		"iat is a string":                 claims(`{"iat":"946684800","exp":946684900}`),
		"iat is out of range":             claims(`{"iat":-1e300,"exp":946684900}`),
		"no iat and exp has passed":       claims(`{"exp":946684804}`),
		"no iat and exp is now":           claims(`{"exp":946684805}`),
		"its life passed on the way":      claims(`{"iat":4000000000,"exp":4000000005}`),
		"no JWT":                          "opaque",
		"two segments":                    "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjQwMDAwMDAwMDB9",
		"four segments":                   claims(`{"exp":4000000000}`) + ".c2ln",
		"five segments, as of a JWE":      claims(`{"exp":4000000000}`) + ".c2ln.c2ln",
		"the claims are no JSON":          claims(`{"exp":4000000000`),
		"the claims are null":             claims(`null`),
		"the claims are a list":           claims(`[{"exp":4000000000}]`),
		"the claims are padded":           "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjQwMDAwMDAwMDAgfQ==.c2ln",
		"the header is no JSON":           unsigned(`alg`, `{"exp":4000000000}`, "c2ln"),
		"the signature is not base64":     unsigned(`{"alg":"HS256"}`, `{"exp":4000000000}`, "!"),
		"empty segments":                  "..",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := after(5*time.Second, sourceOf(token))
				cache := newCache(t, source)
				assert.Equal(t, token, tokenFor(t, cache, nil))
				assert.Equal(t, token, tokenFor(t, cache, nil))
				assert.Equal(t, 2, source.count())
			})
		})
	}
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
				token, err := cache.Token(t.Context(), user(1))
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
		cancel(errors.New("the cause is not the context's error"))
		assert.Equal(t, reply{"", context.Canceled, time.Second}, <-first)
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

// Rule 21: before its end a token is served at once and replaced behind the
// caller's back, once, however many callers there are.
func TestCacheReplacesATokenInTheBackgroundBeforeItsEnd(t *testing.T) {
	tests := []struct {
		name string
		opts []routeauth.CacheOption
		life time.Duration
		from time.Duration
	}{
		{"10 s by default", nil, time.Minute, 50 * time.Second},
		{"as the option says", []routeauth.CacheOption{routeauth.WithRefreshBefore(15 * time.Second)}, time.Minute, 45 * time.Second},
		{"a third of a short life", nil, 12 * time.Second, 8 * time.Second},
		{"a third of a long life", []routeauth.CacheOption{routeauth.WithRefreshBefore(time.Hour)}, time.Minute, 40 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := sourceLiving(t, test.life)
				cache := newCache(t, source, test.opts...)
				first := tokenFor(t, cache, nil)
				after(2*time.Second, source)

				advance(test.from - time.Nanosecond)
				assert.Equal(t, first, tokenFor(t, cache, nil))
				synctest.Wait()
				assert.Equal(t, 1, source.count(), "too early")
				advance(time.Nanosecond)
				for range 100 {
					got := <-ask(t.Context(), cache, nil)
					require.Equal(t, reply{first, nil, 0}, got, "nobody waits")
				}
				advance(2*time.Second - time.Nanosecond)
				assert.Equal(t, first, tokenFor(t, cache, nil))
				assert.Equal(t, 2, source.count(), "one fetch")

				advance(time.Nanosecond)
				synctest.Wait()
				second := tokenFor(t, cache, nil)
				assert.NotEqual(t, first, second)
				advance(test.life - 2*time.Second - test.from)
				assert.Equal(t, second, tokenFor(t, cache, nil), "after the end of the first")
				assert.Equal(t, 2, source.count())
			})
		})
	}
}

// Rule 21: many callers at the same instant start one refresh.
func TestCacheReplacesATokenOnceForConcurrentCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := sourceLiving(t, time.Minute)
		cache := newCache(t, source)
		tokenFor(t, cache, nil)
		after(time.Second, source)
		advance(55 * time.Second)
		var callers sync.WaitGroup
		for range 100 {
			callers.Go(func() { _, _ = cache.Token(t.Context(), nil) })
		}
		callers.Wait()
		advance(time.Second)
		synctest.Wait()
		assert.Equal(t, 2, source.count())
	})
}

// Rule 21: nobody asks for a token that nobody uses.
func TestCacheReplacesNoTokenThatNobodyAsksFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := sourceLiving(t, time.Minute)
		tokenFor(t, newCache(t, source), nil)
		advance(time.Hour)
		assert.Equal(t, 1, source.count())
	})
}

// Rule 21: 0 means never.
func TestCacheWithoutRefreshAsksAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := sourceLiving(t, time.Minute)
		cache := newCache(t, source, neverRefresh)
		tokenFor(t, cache, nil)
		advance(time.Minute - time.Nanosecond)
		tokenFor(t, cache, nil)
		synctest.Wait()
		assert.Equal(t, 1, source.count())
	})
}

// Rules 20 and 21: a refresh has the values of the caller who set it off and
// the fetch timeout, but not that caller's cancellation.
func TestCacheReplacesATokenWithTheCallersValues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := sourceLiving(t, time.Minute)
		cache := newCache(t, source, routeauth.WithFetchTimeout(5*time.Second))
		tokenFor(t, cache, nil)
		advance(50 * time.Second)

		next, done := source.next, make(chan struct{})
		source.next = func(ctx context.Context, params routeauth.Params, nth int) (string, error) {
			defer close(done)
			deadline, ok := ctx.Deadline()
			assert.True(t, ok)
			assert.Equal(t, 5*time.Second, time.Until(deadline))
			advance(time.Second)
			assert.NoError(t, ctx.Err())
			assert.Equal(t, "caller", ctx.Value(contextKey{}))
			return next(ctx, params, nth)
		}
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), contextKey{}, "caller"))
		_, err := cache.Token(ctx, nil)
		require.NoError(t, err)
		cancel()
		<-done
	})
}

// Rule 21: a refresh that brings nothing better leaves the token in use until
// its end, and is tried again at most once a second.
func TestCacheServesATokenToItsEndWhenItsRefreshFails(t *testing.T) {
	tests := []struct {
		name string
		next func(t *testing.T, first string) (string, error)
	}{
		{"an error", func(*testing.T, string) (string, error) { return "", errors.New("down") }},
		{"a panic", func(*testing.T, string) (string, error) { panic("down") }},
		{"no token", func(*testing.T, string) (string, error) { return "", nil }},
		{"an ill-formed token", func(*testing.T, string) (string, error) { return "two words", nil }},
		{"a token that cannot be kept", func(*testing.T, string) (string, error) { return "opaque", nil }},
		{"the same token", func(_ *testing.T, first string) (string, error) { return first, nil }},
		{"a token that ends sooner", func(t *testing.T, _ string) (string, error) {
			end := 946684860.0 // of the first token
			now := end - time.Until(time.Unix(int64(end), 0)).Seconds()
			return sign(t, jwt.MapClaims{"iat": now - 1, "exp": (now + end) / 2}), nil
		}},
	}
	for _, took := range []time.Duration{0, 100 * time.Millisecond, 1500 * time.Millisecond} {
		for _, test := range tests {
			t.Run(fmt.Sprintf("%s after %v", test.name, took), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					first := mint(t, "first", time.Now(), time.Now().Add(time.Minute))
					var asked []time.Time
					source := &countingSource{next: func(_ context.Context, _ routeauth.Params, nth int) (string, error) {
						if nth == 1 {
							return first, nil
						}
						asked = append(asked, time.Now())
						advance(took)
						return test.next(t, first)
					}}
					cache := newCache(t, source)
					end := time.Now().Add(time.Minute)
					tokenFor(t, cache, nil)
					const step = 37 * time.Millisecond // 999 ms are a multiple of it, and a second is none
					for advance(50*time.Second - 5*step); time.Now().Before(end); advance(step) {
						require.Equal(t, reply{first, nil, 0}, <-ask(t.Context(), cache, nil))
						synctest.Wait()
					}
					require.NotEmpty(t, asked)
					assert.Equal(t, 10*time.Second, end.Sub(asked[0]))
					assert.GreaterOrEqual(t, len(asked), 2, "it is tried again")
					for i := range asked[1:] {
						assert.GreaterOrEqual(t, asked[i+1].Sub(asked[i]), time.Second)
					}
					advance(2 * time.Second) // what is under way ends
				})
			})
		}
	}
}

// Rules 19 and 21: a source that keeps tokens too hands out the same one when
// it is asked again. That is no new life.
func TestCacheDoesNotProlongATokenThatItGetsAgain(t *testing.T) {
	for name, offset := range map[string]time.Duration{
		"the clock is right": 0,
		"the clock is slow":  24 * time.Hour,
		"the clock is fast":  -24 * time.Hour,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				iat := time.Now().Add(offset)
				first := mint(t, "first", iat, iat.Add(time.Minute))
				second := mint(t, "second", iat.Add(time.Minute), iat.Add(2*time.Minute))
				began := time.Now()
				source := &countingSource{next: func(context.Context, routeauth.Params, int) (string, error) {
					if time.Since(began) < time.Minute {
						return first, nil
					}
					return second, nil
				}}
				cache := newCache(t, source)
				for range 59 {
					require.Equal(t, first, tokenFor(t, cache, nil))
					synctest.Wait()
					advance(time.Second)
				}
				assert.Greater(t, source.count(), 1, "it was refreshed")
				advance(time.Second)
				assert.Equal(t, second, tokenFor(t, cache, nil), "the first one has ended")
			})
		})
	}
}

// Rule 19: what a source hands out has not expired, also where the cache thought
// so: a clock that is wrong is no reason to ask at every call.
func TestCacheKeepsATokenAgainThatItGetsAfterItsEnd(t *testing.T) {
	for name, offset := range map[string]time.Duration{
		"the clock runs into the exp": 0,
		"the clock is slow":           24 * time.Hour,
		"the clock is fast":           -24 * time.Hour,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				iat := time.Now().Add(offset)
				source := sourceOf(mint(t, "", iat, iat.Add(time.Minute)))
				cache := newCache(t, source, neverRefresh)
				tokenFor(t, cache, nil)
				advance(time.Minute)
				for range 10 {
					tokenFor(t, cache, nil)
				}
				assert.Equal(t, 2, source.count())
				advance(time.Minute)
				tokenFor(t, cache, nil)
				assert.Equal(t, 3, source.count())
			})
		})
	}
}

// Rule 21: who comes after the end, while the refresh is under way, waits for
// it and starts no other fetch.
func TestCacheJoinsTheRefreshAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := sourceLiving(t, time.Minute)
		cache := newCache(t, source)
		first := tokenFor(t, cache, nil)
		after(5*time.Second, source)
		advance(58 * time.Second)
		assert.Equal(t, first, tokenFor(t, cache, nil))
		advance(2 * time.Second)
		got := <-ask(t.Context(), cache, nil)
		assert.NotEqual(t, first, got.token)
		assert.Equal(t, 3*time.Second, got.at)
		assert.Equal(t, 2, source.count())
	})
}

// Rules 20 and 21: a refresh that hangs is given up after the fetch timeout.
func TestCacheGivesUpARefreshThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := sourceLiving(t, 10*time.Minute)
		cache := newCache(t, source, routeauth.WithRefreshBefore(time.Minute))
		first := tokenFor(t, cache, nil)
		next, release := source.next, make(chan struct{})
		source.next = func(ctx context.Context, params routeauth.Params, nth int) (string, error) {
			if nth == 2 {
				<-release
			}
			return next(ctx, params, nth)
		}
		advance(9 * time.Minute)
		assert.Equal(t, first, tokenFor(t, cache, nil))
		advance(30*time.Second - time.Nanosecond)
		assert.Equal(t, first, tokenFor(t, cache, nil))
		assert.Equal(t, 2, source.count())
		advance(time.Nanosecond)
		synctest.Wait()
		assert.Equal(t, first, tokenFor(t, cache, nil))
		synctest.Wait()
		assert.Equal(t, 3, source.count(), "the next caller starts a new one")
		second := tokenFor(t, cache, nil)
		assert.NotEqual(t, first, second)
		close(release)
		synctest.Wait()
		assert.Equal(t, second, tokenFor(t, cache, nil), "the late token is dropped")
	})
}

// Rule 22: over the limit the token goes that was not used for the longest
// time, and only that one.
func TestCacheDropsTheLeastRecentlyUsedToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = 8
		source := sourceLiving(t, time.Hour)
		cache := newCache(t, source, routeauth.WithMaxTokens(limit))
		for i := range limit {
			tokenFor(t, cache, user(i))
		}
		require.Equal(t, limit, source.count())
		order := []int{3, 1, 7, 5, 0, 2, 6, 4} // of the last use
		for _, i := range order {
			tokenFor(t, cache, user(i))
			tokenFor(t, cache, user(i))
		}
		require.Equal(t, limit, source.count(), "the limit itself is held")

		for n, dropped := range order {
			tokenFor(t, cache, user(100+n)) // one too many
			before := source.count()
			for _, i := range order[n+1:] { // in the same order, so that it stays
				tokenFor(t, cache, user(i))
			}
			for i := range n + 1 {
				tokenFor(t, cache, user(100+i))
			}
			require.Equal(t, before, source.count(), "another one than %d was dropped", dropped)
		}
		before := source.count()
		for _, i := range order {
			tokenFor(t, cache, user(i))
		}
		assert.Equal(t, before+limit, source.count(), "all the old ones are gone")
	})
}

// Rule 22: a token that was only fetched and never used again was used then.
func TestCacheCountsAFetchAsAUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := sourceLiving(t, time.Hour)
		cache := newCache(t, source, routeauth.WithMaxTokens(2))
		for i := range 50 {
			tokenFor(t, cache, user(i))
			before := source.count()
			tokenFor(t, cache, user(max(0, i-1)))
			tokenFor(t, cache, user(i))
			require.Equal(t, before, source.count(), "of the last two, one is gone")
		}
	})
}

// Rule 22: an expired token goes before one that is good, however long that was
// not used.
func TestCacheDropsExpiredTokensFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &countingSource{next: func(_ context.Context, params routeauth.Params, nth int) (string, error) {
			life := time.Hour
			if params["life"] == "short" {
				life = time.Second
			}
			return mint(t, strconv.Itoa(nth), time.Now(), time.Now().Add(life)), nil
		}}
		cache := newCache(t, source, routeauth.WithMaxTokens(8))
		for i := range 4 {
			tokenFor(t, cache, user(i))
		}
		for i := range 4 {
			tokenFor(t, cache, routeauth.Params{"life": "short", "n": strconv.Itoa(i)})
		}
		advance(time.Second)
		for i := range 4 {
			tokenFor(t, cache, user(10+i))
		}
		require.Equal(t, 12, source.count())
		for i := range 4 {
			tokenFor(t, cache, user(i))
			tokenFor(t, cache, user(10+i))
		}
		assert.Equal(t, 12, source.count(), "what was good is held")
	})
}

// Rule 22: whatever is used, whatever ends and whatever arrives, the cache holds
// exactly what it should. A list in order of the last use says what that is.
func TestCacheHoldsWhatAListInOrderOfUseHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type entry struct {
			user int
			end  time.Time
		}
		var list []entry // least recently used first
		const limit = 6
		source := &countingSource{next: func(_ context.Context, params routeauth.Params, nth int) (string, error) {
			life, _ := strconv.Atoi(params["life"])
			return mint(t, strconv.Itoa(nth), time.Now(), time.Now().Add(time.Duration(life)*time.Second)), nil
		}}
		cache := newCache(t, source, neverRefresh, routeauth.WithMaxTokens(limit))
		random := rand.New(rand.NewPCG(1, 2))
		for range 1000 {
			// Half of the calls are for the latest users.
			user := random.IntN(20)
			if recent := random.IntN(12); recent < len(list) {
				user = list[len(list)-1-recent].user
			}
			life := 1 + user%10*5
			want := source.count()
			at := slices.IndexFunc(list, func(e entry) bool { return e.user == user })
			used := entry{user, time.Now().Add(time.Duration(life) * time.Second)}
			if at >= 0 {
				if list[at].end.After(time.Now()) {
					used = list[at]
				} else {
					want++
				}
				list = slices.Delete(list, at, at+1)
			} else {
				want++
			}
			list = append(list, used)
			if len(list) > limit {
				list = slices.DeleteFunc(list, func(e entry) bool { return !e.end.After(time.Now()) })
			}
			if len(list) > limit {
				list = list[1:]
			}
			tokenFor(t, cache, routeauth.Params{"user": strconv.Itoa(user), "life": strconv.Itoa(life)})
			require.Equal(t, want, source.count())
			advance(time.Duration(random.IntN(2)) * time.Second)
		}
	})
}

// Rule 22: the default. It is named without the word by which the quick tests
// are run, as the next one is.
func TestByDefault1024TokensAreHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := sourceOf(mint(t, "", time.Now(), time.Now().Add(time.Hour)))
		cache := newCache(t, source)
		for range 2 {
			for i := range 1024 {
				tokenFor(t, cache, user(i))
			}
		}
		require.Equal(t, 1024, source.count())
		tokenFor(t, cache, user(1024))
		tokenFor(t, cache, user(0))
		assert.Equal(t, 1026, source.count(), "the oldest one is gone")
	})
}

// Rule 22: memory does not grow with the number of params that were asked for.
func TestAHundredThousandParamsTakeBoundedMemory(t *testing.T) {
	many := 100_000
	if withRaceDetector() || testing.Short() {
		many = 10_000
	}
	now := time.Now()
	source := sourceOf(mint(t, "", now, now.Add(time.Hour)))
	cache := newCache(t, source, routeauth.WithMaxTokens(1000))
	heap := func() uint64 {
		runtime.GC()
		runtime.GC() // what the first one found dead is free after the second
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	for i := range 1000 {
		tokenFor(t, cache, user(i))
	}
	full := heap()
	for i := range many {
		tokenFor(t, cache, user(1000+i))
	}
	// A thousand tokens with their keys take less than a megabyte.
	assert.Less(t, heap(), full+1<<20)
	require.Equal(t, 1000+many, source.count())
	for i := range 1000 {
		tokenFor(t, cache, user(many+i))
	}
	assert.Equal(t, 1000+many, source.count(), "the last thousand are held")
	runtime.KeepAlive(cache)
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
		return cache.Token(ctx, user(2))
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

		cache.Discard(user(1), other)
		cache.Discard(user(1), "")
		cache.Discard(user(1), "Bearer "+first)
		cache.Discard(user(3), first)
		cache.Discard(nil, first)
		assert.Equal(t, first, tokenFor(t, cache, user(1)))
		assert.Equal(t, 2, source.count())

		cache.Discard(user(1), first)
		second := tokenFor(t, cache, user(1))
		assert.NotEqual(t, first, second)
		assert.Equal(t, other, tokenFor(t, cache, user(2)))
		cache.Discard(user(1), first) // late
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
		assert.NotPanics(t, func() { cache.Discard(nil, "token") })
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
				token, err := cache.Token(t.Context(), params)
				if err == nil && i%10 == g {
					cache.Discard(params, token)
				}
			}
		})
	}
	callers.Wait()
}

// Rule 21: a third of the token's life, not of what was left when it arrived.
func TestCacheTakesTheLifeOfATokenFromItsClaims(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iat := time.Now().Add(-40 * time.Second)
		first := mint(t, "first", iat, iat.Add(time.Minute)) // 20 s are left
		source := &countingSource{next: func(_ context.Context, _ routeauth.Params, nth int) (string, error) {
			if nth == 1 {
				return first, nil
			}
			return mint(t, "next", time.Now(), time.Now().Add(time.Hour)), nil
		}}
		cache := newCache(t, source)
		tokenFor(t, cache, nil)
		advance(9 * time.Second)
		tokenFor(t, cache, nil)
		synctest.Wait()
		assert.Equal(t, 1, source.count(), "11 s are left")
		advance(time.Second)
		tokenFor(t, cache, nil)
		synctest.Wait()
		assert.Equal(t, 2, source.count(), "10 s are left")
	})
}

// Rule 21: a token that lives for a second is replaced in the background too,
// and one that arrives near its end is not asked for again at once.
func TestCacheRefreshesTokensThatLiveShortly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := sourceLiving(t, time.Second)
		cache := newCache(t, source)
		first := tokenFor(t, cache, nil)
		advance(700 * time.Millisecond)
		assert.Equal(t, first, tokenFor(t, cache, nil))
		synctest.Wait()
		assert.Equal(t, 2, source.count())
	})
	synctest.Test(t, func(t *testing.T) {
		iat := time.Now().Add(-55 * time.Second)
		old := mint(t, "old", iat, iat.Add(time.Minute))
		source := &countingSource{next: func(context.Context, routeauth.Params, int) (string, error) { return old, nil }}
		cache := newCache(t, source)
		for range 10 {
			tokenFor(t, cache, nil)
			synctest.Wait()
		}
		assert.Equal(t, 1, source.count())
		advance(time.Second)
		tokenFor(t, cache, nil)
		synctest.Wait()
		assert.Equal(t, 2, source.count())
	})
}
