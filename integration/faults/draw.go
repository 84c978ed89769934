package faults

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"time"
)

// draw returns the generator of one decision, which depends on what is decided
// and on how often that came before.
func draw(seed uint64, what string, nth int) *rand.Rand {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s %d", what, nth)
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

// weight is how often something is chosen, in comparison with the others.
type weight[T any] struct {
	value T
	share int
}

// choose returns one of the values.
func choose[T any](r *rand.Rand, from []weight[T]) T {
	total := 0
	for _, w := range from {
		total += w.share
	}
	n := r.IntN(total)
	for _, w := range from {
		if n -= w.share; n < 0 {
			return w.value
		}
	}
	panic("unreachable: n is less than the sum of the shares")
}

// milliseconds returns a duration from 1 ms to max ms.
func milliseconds(r *rand.Rand, max int) time.Duration {
	return time.Duration(1+r.IntN(max)) * time.Millisecond
}

// pause waits for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
