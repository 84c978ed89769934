package issuer

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"example.com/routeauth"
)

// registeredClaims are the names of RFC 7519, section 4.1. They are the
// issuer's alone: a param of such a name could make a token live forever.
var registeredClaims = []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti"}

// isRegistered reports whether a verifier may take a param of this name for a
// registered claim. The names are case-sensitive by the RFC, but not to
// encoding/json, with which a Go server reads "EXP" and even "iſs" into the
// fields of a struct.
func isRegistered(name string) bool {
	return slices.ContainsFunc(registeredClaims, func(claim string) bool {
		return strings.EqualFold(claim, name)
	})
}

// sameName returns two names that a verifier may take for one, if there are
// any, which must be sorted. A Go server reads "sku_id" and "ſku_id" into the
// same field, and the last of them wins.
func sameName(names []string) (first, second string, found bool) {
	folded := make(map[string]string, len(names))
	for _, name := range names {
		if first, found := folded[fold(name)]; found {
			return first, name, true
		}
		folded[fold(name)] = name
	}
	return "", "", false
}

// fold returns a name that is the same for all that strings.EqualFold takes for
// equal: each letter becomes the first of those that differ from it in case.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		first := r
		for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
			first = min(first, next)
		}
		return first
	}, name)
}

// checkParams returns everything that keeps params from being claims.
func checkParams(params routeauth.Params) error {
	var errs []error
	names := slices.Sorted(maps.Keys(params))
	if first, second, found := sameName(names); found {
		errs = append(errs, permanent(fmt.Sprintf("params %q and %q: their names differ only in case", first, second)))
	}
	for _, name := range names {
		switch {
		case isRegistered(name):
			errs = append(errs, permanent(fmt.Sprintf("param %q: a registered claim has this name", name)))
		case !utf8.ValidString(name) || !utf8.ValidString(params[name]):
			// A claim would hold another text than the request does.
			errs = append(errs, permanent(fmt.Sprintf("param %q: its name or value is not UTF-8", name)))
		}
	}
	return errors.Join(errs...)
}

// permanent returns the error of a token that cannot be had by asking again.
func permanent(text string) error { return routeauth.Permanent(errors.New("issuer: " + text)) }
