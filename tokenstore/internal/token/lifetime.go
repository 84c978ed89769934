package token

import (
	"time"

	"example.com/routeauth"
	"example.com/routeauth/internal/tokencache"
)

// Lifetime is how long a token lives.
type Lifetime = tokencache.Lifetime

// LifetimeOf returns the lifetime of a token that was asked for at began and
// arrived at now. It is the one that a [routeauth.TokenCache] gives the same token,
// so that a store and the cache above it agree.
func LifetimeOf(token routeauth.Token, began, now time.Time) Lifetime {
	return tokencache.LifetimeOf(tokencache.Token{Value: string(token.Value), Expiry: token.Expiry}, began, now)
}
