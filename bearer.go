package routeauth

import (
	"fmt"
	"strings"
)

const bearerPrefix = "Bearer "

// bearer is a token in the form in which it goes out (RFC 6750, section 2.1).
// It lives as long as a request; what lives longer holds its text hidden.
type bearer struct {
	authorization string
	held          bool // it was in the cache before the request
}

// newBearer checks a token that a source handed out.
func newBearer(token string) (bearer, error) {
	if err := checkCredential("token", token); err != nil {
		return bearer{}, Permanent(fmt.Errorf("the token source handed out no token: %w", err))
	}
	return bearer{authorization: bearerPrefix + token}, nil
}

func (b bearer) token() string { return strings.TrimPrefix(b.authorization, bearerPrefix) }
