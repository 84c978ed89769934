package tokencache

import (
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// Entry is a token that was fetched. A nil Entry counts as expired.
type Entry struct {
	authorization string
	expiry        time.Time // as the source gave it, or the claims

	end  time.Time     // on the monotonic clock; zero if the token is not to be kept
	wall time.Time     // the same on the wall clock; zero if that was found wrong
	life time.Duration // from the beginning to the end

	window       time.Duration // before the end, in which it is to be replaced
	minRemaining time.Duration // before the end, in which it is not returned

	arrived   time.Time
	refreshAt atomic.Int64  // since arrived: no refresh before
	lastUsed  atomic.Uint64 // the cache's clock at the last use
}

// newEntry returns the entry of a token that was asked for at began and arrived
// at now.
func newEntry(config Config, token Token, began, now time.Time) *Entry {
	e := &Entry{authorization: config.Prefix + token.Value, arrived: now}
	e.setLifetime(token, began, now)
	if e.end.IsZero() {
		return e
	}
	e.window = min(config.RefreshBefore, e.life/3)
	if e.window > 0 { // later, so that replicas do not refresh together
		e.window -= time.Duration(rand.Int64N(int64(e.window)/10 + 1))
	}
	e.minRemaining = min(config.MinRemaining, e.life/10)
	if e.ttl(now) <= e.window {
		e.postponeRefresh(firstPause, now) // the source was asked just now
	}
	return e
}

// Authorization is the token with the cache's prefix. What it points to never
// changes.
func (e *Entry) Authorization() *string { return &e.authorization }

// Value is the token without the prefix.
func (e *Entry) Value(prefix string) string {
	if e == nil {
		return ""
	}
	return e.authorization[len(prefix):]
}

// Expiry is when the token ends, or zero where it is not known.
func (e *Entry) Expiry() time.Time { return e.expiry }

// ttl returns how long the token lives from now on.
func (e *Entry) ttl(now time.Time) time.Duration {
	if e == nil || e.end.IsZero() {
		return 0
	}
	ttl := e.end.Sub(now)
	if !e.wall.IsZero() {
		ttl = min(ttl, e.wall.Sub(now)) // on the wall clock, as it has no other
	}
	return ttl
}

func (e *Entry) alive(now time.Time) bool { return e.ttl(now) > 0 }

// isGood reports whether a token that lives for ttl from now on is returned
// without waiting for another.
func (e *Entry) isGood(ttl time.Duration) bool { return ttl > 0 && ttl > e.minRemaining }

// outlives reports whether e is good for longer than other.
func (e *Entry) outlives(other *Entry, now time.Time) bool {
	return e.alive(now) && e.ttl(now) > other.ttl(now)
}

// refreshDue reports whether a token that lives for ttl from now on is to be
// replaced.
func (e *Entry) refreshDue(ttl time.Duration, now time.Time) bool {
	return e.window > 0 && ttl <= e.window && now.Sub(e.arrived) >= time.Duration(e.refreshAt.Load())
}

func (e *Entry) postponeRefresh(pause time.Duration, now time.Time) {
	e.refreshAt.Store(int64(now.Sub(e.arrived) + pause))
}

// use marks the entry as the one that was used last. While it is, nothing is
// written, so that many callers for one token do not wait for each other.
func (e *Entry) use(clock *atomic.Uint64) {
	if e.lastUsed.Load() != clock.Load() {
		e.lastUsed.Store(clock.Add(1))
	}
}
