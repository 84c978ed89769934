package tokencache

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// source is asked for tokens and counts how often.
type source struct {
	answer func(ctx context.Context, asked Params, nth int) (Token, error)
	calls  atomic.Int64
}

func (s *source) token(ctx context.Context, asked Params) (Token, error) {
	return s.answer(ctx, asked, int(s.calls.Add(1)))
}

// living is a source of opaque tokens that live for life, no two of them alike.
func living(life time.Duration) *source {
	return &source{answer: func(_ context.Context, _ Params, nth int) (Token, error) {
		return Token{Value: strconv.Itoa(nth), Expiry: time.Now().Add(life)}, nil
	}}
}

// newCache returns a cache with the defaults of a TokenCache.
func newCache(s *source, change ...func(*Config)) *Cache {
	config := Config{
		Source: s.token, Prefix: "Bearer ",
		RefreshBefore: 10 * time.Second, MinRemaining: time.Second,
		FetchTimeout: 30 * time.Second, FailurePause: 5 * time.Second,
		MaxFetches: 256, MaxTokens: 1024,
		RetryAfter: func(error) time.Duration { return 0 },
	}
	for _, f := range change {
		f(&config)
	}
	return New(config)
}

// get returns the token for key.
func get(t testing.TB, c *Cache, key string) Cached {
	t.Helper()
	token, err := c.Get(t.Context(), []byte(key), nil)
	require.NoError(t, err)
	return token
}

// advance lets time pass in a synctest bubble.
func advance(d time.Duration) { <-time.After(d) }

// Rule 23: the lock is held while nothing of somebody else's runs. Whatever a
// cache calls may use the cache.
func TestTheCacheCanBeUsedByWhatItCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c *Cache
		use := func() {
			c.Stats()
			get(t, c, "other")
			c.Discard(t.Context(), []byte("third"), nil, "unknown")
		}
		s := &source{answer: func(_ context.Context, asked Params, nth int) (Token, error) {
			switch {
			case asked == nil:
				return Token{Value: "other", Expiry: time.Now().Add(time.Hour)}, nil
			case nth%2 == 0:
				return Token{}, context.Canceled
			}
			use()
			return Token{Value: strconv.Itoa(nth), Expiry: time.Now().Add(time.Minute)}, nil
		}}
		c = newCache(s, func(config *Config) {
			config.RetryAfter = func(error) time.Duration { use(); return 0 }
			config.Fetched = func(context.Context, Fetched) {
				if c.Stats().Tokens > 0 { // or it would wait for itself
					use()
				}
			}
			config.Discard = func(context.Context, Params, string) { c.Stats() }
		})
		get(t, c, "other")
		for range 10 {
			_, _ = c.Get(t.Context(), []byte("key"), Params{"a": "b"})
			advance(55 * time.Second)
		}
		assert.NotZero(t, c.Stats().Fetches)
	})
}

// Rule 20: who finds a token under the lock, where there was none before, starts
// no fetch.
func TestATokenThatArrivedInTheMeantimeIsReturned(t *testing.T) {
	s := living(time.Hour)
	c := newCache(s)
	get(t, c, "key")
	token, err := c.wait(t.Context(), "key", nil)
	require.NoError(t, err)
	assert.Equal(t, "1", token.Value())
	assert.True(t, token.Held)
	assert.EqualValues(t, 1, s.calls.Load())
}

// Rules 21 and 23: while a token is replaced, a hit need not look whether it is.
func TestARefreshUnderWayIsNotDueAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache(living(time.Minute))
		e := get(t, c, "key").Entry
		hangs, release := hanging()
		c.config.Source = hangs.token
		advance(55 * time.Second)
		due := func() bool { return e.refreshDue(e.ttl(time.Now()), time.Now()) }
		assert.True(t, due())
		get(t, c, "key")
		assert.False(t, due())
		advance(3 * time.Second)
		assert.False(t, due())
		release()
	})
}

// Rules 20 and 21: a fetch that a caller started is the refresh, too. It takes a
// clock that was set back to come to that.
func TestARefreshJoinsAFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache(living(time.Minute))
		e := get(t, c, "key").Entry
		hangs, release := hanging()
		c.config.Source = hangs.token
		advance(55 * time.Second)
		_, _, err := c.join(t.Context(), "other", nil)
		require.NoError(t, err)
		c.fetches["key"] = c.fetches["other"]
		c.refresh(t.Context(), "key", nil, e)
		synctest.Wait()
		assert.EqualValues(t, 1, hangs.calls.Load())
		release()
	})
}

func TestACounterCountsWhatManyCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c counter
		for range 100 {
			go func() {
				for range 100 {
					c.add(time.Now())
				}
			}()
		}
		synctest.Wait()
		assert.EqualValues(t, 10_000, c.load())
	})
}

// Rule 23: callers for the token that was used last wait for no lock.
func TestATokenThatIsAskedForAgainTakesNoLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cache := newCache(living(time.Hour))
		first := get(t, cache, "a")
		get(t, cache, "a")
		cache.mu.Lock()
		assert.Equal(t, first.Value(), get(t, cache, "a").Value())
		cache.mu.Unlock()

		cache.Discard(t.Context(), []byte("a"), nil, first.Value())
		assert.NotEqual(t, first.Value(), get(t, cache, "a").Value())
		assert.NotEqual(t, get(t, cache, "a").Value(), get(t, cache, "b").Value())
	})
}
