package fleet

import (
	"sync"
	"time"
)

const (
	// shareTime is how long it takes at most from a fetch's beginning to the
	// moment from which everybody sees its token.
	shareTime = 2 * time.Second
	// recovery is how long a process may go on by itself after Redis works again:
	// the longest pause, the command that then tries, and a client that dials.
	recovery = 7 * time.Second
	// slack is how far clocks, measured in different processes, may be apart.
	slack = 300 * time.Millisecond
)

// ledger counts, and judges which fetches were needed.
type ledger struct {
	life time.Duration

	mu          sync.Mutex
	report      Report
	inTrouble   int       // troubles of Redis that last
	troubleEnds time.Time // when the last one can no longer be felt
	frozen      map[string]time.Time
}

func (l *ledger) add(change func(r *Report)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(&l.report)
}

// beginTrouble notes that Redis is in trouble until end is called.
func (l *ledger) beginTrouble() (end func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inTrouble++
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.inTrouble--
		l.troubleEnds = time.Now().Add(recovery)
	}
}

func (l *ledger) noteFrozen(process string, until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.frozen[process] = until
}

// judge says whether a fetch was needed. It was, if no process shares a token
// for the same user that is outside of its window of renewal, or is about to.
func (l *ledger) judge(t *issued, others []*issued) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.report.Fetches++
	troubled := l.inTrouble > 0 || t.asked.Before(l.troubleEnds)
	t.private = troubled
	shared := false
	for _, o := range others {
		isDue := o.end.Sub(t.asked) <= l.life/2+slack
		if o.revoked.IsZero() && !o.private && !isDue {
			shared = true
		}
	}
	thawed := l.frozen[t.process]
	switch {
	case !shared:
		l.report.Needed++
	case troubled:
		l.report.Alone++
	case t.asked.Sub(thawed) < shareTime:
		l.report.AfterFreeze++
		t.private = true // its lock is lost
	default:
		l.report.Unneeded++
	}
}
