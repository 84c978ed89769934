package tokencache

import (
	"encoding/base64"
	"fmt"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// clock is a pair of clocks that can disagree, which those of a synctest bubble
// cannot.
type clock struct{ now time.Time }

func newClock(t testing.TB) *clock {
	c := &clock{time.Now()}
	before := c.now
	c.jump(time.Hour)
	require.Zero(t, c.now.Sub(before), "the layout of time.Time is another one")
	require.Equal(t, time.Hour, c.now.Round(0).Sub(before.Round(0)), "the layout of time.Time is another one")
	c.jump(-time.Hour)
	require.Equal(t, before, c.now, "the layout of time.Time is another one")
	return c
}

// pass lets time pass on both clocks.
func (c *clock) pass(d time.Duration) { c.now = c.now.Add(d) }

// jump sets the wall clock, and lets no time pass on the monotonic one. That is
// also what a machine sees that slept.
func (c *clock) jump(d time.Duration) {
	type layout struct { // of time.Time
		wall      uint64
		monotonic int64
		loc       *time.Location
	}
	monotonic := (*layout)(unsafe.Pointer(&c.now)).monotonic
	c.now = c.now.Add(d)
	(*layout)(unsafe.Pointer(&c.now)).monotonic = monotonic
}

// jwtFor returns a JWT with an iat and an exp, counted in seconds from now on.
func jwtFor(now time.Time, iat, exp float64) Token {
	seconds := float64(now.UnixNano()) / 1e9
	claims := fmt.Sprintf(`{"iat":%f,"exp":%f}`, seconds+iat, seconds+exp)
	encode := base64.RawURLEncoding.EncodeToString
	return Token{Value: encode([]byte(`{"alg":"HS256"}`)) + "." + encode([]byte(claims)) + ".c2ln"}
}

// Rule 19: a clock that was right when the token came ends the token, whichever
// of the two says so first. A clock that was wrong is not asked again.
func TestEntriesEndByWhicheverClockIsFirst(t *testing.T) {
	const day = 24 * 60 * 60
	type step struct {
		pass, jump time.Duration
		alive      bool
	}
	tests := []struct {
		name     string
		iat, exp float64
		steps    []step
	}{
		{"nothing happens", -10, 50, []step{{0, 0, true}, {49 * time.Second, 0, true}, {2 * time.Second, 0, false}}},
		{"the machine slept", -10, 50, []step{{time.Second, 48 * time.Second, true}, {0, 2 * time.Second, false}}},
		{"the machine slept for a day", -10, 50, []step{{0, day * time.Second, false}}},
		{"the wall clock is set forward", -10, 50, []step{{0, 40 * time.Second, true}, {11 * time.Second, 0, false}}},
		{"the wall clock is set back", -10, 50, []step{{0, -time.Hour, true}, {49 * time.Second, 0, true}, {2 * time.Second, 0, false}}},
		{"the wall clock is set back, then the machine slept", -10, 50, []step{{0, -time.Minute, true}, {0, 109 * time.Second, true}, {0, 2 * time.Second, false}}},
		{"the clock was fast and is set right", -10 - day, 50 - day, []step{{0, 0, true}, {time.Second, -day * time.Second, true}, {58 * time.Second, 0, true}, {2 * time.Second, 0, false}}},
		{"the clock was slow and is set right", -10 + day, 50 + day, []step{{0, 0, true}, {time.Second, day * time.Second, true}, {58 * time.Second, 0, true}, {2 * time.Second, 0, false}}},
		{"the clock was slow and is set beyond the exp", -10 + day, 50 + day, []step{{time.Second, 2 * day * time.Second, true}, {60 * time.Second, 0, false}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := newClock(t)
			e := newEntry(Config{}, jwtFor(c.now, test.iat, test.exp), c.now, c.now)
			for i, step := range test.steps {
				c.pass(step.pass)
				c.jump(step.jump)
				assert.Equal(t, step.alive, e.alive(c.now), "step %d", i)
			}
		})
	}
}

// Rules 19 and 21: the time at which a token is to be replaced is counted on
// the same clocks as its end.
func TestEntriesAreReplacedByWhicheverClockIsFirst(t *testing.T) {
	c := newClock(t)
	e := newEntry(Config{RefreshBefore: 10 * time.Second}, jwtFor(c.now, -1, 60), c.now, c.now)
	c.pass(2 * time.Second)
	assert.False(t, e.refreshDue(e.ttl(c.now), c.now))
	c.jump(46 * time.Second)
	assert.False(t, e.refreshDue(e.ttl(c.now), c.now))
	c.jump(4 * time.Second)
	assert.True(t, e.refreshDue(e.ttl(c.now), c.now), "the machine slept")
	e.refreshNotBefore(c.now.Add(time.Second))
	c.jump(2 * time.Second)
	assert.False(t, e.refreshDue(e.ttl(c.now), c.now), "the source is left alone for a second in which the machine runs")
	c.pass(time.Second)
	assert.True(t, e.refreshDue(e.ttl(c.now), c.now))
}

// Rule 19: a wrong clock at the fetch is judged when the token arrives, and its
// life is counted from when it was asked for.
func TestEntriesOfAWrongClockAreAsOldAsTheirFetch(t *testing.T) {
	c := newClock(t)
	token := jwtFor(c.now, 3600, 3660)
	began := c.now
	c.pass(20 * time.Second)
	e := newEntry(Config{}, token, began, c.now)
	c.jump(-5 * time.Hour)
	c.pass(39 * time.Second)
	assert.True(t, e.alive(c.now))
	c.pass(2 * time.Second)
	assert.False(t, e.alive(c.now))
}
