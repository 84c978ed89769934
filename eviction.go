package routeauth

import (
	"cmp"
	"slices"
	"time"
)

// evict makes room: expired tokens go, or else the one that was used least
// recently. The caller holds t.mu.
func (t *tokens) evict(now time.Time) {
	if !t.firstToEnd.alive(now) {
		t.dropExpired(now)
	}
	for len(t.held) > t.maxTokens {
		if len(t.idle) == 0 {
			t.idle = byLastUse(t.held)
		}
		candidate := t.idle[0]
		t.idle = t.idle[1:]
		if held := t.held[candidate.key]; held != nil && held.used.Load() == candidate.use {
			delete(t.held, candidate.key)
		}
	}
}

// dropExpired looks at every token, which pays only when one has ended. The
// caller holds t.mu.
func (t *tokens) dropExpired(now time.Time) {
	t.firstToEnd = nil
	for key, held := range t.held {
		if !held.alive(now) {
			delete(t.held, key)
		} else if t.firstToEnd == nil || t.firstToEnd.outlives(held, now) {
			t.firstToEnd = held
		}
	}
}

// lastUse is when a token was used last, in the cache's count of uses.
type lastUse struct {
	key string
	use uint64
}

// byLastUse returns what is held, least recently used first. The order stays
// good: a token that is used later has another count and is passed over, and
// one that arrives later comes behind all others. So every token is looked at
// only when the last order is used up.
func byLastUse(held map[string]*heldToken) []lastUse {
	order := make([]lastUse, 0, len(held))
	for key, token := range held {
		order = append(order, lastUse{key, token.used.Load()})
	}
	slices.SortFunc(order, func(a, b lastUse) int { return cmp.Compare(a.use, b.use) })
	return order
}
