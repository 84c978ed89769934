package tokencache

import (
	"context"
	"maps"
	"slices"
	"time"
)

// Discard forgets the token for key if it is this one. The source is told first,
// so that nobody fetches the token from there after it was forgotten here; it is
// not told where another token is held by now.
func (c *Cache) Discard(ctx context.Context, key []byte, asked Params, rejected string) {
	if !c.reject(string(key), rejected) {
		return
	}
	defer c.forget(string(key), rejected)
	if c.config.Discard != nil {
		c.config.Discard(ctx, maps.Clone(asked), rejected)
	}
}

// reject keeps a fetch that is under way, or begins before the source was told,
// from returning a token that was rejected. It reports false where another token
// is held.
func (c *Cache) reject(key, rejected string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f := c.fetches[key]; f != nil && !slices.Contains(f.rejected, rejected) {
		f.rejected = append(f.rejected, rejected)
	}
	if e := c.entries[key]; e != nil && e.value != rejected && e.alive(time.Now()) {
		return false
	}
	c.discarded[key] = append(c.discarded[key], rejected)
	return true
}

// forget is called when the source was told.
func (c *Cache) forget(key, rejected string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.entries[key]; e != nil && e.value == rejected {
		c.remove(e)
	}
	told := c.discarded[key]
	i := slices.Index(told, rejected)
	if told = slices.Delete(told, i, i+1); len(told) == 0 {
		delete(c.discarded, key)
	} else {
		c.discarded[key] = told
	}
}
