// Package tokencache is the machinery of a cache of bearer tokens: how long a
// token lives, who fetches the next one and when, who waits for it, and what is
// forgotten. It knows nothing of HTTP, and of a token nothing but its lifetime.
package tokencache

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Params are what a source is asked for.
type Params = map[string]string

// Config is what a [Cache] is made of.
type Config struct {
	// Source supplies tokens. It has a context that ends after FetchTimeout.
	Source func(ctx context.Context, asked Params) (Token, error)
	// Discard tells the source that a token was rejected. It may be nil.
	Discard func(ctx context.Context, asked Params, rejected string)
	// Prefix is put before each token, once and not at each call.
	Prefix string

	RefreshBefore time.Duration // before a token's end it is replaced in the background; 0 for never
	MinRemaining  time.Duration // with less life left a token is not returned if another can be had
	FetchTimeout  time.Duration
	FailurePause  time.Duration // the longest pause after a failed fetch; 0 for none
	MaxFetches    int           // at once
	MaxTokens     int

	// RetryAfter returns how long the source asks to be left alone after an
	// error, or 0.
	RetryAfter func(err error) time.Duration
	// Fetched is told of each call of the source, before any caller has its
	// result. It may be nil.
	Fetched func(ctx context.Context, f Fetched)
}

// Token is a token as the source supplies it.
type Token struct {
	Value  string
	Expiry time.Time // zero: what the claims of a JWT say
	Held   bool      // the source had it before it was asked
}

// Fetched is one call of the source.
type Fetched struct {
	Took       time.Duration
	Expiry     time.Time // of the token, zero where there is none or it is not known
	Background bool      // nobody waited for it when it began
	Err        error
}

// Cached is a token as the cache returns it.
type Cached struct {
	*Entry
	Held bool // it was there before the call
}

// Stats are counts since the cache was made, and what it holds now.
type Stats struct {
	Hits, Fetches, Failures, Evictions uint64
	Tokens, Fetching                   int
}

// Cache keeps tokens by their keys. It is safe for concurrent use.
type Cache struct {
	config Config

	clock     atomic.Uint64 // orders entries by their last use
	hits      counter
	fetched   atomic.Uint64
	failed    atomic.Uint64
	evictions atomic.Uint64

	mu       sync.RWMutex // guards the rest; never held while the source runs
	entries  map[string]*Entry
	fetches  map[string]*fetch
	failures map[string]failure
	running  int      // fetches that have their turn
	queue    []*fetch // fetches that wait for it

	// See evict.
	nextExpiry *Entry    // no entry ends before it
	oldest     []lastUse // who goes next, unless used since
}

// New returns a cache.
func New(config Config) *Cache {
	return &Cache{
		config:   config,
		entries:  make(map[string]*Entry),
		fetches:  make(map[string]*fetch),
		failures: make(map[string]failure),
	}
}

// Get returns a token for key: one that is held, or one that the source is asked
// for. The error is the source's own, or that of ctx if it ends first, with its
// cause.
func (c *Cache) Get(ctx context.Context, key []byte, asked Params) (Cached, error) {
	now := time.Now()
	c.mu.RLock()
	e := c.entries[string(key)]
	c.mu.RUnlock()
	ttl := e.ttl(now)
	if !e.isGood(ttl) {
		return c.wait(ctx, string(key), asked)
	}
	if e.refreshDue(ttl, now) {
		c.refresh(ctx, string(key), asked, e, now)
	}
	return c.hit(e), nil
}

func (c *Cache) hit(e *Entry) Cached {
	e.use(&c.clock)
	c.hits.add()
	return Cached{e, true}
}

// wait joins the fetch for key, or starts it.
func (c *Cache) wait(ctx context.Context, key string, asked Params) (Cached, error) {
	if ctx.Err() != nil {
		return Cached{}, contextError(ctx)
	}
	c.mu.Lock()
	now := time.Now()
	old := c.entries[key]
	if old.isGood(old.ttl(now)) { // it arrived in the meantime
		c.mu.Unlock()
		return c.hit(old), nil
	}
	f := c.fetches[key]
	if f == nil {
		if failure := c.failures[key]; failure.pauses(now) {
			if old.alive(now) {
				c.mu.Unlock()
				return c.hit(old), nil
			}
			if failure.err != nil {
				c.mu.Unlock()
				return Cached{}, failure.err
			}
		}
		f = c.newFetch(ctx, key, asked, false)
	}
	f.waiting++
	c.mu.Unlock()

	select {
	case <-f.done:
		if f.err != nil && c.stillHolds(key, old) {
			return c.hit(old), nil
		}
		return f.token, f.err
	case <-ctx.Done():
		c.leave(f)
		return Cached{}, contextError(ctx)
	}
}

func (c *Cache) stillHolds(key string, e *Entry) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.entries[key] == e && e.alive(time.Now())
}

// contextError returns the error of a context that has ended, with its cause.
func contextError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// refresh replaces an entry in the background.
func (c *Cache) refresh(ctx context.Context, key string, asked Params, e *Entry, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries[key] != e || c.fetches[key] != nil || !e.refreshDue(e.ttl(now), now) {
		return
	}
	if failure := c.failures[key]; failure.pauses(now) {
		e.postponeRefresh(failure.until.Sub(now), now)
		return
	}
	e.postponeRefresh(c.config.FetchTimeout, now)
	c.newFetch(ctx, key, asked, true)
}

// Discard forgets the token for key if it is this one. The source is told first,
// so that nobody finds the token there after it was forgotten here; it is not
// told where another token is held by now.
func (c *Cache) Discard(ctx context.Context, key []byte, asked Params, rejected string) {
	if !c.reject(key, rejected, false) {
		return
	}
	if c.config.Discard != nil {
		c.config.Discard(ctx, asked, rejected)
	}
	c.reject(key, rejected, true)
}

// reject keeps a fetch that is under way from returning a token that was
// rejected, and forgets it. It reports false where another token is held.
func (c *Cache) reject(key []byte, rejected string, forget bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[string(key)]
	if e.alive(time.Now()) && e.Value(c.config.Prefix) != rejected {
		return false
	}
	if f := c.fetches[string(key)]; f != nil {
		f.reject(rejected)
	}
	if forget && e != nil && e.Value(c.config.Prefix) == rejected {
		delete(c.entries, string(key))
	}
	return true
}

// Stats returns the counts.
func (c *Cache) Stats() Stats {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return Stats{
		Hits:      c.hits.load(),
		Fetches:   c.fetched.Load(),
		Failures:  c.failed.Load(),
		Evictions: c.evictions.Load(),
		Tokens:    len(c.entries),
		Fetching:  c.running,
	}
}
