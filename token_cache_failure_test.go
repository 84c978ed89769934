package routeauth_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"example.com/routeauth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// failing returns a source that fails each time with err.
func failing(err error) *tokenSource {
	return &tokenSource{next: func(context.Context, routeauth.Params, int) (routeauth.Token, error) {
		return routeauth.Token{}, err
	}}
}

// fetchTimes asks a cache once a millisecond until the end, and returns when its
// source was asked, counted from now.
func fetchTimes(t testing.TB, cache *routeauth.TokenCache, source *tokenSource, until time.Duration) (asked []time.Duration) {
	began, next := time.Now(), source.next
	source.next = func(ctx context.Context, params routeauth.Params, nth int) (routeauth.Token, error) {
		asked = append(asked, time.Since(began))
		return next(ctx, params, nth)
	}
	for time.Since(began) < until {
		_, _ = cache.Token(t.Context(), nil)
		synctest.Wait()
		advance(time.Millisecond)
	}
	return asked
}

// assertPauses checks pauses between calls, which come up to a fifth early.
func assertPauses(t testing.TB, want, asked []time.Duration) {
	t.Helper()
	if !assert.GreaterOrEqual(t, len(asked), len(want)+1) {
		return
	}
	for i, want := range want {
		pause := asked[i+1] - asked[i]
		assert.GreaterOrEqual(t, pause, want*4/5, "pause %d", i+1)
		assert.LessOrEqual(t, pause, want+time.Millisecond, "pause %d", i+1)
	}
}

// K2, rule 23: a source that is down is asked about ten times in ten seconds, and
// not by each of a thousand requests. They get its last error, at once.
func TestCacheAsksASourceThatIsDownTenTimesNotAThousand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &tokenSource{next: func(_ context.Context, _ routeauth.Params, nth int) (routeauth.Token, error) {
			return routeauth.Token{}, fmt.Errorf("failure %d", nth)
		}}
		cache := newCache(t, source)
		for range 1000 {
			got := <-ask(t.Context(), cache, nil)
			require.Equal(t, reply{"", fmt.Errorf("failure %d", source.count()), 0}, got)
			advance(10 * time.Millisecond)
		}
		assert.GreaterOrEqual(t, source.count(), 7)
		assert.LessOrEqual(t, source.count(), 12)
	})
}

// Rule 23: the pauses.
func TestCacheLeavesASourceThatFailsAlone(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	tests := []struct {
		name string
		opts []routeauth.CacheOption
		want []time.Duration
	}{
		{"by default", nil, []time.Duration{100 * ms, 200 * ms, 400 * ms, 800 * ms, 1600 * ms, 3200 * ms, 5000 * ms, 5000 * ms}},
		{"up to the option", []routeauth.CacheOption{routeauth.WithFailurePause(300 * ms)}, []time.Duration{100 * ms, 200 * ms, 300 * ms, 300 * ms}},
		{"never for longer", []routeauth.CacheOption{routeauth.WithFailurePause(20 * ms)}, []time.Duration{20 * ms, 20 * ms, 20 * ms}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := failing(errors.New("down"))
				cache := newCache(t, source, test.opts...)
				assertPauses(t, test.want, fetchTimes(t, cache, source, 17*time.Second))
			})
		})
	}
}

// Rule 23: 0 is no pause.
func TestCacheWithoutAPauseAsksEachTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := failing(asksFor(time.Minute))
		cache := newCache(t, source, routeauth.WithFailurePause(0))
		for range 10 {
			_, err := cache.Token(t.Context(), nil)
			assert.Equal(t, asksFor(time.Minute), err)
		}
		assert.Equal(t, 10, source.count())
	})
}

// asksFor is an error that says for how long to leave its source alone.
type asksFor time.Duration

func (asksFor) Error() string               { return "busy" }
func (a asksFor) RetryAfter() time.Duration { return time.Duration(a) }

// panicking is an error whose method panics.
type panicking struct{ error }

func (panicking) RetryAfter() time.Duration { panic("no") }

// Rule 23: a source that says for how long to leave it alone is left alone for
// exactly that long, a minute at most.
func TestCacheWaitsAsLongAsTheSourceAsks(t *testing.T) {
	down := errors.New("down")
	tests := []struct {
		name string
		err  error
		want []time.Duration
	}{
		{"an EndpointError", &routeauth.EndpointError{StatusCode: 429, RetryAfter: 7 * time.Second}, []time.Duration{7e9, 7e9}},
		{"deep inside", fmt.Errorf("a: %w", errors.Join(down, &routeauth.EndpointError{RetryAfter: 7 * time.Second})), []time.Duration{7e9, 7e9}},
		{"a method", asksFor(1700 * time.Millisecond), []time.Duration{1.7e9, 1.7e9}},
		{"a wrapped method", fmt.Errorf("a: %w", asksFor(time.Millisecond)), []time.Duration{1e6, 1e6, 1e6, 1e6}},
		{"the longest of several", errors.Join(asksFor(1e9), asksFor(3e9), asksFor(2e9)), []time.Duration{3e9, 3e9}},
		{"a minute at most", asksFor(time.Hour), []time.Duration{60e9, 60e9}},
		{"no more than a minute", asksFor(math.MaxInt64), []time.Duration{60e9, 60e9}},
		{"nothing", asksFor(0), nil},
		{"less than nothing", asksFor(-time.Hour), nil},
		{"an EndpointError that does not", &routeauth.EndpointError{StatusCode: 500}, nil},
		{"a nil EndpointError", fmt.Errorf("a: %w", (*routeauth.EndpointError)(nil)), nil},
		{"a method that panics", panicking{down}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := failing(test.err)
				cache := newCache(t, source)
				if test.want == nil {
					assertPauses(t, []time.Duration{100e6, 200e6, 400e6}, fetchTimes(t, cache, source, time.Second))
					return
				}
				for i, want := range test.want {
					for range 2 {
						_, err := cache.Token(t.Context(), nil)
						assert.Equal(t, test.err, err)
					}
					advance(want - 1)
					_, err := cache.Token(t.Context(), nil)
					assert.Equal(t, test.err, err)
					assert.Equal(t, i+1, source.count(), "too early")
					advance(1)
				}
				_, _ = cache.Token(t.Context(), nil)
				assert.Equal(t, len(test.want)+1, source.count())
			})
		})
	}
}

// Rule 23: a pause is one key's own, and over with the first token.
func TestCachePausesForOneKeyUntilItHasAToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := true
		source := &tokenSource{next: func(_ context.Context, params routeauth.Params, _ int) (routeauth.Token, error) {
			if down && params["user"] == "1" {
				return routeauth.Token{}, errors.New("down")
			}
			return opaque("token", 2*time.Second), nil
		}}
		cache := newCache(t, source, neverRefresh, toTheEnd)
		for _, pause := range []time.Duration{100e6, 200e6, 400e6} {
			_, err := cache.Token(t.Context(), user(1))
			require.Error(t, err)
			advance(pause)
		}
		assert.Equal(t, "token", tokenFor(t, cache, user(2)))
		down = false
		assert.Equal(t, "token", tokenFor(t, cache, user(1)))
		advance(2 * time.Second)
		down = true
		before := source.count()
		for range 3 {
			_, err := cache.Token(t.Context(), user(1))
			require.Error(t, err)
		}
		assert.Equal(t, before+1, source.count())
		advance(100 * time.Millisecond)
		_, err := cache.Token(t.Context(), user(1))
		require.Error(t, err)
		assert.Equal(t, before+2, source.count(), "the first pause again")
	})
}

// Rule 23: as many failures are remembered as tokens are held at most.
func TestCacheRemembersALimitedNumberOfFailures(t *testing.T) {
	for limit, opts := range map[int][]routeauth.CacheOption{
		1024: nil,
		4:    {routeauth.WithMaxTokens(4)},
	} {
		synctest.Test(t, func(t *testing.T) {
			source := failing(errors.New("down"))
			cache := newCache(t, source, opts...)
			for i := range limit + 1 {
				_, _ = cache.Token(t.Context(), user(i))
			}
			for i := limit; i > 0; i-- {
				_, _ = cache.Token(t.Context(), user(i))
			}
			assert.Equal(t, limit+1, source.count(), "the latest are remembered")
			_, _ = cache.Token(t.Context(), user(0))
			assert.Equal(t, limit+2, source.count(), "the first one is forgotten")
		})
	}
}

// Rules 21 and 23: a refresh that fails is tried again after the same pauses, and
// the token is served meanwhile, also in its last moments. What a source returns
// instead of a better token is a failure too.
func TestCacheRefreshesAgainAfterTheSamePauses(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	for name, answer := range map[string]func(first routeauth.Token) (routeauth.Token, error){
		"an error":                    func(routeauth.Token) (routeauth.Token, error) { return routeauth.Token{}, errors.New("down") },
		"a panic":                     func(routeauth.Token) (routeauth.Token, error) { panic("down") },
		"no token":                    func(routeauth.Token) (routeauth.Token, error) { return routeauth.Token{}, nil },
		"an ill-formed token":         func(routeauth.Token) (routeauth.Token, error) { return opaque("two words", time.Hour), nil },
		"the same token":              func(first routeauth.Token) (routeauth.Token, error) { return first, nil },
		"the same, said to be longer": func(first routeauth.Token) (routeauth.Token, error) { return opaque(first.Value, time.Hour), nil },
		"one that ends when it does":  func(first routeauth.Token) (routeauth.Token, error) { first.Value += "2"; return first, nil },
		"one that ends sooner":        func(routeauth.Token) (routeauth.Token, error) { return opaque("2", 10*ms), nil },
		"one that has no end":         func(routeauth.Token) (routeauth.Token, error) { return routeauth.Token{Value: "2"}, nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				first := opaque("1", time.Minute)
				source := &tokenSource{next: func(_ context.Context, _ routeauth.Params, nth int) (routeauth.Token, error) {
					if nth == 1 {
						return first, nil
					}
					return answer(first)
				}}
				cache := newCache(t, source)
				tokenFor(t, cache, nil)
				advance(51*time.Second - ms)
				served := 0
				var asked []time.Duration
				next, began := source.next, time.Now()
				source.next = func(ctx context.Context, params routeauth.Params, nth int) (routeauth.Token, error) {
					asked = append(asked, time.Since(began))
					return next(ctx, params, nth)
				}
				for time.Until(first.Expiry) > 0 {
					if got := <-ask(t.Context(), cache, nil); got != (reply{"1", nil, 0}) {
						require.Equal(t, reply{"1", nil, 0}, got, "%v before the end", time.Until(first.Expiry))
					}
					synctest.Wait()
					served++
					advance(ms)
				}
				assert.Equal(t, 9001, served)
				assertPauses(t, []time.Duration{100 * ms, 200 * ms, 400 * ms, 800 * ms, 1600 * ms}, asked)
				assert.LessOrEqual(t, len(asked), 9)
			})
		})
	}
}
