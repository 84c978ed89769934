package routeauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/routeauth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Rule 21: before its end a token is served at once and replaced behind the
// caller's back, once, however many callers there are. The moment comes up to a
// tenth of the span before the end later, and never earlier.
func TestCacheReplacesATokenInTheBackgroundBeforeItsEnd(t *testing.T) {
	tests := []struct {
		name string
		opts []routeauth.CacheOption
		life time.Duration
		span time.Duration // before the end
	}{
		{"10 s by default", nil, time.Minute, 10 * time.Second},
		{"as the option says", []routeauth.CacheOption{routeauth.WithRefreshBefore(15 * time.Second)}, time.Minute, 15 * time.Second},
		{"a third of a short life", nil, 12 * time.Second, 4 * time.Second},
		{"a third of a long life", []routeauth.CacheOption{routeauth.WithRefreshBefore(time.Hour)}, time.Minute, 20 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := opaqueLiving(test.life)
				cache := newCache(t, source, test.opts...)
				assert.Equal(t, "1", tokenFor(t, cache, nil))
				next := source.next
				source.next = func(ctx context.Context, params routeauth.Params, nth int) (routeauth.Token, error) {
					advance(time.Second)
					return next(ctx, params, nth)
				}

				advance(test.life - test.span - 1)
				assert.Equal(t, "1", tokenFor(t, cache, nil))
				synctest.Wait()
				assert.Equal(t, 1, source.count(), "too early")
				advance(1 + test.span/10)
				for range 100 {
					require.Equal(t, reply{"1", nil, 0}, <-ask(t.Context(), cache, nil), "nobody waits")
				}
				advance(time.Second - 1)
				assert.Equal(t, "1", tokenFor(t, cache, nil))
				assert.Equal(t, 2, source.count(), "one fetch")

				advance(1)
				synctest.Wait()
				assert.Equal(t, "2", tokenFor(t, cache, nil))
				advance(test.span) // and so past the end of the first
				assert.Equal(t, "2", tokenFor(t, cache, nil))
				synctest.Wait()
				assert.Equal(t, 2, source.count())
			})
		})
	}
}

// Rule 21: caches that got their tokens at the same moment replace them at
// moments of their own.
func TestCachesDoNotReplaceTheirTokensTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := opaqueLiving(time.Minute)
		caches := make([]*routeauth.TokenCache, 100)
		for i := range caches {
			caches[i] = newCache(t, source)
			tokenFor(t, caches[i], nil)
		}
		advance(50 * time.Second)
		var each []int
		for range 10 {
			before := source.count()
			advance(100 * time.Millisecond)
			for _, cache := range caches {
				tokenFor(t, cache, nil)
			}
			synctest.Wait()
			each = append(each, source.count()-before)
		}
		assert.Equal(t, 200, source.count())
		assert.Less(t, slices.Max(each), 30, "of 100, in a tenth of the second: %v", each)
	})
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
		cache := newCache(t, source, neverRefresh, toTheEnd)
		tokenFor(t, cache, nil)
		advance(time.Minute - time.Nanosecond)
		tokenFor(t, cache, nil)
		synctest.Wait()
		assert.Equal(t, 1, source.count())
	})
}

// K1, rule 21: a token with a second left is not sent with a request that takes
// two. A caller who comes in these last moments waits for the next token.
func TestCacheSendsNoTokenThatEndsOnItsWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ends sync.Map // by token
		source := &tokenSource{next: func(_ context.Context, _ routeauth.Params, nth int) (routeauth.Token, error) {
			advance(100 * time.Millisecond)
			token := opaque(routeauth.Secret(strconv.Itoa(nth)), time.Minute)
			ends.Store("Bearer "+string(token.Value), token.Expiry)
			return token, nil
		}}
		api := &base{respond: func(req *http.Request, _ int) (*http.Response, error) {
			advance(2 * time.Second) // while the body is uploaded
			if end, _ := ends.Load(req.Header.Get("Authorization")); !time.Now().Before(end.(time.Time)) {
				return answer(req, http.StatusUnauthorized, ""), nil
			}
			return answer(req, http.StatusOK, ""), nil
		}}
		transport := newJWTTransport(t, newCache(t, source), api)
		for _, pause := range []time.Duration{0, 57 * time.Second} {
			advance(pause)
			stream := newRequest(t, http.MethodPost, endpoint, "")
			stream.Body = newTrackedBody("a body that cannot be had again")
			_, err := transport.RoundTrip(stream)
			assert.NoError(t, err)
		}
		assert.Len(t, api.sent(), 2)
	})
}

// Rule 21: in the last moments of a token's life, of which there are few if it
// is short, a caller waits for the next one, also where nothing is replaced in
// the background.
func TestCacheWaitsForANewTokenInTheLastMoments(t *testing.T) {
	tests := []struct {
		name string
		opts []routeauth.CacheOption
		life time.Duration
		last time.Duration
	}{
		{"a second by default", nil, time.Minute, time.Second},
		{"as the option says", []routeauth.CacheOption{routeauth.WithMinRemaining(3 * time.Second)}, time.Minute, 3 * time.Second},
		{"a tenth of a short life", nil, 4 * time.Second, 400 * time.Millisecond},
		{"a tenth of any life", []routeauth.CacheOption{routeauth.WithMinRemaining(time.Hour)}, time.Minute, 6 * time.Second},
		{"without refresh", []routeauth.CacheOption{neverRefresh}, time.Minute, time.Second},
	}
	for _, test := range tests {
		for _, at := range []time.Duration{0, test.last / 2, test.last - 1} { // after they began
			t.Run(fmt.Sprintf("%s, after %v", test.name, at), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					source := opaqueLiving(test.life)
					cache := newCache(t, source, append(test.opts, neverRefresh)...)
					tokenFor(t, cache, nil)
					next := source.next
					source.next = func(ctx context.Context, params routeauth.Params, nth int) (routeauth.Token, error) {
						advance(2 * time.Second) // past the end, too
						return next(ctx, params, nth)
					}
					advance(test.life - test.last - 1)
					assert.Equal(t, reply{"1", nil, 0}, <-ask(t.Context(), cache, nil))
					advance(1 + at)
					assert.Equal(t, reply{"2", nil, 2 * time.Second}, <-ask(t.Context(), cache, nil))
					assert.Equal(t, 2, source.count())
				})
			})
		}
	}
}

// Rule 21: where no new token can be had, the old one is served until its end,
// and not after it.
func TestCacheServesATokenInItsLastMomentsForWantOfAnother(t *testing.T) {
	for name, takes := range map[string]time.Duration{"while it lives": 500 * time.Millisecond, "after its end": time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				down := errors.New("down")
				source := &tokenSource{next: func(_ context.Context, _ routeauth.Params, nth int) (routeauth.Token, error) {
					if nth == 1 {
						return opaque("1", time.Minute), nil
					}
					advance(takes)
					return routeauth.Token{}, down
				}}
				cache := newCache(t, source, neverRefresh)
				tokenFor(t, cache, nil)
				advance(59 * time.Second)
				got := <-ask(t.Context(), cache, nil)
				if takes == time.Second {
					assert.Equal(t, reply{"", down, takes}, got)
					return
				}
				assert.Equal(t, reply{"1", nil, takes}, got)
				assert.Equal(t, reply{"1", nil, 0}, <-ask(t.Context(), cache, nil), "the source is left alone")
				assert.Equal(t, uint64(2), cache.Stats().Hits)
				advance(500*time.Millisecond - 1)
				cache.Discard(t.Context(), nil, "another")
				assert.Equal(t, 2, source.count())
			})
		})
	}
}

// Rules 20 and 21: a refresh has the values of the caller who set it off and
// the fetch timeout, but not that caller's cancellation.
func TestCacheReplacesATokenWithTheCallersValues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := sourceLiving(t, time.Minute)
		cache := newCache(t, source, routeauth.WithFetchTimeout(5*time.Second))
		tokenFor(t, cache, nil)
		advance(51 * time.Second)

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

// Rules 20 and 21: a refresh that hangs is given up after the fetch timeout, and
// then tried again.
func TestCacheGivesUpARefreshThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		source := &tokenSource{next: func(_ context.Context, _ routeauth.Params, nth int) (routeauth.Token, error) {
			if nth == 2 {
				<-release
			}
			return opaque(routeauth.Secret(strconv.Itoa(nth)), 10*time.Minute), nil
		}}
		cache := newCache(t, source, routeauth.WithRefreshBefore(time.Minute))
		tokenFor(t, cache, nil)
		advance(9*time.Minute + 6*time.Second)
		assert.Equal(t, "1", tokenFor(t, cache, nil))
		advance(30*time.Second - 1)
		assert.Equal(t, "1", tokenFor(t, cache, nil))
		assert.Equal(t, 2, source.count())
		advance(1)
		synctest.Wait()
		assert.Equal(t, "1", tokenFor(t, cache, nil))
		assert.Equal(t, 2, source.count(), "it is left alone for a while")
		advance(100 * time.Millisecond)
		assert.Equal(t, "1", tokenFor(t, cache, nil))
		synctest.Wait()
		assert.Equal(t, "3", tokenFor(t, cache, nil))
		close(release)
		synctest.Wait()
		assert.Equal(t, "3", tokenFor(t, cache, nil), "the late token is dropped")
		assert.Equal(t, 3, source.count())
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
		advance(2 * time.Second)
		tokenFor(t, cache, nil)
		synctest.Wait()
		assert.Equal(t, 2, source.count(), "9 s are left, and a third of 20 is less")
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
		advance(100 * time.Millisecond)
		tokenFor(t, cache, nil)
		synctest.Wait()
		assert.Equal(t, 2, source.count())
	})
}
