package routeauth

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"

	"example.com/routeauth/internal/origin"
	"example.com/routeauth/internal/replay"
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
	if origin.Left(&to, req) {
		return roundTrip(t.sender.base(), req) // and no token is asked for
	}
	ctx, cancel := contextOf(req)
	defer cancel()
	body := replay.New(req)
	params, err := requestParams(t.params, body)
	if err != nil {
		return nil, newCredentialError(SchemeJWT, req, err, false)
	}
	token, err := t.token(ctx, params)
	if err != nil {
		return nil, newCredentialError(SchemeJWT, req, err, isTemporary(ctx, err))
	}
	maySendAgain := t.discarder != nil && token.freshness != fresh && body.CanBeHadAgain()
	prepared, err := body.Prepare(maySendAgain)
	if err != nil {
		return nil, newCredentialError(SchemeJWT, req, fmt.Errorf("params: %w", sound("GetBody", err)), false)
	}
	resp, unauthorized, err := t.send(ctx, to, prepared, params, token)
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
func (t *JWTTransport) token(ctx context.Context, params Params) (Token, error) {
	if cache, ok := t.source().(*TokenCache); ok {
		return cache.Token(ctx, params) // which copies the params where it keeps them
	}
	return tokenOf(ctx, t.source(), maps.Clone(params))
}

// send sends req with a token. The source is told of one that was rejected.
func (t *JWTTransport) send(ctx context.Context, to url.URL, req *http.Request, params Params, token Token) (*http.Response, *UnauthorizedError, error) {
	resp, unauthorized, err := t.sender.send(to, req, token.headerValue())
	if unauthorized != nil {
		t.discard(ctx, params, token)
	}
	return resp, unauthorized, err
}

func (t *JWTTransport) discard(ctx context.Context, params Params, token Token) {
	if t.discarder != nil {
		t.discarder().Discard(ctx, maps.Clone(params), token.Value)
	}
}

// sendAgain sends a request a second time after its token was rejected, if
// there is another token and a body to send.
func (t *JWTTransport) sendAgain(ctx context.Context, to url.URL, body *replay.Body, params Params, stale Token, unauthorized *UnauthorizedError) (*http.Response, *UnauthorizedError, error) {
	token, err := t.token(ctx, params)
	if err != nil {
		return nil, unauthorized, nil
	}
	if token.Value == stale.Value {
		t.discard(ctx, params, token) // the source returned it again
		return nil, unauthorized, nil
	}
	again, err := body.Again()
	if err != nil {
		return nil, unauthorized, nil
	}
	resp, unauthorized, err := t.send(ctx, to, again, params, token)
	first := t.sender.redactor(stale.headerValue()) // the server has seen it too
	switch {
	case unauthorized != nil:
		return nil, hideAgain(unauthorized, first), nil
	case err != nil:
		return nil, nil, hideIn(err, first)
	}
	if resp.Request == again {
		resp.Request = body.Request()
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
