package filetokens

import (
	"context"
	"maps"
	"math/rand/v2"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/tokenstore/internal/flight"
	"example.com/routeauth/tokenstore/internal/rejected"
	"example.com/routeauth/tokenstore/internal/token"
)

const (
	// discardWait is how long a Discard waits for a lock. Whoever has it is about
	// to replace the token.
	discardWait = time.Second

	// renewalWait is how long a call waits for the token that replaces one that
	// may still be returned. An issuer that is well answers by then, and one that
	// hangs must not fail a request that has a token.
	renewalWait = 500 * time.Millisecond

	maxSwept = 64

	shortestWait = 2 * time.Millisecond
	longestWait  = 50 * time.Millisecond
)

// member is one Source's part in a folder.
type member struct {
	folder       folder
	locks        locks
	source       routeauth.TokenSource
	discarder    routeauth.Discarder // the source, if it is one
	fetchTimeout time.Duration

	calls    *flight.Group[obtained]
	rejected rejected.Memory
}

// obtained is a token and where it came from.
type obtained struct {
	routeauth.Token
	fetched bool          // from the source, not from a file
	left    time.Duration // how long it lived when it was fetched
}

func newMember(f folder, source routeauth.TokenSource, s settings) *member {
	m := &member{
		folder:       f,
		locks:        locks{folder: f, held: make(map[string]bool)},
		source:       source,
		fetchTimeout: s.fetchTimeout,
		calls:        flight.NewGroup[obtained](s.fetchTimeout),
	}
	m.discarder, _ = source.(routeauth.Discarder)
	return m
}

func namesIn(ctx context.Context, params routeauth.Params) names {
	return namesOf(token.Key(routeauth.IdentityFromContext(ctx), params))
}

// token is [Source.Token].
func (m *member) token(ctx context.Context, params routeauth.Params) (routeauth.Token, error) {
	n := namesIn(ctx, params)
	params = maps.Clone(params) // what is done with them may outlive this call
	for {
		got, err := m.calls.Do(ctx, n.token, func(c flight.Contexts) (obtained, error) {
			return m.obtain(c, n, params)
		})
		if err == nil && !got.fetched && m.rejected.Has(n.token, got.Value) {
			continue // while it was under way
		}
		return got.Token, err
	}
}

// obtain reads a token from its file, or fetches one, or waits for another
// process that does.
func (m *member) obtain(c flight.Contexts, n names, params routeauth.Params) (obtained, error) {
	deadline := time.Now().Add(m.fetchTimeout)
	pause := shortestWait
	for {
		now := m.read(n)
		isGood := now.isGood(time.Now())
		if isGood && !now.isDue(time.Now()) {
			return now.obtained(), nil
		}
		unlock, locked, err := m.locks.try(n.lock)
		switch {
		case locked && isGood:
			return m.renew(c, n, params, now, unlock), nil
		case locked:
			defer unlock()
			return m.fetchAndKeep(c.Fetching, n, params)
		case isGood:
			return now.obtained(), nil // somebody else renews it, or nobody can
		case err != nil || !time.Now().Before(deadline):
			return now.orElse(m.fetch(c.Fetching, n, params))
		}
		wait(c.Waiting, pause)
		pause = min(2*pause, longestWait)
		if c.Waiting.Err() != nil {
			return obtained{}, c.Waiting.Err()
		}
	}
}

// wait waits for about that time, spread so that those who began together do not
// come back together.
func wait(ctx context.Context, pause time.Duration) {
	timer := time.NewTimer(pause/2 + rand.N(pause/2))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// read returns the record in the token's file, unless this process saw its token
// rejected.
func (m *member) read(n names) record {
	r := m.folder.read(n)
	if r != (record{}) && m.rejected.Has(n.token, r.token) {
		return record{}
	}
	return r
}

// fetchAndKeep fetches a token and writes its file, unless another process was
// faster. The caller holds the lock.
func (m *member) fetchAndKeep(ctx context.Context, n names, params routeauth.Params) (obtained, error) {
	now := m.read(n)
	if now.isGood(time.Now()) && !now.isDue(time.Now()) {
		return now.obtained(), nil
	}
	got, err := m.fetch(ctx, n, params)
	if err != nil {
		return now.orElse(got, err)
	}
	m.keep(n, got)
	return got, nil
}

// keep writes a token's file, and clears away what is of no more use to anybody.
// Where that fails, the request goes on. The caller holds the lock.
func (m *member) keep(n names, got obtained) {
	if got.left <= 0 || !token.IsWellFormed(got.Value) || m.rejected.Has(n.token, got.Value) {
		return
	}
	now := time.Now()
	r := record{token: got.Value, written: now, end: got.Expiry, total: got.left}
	if m.folder.retry(func() error { return m.folder.write(n, r) }) == nil {
		m.sweep(n, now)
	}
}

// sweep removes the files of tokens that ended, and what killed processes left
// behind, as far as nobody uses them. The caller holds the lock of n, and only
// that.
//
// It looks at some tokens, drawn anew each time, so that a program with many does
// not read all of them whenever it writes one.
func (m *member) sweep(mine names, now time.Time) {
	all := m.folder.tokens()
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, n := range all[:min(maxSwept, len(all))] {
		if n == mine || !m.folder.isOver(n, now) {
			continue
		}
		if n.lock == mine.lock {
			m.folder.remove(n)
			continue
		}
		if unlock, locked, _ := m.locks.try(n.lock); locked {
			if m.folder.isOver(n, now) {
				m.folder.remove(n)
			}
			unlock()
		}
	}
}

// fetch asks the source. The token has its end as its Expiry.
func (m *member) fetch(ctx context.Context, n names, params routeauth.Params) (obtained, error) {
	began := time.Now()
	got, err := m.source.Token(ctx, maps.Clone(params))
	if err != nil {
		return obtained{}, err
	}
	now := time.Now()
	life := token.LifetimeOf(got, began, now)
	left := life.Left(now)
	if left > 0 {
		got.Expiry = now.Add(left).Round(0)
	}
	return obtained{got, true, left}, nil
}

// discard is [Source.Discard].
func (m *member) discard(ctx context.Context, params routeauth.Params, rejected routeauth.Secret) {
	n := namesIn(ctx, params)
	m.rejected.Add(n.token, rejected)
	if m.discarder != nil {
		m.discarder.Discard(ctx, maps.Clone(params), rejected)
	}
	ctx, cancel := context.WithTimeout(ctx, discardWait)
	defer cancel()
	for pause := shortestWait; m.folder.read(n).token == rejected; pause = min(2*pause, longestWait) {
		unlock, locked, err := m.locks.try(n.lock)
		if locked {
			if m.folder.read(n).token == rejected {
				m.folder.remove(n)
			}
			unlock()
			return
		}
		if err != nil || ctx.Err() != nil {
			return
		}
		wait(ctx, pause)
	}
}
