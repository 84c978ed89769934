package routeauth

import (
	"context"
	"errors"
	"maps"
	"net/http"
)

// JWTTransport is an [http.RoundTripper] that sends each request with a bearer
// token (RFC 6750, section 2.1) that it asks a [TokenSource] for. It keeps what
// [HeaderTransport] promises, and like it has no scope when it is used alone:
// [New] with [JWTAuth] binds the tokens to one API.
//
// The source is asked for a token at each request, with the request's context
// and params; a [TokenCache] as the source makes that cheap. If it fails, or
// hands out a token that is empty or ill-formed, the request is not sent and
// the error is a [*CredentialError] that wraps the reason.
//
// A 401 is final but in one case. If the source is a [*TokenCache] and the
// token was one that it held, the token is discarded, a new one is asked for,
// and the request is sent once more, provided that its body can be had again
// with [http.Request.GetBody] and that the new token is another one. That is
// safe for any method, since a server answers 401 before it acts (RFC 9110,
// section 15.5.2). If there is no new token or no body, the caller gets the
// first [*UnauthorizedError], and otherwise what became of the second request.
// A token that the server rejected is held no longer, also the second one. For a
// token that was fetched for this very request, or that it waited for together
// with others, the 401 is final. The source must be the *TokenCache itself:
// behind a decorator it is not recognized, and every 401 is final.
type JWTTransport struct {
	field  field
	source sealed[TokenSource]
	cache  *TokenCache // the source, if it is one
	params ParamsFunc
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

// NewJWTTransport returns a JWTTransport that sends tokens of source with base,
// or with [http.DefaultTransport] as it is at the time of the request if base
// is nil.
//
// The error joins everything that is wrong: a source that is nil or a nil
// pointer or function, a base that is a nil pointer or function, an option that
// is nil or has a nil argument.
func NewJWTTransport(source TokenSource, base http.RoundTripper, opts ...JWTOption) (*JWTTransport, error) {
	field, errs := newField(SchemeJWT, HeaderAuthorization, base)
	errs = append(errs, checkNotNil("token source", source))
	var config jwtConfig
	for _, opt := range opts {
		if opt == nil {
			errs = append(errs, errors.New("JWT option is nil"))
			continue
		}
		errs = append(errs, opt(&config))
	}
	if err := invalid(errs...); err != nil {
		return nil, err
	}
	cache, _ := source.(*TokenCache)
	return &JWTTransport{field, seal(source), cache, config.params}, nil
}

// RoundTrip sends req with a token. See [JWTTransport] for when it does so
// twice and [HeaderTransport] for what happens to req, its body and the
// response.
func (t *JWTTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := t.field.refusal(req); err != nil {
		return nil, err
	}
	if leftOrigin(req) {
		return t.field.base().RoundTrip(req) // and no token is asked for
	}
	params, err := requestParams(t.params, req)
	if err != nil {
		return nil, t.field.refuse(req, err, false)
	}
	token, err := t.token(req.Context(), params)
	if err != nil {
		return nil, t.field.refuse(req, err, isTemporary(req.Context(), err))
	}
	resp, rejection, err := t.send(req, params, token)
	if rejection != nil {
		return t.sendAgain(req, params, token, rejection)
	}
	return resp, err
}

// CloseIdleConnections closes the base's idle connections, if it can.
func (t *JWTTransport) CloseIdleConnections() { closeIdleConnections(t.field.base) }

func (t *JWTTransport) below() http.RoundTripper { return t.field.base.orZero() }

// token asks the source.
func (t *JWTTransport) token(ctx context.Context, params Params) (bearer, error) {
	if t.cache != nil {
		return t.cache.bearer(ctx, params)
	}
	token, err := t.source().Token(ctx, maps.Clone(params))
	if err != nil {
		return bearer{}, err
	}
	return newBearer(token)
}

// send sends req with a token. A token that the server rejected is held no
// longer.
func (t *JWTTransport) send(req *http.Request, params Params, token bearer) (*http.Response, *UnauthorizedError, error) {
	resp, rejection, err := t.field.send(req, token.authorization)
	if rejection != nil && t.cache != nil {
		t.cache.Discard(params, token.token())
	}
	return resp, rejection, err
}

// sendAgain sends req a second time after its token was rejected, where that
// may help.
func (t *JWTTransport) sendAgain(req *http.Request, params Params, stale bearer, rejection *UnauthorizedError) (*http.Response, error) {
	hasBody := req.Body != nil && req.Body != http.NoBody
	if !stale.held || hasBody && req.GetBody == nil {
		return nil, rejection
	}
	token, err := t.token(req.Context(), params)
	if err != nil {
		return nil, rejection
	}
	if token.authorization == stale.authorization {
		t.cache.Discard(params, token.token()) // the source handed it out again
		return nil, rejection
	}
	again := req.WithContext(req.Context())
	if hasBody {
		again.Body, err = req.GetBody()
		if err != nil || again.Body == nil {
			closeBody(again)
			return nil, rejection
		}
	}
	resp, rejection, err := t.send(again, params, token)
	first := t.field.redactor(stale.authorization) // the server has seen it too
	if rejection != nil {
		return nil, first.rejection(rejection)
	}
	if err != nil {
		err = first.failure(err)
	}
	if resp != nil {
		resp.Request = req
	}
	return resp, err
}

// JWTAuth authenticates an API's mandatory endpoints with a JWT and its
// optional ones with the subscription ID. It is for programs on a user's
// machine, where an API key could not be kept secret.
type JWTAuth struct {
	// SubscriptionID goes out in x-user-id on optional endpoints.
	SubscriptionID string
	// Source hands out the tokens for mandatory endpoints. See [JWTTransport].
	Source TokenSource
	// Params takes the params of a request for Source; nil takes none. Those
	// in the request's context count in either case.
	Params ParamsFunc
}

// RoundTrippers returns a [JWTTransport] for mandatory endpoints and a
// [SubscriptionTransport] for optional ones. The error joins those of
// [NewJWTTransport] and [NewSubscriptionTransport].
func (a JWTAuth) RoundTrippers(base http.RoundTripper) (mandatory, optional http.RoundTripper, err error) {
	var opts []JWTOption
	if a.Params != nil {
		opts = append(opts, WithParams(a.Params))
	}
	jwt, jwtErr := NewJWTTransport(a.Source, base, opts...)
	subscription, subscriptionErr := NewSubscriptionTransport(a.SubscriptionID, base)
	if err := errors.Join(jwtErr, subscriptionErr); err != nil {
		return nil, nil, err
	}
	return jwt, subscription, nil
}
