package token

import (
	"errors"
	"math"
	"time"

	"example.com/routeauth"
	"github.com/golang-jwt/jwt/v5"
)

// Lifetime is when a token ends, on both clocks of this machine, since a machine
// that slept has a monotonic clock that stood still. The zero Lifetime is that
// of a token that says nothing about its end, and is not to be kept.
//
// It is what [routeauth.TokenCache] makes of the same token (rule 19 of the
// project), so that a store and the cache above it agree. A test holds the two
// against each other.
type Lifetime struct {
	end   time.Time     // on the monotonic clock
	wall  time.Time     // on the wall clock; zero if that is evidently wrong
	total time.Duration // from the token's beginning to its end
}

// LifetimeOf returns the lifetime of a token that was asked for at began and arrived at
// now. Both must have a monotonic reading, as [time.Now] gives it.
//
// An Expiry is on this machine's clock, the claims of a JWT are on the issuer's.
// If the wall clock lies between iat and exp, it is credible. If it lies outside,
// it must be wrong, since a source does not return an expired token; the token
// then ends when exp − iat has passed since it was asked for.
func LifetimeOf(token routeauth.Token, began, now time.Time) Lifetime {
	iat, exp, isJWT := claimsOf(string(token.Value))
	if isJWT && exp.IsZero() {
		return Lifetime{} // its claims make no sense
	}
	credible := func(at time.Time) bool {
		wall := at.Round(0)
		return !wall.Before(iat) && wall.Before(exp)
	}
	var l Lifetime
	switch {
	case !isJWT:
	case iat.IsZero() || credible(began) || credible(now):
		l.end, l.wall = now.Add(exp.Sub(now.Round(0))), exp
		l.total = l.end.Sub(now)
		if !iat.IsZero() {
			l.total = exp.Sub(iat)
		}
	default:
		l.end, l.total = began.Add(exp.Sub(iat)), exp.Sub(iat)
	}
	if token.Expiry.IsZero() {
		return l
	}
	expiry := token.Expiry.Round(0)
	if end := now.Add(expiry.Sub(now.Round(0))); l.end.IsZero() || end.Before(l.end) {
		l = Lifetime{end: end, wall: expiry, total: end.Sub(now)}
	}
	return l
}

// Left returns how long the token still lives at that time, which is zero or
// less if it has ended or has no known end.
func (l Lifetime) Left(at time.Time) time.Duration {
	if l.end.IsZero() {
		return 0
	}
	left := l.end.Sub(at)
	if !l.wall.IsZero() {
		left = min(left, l.wall.Sub(at.Round(0)))
	}
	return left
}

// Total returns how long the token lives from its beginning to its end.
func (l Lifetime) Total() time.Duration { return l.total }

// claimsOf reads the claims iat, which may be missing, and exp of a JWT. A token
// that is no JWT, or a JWT without exp, has none. Where they make no sense, exp
// is zero. The signature is the server's business and is not checked.
func claimsOf(token string) (iat, exp time.Time, found bool) {
	claims := jwt.MapClaims{}
	_, _, err := jwt.NewParser().ParseUnverified(token, claims)
	if err != nil && !errors.Is(err, jwt.ErrTokenUnverifiable) {
		return iat, exp, false
	}
	claim, present := claims["exp"]
	if !present {
		return iat, exp, false
	}
	end, ok := numericDate(claim)
	if !ok {
		return iat, exp, true
	}
	if claim, present := claims["iat"]; present {
		if iat, ok = numericDate(claim); !ok || !end.After(iat) {
			return iat, exp, true
		}
	}
	return iat, end, true
}

// numericDate returns the time of a NumericDate (RFC 7519, section 2), if it
// lies between the years 1970 and 9999.
func numericDate(claim any) (time.Time, bool) {
	seconds, ok := claim.(float64)
	if !ok || !(0 <= seconds && seconds < 253402300800) {
		return time.Time{}, false
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*1e9)), true
}
