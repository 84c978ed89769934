package redistokens

import (
	"sync"
	"time"
)

// After a failure Redis is left alone for firstPause, which each further failure
// doubles up to longestPause.
const (
	firstPause   = time.Second
	longestPause = 4 * time.Second
)

// outage is what a process knows of a Redis that fails. The zero outage is none.
type outage struct {
	mu      sync.Mutex
	pause   time.Duration // the last one; 0 while Redis works
	until   time.Time     // its end
	probing bool          // one command tries whether it is over
}

// verdict is what the end of a command says of Redis.
type verdict uint8

const (
	unheard  verdict = iota // nobody waited for the answer
	answered                // also if it was a refusal that is not a failure
	failed
)

// admit reports whether a command may be sent, and whether it is the one that
// tries. Its end must be told in either case.
func (o *outage) admit() (admitted, probe bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.pause == 0 {
		return true, false
	}
	if o.probing || time.Now().Before(o.until) {
		return false, false
	}
	o.probing = true
	return true, true
}

// note takes in how a command ended that was admitted. Those that began before
// the outage and end in it say nothing new.
func (o *outage) note(probe bool, v verdict) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if probe {
		o.probing = false
	}
	switch {
	case v == failed && o.pause == 0:
		o.pause, o.until = firstPause, time.Now().Add(firstPause)
	case v == failed && probe:
		o.pause = min(2*o.pause, longestPause)
		o.until = time.Now().Add(o.pause)
	case v == answered && probe:
		o.pause = 0
	}
}
