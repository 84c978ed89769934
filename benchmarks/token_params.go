package benchmarks

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"example.com/routeauth"
)

// maxRequests bounds how many requests take turns in [HitTokens].
const maxRequests = 1000

// HitTokens returns the operation that sends a request whose token is held. The
// cache holds so many tokens, each for as many params of its own. Up to 1000 of
// them, from all over the cache, take turns.
func HitTokens(tokens, params int) (Operation, error) {
	cache, err := fullCache(tokens, params)
	if err != nil {
		return nil, err
	}
	subject := jwtAuthWith(cache, nil)
	transport, err := subject.Transport(OneResponse())
	if err != nil {
		return nil, err
	}
	requests := make([]*http.Request, min(tokens, maxRequests))
	for i := range requests {
		owner := i * (tokens / len(requests))
		ctx := routeauth.ContextWithParams(context.Background(), paramsOf(owner, params))
		if requests[i], err = newRequest(ctx, subject.URL, len(fields)); err != nil {
			return nil, err
		}
	}
	next := 0
	return func() error {
		_, err := transport.RoundTrip(requests[next])
		if next++; next == len(requests) {
			next = 0
		}
		return err
	}, nil
}

// MissToken returns the operation that sends a request whose token is not held.
// The cache holds as many tokens as it may, and drops one for the new one. The
// source answers at once.
func MissToken(tokens int) (Operation, error) {
	cache, err := fullCache(tokens, 1)
	if err != nil {
		return nil, err
	}
	owner := tokens
	subject := jwtAuthWith(cache, func(*http.Request) (routeauth.Params, error) {
		owner++
		return paramsOf(owner, 1), nil
	})
	return subject.RoundTrips(OneResponse())
}

// fullCache returns a cache that holds as many tokens as it may.
func fullCache(tokens, params int) (*routeauth.TokenCache, error) {
	cache, err := routeauth.NewTokenCache(source, routeauth.WithMaxTokens(tokens))
	if err != nil {
		return nil, err
	}
	for owner := range tokens {
		if _, err := cache.Token(context.Background(), paramsOf(owner, params)); err != nil {
			return nil, err
		}
	}
	return cache, nil
}

// paramsOf returns so many params that are the owner's alone.
func paramsOf(owner, count int) routeauth.Params {
	params := make(routeauth.Params, count)
	for i := range count {
		params[fmt.Sprintf("param_%d", i)] = strconv.Itoa(owner)
	}
	return params
}
