package token

import "example.com/routeauth"

// IsWellFormed reports whether a text can be a bearer token: printable ASCII
// without spaces, not empty, and not the placeholder of a [routeauth.Secret].
// What a store holds may be garbage, and would otherwise be sent, or fail a
// request that the source could serve.
func IsWellFormed(text routeauth.Secret) bool {
	for i := range len(text) {
		if text[i] <= ' ' || text[i] > '~' {
			return false
		}
	}
	return text != "" && string(text) != text.String()
}
