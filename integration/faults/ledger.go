package faults

import (
	"maps"
	"sync"
	"sync/atomic"
)

// ledger sets what the servers did against what the callers were told.
type ledger struct {
	servers atomic.Int64 // requests that reached one of the servers

	mu       sync.Mutex
	attempts map[string]int // of a call that reached the API
	acted    map[string]int // starts that the API acted on
	told     map[string]verdict
	faults   map[string]int
	results  map[verdict]int

	wrongCredential  atomic.Int64
	foreignToken     atomic.Int64
	foreignBody      atomic.Int64
	leakedCredential atomic.Int64
	secretInError    atomic.Int64
}

// verdict is what a caller was told about a start.
type verdict string

const (
	succeeded  verdict = "succeeded"   // here is the operation
	failed     verdict = "failed"      // the server may have acted or not
	notStarted verdict = "not started" // the server did not act
)

func newLedger() *ledger {
	return &ledger{
		attempts: map[string]int{},
		acted:    map[string]int{},
		told:     map[string]verdict{},
		faults:   map[string]int{},
		results:  map[verdict]int{},
	}
}

// attempt returns how often a call came before.
func (l *ledger) attempt(call string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.attempts[call]++
	return l.attempts[call] - 1
}

func (l *ledger) act(call string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acted[call]++
}

// tell records how a start ended for its caller.
func (l *ledger) tell(call string, v verdict) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told[call] = v
	l.results[v]++
}

func (l *ledger) fault(kind string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults[kind]++
}

// balance fills in what can be known once all calls have ended.
func (l *ledger) balance(r *Report) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.ServerRequests = int(l.servers.Load())
	r.Faults = maps.Clone(l.faults)
	r.Succeeded, r.Failed, r.NotStarted = l.results[succeeded], l.results[failed], l.results[notStarted]
	for call, n := range l.acted {
		r.Acted++
		if n > 1 {
			r.StartedTwice++
		}
		if v := l.told[call]; v != succeeded && v != failed {
			r.LostSilently++
		}
	}
	for call, v := range l.told {
		if v == succeeded && l.acted[call] == 0 {
			r.NeverStarted++
		}
	}
	r.WrongCredential = int(l.wrongCredential.Load())
	r.ForeignToken = int(l.foreignToken.Load())
	r.ForeignBody = int(l.foreignBody.Load())
	r.LeakedCredential = int(l.leakedCredential.Load())
	r.SecretInError = int(l.secretInError.Load())
}
