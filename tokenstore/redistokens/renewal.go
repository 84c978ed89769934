package redistokens

import (
	"context"
	"sync"

	"example.com/routeauth"
)

// renewals are the keys whose tokens this process renews.
type renewals struct {
	mu      sync.Mutex
	running map[string]bool
}

func (r *renewals) begin(key string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running[key] {
		return false
	}
	if r.running == nil {
		r.running = make(map[string]bool)
	}
	r.running[key] = true
	return true
}

func (r *renewals) end(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.running, key)
}

// renew replaces a shared token in the background, if no other process does.
//
// If that fails, the lock is left to its end: no process of the fleet asks the
// source again before that.
func (m *member) renew(ctx context.Context, n names, params routeauth.Params) {
	if !m.renewals.begin(n.token) {
		return
	}
	values := context.WithoutCancel(ctx)
	go func() {
		defer m.renewals.end(n.token)
		defer func() { _ = recover() }() // the source's; the old token lives on
		b := newBudget()
		l, err := m.store.obtain(values, b, n, leaseFor(m.fetchTimeout))
		if err != nil {
			return
		}
		now, err := m.look(values, b, n)
		if err != nil || now.isGood() && !now.isDue(m.refreshBefore) {
			l.release(values, &m.store, newBudget()) // another process was faster
			return
		}
		l.stays = true
		fetching, cancel := context.WithTimeout(values, m.fetchTimeout)
		defer cancel()
		_, _ = m.fetchAndShare(fetching, b, n, params, l)
	}()
}
