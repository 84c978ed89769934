package tokencache

import (
	"math/rand/v2"
	"time"
)

const (
	firstPause    = 100 * time.Millisecond
	maxRetryAfter = time.Minute
)

// failure is how a fetch failed, and until when the source is left alone for it.
type failure struct {
	err   error // nil where the source returned no better token
	times int   // in a row
	until time.Time
}

// pauses reports whether the source is to be left alone.
func (f failure) pauses(now time.Time) bool { return now.Before(f.until) }

// noteFailure remembers that a fetch failed. The caller holds c.mu.
func (c *Cache) noteFailure(key string, err error, now time.Time) {
	if c.config.FailurePause == 0 {
		if e := c.entries[key]; e != nil {
			e.postponeRefresh(0, now)
		}
		return
	}
	f := failure{err: err, times: c.failures[key].times + 1}
	pause := spread(pauseAfter(f.times, c.config.FailurePause))
	if asked := c.config.RetryAfter(err); asked > 0 {
		pause = min(asked, maxRetryAfter)
	}
	f.until = now.Add(pause)
	if e := c.entries[key]; e != nil {
		e.postponeRefresh(pause, now)
	}
	c.failures[key] = f
	if len(c.failures) > c.config.MaxTokens {
		c.forgetFailure()
	}
}

// pauseAfter returns the pause after so many failures in a row.
func pauseAfter(times int, longest time.Duration) time.Duration {
	pause := firstPause
	for range times - 1 {
		if pause >= longest {
			break
		}
		pause *= 2
	}
	return min(pause, longest)
}

// spread makes a pause up to a fifth shorter, so that those who failed together
// do not come back together.
func spread(d time.Duration) time.Duration {
	return d - time.Duration(rand.Int64N(int64(d)/5+1))
}

// forgetFailure forgets the failure whose pause ends first. The caller holds
// c.mu.
func (c *Cache) forgetFailure() {
	first, found := "", false
	for key, f := range c.failures {
		if !found || f.until.Before(c.failures[first].until) {
			first, found = key, true
		}
	}
	delete(c.failures, first)
}
