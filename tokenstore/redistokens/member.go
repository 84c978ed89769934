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
	for {
		now, err := m.look(c.Waiting, n)
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
			l, err := m.store.obtain(c.Waiting, n, leaseFor(m.fetchTimeout))
			if err == nil {
				return m.fetchWith(c, n, params, l)
			}
			if verdictOf(c.Waiting, err) == failed {
				return now.orElse(m.fetchAlone(c, n, params))
			}
		}
		if !waited.mayGoOn(now.holder, m.fetchTimeout) {
			return now.orElse(m.fetchAlone(c, n, params))
		}
		waited.pause(c.Waiting)
	}
}

// look returns what Redis has, without a token that this process saw rejected.
func (m *member) look(ctx context.Context, n names) (seen, error) {
	now, err := m.store.look(ctx, n)
	if err == nil && now.left > 0 && m.rejected.Has(n.token, now.token) {
		m.store.discard(ctx, n, now.stored) // Redis could not be told
		now.record, now.left = record{}, 0
	}
	return now, err
}

// fetchWith fetches a token as the holder of the lock, unless one was written
// just before the lock was obtained.
func (m *member) fetchWith(c flight.Contexts, n names, params routeauth.Params, l *lease) (obtained, error) {
	defer l.release(context.WithoutCancel(c.Fetching), &m.store)
	now, err := m.look(c.Waiting, n)
	if c.Waiting.Err() != nil {
		return obtained{}, c.Waiting.Err()
	}
	if err == nil && now.isGood() {
		return now.obtained(), nil
	}
	return now.orElse(m.fetchAndShare(c.Fetching, n, params, l))
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

// fetchAndShare asks the source and writes its token to Redis, which gives up
// the lock.
func (m *member) fetchAndShare(ctx context.Context, n names, params routeauth.Params, l *lease) (obtained, error) {
	got, life, err := func() (obtained, token.Lifetime, error) {
		defer l.keep(context.WithoutCancel(ctx), &m.store, m.fetchTimeout)()
		return m.fetch(ctx, n, params)
	}()
	if err != nil {
		return obtained{}, err
	}
	at, known := l.whole()
	left := life.Left(at)
	if !known || left <= 0 || !token.IsWellFormed(got.Value) || m.rejected.Has(n.token, got.Value) {
		return got, nil
	}
	// A token that arrives late in its life must not be due at once, or each call
	// would fetch another like it.
	r := record{got.Value, min(life.Total(), left)}
	if m.store.write(context.WithoutCancel(ctx), n, l, r, left) == nil {
		l.gone = true
	}
	return got, nil
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
		ctx := context.WithoutCancel(ctx)
		now, err := m.store.look(ctx, n)
		if err == nil && now.left > 0 && now.token == rejected {
			m.store.discard(ctx, n, now.stored)
		}
	}()
	select {
	case <-told:
	case <-ctx.Done():
	}
}
