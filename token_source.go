package routeauth

import "context"

// TokenSource hands out JWTs.
type TokenSource interface {
	// Token returns a token that is good for a request with these params. It
	// must be safe for concurrent use and return when ctx ends. The params are
	// the source's own copy.
	//
	// Whatever decides which token is handed out, such as the user or the
	// tenant, must be in the params and not only in ctx: a [TokenCache] keeps
	// tokens by their params alone, and would hand one user's token to the
	// next.
	//
	// A source must not send through the transport that it serves: it would
	// wait for itself.
	//
	// The token must be printable ASCII without spaces. An error must not quote
	// a token, since it is shown as it is. An error that asking again does not
	// mend is wrapped with Permanent; every other one is taken for temporary.
	Token(ctx context.Context, params Params) (string, error)
}

// TokenSourceFunc is a function as a [TokenSource].
type TokenSourceFunc func(ctx context.Context, params Params) (string, error)

// Token calls f.
func (f TokenSourceFunc) Token(ctx context.Context, params Params) (string, error) {
	return f(ctx, params)
}

// NewStaticTokenSource returns a source that hands out the same token for any
// params. It is for tests, tools and tokens that live long; it never notices
// that its token expired.
//
// It is an error if the token is empty, holds anything but printable ASCII
// without spaces or is the literal REDACTED. The error never holds the token.
func NewStaticTokenSource(token Secret) (TokenSource, error) {
	if err := joinErrors(checkCredential("token", string(token))); err != nil {
		return nil, err
	}
	return TokenSourceFunc(func(context.Context, Params) (string, error) {
		return string(token), nil
	}), nil
}
