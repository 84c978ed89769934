package routeauth

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"example.com/routeauth/internal/httpfield"
	"example.com/routeauth/internal/sound"
)

// Token is a bearer token (RFC 6750) and how long it lives.
type Token struct {
	// Value is the token itself: printable ASCII without spaces.
	Value Secret
	// Expiry is when the token ends by this machine's clock. Where it is zero, a
	// JWT's claim exp says so (RFC 7519, section 4.1.4). A token with neither is
	// not kept by a TokenCache.
	Expiry time.Time

	freshness freshness
	// authorization is the value of the header field, where a TokenCache has it
	// ready. Behind a pointer in a struct, fmt shows an address.
	authorization *string
}

// Format formats t without its Value: see [APIKeyAuth.Format].
func (t Token) Format(f fmt.State, verb rune) {
	formatFields(f, verb, "routeauth.Token", []field{{"Value", t.Value}, {"Expiry", t.Expiry}})
}

const bearerPrefix = "Bearer "

// headerValue returns the token as it goes out (RFC 6750, section 2.1).
func (t Token) headerValue() string {
	if a := t.authorization; a != nil && (*a)[len(bearerPrefix):] == string(t.Value) {
		return *a
	}
	return bearerPrefix + string(t.Value)
}

// freshness is what a TokenCache says of a token that it returns. It travels by
// value through every source that passes the token on.
type freshness uint8

const (
	unknown freshness = iota // no cache of this package said anything
	fresh                    // it was fetched for this very call
	held                     // it was there before
)

// TokenSource supplies tokens.
type TokenSource interface {
	// Token returns a token that is good for a request with these params. It
	// must be safe for concurrent use and return when ctx ends. The params are
	// the source's own copy.
	//
	// Whatever decides which token is returned, such as the user or the tenant,
	// must be in the params or be the identity in ctx (ContextWithIdentity): a
	// TokenCache keeps tokens by these two alone, and would return one user's
	// token to the next.
	//
	// A source must not send through the transport that it serves: it would
	// wait for itself.
	//
	// An error must not quote a token, since it is shown as it is. An error that
	// asking again does not mend is wrapped with Permanent; every other one is
	// taken for temporary.
	Token(ctx context.Context, params Params) (Token, error)
}

// Discarder is a [TokenSource] that is told which of its tokens a server
// rejected. A [JWTTransport] whose source is one sends a request once more after
// a 401: see there. [TokenCache] is one, and so may be a store of one's own or a
// decorator that passes both calls on. A decorator returns the Token that it got
// and does not make another of it: a TokenCache notes in it whether it held the
// token already.
type Discarder interface {
	TokenSource
	// Discard says that the server rejected this token, which Token returned for
	// these params and the identity in ctx. The source must not return it again.
	// It must do nothing where it has another token by now, and must be safe for
	// concurrent use.
	Discard(ctx context.Context, params Params, rejected Secret)
}

// TokenSourceFunc is a function as a [TokenSource].
type TokenSourceFunc func(ctx context.Context, params Params) (Token, error)

// Token calls f.
func (f TokenSourceFunc) Token(ctx context.Context, params Params) (Token, error) {
	return f(ctx, params)
}

// StaticTokenSource is a [TokenSource] that returns one token for any params. It
// is for tests, tools and tokens that live long; it does not check whether its
// token has expired. The zero value always fails.
type StaticTokenSource struct{ token hidden[Secret] }

// NewStaticTokenSource returns a source that returns token.
//
// It is an error if the token is empty, has anything but printable ASCII without
// spaces or is the literal REDACTED. The error never shows the token.
func NewStaticTokenSource(token Secret) (*StaticTokenSource, error) {
	if err := joinErrors(httpfield.CheckCredential("token", string(token))); err != nil {
		return nil, err
	}
	return &StaticTokenSource{hide(token)}, nil
}

// Token returns the token.
func (s *StaticTokenSource) Token(context.Context, Params) (Token, error) {
	if s == nil || s.token == nil {
		return Token{}, errNotConstructed("token source", "NewStaticTokenSource")
	}
	return Token{Value: s.token()}, nil
}

// tokenOf asks a source and checks what it returns.
func tokenOf(ctx context.Context, source TokenSource, params Params) (token Token, err error) {
	defer recoverSource("token source", &err)
	token, err = source.Token(ctx, params)
	if err != nil {
		return Token{}, sound.Error("routeauth: the token source", err)
	}
	if err := httpfield.CheckCredential("token", string(token.Value)); err != nil {
		return Token{}, Permanent(fmt.Errorf("the token source returned an invalid token: %w", err))
	}
	return token, nil
}

// recoverSource makes the panic of a source an error, whose text has none of the
// program's data.
func recoverSource(what string, err *error) {
	switch v := recover().(type) {
	case nil:
	case runtime.Error:
		*err = fmt.Errorf("the %s panicked: %w", what, v)
	default:
		*err = fmt.Errorf("the %s panicked (%T)", what, v)
	}
}
