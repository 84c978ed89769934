package routeauth_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/routeauth"
	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

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
