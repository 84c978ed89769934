package tokencache

import (
	"container/list"
	"context"
	"errors"
	"maps"
	"slices"
	"time"
)

// fetch is a token that the source is asked for, or will be when it is its turn.
type fetch struct {
	key        string
	asked      Params
	values     context.Context // of the first caller, without its cancellation
	background bool

	// Guarded by the cache's mutex.
	waiting  int           // callers
	place    *list.Element // in the queue; nil once it has its turn
	began    time.Time     // the call of the source
	again    bool          // it is the second one
	rejected []string      // tokens that servers rejected meanwhile
	claimed  bool          // there is a result, and another one is too late

	done    chan struct{} // closed when the rest is there
	token   Cached
	err     error
	instead *Entry // what is returned although the fetch failed
}

// newFetch begins a fetch, or lets it wait for its turn. The caller holds c.mu.
func (c *Cache) newFetch(ctx context.Context, key string, asked Params, background bool) *fetch {
	f := &fetch{
		key: key, asked: maps.Clone(asked), background: background,
		values:   context.WithoutCancel(ctx),
		rejected: slices.Clone(c.discarded[key]),
		done:     make(chan struct{}),
	}
	c.fetches[key] = f
	if c.running < c.config.MaxFetches {
		c.begin(f)
	} else {
		f.place = c.queue.PushBack(f)
	}
	return f
}

// leave is called by a caller that waits for a fetch no longer. A fetch that has
// not begun is dropped with its last caller.
func (c *Cache) leave(f *fetch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f.waiting--
	if f.waiting == 0 && f.place != nil && !f.background {
		c.queue.Remove(f.place)
		delete(c.fetches, f.key)
	}
}

// beginNext gives those that wait their turn, while there is room. The caller
// holds c.mu.
func (c *Cache) beginNext(now time.Time) {
	for c.running < c.config.MaxFetches && c.queue.Len() > 0 {
		f := c.queue.Remove(c.queue.Front()).(*fetch)
		f.place = nil
		if f.waiting == 0 && !c.entries[f.key].alive(now) {
			delete(c.fetches, f.key) // a refresh of what nobody has any more
			continue
		}
		c.begin(f)
	}
}

// begin gives a fetch its turn. The caller holds c.mu.
func (c *Cache) begin(f *fetch) {
	c.running++
	f.began = time.Now()
	ctx, cancel := context.WithTimeout(context.WithValue(f.values, fetchOf{c, f.key}, true), c.config.FetchTimeout)
	// A source that ignores its context blocks no other caller.
	stop := context.AfterFunc(ctx, func() { c.end(ctx, f, result{err: ctx.Err()}) })
	go func() {
		defer cancel()
		defer stop()
		// Without effect unless the source ends this goroutine.
		defer c.end(ctx, f, result{err: errSourceExited})
		c.ask(ctx, f)
	}()
}

// fetchOf is in the context of a fetch.
type fetchOf struct {
	cache *Cache
	key   string
}

// ErrOwnFetch is the error of a fetch that asks for its own result, and so would
// wait for itself.
var ErrOwnFetch = errors.New("the token source asks for the token that it is to fetch: give its client a transport of its own")

// result is what a call of the source came to.
type result struct {
	entry *Entry
	held  bool // by the source
	err   error
}

var (
	errSourceExited  = errors.New("the token source ended its goroutine")
	errRejectedAgain = errors.New("the token source returned a token that was rejected")
)

// ask asks the source, and once more where it returned a token that a server
// rejected in the meantime.
func (c *Cache) ask(ctx context.Context, f *fetch) {
	for ended := false; !ended; {
		c.calls.Add(1)
		token, err := c.config.Source(ctx, maps.Clone(f.asked))
		r := result{err: err}
		switch {
		case err == nil: // parsed here, where no lock is held
			r.entry, r.held = newEntry(c.config, token, f.began, time.Now()), token.Held
		case ctx.Err() != nil:
			r.err = ctx.Err()
		}
		ended = c.end(ctx, f, r)
	}
}

// end ends a fetch with a result, unless it has ended. It reports false where
// the source is to be asked once more.
func (c *Cache) end(ctx context.Context, f *fetch, r result) (ended bool) {
	if !c.claim(f, &r) {
		return true
	}
	// Deferred, since whoever is told may end this goroutine.
	defer func() { ended = c.finish(ctx, f, r) }()
	c.tell(f, r)
	return ended
}

// claim reports whether r is the first result of a fetch. A token that was
// rejected becomes an error where the source was asked twice.
func (c *Cache) claim(f *fetch, r *result) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.claimed {
		return false
	}
	f.claimed = true
	if f.again && f.wasRejected(r.entry) {
		*r = result{err: errRejectedAgain}
	}
	return true
}

func (f *fetch) wasRejected(e *Entry) bool {
	return e != nil && slices.Contains(f.rejected, e.value)
}

func (c *Cache) tell(f *fetch, r result) {
	if r.err != nil {
		c.failed.Add(1)
	}
	if c.config.Fetched != nil {
		c.config.Fetched(f.values, Fetched{
			Took: time.Since(f.began), Expiry: r.entry.Expiry(), Background: f.background, Err: r.err,
		})
	}
}

// finish stores the token of a claimed fetch and releases everybody who waits
// for it, or reports false where the source is to be asked once more.
func (c *Cache) finish(ctx context.Context, f *fetch, r result) bool {
	retryAfter := c.retryAfter(r.err) // foreign code, before the lock is taken
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if f.wasRejected(r.entry) {
		if !f.again && ctx.Err() == nil {
			f.began, f.again, f.claimed = now, true, false
			return false
		}
		r = result{err: errRejectedAgain}
	}
	f.token, f.err = Cached{r.entry, r.held}, r.err
	if r.err == nil && c.store(f, r.entry, now) {
		c.failures.forget(f.key)
	} else {
		c.noteFailure(f.key, r.err, retryAfter, now)
		f.instead = c.heldFor(f, now)
	}
	c.running--
	delete(c.fetches, f.key)
	close(f.done)
	c.beginNext(now)
	return true
}

// store keeps the token that a fetch brought. It reports false where that is no
// better than the one that is held. The caller holds c.mu.
func (c *Cache) store(f *fetch, arrived *Entry, now time.Time) bool {
	if held := c.heldFor(f, now); held != nil && (held.value == arrived.value || arrived.ttl(now) <= held.ttl(now)) {
		return false
	}
	if arrived.alive(now) {
		c.add(f.key, arrived, now)
	}
	return true
}

// heldFor returns the token that is held for the key of a fetch, if it is alive
// and no server rejected it. The caller holds c.mu.
func (c *Cache) heldFor(f *fetch, now time.Time) *Entry {
	if e := c.entries[f.key]; e.alive(now) && !f.wasRejected(e) {
		return e
	}
	return nil
}
