package tokencache

import (
	"errors"
	"math"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Lifetime is how long a token is kept. The zero Lifetime, which ended long ago,
// is that of a token of which nothing is known.
type Lifetime struct {
	end    time.Time     // on the monotonic clock
	wall   int64         // on the wall clock, in nanoseconds since 1970
	expiry time.Time     // for others: the end by this machine's wall clock
	life   time.Duration // from the beginning to the end
}

// noWall is for a wall clock that was found wrong, and need not be looked at.
const noWall = math.MaxInt64

// LifetimeOf finds out how long a token lives that was asked for at began and
// arrived at now: until its Expiry or the end that a JWT's claims give, whichever
// comes first. Both times must have a monotonic reading, as [time.Now] gives it.
func LifetimeOf(token Token, began, now time.Time) Lifetime {
	iat, exp, isJWT := claimsOf(token.Value)
	switch {
	case isJWT && exp.IsZero(): // its claims make no sense
		return Lifetime{}
	case !isJWT:
		return untilExpiry(token.Expiry, now)
	}
	return earlierOf(untilExp(iat, exp, began, now), untilExpiry(token.Expiry, now))
}

// untilExpiry is the lifetime of a token whose source says when it ends by this
// machine's clock.
func untilExpiry(expiry, now time.Time) Lifetime {
	if expiry.IsZero() {
		return Lifetime{}
	}
	left := expiry.Round(0).Sub(now.Round(0))
	l := Lifetime{end: now.Add(left), wall: now.UnixNano() + int64(left), expiry: expiry, life: left}
	if left > 0 && l.wall < now.UnixNano() { // after the year 2262
		l.wall = noWall
	}
	return l
}

// untilExp is the lifetime of a JWT, whose claims are by the issuer's clock.
//
// If the wall clock lies between iat and exp, it is credible, and the token ends
// when it reaches exp or when the remaining life has passed on the monotonic
// clock, whichever comes first: a machine that slept has a monotonic clock that
// stood still. If it lies outside, it must be wrong, since a source would not
// return an expired token, and the token ends when exp − iat has passed since it
// was asked for. A clock that was credible at began is not wrong because the
// token took long.
func untilExp(iat, exp, began, now time.Time) Lifetime {
	credible := func(at time.Time) bool {
		wall := at.Round(0)
		return !wall.Before(iat) && wall.Before(exp)
	}
	switch {
	case iat.IsZero():
		return untilExpiry(exp, now)
	case credible(began) || credible(now):
		l := untilExpiry(exp, now)
		l.life = exp.Sub(iat)
		return l
	}
	end := began.Add(exp.Sub(iat))
	return Lifetime{end: end, wall: noWall, expiry: end.Round(0), life: exp.Sub(iat)}
}

// earlierOf returns the lifetime that ends when one of the two does, of which b may
// be zero.
func earlierOf(a, b Lifetime) Lifetime {
	if b.end.IsZero() {
		return a
	}
	first := a
	if b.end.Before(a.end) {
		first = b
	}
	first.wall = min(a.wall, b.wall)
	return first
}

// Left returns how much of it is left, which is zero or less once it has ended.
func (l *Lifetime) Left(now time.Time) time.Duration {
	return min(l.end.Sub(now), time.Duration(l.wall-now.UnixNano()))
}

// Total returns how long the token lives from its beginning to its end.
func (l *Lifetime) Total() time.Duration { return l.life }

// claimsOf reads the claims iat, which may be missing, and exp of a JWT. A token
// that is no JWT, or a JWT without exp, has none. Where they make no sense, exp
// is zero. The signature is not checked, and an unknown algorithm is no error:
// the token is the server's to judge.
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
