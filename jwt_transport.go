package routeauth

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"time"

	"example.com/routeauth/internal/fallback"
)

// JWTTransport is an [http.RoundTripper] that sends each request with a bearer
// token (RFC 6750, section 2.1) that it asks a [TokenSource] for. It keeps what
// the package comment promises of every transport. Alone it has no scope: [New]
// with [JWTAuth] or [BearerAuth] binds the tokens to one API.
//
// The source is asked for a token at each request, with the request's context
// and params; a [TokenCache] as the source makes that cheap. If it fails, or
// returns a token that is empty or ill-formed, the request is not sent and the
// error is a [*CredentialError] that wraps the reason.
//
// A 401 is final, with one exception. If the source is a [Discarder], such as a
// [*TokenCache], and the token was not fetched for this request, the source is
// told, a new token is asked for, and the request is sent once more, provided
// that its body can be had again with [http.Request.GetBody] and that the new
// token is another one. That is safe for any method, since a server answers 401
// before it acts (RFC 9110, section 15.5.2). If there is no new token or no body,
// the caller gets the first [*UnauthorizedError], and otherwise what became of
// the second request. If the token was fetched for this request, including by a
// fetch that it shared, the 401 is final.
//
// While a body may have to be sent again, the base gets it in a form that can be
// taken away: GetBody is called only when nobody reads the first body any more,
// since some GetBody functions rewind that very reader.
type JWTTransport struct {
	sender    headerSender
	source    hidden[TokenSource]
	discarder hidden[Discarder] // the source, if it is one
	params    ParamsFunc
}

// JWTOption changes what a [JWTTransport] does.
type JWTOption func(*jwtConfig) error

type jwtConfig struct{ params ParamsFunc }

// WithParams makes the transport take the params of each request from it with
// f. Params in the request's context, see [ContextWithParams], overlay them. A
// request whose params cannot be had is not sent: its error is a
// [*CredentialError]. A nil f is an error of the constructor.
func WithParams(f ParamsFunc) JWTOption {
	return func(c *jwtConfig) error {
		c.params = f
		return checkNotNil("params function", f)
	}
}

// NewJWTTransport returns a JWTTransport that sends tokens of source with base. A
// nil base means [http.DefaultTransport].
//
// The error joins everything that is wrong: a source that is nil or a nil
// pointer or function, a base that is a nil pointer or function, an option that
// is nil or has a nil argument.
func NewJWTTransport(source TokenSource, base http.RoundTripper, opts ...JWTOption) (*JWTTransport, error) {
	sender, errs := newHeaderSender(SchemeJWT, HeaderAuthorization, base)
	errs = append(errs, checkNotNil("token source", source))
	var config jwtConfig
	errs = append(errs, apply(&config, "JWT", opts)...)
	if err := joinErrors(errs...); err != nil {
		return nil, err
	}
	t := &JWTTransport{sender: sender, source: hide(source), params: config.params}
	if discarder, ok := source.(Discarder); ok {
		t.discarder = hide(discarder)
	}
	return t, nil
}

// RoundTrip sends req with a token. See [JWTTransport] for when it does so twice,
// and the package comment for what happens to req, its body and the response.
func (t *JWTTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := t.sender.check(req); err != nil {
		return nil, err
	}
	return t.roundTripTo(targetOf(req), req)
}

func (t *JWTTransport) roundTripTo(to target, req *http.Request) (*http.Response, error) {
	return t.sender.exchange(&to, req, t, t.params)
}

func (t *JWTTransport) scheme() Scheme { return t.sender.scheme }

// CloseIdleConnections closes the base's idle connections, if it can.
func (t *JWTTransport) CloseIdleConnections() { fallback.CloseIdleConnections(t.sender.base.reveal()) }

func (t *JWTTransport) unwrap() http.RoundTripper { return t.sender.base.reveal() }

// credential asks the source for a token.
func (t *JWTTransport) credential(ctx context.Context, params Params) (credential, error) {
	source := t.source()
	if cache, ok := source.(*TokenCache); ok {
		// It copies the params where it keeps them, and tells of its fetches.
		got, err := cache.get(ctx, params)
		if err != nil {
			return credential{}, err
		}
		return credential{value: *got.Authorization(), secret: Secret(got.Value()), replaceable: got.Held}, nil
	}
	began := time.Now()
	token, err := tokenOf(ctx, source, maps.Clone(params))
	tellFetch(ctx, TokenFetch{Took: time.Since(began), Expiry: token.Expiry, Err: err}, nil)
	if err != nil {
		return credential{}, err
	}
	return credential{
		value:       token.headerValue(),
		secret:      token.Value,
		replaceable: t.discarder != nil && token.freshness != fresh,
	}, nil
}

// discard tells the source of a token that was rejected.
func (t *JWTTransport) discard(ctx context.Context, params Params, rejected credential) {
	if t.discarder != nil {
		t.discarder().Discard(ctx, maps.Clone(params), rejected.secret)
	}
}

// JWTAuth authenticates an API's mandatory endpoints with a JWT and its optional
// ones with the subscription ID. It is for programs on a user's machine, where an
// API key could not be kept secret.
type JWTAuth struct {
	// SubscriptionID goes out in x-user-id on optional endpoints. It may be empty
	// where the policy has none.
	SubscriptionID string
	// Source supplies the tokens for mandatory endpoints. See JWTTransport.
	Source TokenSource
	// Params takes the params of a request for Source; nil takes none. Those in
	// the request's context count in either case.
	Params ParamsFunc
}

// RoundTrippers returns a [JWTTransport] for mandatory endpoints and a
// [SubscriptionTransport] for optional ones, or nil where there is no
// SubscriptionID. The error joins those of [NewJWTTransport] and
// [NewSubscriptionTransport].
func (a JWTAuth) RoundTrippers(base http.RoundTripper) (mandatory, optional http.RoundTripper, err error) {
	jwt, jwtErr := newTokenTransport(SchemeJWT, a.Source, a.Params, base)
	if a.SubscriptionID == "" {
		if jwtErr != nil {
			return nil, nil, jwtErr
		}
		return jwt, nil, nil
	}
	subscription, subscriptionErr := NewSubscriptionTransport(a.SubscriptionID, base)
	if err := errors.Join(jwtErr, subscriptionErr); err != nil {
		return nil, nil, err
	}
	return jwt, subscription, nil
}

// BearerAuth authenticates every request of an API, mandatory or optional, with a
// bearer token (RFC 6750), a JWT or an opaque one, such as those of OAuth 2.0.
type BearerAuth struct {
	// Source supplies the tokens. See JWTTransport.
	Source TokenSource
	// Params takes the params of a request for Source; nil takes none. Those in
	// the request's context count in either case.
	Params ParamsFunc
}

// RoundTrippers returns one [JWTTransport] for both kinds of endpoints, whose
// errors name the scheme [SchemeBearer]. The error is that of [NewJWTTransport].
func (a BearerAuth) RoundTrippers(base http.RoundTripper) (mandatory, optional http.RoundTripper, err error) {
	t, err := newTokenTransport(SchemeBearer, a.Source, a.Params, base)
	if err != nil {
		return nil, nil, err
	}
	return t, t, nil
}

func newTokenTransport(scheme Scheme, source TokenSource, params ParamsFunc, base http.RoundTripper) (*JWTTransport, error) {
	var opts []JWTOption
	if params != nil {
		opts = append(opts, WithParams(params))
	}
	t, err := NewJWTTransport(source, base, opts...)
	if err != nil {
		return nil, err
	}
	t.sender.scheme = scheme
	return t, nil
}
