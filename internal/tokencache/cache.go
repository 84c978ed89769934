// Package tokencache is the machinery of a cache of bearer tokens: how long a
// token lives, who fetches the next one and when, who waits for it, and what is
// forgotten. It knows nothing of HTTP, and of a token nothing but its lifetime.
package tokencache

import (
	"container/list"
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
	// Source supplies tokens. Its context ends after FetchTimeout. The params
	// are its own copy.
	Source func(ctx context.Context, asked Params) (Token, error)
	// Discard tells the source that a token was rejected. It may be nil.
	Discard func(ctx context.Context, asked Params, rejected string)
	// Prefix is put before each token once, so that no call has to do it.
	Prefix string

	RefreshBefore time.Duration // before a token's end it is replaced in the background; 0 for never
	MinRemaining  time.Duration // with less life left a token is not returned if another can be had
	FetchTimeout  time.Duration
	FailurePause  time.Duration // the longest pause after a failed fetch; 0 for none
	MaxFetches    int           // at once
	MaxTokens     int           // and remembered failures

	// RetryAfter returns for how long an error asks to leave the source alone,
	// or 0.
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
	Background bool      // nobody waited for it when it was asked for
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

	uses      atomic.Uint64         // orders entries by their last use
	hot       atomic.Pointer[Entry] // one that was used last when it was asked for again, or nil
	hits      counter
	calls     atomic.Uint64 // of the source
	failed    atomic.Uint64
	evictions atomic.Uint64

	mu        sync.RWMutex // guards the rest; never held while foreign code runs
	entries   map[string]*Entry
	byEnd     entryHeap // the one that ends first on top
	byUse     entryHeap // the one that was used least recently on top
	fetches   map[string]*fetch
	running   int                 // fetches that have their turn
	queue     list.List           // of *fetch: those that wait for it
	failures  failures            // of keys for which the source is left alone
	discarded map[string][]string // tokens of which the source is being told
}

// New returns a cache.
func New(config Config) *Cache {
	return &Cache{
		config:    config,
		entries:   make(map[string]*Entry),
		byEnd:     heapByEnd(),
		byUse:     heapByUse(),
		fetches:   make(map[string]*fetch),
		failures:  newFailures(config.MaxTokens),
		discarded: make(map[string][]string),
	}
}

// Get returns a token for key: one that is held, or one that the source is asked
// for. The error is the source's own, or that of ctx if it ends first, with its
// cause.
func (c *Cache) Get(ctx context.Context, key []byte, asked Params) (Cached, error) {
	now := time.Now()
	e := c.find(key)
	ttl := e.ttl(now)
	if !e.isGood(ttl) {
		return c.wait(ctx, string(key), asked)
	}
	if e.refreshDue(ttl, now) {
		c.refresh(ctx, string(key), asked, e)
	}
	return c.hit(e, now), nil
}

// find returns the entry of a key, or nil. Many callers for one token take no
// lock, and so do not wait for each other.
func (c *Cache) find(key []byte) *Entry {
	if e := c.hot.Load(); e != nil && e.key == string(key) {
		return e
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	e := c.entries[string(key)]
	if e != nil && e.wasUsedLast(&c.uses) {
		c.hot.Store(e)
	}
	return e
}

func (c *Cache) hit(e *Entry, now time.Time) Cached {
	e.use(&c.uses)
	c.hits.add(now)
	return Cached{e, true}
}

// wait returns what the fetch for key brings. It starts one if there is none.
func (c *Cache) wait(ctx context.Context, key string, asked Params) (Cached, error) {
	if ctx.Err() != nil {
		return Cached{}, contextError(ctx)
	}
	if ctx.Value(fetchOf{c, key}) != nil {
		return Cached{}, ErrOwnFetch
	}
	f, held, err := c.join(ctx, key, asked)
	switch {
	case err != nil:
		return Cached{}, err
	case held != nil:
		return c.hit(held, time.Now()), nil
	}
	select {
	case <-f.done:
		if f.instead != nil {
			return c.hit(f.instead, time.Now()), nil
		}
		return f.token, f.err
	case <-ctx.Done():
		c.leave(f)
		return Cached{}, contextError(ctx)
	}
}

// join makes the caller one of those who wait for a fetch, unless there is a
// token by now, or the source is left alone after a failure. It returns one of
// the three.
func (c *Cache) join(ctx context.Context, key string, asked Params) (*fetch, *Entry, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	e := c.entries[key]
	if e.isGood(e.ttl(now)) {
		return nil, e, nil
	}
	f := c.fetches[key]
	if f == nil {
		if failure := c.failures.of(key); failure.pauses(now) {
			if e.alive(now) {
				return nil, e, nil
			}
			if failure.err != nil {
				return nil, nil, failure.err
			}
		}
		f = c.newFetch(ctx, key, asked, false)
	}
	f.waiting++
	return f, nil, nil
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
func (c *Cache) refresh(ctx context.Context, key string, asked Params, e *Entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if c.entries[key] != e || !e.refreshDue(e.ttl(now), now) {
		return // somebody else was faster
	}
	e.refreshUnderWay()
	if c.fetches[key] == nil {
		c.newFetch(ctx, key, asked, true)
	}
}

// Stats returns the counts.
func (c *Cache) Stats() Stats {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return Stats{
		Hits:      c.hits.load(),
		Fetches:   c.calls.Load(),
		Failures:  c.failed.Load(),
		Evictions: c.evictions.Load(),
		Tokens:    len(c.entries),
		Fetching:  c.running,
	}
}
