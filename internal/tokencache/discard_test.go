package tokencache

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// store is a source that returns one token until it has been told, which takes a
// while, that it was rejected.
func store(takes time.Duration) (*source, func(*Config)) {
	var told atomic.Bool
	s := &source{answer: func(context.Context, Params, int) (Token, error) {
		token := Token{Value: "rejected", Expiry: time.Now().Add(time.Minute), Held: true}
		if told.Load() {
			token.Value = "new"
		}
		return token, nil
	}}
	return s, func(config *Config) {
		config.Discard = func(context.Context, Params, string) {
			advance(takes)
			told.Store(true)
		}
	}
}

// Rule 24: the source is told first. What is held is forgotten after that, since
// the rejected token could be fetched again before.
func TestATokenIsForgottenAfterTheSourceWasTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, withDiscard := store(2 * time.Second)
		c := newCache(s, withDiscard)
		get(t, c, "key")
		go c.Discard(t.Context(), []byte("key"), nil, "rejected")
		advance(time.Second)
		assert.Equal(t, 1, c.Stats().Tokens)
		assert.EqualValues(t, 1, s.calls.Load())
		advance(time.Second)
		synctest.Wait()
		assert.Empty(t, c.entries)
		assert.Empty(t, c.discarded)
		assert.Equal(t, "new", get(t, c, "key").Value())
	})
}

// Rule 24: also a fetch that begins while the source is told, and brings the
// rejected token before the source knows, returns it to nobody.
func TestAFetchThatBeginsWhileTheSourceIsToldReturnsNoRejectedToken(t *testing.T) {
	for name, test := range map[string]struct {
		takes time.Duration
		err   error
	}{
		"the source knows when it is asked once more": {500 * time.Millisecond, nil},
		"it does not know even then":                  {5 * time.Second, errRejectedAgain},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, withDiscard := store(test.takes)
				answer := s.answer
				s.answer = func(ctx context.Context, asked Params, nth int) (Token, error) {
					defer advance(time.Second)
					return answer(ctx, asked, nth)
				}
				c := newCache(s, withDiscard)
				get(t, c, "key")
				advance(59 * time.Second) // in the last second of its life
				go c.Discard(t.Context(), []byte("key"), nil, "rejected")
				synctest.Wait()
				token, err := c.Get(t.Context(), []byte("key"), nil)
				if test.err != nil {
					assert.Equal(t, test.err, err)
				} else {
					require.NoError(t, err)
					assert.Equal(t, "new", token.Value())
				}
				assert.EqualValues(t, 3, s.calls.Load(), "it is asked once more")
				advance(10 * time.Second)
				assert.Equal(t, "new", get(t, c, "key").Value())
				assert.Empty(t, c.discarded)
			})
		})
	}
}

// Rule 24: the token that took the place of the rejected one while the source was
// told is not forgotten.
func TestATokenThatArrivesWhileTheSourceIsToldIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := living(time.Minute)
		c := newCache(s, func(config *Config) {
			config.Discard = func(context.Context, Params, string) { advance(10 * time.Second) }
		})
		get(t, c, "key")
		advance(55 * time.Second)
		go c.Discard(t.Context(), []byte("key"), nil, "1")
		synctest.Wait()
		get(t, c, "key") // starts the refresh
		advance(11 * time.Second)
		synctest.Wait()
		assert.Equal(t, "2", get(t, c, "key").Value())
		assert.EqualValues(t, 2, s.calls.Load())
	})
}

// Rule 24: of many who discard the same token at the same time nothing is left.
func TestManyDiscardsAtATimeLeaveNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, withDiscard := store(time.Second)
		c := newCache(s, withDiscard)
		get(t, c, "key")
		for range 100 {
			go c.Discard(t.Context(), []byte("key"), nil, "rejected")
			go c.Discard(t.Context(), []byte("another"), nil, "rejected")
		}
		advance(time.Second)
		synctest.Wait()
		assert.Empty(t, c.discarded)
		assert.Empty(t, c.entries)
		assert.Equal(t, "new", get(t, c, "key").Value())
	})
}

// A source that panics when it is told leaves the cache in order.
func TestASourceThatPanicsWhenItIsToldIsToldAllTheSame(t *testing.T) {
	c := newCache(living(time.Hour), func(config *Config) {
		config.Discard = func(context.Context, Params, string) { panic("told") }
	})
	assert.Equal(t, "1", get(t, c, "key").Value())
	assert.Panics(t, func() { c.Discard(t.Context(), []byte("key"), nil, "1") })
	assert.Empty(t, c.discarded)
	assert.Equal(t, "2", get(t, c, "key").Value())
}
