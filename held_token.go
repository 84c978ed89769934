package routeauth

import (
	"errors"
	"math"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// refreshPause is how long the source is left alone after it was asked to
// replace a token that is still good.
const refreshPause = time.Second

// heldToken is a token in a cache. A nil heldToken is one that has ended.
type heldToken struct {
	authorization hidden[string]
	end           time.Time     // on the monotonic clock
	exp           time.Time     // on the wall clock; zero if that was found wrong
	window        time.Duration // before the end, in which it is to be replaced

	arrived   time.Time
	refreshAt atomic.Int64  // since arrived: no refresh before
	used      atomic.Uint64 // the cache's count of uses at the last one
}

// newHeldToken returns a token that was asked for at began and arrived at now,
// or nil if it cannot be kept.
func newHeldToken(token bearer, began, now time.Time, refreshBefore time.Duration) *heldToken {
	iat, exp, ok := lifetimeOf(token.token())
	if !ok {
		return nil
	}
	held := &heldToken{authorization: hide(token.authorization), arrived: now}
	credible := func(at time.Time) bool {
		wall := at.Round(0)
		return !wall.Before(iat) && wall.Before(exp)
	}
	switch {
	case iat.IsZero() || credible(began) || credible(now):
		held.end, held.exp = now.Add(exp.Sub(now.Round(0))), exp
	default: // a source hands out no expired token: the clock is wrong
		held.end = began.Add(exp.Sub(iat))
	}
	life := held.left(now)
	if !iat.IsZero() {
		life = exp.Sub(iat)
	}
	held.window = min(refreshBefore, life/3)
	if held.left(now) <= held.window {
		held.deferRefresh(now) // the source was asked just now
	}
	return held
}

// left returns how long the token lives from now on.
func (h *heldToken) left(now time.Time) time.Duration {
	if h == nil {
		return 0
	}
	left := h.end.Sub(now)
	if !h.exp.IsZero() {
		left = min(left, h.exp.Sub(now)) // on the wall clock, as exp has no other
	}
	return left
}

func (h *heldToken) alive(now time.Time) bool { return h.left(now) > 0 }

func (h *heldToken) equals(other *heldToken) bool {
	return h != nil && h.authorization() == other.authorization()
}

// outlives reports whether h is good for longer than other.
func (h *heldToken) outlives(other *heldToken, now time.Time) bool {
	return h.alive(now) && h.left(now) > other.left(now)
}

// refreshDue reports whether a token that lives for left from now on is to be
// replaced.
func (h *heldToken) refreshDue(left time.Duration, now time.Time) bool {
	return h.window > 0 && left <= h.window && now.Sub(h.arrived) >= time.Duration(h.refreshAt.Load())
}

func (h *heldToken) deferRefresh(now time.Time) {
	h.refreshAt.Store(int64(now.Sub(h.arrived) + refreshPause))
}

// use marks the token as the one that was used last. While it is, nothing is
// written, so that many callers for one token do not wait for each other.
func (h *heldToken) use(uses *atomic.Uint64) {
	if h.used.Load() != uses.Load() {
		h.used.Store(uses.Add(1))
	}
}

// lifetimeOf reads the claims iat, which may be missing, and exp of a JWT. The
// signature is not checked, and an algorithm that is not known here is no
// fault: the token is the server's to judge.
func lifetimeOf(token string) (iat, exp time.Time, ok bool) {
	claims := jwt.MapClaims{}
	_, _, err := jwt.NewParser().ParseUnverified(token, claims)
	if err != nil && !errors.Is(err, jwt.ErrTokenUnverifiable) {
		return iat, exp, false
	}
	if exp, ok = numericDate(claims["exp"]); !ok {
		return iat, exp, false
	}
	if claim, present := claims["iat"]; present {
		if iat, ok = numericDate(claim); !ok || !exp.After(iat) {
			return iat, exp, false
		}
	}
	return iat, exp, true
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
