package routeauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/routeauth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// store is a Discarder that is not of this package. It keeps a token until it is
// told to discard it, and says nothing of whether it had it.
type store struct {
	mu     sync.Mutex
	nth    int
	events []string
}

func (s *store) Token(context.Context, routeauth.Params) (routeauth.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, fmt.Sprint("asked ", s.nth))
	return opaque(routeauth.Secret(fmt.Sprint("stored", s.nth)), time.Hour), nil
}

func (s *store) Discard(ctx context.Context, params routeauth.Params, rejected routeauth.Secret) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, fmt.Sprint("told ", string(rejected), " ", routeauth.IdentityFromContext(ctx), " ", params["user"]))
	clear(params) // which are its own
	if string(rejected) == fmt.Sprint("stored", s.nth) {
		s.nth++
	}
}

// decorator passes everything on, as one that counts or logs does.
type decorator struct{ routeauth.Discarder }

func (d decorator) Token(ctx context.Context, params routeauth.Params) (routeauth.Token, error) {
	return d.Discarder.Token(ctx, params)
}

// sendsOf returns the tokens that a transport sends with one request, of which
// the first is rejected.
func sendsOf(t testing.TB, source routeauth.TokenSource) []string {
	b := &base{respond: func(req *http.Request, nth int) (*http.Response, error) {
		if nth == 1 {
			return answer(req, http.StatusUnauthorized, ""), nil
		}
		return answer(req, http.StatusOK, ""), nil
	}}
	_, err := newJWTTransport(t, source, b).RoundTrip(newRequest(t, http.MethodPost, endpoint, "body"))
	sent := tokensOf(b)
	require.Equal(t, len(sent) == 2, err == nil)
	return sent
}

// Rule 24: Discard drops the token that it is given, for the params and the
// identity that it is given.
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
		cache.Discard(as(t, "alice"), user(1), routeauth.Secret(first))
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

// K4: behind a decorator, too, a revoked token is replaced and not served for
// ever.
func TestATokenIsReplacedBehindADecorator(t *testing.T) {
	cache := newCache(t, opaqueLiving(time.Hour))
	source := decorator{decorator{cache}}
	tokenFor(t, cache, nil)
	assert.Equal(t, []string{"1", "2"}, sendsOf(t, source))
	assert.Equal(t, "2", tokenFor(t, cache, nil))
}

// Rule 24: a request is sent once more where its token was there before the
// request, as the mark says that travels with it. A token of somebody else's
// Discarder, which has no mark, may have been there.
func TestTheMarkOfATokenTravelsWithIt(t *testing.T) {
	cacheOver := func(t *testing.T, source routeauth.TokenSource) *routeauth.TokenCache { return newCache(t, source) }
	held := func(t *testing.T, source routeauth.TokenSource) *routeauth.TokenCache {
		cache := cacheOver(t, source)
		tokenFor(t, cache, nil)
		return cache
	}
	for name, test := range map[string]struct {
		source func(t *testing.T) routeauth.TokenSource
		again  bool
	}{
		"fetched just now": {func(t *testing.T) routeauth.TokenSource { return cacheOver(t, opaqueLiving(time.Hour)) }, false},
		"held":             {func(t *testing.T) routeauth.TokenSource { return held(t, opaqueLiving(time.Hour)) }, true},
		"fetched just now, behind a decorator": {func(t *testing.T) routeauth.TokenSource {
			return decorator{cacheOver(t, opaqueLiving(time.Hour))}
		}, false},
		"held, behind a decorator": {func(t *testing.T) routeauth.TokenSource {
			return decorator{held(t, opaqueLiving(time.Hour))}
		}, true},
		"held, behind what cannot discard": {func(t *testing.T) routeauth.TokenSource {
			return routeauth.TokenSourceFunc(held(t, opaqueLiving(time.Hour)).Token)
		}, false},
		"of a store":                     {func(t *testing.T) routeauth.TokenSource { return &store{} }, true},
		"fetched just now from a store":  {func(t *testing.T) routeauth.TokenSource { return cacheOver(t, &store{}) }, true},
		"of a store, behind a decorator": {func(t *testing.T) routeauth.TokenSource { return decorator{&store{}} }, true},
		"fetched just now by two caches": {func(t *testing.T) routeauth.TokenSource {
			return cacheOver(t, cacheOver(t, opaqueLiving(time.Hour)))
		}, false},
		"held by the cache below": {func(t *testing.T) routeauth.TokenSource {
			return cacheOver(t, held(t, opaqueLiving(time.Hour)))
		}, true},
		"held by the cache below a decorator": {func(t *testing.T) routeauth.TokenSource {
			return cacheOver(t, decorator{held(t, opaqueLiving(time.Hour))})
		}, true},
		"held by both caches": {func(t *testing.T) routeauth.TokenSource {
			return held(t, cacheOver(t, opaqueLiving(time.Hour)))
		}, true},
		"held by the cache below what cannot discard": {func(t *testing.T) routeauth.TokenSource {
			return cacheOver(t, routeauth.TokenSourceFunc(held(t, opaqueLiving(time.Hour)).Token))
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			sent := sendsOf(t, test.source(t))
			if test.again {
				require.Len(t, sent, 2)
				assert.NotEqual(t, sent[0], sent[1])
				return
			}
			assert.Len(t, sent, 1)
		})
	}
}

// Rule 24: the source is told first, with the caller's identity and params, so
// that it does not return the rejected token once more.
func TestCacheTellsItsSourceWhatWasRejected(t *testing.T) {
	source := &store{}
	cache := newCache(t, source)
	params := user(1)
	ctx := as(t, "alice")
	token := func() string {
		token, err := text(cache.Token(ctx, params))
		require.NoError(t, err)
		return token
	}
	assert.Equal(t, "stored0", token())
	cache.Discard(ctx, params, "stored0")
	assert.Equal(t, "stored1", token())
	assert.Equal(t, []string{"asked 0", "told stored0 alice 1", "asked 1"}, source.events)
	assert.Equal(t, user(1), params, "the source has a copy")

	cache.Discard(ctx, params, "stored0")
	cache.Discard(ctx, params, "")
	assert.Len(t, source.events, 3, "another token is held")

	cache.Discard(ctx, nil, "stored9")
	assert.Equal(t, "told stored9 alice ", source.events[3], "no other token is held")
}

// Rule 24: also where the token that is held in its place has ended.
func TestCacheTellsItsSourceWhereItHoldsNoTokenThatLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &store{}
		cache := newCache(t, source)
		tokenFor(t, cache, nil)
		advance(time.Hour)
		cache.Discard(t.Context(), routeauth.Params{}, "another")
		assert.Equal(t, []string{"asked 0", "told another  "}, source.events)
	})
}

// Rule 24: a fetch that is under way when a token is rejected, and then brings
// it, asks the source once more. Nobody gets the rejected token.
func TestAFetchUnderWayAsksOnceMoreForARejectedToken(t *testing.T) {
	for name, test := range map[string]struct {
		second string
		want   reply
	}{
		"another token": {"new", reply{"new", nil, 2 * time.Second}},
		"the same":      {"rejected", reply{"", errors.New("the token source returned a token that was rejected"), 2 * time.Second}},
		"it fails":      {"", reply{"", errors.New("down"), 2 * time.Second}},
	} {
		for _, background := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", background ", background), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					values := []string{"first", "rejected", test.second, "last"}
					source := &tokenSource{next: func(_ context.Context, _ routeauth.Params, nth int) (routeauth.Token, error) {
						if nth > 1 {
							advance(time.Second)
						}
						if values[nth-1] == "" {
							return routeauth.Token{}, errors.New("down")
						}
						return opaque(routeauth.Secret(values[nth-1]), time.Minute), nil
					}}
					cache := newCache(t, source)
					tokenFor(t, cache, nil)
					if background {
						advance(58 * time.Second)
						assert.Equal(t, "first", tokenFor(t, cache, nil))
						cache.Discard(t.Context(), nil, "first")
					} else {
						advance(time.Minute)
					}
					one, other := ask(t.Context(), cache, nil), ask(t.Context(), cache, nil)
					advance(time.Second - 1)
					cache.Discard(t.Context(), nil, "rejected")
					for _, got := range []<-chan reply{one, other} {
						assert.Equal(t, test.want, <-got)
					}
					assert.Equal(t, 3, source.count())
					advance(100 * time.Millisecond)
					if test.want.err != nil {
						assert.Equal(t, "last", tokenFor(t, cache, nil), "it is asked anew after the pause")
					} else {
						assert.Equal(t, "new", tokenFor(t, cache, nil))
					}
				})
			})
		}
	}
}

// Rules 20 and 24: both calls together take no longer than the fetch timeout.
func TestAFetchThatAsksOnceMoreHasOneTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := after(20*time.Second, sourceOf("rejected"))
		cache := newCache(t, source)
		got := ask(t.Context(), cache, nil)
		synctest.Wait()
		cache.Discard(t.Context(), nil, "rejected")
		assert.Equal(t, reply{"", context.DeadlineExceeded, 30 * time.Second}, <-got)
		advance(time.Minute)
		assert.Equal(t, 2, source.count())
		assert.Equal(t, routeauth.CacheStats{Fetches: 2, Failures: 1}, cache.Stats())
	})
}

// Rule 24: a token that is rejected while its successor is fetched is discarded,
// and the successor is everybody's.
func TestADiscardDoesNotDisturbTheRefreshUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &tokenSource{next: func(_ context.Context, _ routeauth.Params, nth int) (routeauth.Token, error) {
			if nth > 1 {
				advance(time.Second)
			}
			return opaque(routeauth.Secret(strconv.Itoa(nth)), time.Minute), nil
		}}
		cache := newCache(t, source)
		tokenFor(t, cache, nil)
		advance(55 * time.Second)
		tokenFor(t, cache, nil)
		synctest.Wait()
		cache.Discard(t.Context(), nil, "1")
		assert.Equal(t, reply{"2", nil, time.Second}, <-ask(t.Context(), cache, nil))
		assert.Equal(t, 2, source.count())
	})
}
