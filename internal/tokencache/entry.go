package tokencache

import (
	"math"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// Entry is a token that was fetched. A nil Entry counts as expired.
type Entry struct {
	authorization string // the prefix and the value
	value         string
	lifetime      Lifetime

	window       time.Duration // before the end, in which it is to be replaced
	minRemaining time.Duration // before the end, in which it is returned only for want of another

	arrived   time.Time
	refreshAt atomic.Int64  // since it arrived: no refresh before
	lastUsed  atomic.Uint64 // the cache's count of uses at the last one

	key string // set before anybody else has the entry

	// Guarded by the cache's mutex.
	inByEnd, inByUse int    // where it is in these heaps
	rankedBy         uint64 // the last use by which it got its place in byUse
}

// newEntry returns the entry of a token that was asked for at began and arrived
// at now.
func newEntry(config Config, token Token, began, now time.Time) *Entry {
	authorization := config.Prefix + token.Value
	e := &Entry{
		authorization: authorization,
		value:         authorization[len(config.Prefix):],
		lifetime:      LifetimeOf(token, began, now),
		arrived:       now,
	}
	e.window = min(config.RefreshBefore, e.lifetime.life/3)
	if e.window > 0 { // later, so that replicas do not refresh together
		e.window -= time.Duration(rand.Int64N(int64(e.window)/10 + 1))
	}
	e.minRemaining = min(config.MinRemaining, e.lifetime.life/10)
	if e.ttl(now) <= e.window {
		e.refreshNotBefore(now.Add(firstPause)) // the source was asked just now
	}
	return e
}

// Authorization is the token with the cache's prefix. What it points to never
// changes.
func (e *Entry) Authorization() *string { return &e.authorization }

// Value is the token.
func (e *Entry) Value() string { return e.value }

// Expiry is when the token ends by this machine's clock, or zero where that is
// not known.
func (e *Entry) Expiry() time.Time {
	if e == nil {
		return time.Time{}
	}
	return e.lifetime.expiry
}

// ttl returns how long the token lives from now on.
func (e *Entry) ttl(now time.Time) time.Duration {
	if e == nil {
		return 0
	}
	return e.lifetime.Left(now)
}

func (e *Entry) alive(now time.Time) bool { return e.ttl(now) > 0 }

// isGood reports whether a token that lives for ttl from now on is returned
// without waiting for another.
func (e *Entry) isGood(ttl time.Duration) bool { return ttl > 0 && ttl > e.minRemaining }

// refreshDue reports whether a token that is alive, and lives for ttl from now on,
// is to be replaced.
func (e *Entry) refreshDue(ttl time.Duration, now time.Time) bool {
	return ttl <= e.window && e.mayRefresh(now)
}

func (e *Entry) mayRefresh(now time.Time) bool {
	return now.Sub(e.arrived) >= time.Duration(e.refreshAt.Load())
}

func (e *Entry) refreshNotBefore(at time.Time) { e.refreshAt.Store(int64(at.Sub(e.arrived))) }

// refreshUnderWay keeps refreshes from being due until the one that is under way
// has failed.
func (e *Entry) refreshUnderWay() { e.refreshAt.Store(math.MaxInt64) }

// use marks the entry as the one that was used last. While it is, nothing is
// written, so that many callers for one token do not wait for each other.
func (e *Entry) use(uses *atomic.Uint64) {
	if !e.wasUsedLast(uses) {
		e.lastUsed.Store(uses.Add(1))
	}
}

func (e *Entry) wasUsedLast(uses *atomic.Uint64) bool { return e.lastUsed.Load() == uses.Load() }
