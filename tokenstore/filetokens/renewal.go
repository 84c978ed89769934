package filetokens

import (
	"context"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/tokenstore/internal/flight"
)

// renew replaces a token that may still be returned, and returns the next one, or
// the old one where that takes too long or fails. The fetch then goes on for the
// next call, if the program lives that long. The caller holds the lock, which is
// given up at the fetch's end.
func (m *member) renew(c flight.Contexts, n names, params routeauth.Params, old record, unlock func()) obtained {
	began := time.Now()
	limit := min(renewalWait, old.left(began)-old.lastMoment())
	fetching, cancel := context.WithTimeout(context.WithoutCancel(c.Fetching), limit+m.fetchTimeout)
	fetched := make(chan obtained, 1)
	go func() {
		defer close(fetched)
		defer func() { _ = recover() }() // the source's; the old token lives on
		defer unlock()
		defer cancel()
		if got, err := m.fetchAndKeep(fetching, n, params); err == nil {
			fetched <- got
		}
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case got, ok := <-fetched:
		if ok {
			return got
		}
	case <-timer.C:
	case <-c.Waiting.Done():
	}
	return old.obtained()
}
