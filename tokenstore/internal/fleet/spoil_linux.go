package fleet

import (
	"context"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/tokenstore/redistokens"
	"github.com/redis/go-redis/v9"
)

// spoil is what is broken on purpose in the processes of a fleet, so that a count
// that must be zero is not.
type spoil string

const (
	nothing        spoil = ""
	needsRedis     spoil = "a request fails when Redis does"
	oneForAll      spoil = "everybody gets the first user's token"
	forgetsNothing spoil = "a cache is not told of a 401"
	inTheClear     spoil = "tokens are not encrypted"
	leavesKeys     spoil = "a key has no end"
	sharesNothing  spoil = "each process has a namespace of its own"
	crashes        spoil = "processes end by themselves"
)

func (s spoil) options(opts []redistokens.Option, process string) []redistokens.Option {
	switch s {
	case inTheClear:
		return []redistokens.Option{redistokens.AllowUnencrypted()}
	case sharesNothing:
		return append(opts, redistokens.WithNamespace(process))
	}
	return opts
}

// store is what stands between the cache and Redis.
func (s spoil) store(shared *redistokens.Source, client *redis.Client) routeauth.TokenSource {
	return &spoiledStore{shared, client, s}
}

type spoiledStore struct {
	*redistokens.Source
	client *redis.Client
	spoil  spoil
}

// Token is that of the Source, or what is made of it.
func (s *spoiledStore) Token(ctx context.Context, params routeauth.Params) (routeauth.Token, error) {
	switch s.spoil {
	case needsRedis:
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if err := s.client.Ping(ctx).Err(); err != nil {
			return routeauth.Token{}, err
		}
	case oneForAll:
		ctx = routeauth.ContextWithIdentity(ctx, userMark+"0")
	case leavesKeys:
		s.client.Set(ctx, "routeauth:left", "for ever", 0)
	}
	return s.Source.Token(ctx, params)
}

// cache is what the transport is given.
func (s spoil) cache(cache *routeauth.TokenCache) routeauth.Discarder {
	if s == forgetsNothing {
		return deaf{cache}
	}
	return cache
}

// deaf is not told of rejected tokens.
type deaf struct{ routeauth.TokenSource }

// Discard does nothing.
func (deaf) Discard(context.Context, routeauth.Params, routeauth.Secret) {}
