package tokencache

import (
	"sync/atomic"
	"time"
)

// counter counts what happens on many processors at once, each of which mostly
// writes to a cache line of its own.
type counter [8]struct {
	n atomic.Uint64
	_ [56]byte
}

// add counts what happens now. The time serves as a random number, for which it
// is good enough and at hand.
func (c *counter) add(now time.Time) {
	c[uint(now.Nanosecond())>>7%uint(len(c))].n.Add(1)
}

func (c *counter) load() (sum uint64) {
	for i := range c {
		sum += c[i].n.Load()
	}
	return sum
}
