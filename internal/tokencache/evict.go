package tokencache

import (
	"container/heap"
	"time"
)

// add puts an entry in the place of the one that is held for key. If that is one
// too many, expired entries go, or else the one that was used least recently. The
// caller holds c.mu.
func (c *Cache) add(key string, e *Entry, now time.Time) {
	if old := c.entries[key]; old != nil {
		c.remove(old)
	}
	e.key = key
	e.rankedBy = c.uses.Add(1)
	e.lastUsed.Store(e.rankedBy)
	c.entries[key] = e
	heap.Push(&c.byEnd, e)
	heap.Push(&c.byUse, e)
	if len(c.entries) <= c.config.MaxTokens {
		return
	}
	for !c.byEnd.top().alive(now) {
		c.evict(c.byEnd.top())
	}
	if len(c.entries) > c.config.MaxTokens {
		c.evict(c.leastRecentlyUsed())
	}
}

func (c *Cache) evict(e *Entry) {
	c.remove(e)
	c.evictions.Add(1)
}

// remove forgets an entry. The caller holds c.mu.
func (c *Cache) remove(e *Entry) {
	delete(c.entries, e.key)
	c.hot.CompareAndSwap(e, nil)
	heap.Remove(&c.byEnd, e.inByEnd)
	heap.Remove(&c.byUse, e.inByUse)
}

// leastRecentlyUsed returns the entry that was not used for the longest time. An
// entry that is used keeps its place in the heap, since a hit does not take the
// lock; it gets another one when it comes to the top. The caller holds c.mu.
func (c *Cache) leastRecentlyUsed() *Entry {
	for {
		e := c.byUse.top()
		lastUsed := e.lastUsed.Load()
		if e.rankedBy == lastUsed {
			return e
		}
		e.rankedBy = lastUsed
		heap.Fix(&c.byUse, e.inByUse)
	}
}

// entryHeap is a heap of entries, each of which knows its place in it.
type entryHeap struct {
	entries []*Entry
	less    func(a, b *Entry) bool
	place   func(e *Entry) *int
}

// heapByEnd orders entries by the monotonic clock. A wall clock that is set
// changes the order in which they end only between tokens that were fetched
// before and after.
func heapByEnd() entryHeap {
	return entryHeap{
		less:  func(a, b *Entry) bool { return a.lifetime.end.Before(b.lifetime.end) },
		place: func(e *Entry) *int { return &e.inByEnd },
	}
}

func heapByUse() entryHeap {
	return entryHeap{
		less:  func(a, b *Entry) bool { return a.rankedBy < b.rankedBy },
		place: func(e *Entry) *int { return &e.inByUse },
	}
}

func (h *entryHeap) top() *Entry { return h.entries[0] }

func (h *entryHeap) Len() int           { return len(h.entries) }
func (h *entryHeap) Less(i, j int) bool { return h.less(h.entries[i], h.entries[j]) }

func (h *entryHeap) Swap(i, j int) {
	h.entries[i], h.entries[j] = h.entries[j], h.entries[i]
	*h.place(h.entries[i]), *h.place(h.entries[j]) = i, j
}

func (h *entryHeap) Push(x any) {
	e := x.(*Entry)
	*h.place(e) = len(h.entries)
	h.entries = append(h.entries, e)
}

func (h *entryHeap) Pop() any {
	last := len(h.entries) - 1
	e := h.entries[last]
	h.entries[last] = nil
	h.entries = h.entries[:last]
	return e
}
