package routeauth

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
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
	sender headerSender
	source hidden[TokenSource]
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
	sender, errs := newHeaderSender(SchemeJWT, HeaderAuthorization, base)
	errs = append(errs, checkNotNil("token source", source))
	var config jwtConfig
	for _, opt := range opts {
		if opt == nil {
			errs = append(errs, errors.New("JWT option is nil"))
			continue
		}
		errs = append(errs, opt(&config))
	}
	if err := joinErrors(errs...); err != nil {
		return nil, err
	}
	cache, _ := source.(*TokenCache)
	return &JWTTransport{sender, hide(source), cache, config.params}, nil
}

// RoundTrip sends req with a token. See [JWTTransport] for when it does so
// twice and [HeaderTransport] for what happens to req, its body and the
// response.
func (t *JWTTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := t.sender.check(req); err != nil {
		return nil, err
	}
	return t.roundTripTo(*req.URL, req)
}

func (t *JWTTransport) roundTripTo(to url.URL, req *http.Request) (*http.Response, error) {
	if leftOrigin(&to, req) {
		return roundTrip(t.sender.base(), req) // and no token is asked for
	}
	ctx, cancel := contextOf(req)
	defer cancel()
	body := &requestBody{caller: req}
	params, err := requestParams(t.params, body)
	if err != nil {
		return nil, newCredentialError(SchemeJWT, req, err, false)
	}
	token, err := t.token(ctx, params)
	if err != nil {
		return nil, newCredentialError(SchemeJWT, req, err, isTemporary(ctx, err))
	}
	maySendAgain := token.held && body.canBeHadAgain()
	prepared, err := body.prepare(maySendAgain)
	if err != nil {
		return nil, newCredentialError(SchemeJWT, req, fmt.Errorf("params: %w", err), false)
	}
	resp, unauthorized, err := t.send(to, prepared, params, token)
	if unauthorized != nil && maySendAgain {
		resp, unauthorized, err = t.sendAgain(ctx, to, body, params, token, unauthorized)
	}
	if unauthorized != nil {
		return nil, unauthorized
	}
	if resp != nil && resp.Request == prepared {
		resp.Request = req
	}
	return resp, err
}

// contextOf returns the context of req, which ends also when its Cancel channel
// is closed.
func contextOf(req *http.Request) (context.Context, context.CancelFunc) {
	if req.Cancel == nil {
		return req.Context(), func() {}
	}
	ctx, cancel := context.WithCancel(req.Context())
	go func() {
		select {
		case <-req.Cancel:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// CloseIdleConnections closes the base's idle connections, if it can.
func (t *JWTTransport) CloseIdleConnections() { closeIdleConnections(t.sender.base.reveal()) }

func (t *JWTTransport) unwrap() http.RoundTripper { return t.sender.base.reveal() }

// token asks the source.
func (t *JWTTransport) token(ctx context.Context, params Params) (bearer, error) {
	if t.cache != nil {
		return t.cache.bearer(ctx, params)
	}
	return askSource(ctx, t.source(), maps.Clone(params))
}

// send sends req with a token. A token that the server rejected is held no
// longer.
func (t *JWTTransport) send(to url.URL, req *http.Request, params Params, token bearer) (*http.Response, *UnauthorizedError, error) {
	resp, unauthorized, err := t.sender.send(to, req, token.authorization)
	if unauthorized != nil && t.cache != nil {
		t.cache.Discard(params, token.token())
	}
	return resp, unauthorized, err
}

// sendAgain sends a request a second time after its token was rejected, if
// there is another token and a body to send.
func (t *JWTTransport) sendAgain(ctx context.Context, to url.URL, body *requestBody, params Params, stale bearer, unauthorized *UnauthorizedError) (*http.Response, *UnauthorizedError, error) {
	token, err := t.token(ctx, params)
	if err != nil {
		return nil, unauthorized, nil
	}
	if token.authorization == stale.authorization {
		t.cache.Discard(params, token.token()) // the source handed it out again
		return nil, unauthorized, nil
	}
	again, err := body.again()
	if err != nil {
		return nil, unauthorized, nil
	}
	resp, unauthorized, err := t.send(to, again, params, token)
	first := t.sender.redactor(stale.authorization) // the server has seen it too
	switch {
	case unauthorized != nil:
		return nil, first.rejection(unauthorized), nil
	case err != nil:
		return nil, nil, first.failure(err)
	}
	if resp.Request == again {
		resp.Request = body.caller
	}
	return resp, nil, nil
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
