package tokencache

import (
	"context"
	"errors"
	"math"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Rule 23: 100 ms, doubled at each further failure up to the longest pause.
func TestPausesAreDoubledUpToTheLongest(t *testing.T) {
	for longest, want := range map[time.Duration][]time.Duration{
		5 * time.Second:       {100e6, 200e6, 400e6, 800e6, 1600e6, 3200e6, 5e9, 5e9},
		time.Second:           {100e6, 200e6, 400e6, 800e6, 1e9, 1e9},
		50 * time.Millisecond: {50e6, 50e6},
		1:                     {1, 1},
		1<<63 - 1:             {100e6, 200e6, 400e6, 800e6, 1600e6, 3200e6, 6400e6},
	} {
		for i, pause := range want {
			assert.Equal(t, pause, pauseAfter(i+1, longest), "failure %d", i+1)
		}
	}
	assert.Equal(t, 5*time.Second, pauseAfter(math.MaxInt, 5*time.Second))
	assert.Equal(t, time.Duration(1<<63-1), pauseAfter(1000, 1<<63-1), "without an overflow")
}

// Rule 23: those who failed together do not come back together.
func TestPausesAreSpreadByAFifth(t *testing.T) {
	least, most := time.Hour, time.Duration(0)
	for range 2000 {
		pause := spread(time.Second)
		least, most = min(least, pause), max(most, pause)
	}
	assert.LessOrEqual(t, most, time.Second)
	assert.GreaterOrEqual(t, least, 800*time.Millisecond)
	assert.Greater(t, most-least, 180*time.Millisecond)
	assert.EqualValues(t, 1, spread(1))
}

// Rule 23: a limit of failures is remembered, the latest ones.
func TestTheOldestFailureIsForgotten(t *testing.T) {
	f := newFailures(3)
	for i := range 1000 {
		key := strconv.Itoa(i)
		f.remember(failure{key: key, times: 1})
		f.remember(failure{key: key, times: 2}) // is still one
		for back := range 5 {
			want := 2
			if back >= 3 || back > i {
				want = 0
			}
			require.Equal(t, want, f.of(strconv.Itoa(i-back)).times)
		}
	}
	assert.Equal(t, 3, f.order.Len())
	assert.Len(t, f.byKey, 3)
	f.forget("999")
	f.forget("unknown")
	assert.Equal(t, 2, f.order.Len())
	assert.Len(t, f.byKey, 2)
}

// Rule 23: after a success nothing is remembered of the failures before.
func TestASuccessForgetsTheFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{answer: func(_ context.Context, _ Params, nth int) (Token, error) {
			if nth%4 != 0 {
				return Token{}, errors.New("down")
			}
			return Token{Value: strconv.Itoa(nth), Expiry: time.Now().Add(time.Second)}, nil
		}}
		c := newCache(s, func(config *Config) { config.MinRemaining = 0; config.RefreshBefore = 0 })
		for range 3 {
			for failures := range 4 {
				require.Equal(t, failures, c.failures.of("key").times)
				_, err := c.Get(t.Context(), []byte("key"), nil)
				require.Equal(t, failures == 3, err == nil)
				advance(time.Second)
			}
			require.Empty(t, c.failures.byKey)
		}
	})
}
