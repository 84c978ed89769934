package tokencache

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Rule 21: a token is replaced at some moment in the first tenth of the window
// before its end, another one in each process, and never before.
func TestTokensAreReplacedAtMomentsOfTheirOwn(t *testing.T) {
	now := time.Now()
	for name, test := range map[string]struct {
		life, window time.Duration
	}{
		"as configured":             {time.Hour, 10 * time.Second},
		"a third of a short life":   {15 * time.Second, 5 * time.Second},
		"a third of a shorter life": {3 * time.Nanosecond, 1},
	} {
		moments := make(map[time.Duration]int)
		least, most := test.window, time.Duration(0)
		for range 2000 {
			e := newEntry(Config{RefreshBefore: 10 * time.Second}, Token{Value: "t", Expiry: now.Add(test.life)}, now, now)
			moments[e.window]++
			least, most = min(least, e.window), max(most, e.window)
		}
		tenth := test.window / 10
		assert.LessOrEqual(t, most, test.window, name)
		assert.GreaterOrEqual(t, least, test.window-tenth, name)
		assert.GreaterOrEqual(t, most-least, tenth*9/10, "%s: they are spread over the tenth", name)
		if tenth > 0 {
			assert.Greater(t, len(moments), 1000, name)
		}
	}
}

// Rule 21: the last moments in which a token is not sent are at most a tenth of
// its life.
func TestAShortLifeHasShortLastMoments(t *testing.T) {
	now := time.Now()
	for life, want := range map[time.Duration]time.Duration{
		time.Hour:        time.Second,
		10 * time.Second: time.Second,
		5 * time.Second:  500 * time.Millisecond,
		time.Nanosecond:  0,
	} {
		e := newEntry(Config{MinRemaining: time.Second}, Token{Value: "t", Expiry: now.Add(life)}, now, now)
		assert.Equal(t, want, e.minRemaining, "%v", life)
	}
}

// Rules 19 and 21: the time at which a token is to be replaced is counted on
// the same clocks as its end.
func TestEntriesAreReplacedByWhicheverClockIsFirst(t *testing.T) {
	c := newClock(t)
	e := newEntry(Config{RefreshBefore: 10 * time.Second}, jwtFor(c.now, -1, 60), c.now, c.now)
	due := func() bool { return e.refreshDue(e.ttl(c.now), c.now) }
	c.pass(2 * time.Second)
	assert.False(t, due())
	c.jump(46 * time.Second)
	assert.False(t, due())
	c.jump(4 * time.Second)
	assert.True(t, due(), "the machine slept")
	e.refreshNotBefore(c.now.Add(time.Second))
	c.jump(2 * time.Second)
	assert.False(t, due(), "the source is left alone for a second in which the machine runs")
	c.pass(time.Second)
	assert.True(t, due())
}

// A nil Entry is one that has ended.
func TestNoEntryIsNotAlive(t *testing.T) {
	var e *Entry
	require.False(t, e.alive(time.Now()))
	require.False(t, e.isGood(e.ttl(time.Now())))
	require.Zero(t, e.Expiry())
}
