package tokencache

import (
	"math/rand/v2"
	"sync/atomic"
)

// counter counts what happens on many processors at once, each of which mostly
// writes to a cache line of its own.
type counter [8]struct {
	n atomic.Uint64
	_ [56]byte
}

func (c *counter) add() { c[rand.Uint32()%uint32(len(c))].n.Add(1) }

func (c *counter) load() (sum uint64) {
	for i := range c {
		sum += c[i].n.Load()
	}
	return sum
}
