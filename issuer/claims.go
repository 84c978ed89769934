package issuer

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
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

// checkParams returns everything that keeps params from being claims.
func checkParams(params routeauth.Params) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(params)) {
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
