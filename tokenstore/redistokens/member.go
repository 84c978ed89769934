package redistokens

import (
	"context"
	"maps"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/tokenstore/internal/flight"
	"example.com/routeauth/tokenstore/internal/recent"
	"example.com/routeauth/tokenstore/internal/rejected"
	"example.com/routeauth/tokenstore/internal/token"
	"github.com/bsm/redislock"
	"github.com/redis/go-redis/v9"
)

// member is one process's part in sharing.
type member struct {
	store         store
	namesOf       namer
	source        routeauth.TokenSource
	discarder     routeauth.Discarder // the source, if it is one
	refreshBefore time.Duration
	fetchTimeout  time.Duration

	calls    *flight.Group[obtained]
	renewals renewals
	rejected rejected.Memory
	unshared recent.Map[struct{}] // keys whose last token could not be shared
}

// obtained is a token and where it came from.
type obtained struct {
	routeauth.Token
	fetched bool // from the source, not from Redis
}

func newMember(client redis.UniversalClient, source routeauth.TokenSource, s settings) (*member, error) {
	nameKey, err := deriveKey(s, "names")
	if err != nil {
		return nil, err
	}
	m := &member{
		store:         store{client: client, locks: redislock.New(client)},
		namesOf:       newNamer(nameKey),
		source:        source,
		refreshBefore: s.refreshBefore,
		fetchTimeout:  s.fetchTimeout,
		calls:         flight.NewGroup[obtained](s.fetchTimeout),
	}
	m.discarder, _ = source.(routeauth.Discarder)
	if s.unencrypted {
		return m, nil
	}
	sealKey, err := deriveKey(s, "tokens")
	if err != nil {
		return nil, err
	}
	m.store.seal, err = newSealer(sealKey)
	return m, err
}

func (m *member) namesIn(ctx context.Context, params routeauth.Params) names {
	return m.namesOf(token.Key(routeauth.IdentityFromContext(ctx), params))
}

// token is [Source.Token].
func (m *member) token(ctx context.Context, params routeauth.Params) (routeauth.Token, error) {
	n := m.namesIn(ctx, params)
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

// obtain finds a token in Redis, or fetches one, or waits for another process
// that does.
func (m *member) obtain(c flight.Contexts, n names, params routeauth.Params) (obtained, error) {
	var waited wait
	b := newBudget()
	for {
		now, err := m.look(c.Waiting, b, n)
		if c.Waiting.Err() != nil {
			return obtained{}, c.Waiting.Err()
		}
		if err != nil {
			return m.fetchAlone(c, n, params)
		}
		if now.isGood() {
			if now.isDue(m.refreshBefore) && now.holder == "" {
				m.renew(c.Waiting, n, params)
			}
			return now.obtained(), nil
		}
		if _, isUnshared := m.unshared.Get(n.token); isUnshared {
			return now.orElse(m.fetchAlone(c, n, params))
		}
		if now.holder == "" {
			l, err := m.store.obtain(c.Waiting, b, n, leaseFor(m.fetchTimeout))
			if err == nil {
				return m.fetchWith(c, b, n, params, l)
			}
			if verdictOf(c.Waiting, err) == failed {
				return now.orElse(m.fetchAlone(c, n, params))
			}
		}
		if !waited.mayGoOn(now.holder, m.fetchTimeout) {
			return now.orElse(m.fetchAlone(c, n, params))
		}
		b.earn(waited.pause(c.Waiting))
	}
}

// look returns what Redis has, without a token that this process saw rejected.
func (m *member) look(ctx context.Context, b *budget, n names) (seen, error) {
	now, err := m.store.look(ctx, b, n)
	if err == nil && now.left > 0 && m.rejected.Has(n.token, now.token) {
		m.store.discard(ctx, b, n, now.stored) // Redis could not be told
		now.record, now.left = record{}, 0
	}
	return now, err
}

// fetchWith fetches a token as the holder of the lock, unless one was written
// just before the lock was obtained.
func (m *member) fetchWith(c flight.Contexts, b *budget, n names, params routeauth.Params, l *lease) (obtained, error) {
	now, err := m.look(c.Waiting, b, n)
	isGood := err == nil && now.isGood()
	if isGood || c.Waiting.Err() != nil {
		afterwards(c.Fetching, b, func(ctx context.Context) { l.release(ctx, &m.store, newBudget()) })
	}
	switch {
	case c.Waiting.Err() != nil:
		return obtained{}, c.Waiting.Err()
	case isGood:
		return now.obtained(), nil
	}
	return now.orElse(m.fetchAndShare(c.Fetching, b, n, params, l))
}

// fetchAlone fetches a token that is not shared.
func (m *member) fetchAlone(c flight.Contexts, n names, params routeauth.Params) (obtained, error) {
	got, _, err := m.fetch(c.Fetching, n, params)
	return got, err
}

// fetch asks the source. The token has its end as its Expiry.
func (m *member) fetch(ctx context.Context, n names, params routeauth.Params) (obtained, token.Lifetime, error) {
	began := time.Now()
	got, err := m.source.Token(ctx, maps.Clone(params))
	if err != nil {
		return obtained{}, token.Lifetime{}, err
	}
	now := time.Now()
	life := token.LifetimeOf(got, began, now)
	if left := life.Left(now); left > 0 {
		got.Expiry = now.Add(left).Round(0)
		m.unshared.Delete(n.token)
	} else {
		m.unshared.Update(n.token, func(struct{}) struct{} { return struct{}{} })
	}
	return obtained{got, true}, life, nil
}

// fetchAndShare asks the source and writes its token to Redis. The lock is given
// up with that, or without it where there is nothing to write.
func (m *member) fetchAndShare(ctx context.Context, b *budget, n names, params routeauth.Params, l *lease) (got obtained, err error) {
	stop := l.keep(context.WithoutCancel(ctx), &m.store, m.fetchTimeout)
	var life token.Lifetime
	defer func() { // also where the source panics
		got := got // the caller's own does not wait for the end of this
		afterwards(ctx, b, func(ctx context.Context) {
			stop()
			b := newBudget()
			if got.fetched {
				m.share(ctx, b, n, l, got, life)
			}
			l.release(ctx, &m.store, b)
		})
	}()
	got, life, err = m.fetch(ctx, n, params)
	return got, err
}

// afterwards does what is left to do when a call has its token. The call waits for
// it as long as its budget lasts, so that with a Redis that is well the next call,
// of whatever process, finds it done.
func afterwards(ctx context.Context, b *budget, do func(context.Context)) {
	ctx = context.WithoutCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		do(ctx)
	}()
	_, _ = within(ctx, b, func(ctx context.Context) (struct{}, error) {
		select {
		case <-done:
		case <-ctx.Done():
		}
		return struct{}{}, nil
	})
}

// share writes a token to Redis, if others may have it.
func (m *member) share(ctx context.Context, b *budget, n names, l *lease, got obtained, life token.Lifetime) {
	at, known := l.whole()
	left := life.Left(at)
	if !known || left <= 0 || !token.IsWellFormed(got.Value) || m.rejected.Has(n.token, got.Value) {
		return
	}
	// A token that arrives late in its life must not be due at once, or each call
	// would fetch another like it.
	r := record{got.Value, min(life.Total(), left)}
	l.gone = m.store.write(ctx, b, n, l, r, left) == nil
}

// discard is [Source.Discard].
func (m *member) discard(ctx context.Context, params routeauth.Params, rejected routeauth.Secret) {
	n := m.namesIn(ctx, params)
	m.rejected.Add(n.token, rejected)
	if m.discarder != nil {
		m.discarder.Discard(ctx, maps.Clone(params), rejected)
	}
	told := make(chan struct{})
	go func() { // it is told also if the caller leaves
		defer close(told)
		ctx, b := context.WithoutCancel(ctx), newBudget()
		now, err := m.store.look(ctx, b, n)
		if err == nil && now.left > 0 && now.token == rejected {
			m.store.discard(ctx, b, n, now.stored)
		}
	}()
	select {
	case <-told:
	case <-ctx.Done():
	}
}
