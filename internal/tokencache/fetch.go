package tokencache

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync/atomic"
	"time"
)

// fetch is a token that the source is asked for, or will be when it is its turn.
type fetch struct {
	key        string
	asked      Params
	values     context.Context // of the first caller, without its cancellation
	background bool

	// Guarded by the cache's mutex.
	waiting  int
	running  bool
	rejected []string // tokens that servers rejected meanwhile

	ended atomic.Bool   // the result is decided
	done  chan struct{} // closed when it is there
	token Cached
	err   error
}

// newFetch begins a fetch, or lets it wait for its turn. The caller holds c.mu.
func (c *Cache) newFetch(ctx context.Context, key string, asked Params, background bool) *fetch {
	f := &fetch{
		key: key, asked: maps.Clone(asked), background: background,
		values: context.WithoutCancel(ctx), done: make(chan struct{}),
	}
	c.fetches[key] = f
	if c.running < c.config.MaxFetches {
		c.begin(f)
	} else {
		c.queue = append(c.queue, f)
	}
	return f
}

// leave is called by a caller that waits for a fetch no longer. A fetch that has
// not begun is dropped with its last caller.
func (c *Cache) leave(f *fetch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f.waiting--
	if f.waiting > 0 || f.running || f.background {
		return
	}
	c.queue = slices.DeleteFunc(c.queue, func(queued *fetch) bool { return queued == f })
	if c.fetches[f.key] == f {
		delete(c.fetches, f.key)
	}
}

func (f *fetch) reject(value string) {
	if !slices.Contains(f.rejected, value) {
		f.rejected = append(f.rejected, value)
	}
}

var (
	errSourceExited  = errors.New("the token source ended its goroutine")
	errRejectedAgain = errors.New("the token source returned a token that was rejected")
)

// begin gives a fetch its turn. The caller holds c.mu.
func (c *Cache) begin(f *fetch) {
	f.running = true
	c.running++
	ctx, cancel := context.WithTimeout(f.values, c.config.FetchTimeout)
	began := time.Now()
	// A source that ignores its context blocks no other caller.
	stop := context.AfterFunc(ctx, func() {
		if f.ended.CompareAndSwap(false, true) {
			c.tell(f, began, Token{}, ctx.Err())
			c.finish(f, nil, Cached{}, ctx.Err())
		}
	})
	go func() {
		defer cancel()
		exited := true
		defer func() {
			stop()
			if exited && f.ended.CompareAndSwap(false, true) {
				c.tell(f, began, Token{}, errSourceExited)
				c.finish(f, nil, Cached{}, errSourceExited)
			}
		}()
		c.ask(ctx, f)
		exited = false
	}()
}

// ask asks the source, and once more where it returned a token that a server
// rejected in the meantime.
func (c *Cache) ask(ctx context.Context, f *fetch) {
	for again := false; ; again = true {
		began := time.Now()
		token, err := c.config.Source(ctx, maps.Clone(f.asked))
		if err != nil && ctx.Err() != nil {
			err = ctx.Err()
		}
		var entry *Entry
		if err == nil { // parsed here, where no lock is held
			entry = newEntry(c.config, token, began, time.Now())
			if c.wasRejected(f, token.Value) {
				err = errRejectedAgain
			}
		}
		if err == errRejectedAgain && !again && !f.ended.Load() {
			c.tell(f, began, token, nil)
			continue
		}
		if !f.ended.CompareAndSwap(false, true) {
			return // it took too long
		}
		c.tell(f, began, token, err)
		c.finish(f, entry, Cached{entry, token.Held}, err)
		return
	}
}

func (c *Cache) wasRejected(f *fetch, value string) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return slices.Contains(f.rejected, value)
}

func (c *Cache) tell(f *fetch, began time.Time, token Token, err error) {
	c.fetched.Add(1)
	if err != nil {
		c.failed.Add(1)
	}
	if c.config.Fetched != nil {
		c.config.Fetched(f.values, Fetched{
			Took: time.Since(began), Expiry: token.Expiry, Background: f.background, Err: err,
		})
	}
}

// finish releases everybody who waits for f and stores the token that arrived.
// It is called once for each fetch that began.
func (c *Cache) finish(f *fetch, arrived *Entry, token Cached, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running--
	if c.fetches[f.key] == f {
		delete(c.fetches, f.key)
	}
	now := time.Now()
	if err == nil && slices.Contains(f.rejected, arrived.Value(c.config.Prefix)) {
		token, err = Cached{}, errRejectedAgain
	}
	if err != nil {
		c.noteFailure(f.key, err, now)
	} else if !c.store(f.key, arrived, now) {
		c.noteFailure(f.key, nil, now)
	} else {
		delete(c.failures, f.key)
	}
	f.token, f.err = token, err
	close(f.done)
	if len(c.queue) > 0 && c.running < c.config.MaxFetches {
		next := c.queue[0]
		c.queue = c.queue[1:]
		c.begin(next)
	}
}

// store keeps a token that arrived, unless the one that is held is as good. It
// reports false where the source was asked to replace a token and did not. The
// caller holds c.mu.
func (c *Cache) store(key string, arrived *Entry, now time.Time) bool {
	old := c.entries[key]
	if old.alive(now) && (old.authorization == arrived.authorization || !arrived.outlives(old, now)) {
		return false
	}
	if !arrived.alive(now) {
		return true
	}
	arrived.lastUsed.Store(c.clock.Add(1))
	c.entries[key] = arrived
	if c.nextExpiry.outlives(arrived, now) {
		c.nextExpiry = arrived
	}
	if len(c.entries) > c.config.MaxTokens {
		c.evict(now)
	}
	return true
}
