package routeauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptrace"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/routeauth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Rule 20. The race detector allows no more than 8,128 goroutines.
func TestCacheMakesOneFetchForTenThousandCallers(t *testing.T) {
	t.Parallel()
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

				assert.Equal(t, reply{"", context.DeadlineExceeded, 0}, <-ask(t.Context(), cache, nil), "the source is left alone")
				advance(100 * time.Millisecond)
				third := ask(t.Context(), cache, nil)
				synctest.Wait()
				assert.Equal(t, 2, source.count(), "the next caller after the pause starts a new fetch")
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
				advance(100 * time.Millisecond)
				assert.Equal(t, token, tokenFor(t, cache, nil))
				assert.Equal(t, 2, source.count())
			})
		})
	}
}

// Rule 20: only so many fetches run at once. The others wait their turn, and
// have it in the order in which they came.
func TestCacheFetchesTakeTurns(t *testing.T) {
	for most, opts := range map[int][]routeauth.CacheOption{
		256: nil,
		3:   {routeauth.WithMaxFetches(3)},
		1:   {routeauth.WithMaxFetches(1)},
	} {
		t.Run(strconv.Itoa(most), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var running, atOnce atomic.Int64
				source := &tokenSource{next: func(context.Context, routeauth.Params, int) (routeauth.Token, error) {
					defer running.Add(-1)
					atOnce.Store(max(atOnce.Load(), running.Add(1)))
					advance(time.Second)
					return opaque("token", time.Hour), nil
				}}
				cache := newCache(t, source, opts...)
				var got []<-chan reply
				for i := range 2*most + 1 {
					got = append(got, ask(t.Context(), cache, user(i)))
					synctest.Wait()
				}
				assert.Equal(t, most, cache.Stats().Fetching)
				for i, got := range got {
					require.Equal(t, reply{"token", nil, time.Duration(1+i/most) * time.Second}, <-got)
				}
				assert.EqualValues(t, most, atOnce.Load())
				assert.Zero(t, cache.Stats().Fetching)
			})
		})
	}
}

// Rule 20: a caller waits for a turn as long as the context lets it, and takes
// nobody along. A fetch for which nobody waits any more does not take place.
func TestCacheDropsAFetchThatEverybodyLeftBeforeItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []string
		source := &tokenSource{next: func(_ context.Context, params routeauth.Params, _ int) (routeauth.Token, error) {
			asked = append(asked, params["user"])
			advance(10 * time.Second)
			return opaque("token", time.Hour), nil
		}}
		cache := newCache(t, source, routeauth.WithMaxFetches(1))
		first := ask(t.Context(), cache, user(1))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		left, shared, other := ask(ctx, cache, user(2)), ask(ctx, cache, user(3)), ask(t.Context(), cache, user(3))
		assert.Equal(t, reply{"", context.DeadlineExceeded, 2 * time.Second}, <-left)
		assert.Equal(t, reply{"", context.DeadlineExceeded, 2 * time.Second}, <-shared)
		assert.Equal(t, reply{"token", nil, 10 * time.Second}, <-first)
		assert.Equal(t, reply{"token", nil, 20 * time.Second}, <-other)
		assert.Equal(t, []string{"1", "3"}, asked)
		assert.Equal(t, "token", tokenFor(t, cache, user(2)), "who comes again is served")
	})
}

// Rule 20: the fetch timeout counts from a fetch's turn, and a source that
// ignores its context gives its place back when it has passed.
func TestCacheCountsTheFetchTimeoutFromTheTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		source := &tokenSource{next: func(_ context.Context, params routeauth.Params, _ int) (routeauth.Token, error) {
			if params["user"] == "1" {
				<-release
			} else {
				advance(29 * time.Second)
			}
			return opaque("token", time.Hour), nil
		}}
		cache := newCache(t, source, routeauth.WithMaxFetches(1))
		first := ask(t.Context(), cache, user(1))
		synctest.Wait()
		second := ask(t.Context(), cache, user(2))
		assert.Equal(t, reply{"", context.DeadlineExceeded, 30 * time.Second}, <-first)
		assert.Equal(t, reply{"token", nil, 59 * time.Second}, <-second)
		close(release)
		synctest.Wait()
		assert.Zero(t, cache.Stats().Fetching, "a late answer gives no second place back")
	})
}

// K7: of callers with params of their own who leave at once, 200,000 with -long,
// the source sees no more than it has places for.
func TestCacheMakesNoFetchesForCallersWhoLeft(t *testing.T) {
	t.Parallel()
	const together = 4_000 // the race detector allows no more than 8,128 goroutines
	callers := 5 * together
	if *long {
		callers = 200_000
	}
	synctest.Test(t, func(t *testing.T) {
		source := &tokenSource{next: func(ctx context.Context, _ routeauth.Params, _ int) (routeauth.Token, error) {
			<-ctx.Done()
			return routeauth.Token{}, ctx.Err()
		}}
		cache := newCache(t, source)
		for i := range callers / together {
			ctx, leave := context.WithCancel(t.Context())
			var waiting sync.WaitGroup
			for j := range together {
				waiting.Go(func() { _, _ = cache.Token(ctx, user(together*i+j)) })
			}
			synctest.Wait()
			leave()
			waiting.Wait()
		}
		assert.Equal(t, 256, cache.Stats().Fetching)
		advance(30 * time.Second)
		synctest.Wait()
		assert.Equal(t, 256, source.count())
		assert.Zero(t, cache.Stats().Fetching)
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
