package tokencache

import (
	"container/list"
	"math/rand/v2"
	"time"
)

const (
	firstPause    = 100 * time.Millisecond
	maxRetryAfter = time.Minute
)

// failure is how the fetches for a key failed last, and until when the source is
// left alone for it.
type failure struct {
	key   string
	err   error // nil where the source returned no better token
	times int   // in a row
	until time.Time
}

func (f failure) pauses(now time.Time) bool { return now.Before(f.until) }

// noteFailure remembers that a fetch failed. The caller holds c.mu.
func (c *Cache) noteFailure(key string, err error, retryAfter time.Duration, now time.Time) {
	var pause time.Duration
	if c.config.FailurePause > 0 {
		times := c.failures.of(key).times + 1
		if pause = retryAfter; pause == 0 {
			pause = spread(pauseAfter(times, c.config.FailurePause))
		}
		c.failures.remember(failure{key, err, times, now.Add(pause)})
	}
	if e := c.entries[key]; e != nil {
		e.refreshNotBefore(now.Add(pause))
	}
}

// retryAfter returns for how long an error asks to leave the source alone.
func (c *Cache) retryAfter(err error) time.Duration {
	if err == nil {
		return 0
	}
	return min(max(0, c.config.RetryAfter(err)), maxRetryAfter)
}

// pauseAfter returns the pause after so many failures in a row.
func pauseAfter(times int, longest time.Duration) time.Duration {
	pause := firstPause
	for ; times > 1; times-- {
		if pause > longest/2 {
			return longest
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

// failures remembers the latest failure of each key, but not of more keys than
// its limit: the one that failed the longest time ago is forgotten.
type failures struct {
	limit int
	byKey map[string]*list.Element
	order *list.List // of failure, the oldest in front
}

func newFailures(limit int) failures {
	return failures{limit, make(map[string]*list.Element), list.New()}
}

// of returns the failure of a key, or the zero failure, which pauses nothing.
func (f failures) of(key string) failure {
	if at := f.byKey[key]; at != nil {
		return at.Value.(failure)
	}
	return failure{}
}

func (f failures) remember(latest failure) {
	f.forget(latest.key)
	if f.order.Len() >= f.limit {
		f.forget(f.order.Front().Value.(failure).key)
	}
	f.byKey[latest.key] = f.order.PushBack(latest)
}

func (f failures) forget(key string) {
	if at := f.byKey[key]; at != nil {
		f.order.Remove(at)
		delete(f.byKey, key)
	}
}
