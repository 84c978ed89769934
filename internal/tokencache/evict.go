package tokencache

import (
	"cmp"
	"slices"
	"time"
)

// evict makes room: expired tokens go, or else the one that was used least
// recently. The caller holds c.mu.
func (c *Cache) evict(now time.Time) {
	if !c.nextExpiry.alive(now) {
		c.dropExpired(now)
	}
	for len(c.entries) > c.config.MaxTokens {
		if len(c.oldest) == 0 {
			c.oldest = evictionOrder(c.entries)
		}
		candidate := c.oldest[0]
		c.oldest = c.oldest[1:]
		if e := c.entries[candidate.key]; e != nil && e.lastUsed.Load() == candidate.at {
			delete(c.entries, candidate.key)
			c.evictions.Add(1)
		}
	}
}

// dropExpired looks at every entry, which pays only when one has ended. The
// caller holds c.mu.
func (c *Cache) dropExpired(now time.Time) {
	c.nextExpiry = nil
	for key, e := range c.entries {
		if !e.alive(now) {
			delete(c.entries, key)
			c.evictions.Add(1)
		} else if c.nextExpiry == nil || c.nextExpiry.outlives(e, now) {
			c.nextExpiry = e
		}
	}
}

// lastUse is when an entry was used last, by the cache's clock.
type lastUse struct {
	key string
	at  uint64
}

// evictionOrder returns the entries, least recently used first. The order stays
// good: an entry that is used later has another time and is passed over, and one
// that arrives later comes behind all others. So every entry is looked at only
// when the last order is used up.
func evictionOrder(entries map[string]*Entry) []lastUse {
	order := make([]lastUse, 0, len(entries))
	for key, e := range entries {
		order = append(order, lastUse{key, e.lastUsed.Load()})
	}
	slices.SortFunc(order, func(a, b lastUse) int { return cmp.Compare(a.at, b.at) })
	return order
}
