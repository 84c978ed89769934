package tokencache

import (
	"errors"
	"math"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// setLifetime finds out how long a token lives that was asked for at began and
// arrived at now.
//
// An Expiry is on this machine's clock. The claims of a JWT are on the issuer's.
// If the wall clock lies between iat and exp, it is credible, and the token ends
// when it reaches exp or when the remaining life has passed on the monotonic
// clock, whichever comes first: a machine that slept has a monotonic clock that
// stood still. If it lies outside, it must be wrong, since a source would not
// return an expired token, and the token ends when exp − iat has passed since
// it was asked for.
func (e *Entry) setLifetime(token Token, began, now time.Time) {
	iat, exp, isJWT := claimsOf(token.Value)
	if isJWT && exp.IsZero() {
		return // its claims make no sense
	}
	credible := func(at time.Time) bool {
		wall := at.Round(0)
		return !wall.Before(iat) && wall.Before(exp)
	}
	switch {
	case !isJWT:
	case iat.IsZero() || credible(began) || credible(now):
		e.end, e.wall, e.expiry = now.Add(exp.Sub(now.Round(0))), exp, exp
		e.life = e.end.Sub(now)
		if !iat.IsZero() {
			e.life = exp.Sub(iat)
		}
	default:
		e.end, e.expiry = began.Add(exp.Sub(iat)), exp
		e.life = exp.Sub(iat)
	}
	if token.Expiry.IsZero() {
		return
	}
	expiry := token.Expiry.Round(0)
	if end := now.Add(expiry.Sub(now.Round(0))); e.end.IsZero() || end.Before(e.end) {
		e.end, e.wall, e.expiry = end, expiry, token.Expiry
		e.life = end.Sub(now)
	}
}

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
