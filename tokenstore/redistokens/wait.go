package redistokens

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	shortestWait = 10 * time.Millisecond
	longestWait  = 250 * time.Millisecond
)

// wait is a caller's patience with the processes that fetch. The zero wait has
// not begun.
type wait struct {
	holder  string
	since   time.Time
	longest time.Duration // of the next pause
}

// mayGoOn reports whether to wait for this holder of the lock any longer. For
// each holder the patience is new.
func (w *wait) mayGoOn(holder string, limit time.Duration) bool {
	if holder != w.holder || w.since.IsZero() {
		*w = wait{holder, time.Now(), shortestWait}
	}
	return time.Since(w.since) < limit
}

// pause waits, each time longer, and spread so that those who began together do
// not come back together. It returns how long that took.
func (w *wait) pause(ctx context.Context) time.Duration {
	began := time.Now()
	w.longest = min(2*w.longest, longestWait)
	timer := time.NewTimer(shortestWait + rand.N(w.longest-shortestWait+1))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return time.Since(began)
}
