package tokencache

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// hanging is a source that does not return before it is released.
func hanging() (s *source, release func()) {
	released := make(chan struct{})
	return &source{answer: func(context.Context, Params, int) (Token, error) {
		<-released
		return Token{Value: "late", Expiry: time.Now().Add(time.Hour)}, nil
	}}, func() { close(released) }
}

// Rule 20: of callers who left before it was their turn nothing is kept.
func TestAQueueForgetsThoseWhoLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, release := hanging()
		c := newCache(s, func(config *Config) { config.MaxFetches = 2 })
		ctx, leave := context.WithCancel(t.Context())
		for i := range 1000 {
			go func() { _, _ = c.Get(ctx, []byte(strconv.Itoa(i)), nil) }()
		}
		synctest.Wait()
		assert.Equal(t, 998, c.queue.Len())
		leave()
		synctest.Wait()
		assert.Zero(t, c.queue.Len())
		assert.Len(t, c.fetches, 2, "those that run")
		release()
		synctest.Wait()
		assert.EqualValues(t, 2, s.calls.Load())
		assert.Empty(t, c.fetches)
	})
}

// Rules 20 and 21: a refresh that waits for its turn is dropped when its token
// has ended in the meantime and nobody waits for another.
func TestARefreshThatComesTooLateIsDropped(t *testing.T) {
	for _, joined := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			hangs, release := hanging()
			s := living(time.Minute)
			answer := s.answer
			s.answer = func(ctx context.Context, asked Params, nth int) (Token, error) {
				if nth == 2 {
					return hangs.answer(ctx, asked, nth)
				}
				return answer(ctx, asked, nth)
			}
			c := newCache(s, func(config *Config) { config.MaxFetches = 1 })
			get(t, c, "key")
			advance(55 * time.Second)
			go func() { _, _ = c.Get(t.Context(), []byte("hangs"), nil) }()
			synctest.Wait()
			assert.Equal(t, "1", get(t, c, "key").Value())
			assert.Equal(t, 1, c.queue.Len())
			advance(5 * time.Second)
			want := int64(2)
			if joined {
				go get(t, c, "key")
				want = 3
			}
			advance(25 * time.Second) // the one that hangs is given up
			synctest.Wait()
			assert.Equal(t, want, s.calls.Load())
			assert.Zero(t, c.queue.Len())
			assert.Empty(t, c.fetches)
			assert.Zero(t, c.Stats().Fetching)
			release()
		})
	}
}

// Rules 20 and 21: a refresh that waits for its turn goes on although a caller who
// waited for it left.
func TestARefreshIsNotDroppedWithACaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hangs, release := hanging()
		s := living(time.Minute)
		answer := s.answer
		s.answer = func(ctx context.Context, asked Params, nth int) (Token, error) {
			if nth == 2 {
				return hangs.answer(ctx, asked, nth)
			}
			return answer(ctx, asked, nth)
		}
		c := newCache(s, func(config *Config) { config.MaxFetches = 1 })
		get(t, c, "key")
		advance(55 * time.Second)
		go get(t, c, "hangs")
		synctest.Wait()
		get(t, c, "key") // starts the refresh
		advance(4500 * time.Millisecond)
		ctx, leave := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer leave()
		_, err := c.Get(ctx, []byte("key"), nil)
		assert.Equal(t, context.DeadlineExceeded, err)
		release()
		synctest.Wait()
		assert.Equal(t, "3", get(t, c, "key").Value())
		assert.EqualValues(t, 3, s.calls.Load())
	})
}

// Rule 8: what is told of fetches may end its goroutine, as a test does that
// fails. Nobody waits for ever.
func TestNobodyWaitsForAnObserverThatEndsItsGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache(living(time.Hour), func(config *Config) {
			config.Fetched = func(context.Context, Fetched) { runtime.Goexit() }
		})
		assert.Equal(t, "1", get(t, c, "key").Value())
		assert.Empty(t, c.fetches)
	})
}

// Rules 20 and 33: each call of the source is told once, before anybody has the
// token, with the values of the caller's context. A late answer is not.
func TestEachCallOfTheSourceIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		down := errors.New("down")
		end := time.Now().Add(time.Hour)
		s := &source{answer: func(_ context.Context, _ Params, nth int) (Token, error) {
			advance(time.Second)
			switch nth {
			case 1:
				return Token{}, down
			case 2:
				advance(time.Minute)
			}
			return Token{Value: strconv.Itoa(nth), Expiry: end}, nil
		}}
		var told []Fetched
		var c *Cache
		c = newCache(s, func(config *Config) {
			config.Fetched = func(ctx context.Context, f Fetched) {
				assert.Equal(t, "value", ctx.Value(key{}))
				assert.Zero(t, c.Stats().Tokens)
				told = append(told, f)
			}
		})
		for range 3 {
			_, _ = c.Get(context.WithValue(t.Context(), key{}, "value"), nil, nil)
			advance(time.Second)
		}
		advance(time.Minute)
		assert.Equal(t, []Fetched{
			{Took: time.Second, Err: down},
			{Took: 30 * time.Second, Err: context.DeadlineExceeded},
			{Took: time.Second, Expiry: end.Round(0)},
		}, told)
		stats := c.Stats()
		assert.EqualValues(t, 3, stats.Fetches)
		assert.EqualValues(t, 2, stats.Failures)
	})
}
