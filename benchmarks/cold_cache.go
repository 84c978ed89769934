package benchmarks

import (
	"context"
	"sync"
	"sync/atomic"

	"example.com/routeauth"
)

// ColdCache sends a request from each of so many goroutines through a JWTAuth
// whose cache is empty, and returns how often its source was asked for a token.
// The source answers when all goroutines are under way.
func ColdCache(goroutines int) (fetches int64, err error) {
	var calls atomic.Int64
	var started, ended sync.WaitGroup
	started.Add(goroutines)
	cache, err := routeauth.NewTokenCache(routeauth.TokenSourceFunc(
		func(context.Context, routeauth.Params) (routeauth.Token, error) {
			calls.Add(1)
			started.Wait()
			return routeauth.Token{Value: routeauth.Secret(Token())}, nil
		}))
	if err != nil {
		return 0, err
	}
	subject := jwtAuthWith(cache, nil)
	transport, err := subject.Transport(OwnResponses())
	if err != nil {
		return 0, err
	}

	errs := make([]error, goroutines)
	for i := range errs {
		ended.Go(func() {
			req, err := NewRequest(subject.URL)
			started.Done()
			if err == nil {
				_, err = transport.RoundTrip(req)
			}
			errs[i] = err
		})
	}
	ended.Wait()
	for _, err := range errs {
		if err != nil {
			return calls.Load(), err
		}
	}
	return calls.Load(), nil
}
