package routeauth

import (
	"context"
	"maps"
	"net/http"

	"example.com/routeauth/internal/replay"
	"example.com/routeauth/internal/sound"
)

// Params are what a JWT is bound to: names and values that a server compares
// with those of the request that carries the token.
type Params map[string]string

// ParamsFunc takes the params of a request from it. It must not change the
// request nor read its Body; [http.Request.GetBody] returns a copy of the body
// that it may read and must close. The bytes that it reads there are the ones
// that are sent. It must be safe for concurrent use. The map that it returns is
// copied at once. [BodyParams] makes the usual one.
type ParamsFunc func(req *http.Request) (Params, error)

type paramsKey struct{}

// ContextWithParams returns a copy of ctx that holds a copy of p, in place of
// any params that ctx held. They overlay those that a [ParamsFunc] takes from a
// request with that context.
func ContextWithParams(ctx context.Context, p Params) context.Context {
	return context.WithValue(ctx, paramsKey{}, maps.Clone(p))
}

// ParamsFromContext returns a copy of the params that ctx holds, or nil.
func ParamsFromContext(ctx context.Context) Params { return maps.Clone(paramsOf(ctx)) }

// paramsOf returns the params that ctx holds, which are shared.
func paramsOf(ctx context.Context) Params {
	p, _ := ctx.Value(paramsKey{}).(Params)
	return p
}

type identityKey struct{}

// ContextWithIdentity returns a copy of ctx that says whose token is asked for.
// A [TokenCache] keeps each identity's tokens apart. The identity reaches the
// source in its context and is never part of a token, a claim or a request. The
// empty identity, which every context has by default, is one like any other.
func ContextWithIdentity(ctx context.Context, identity string) context.Context {
	return context.WithValue(ctx, identityKey{}, identity)
}

// IdentityFromContext returns the identity that ctx holds, or "".
func IdentityFromContext(ctx context.Context) string {
	identity, _ := ctx.Value(identityKey{}).(string)
	return identity
}

// requestParams returns the params of a request: those that f takes from it,
// overlaid with those of its context. What f returned is copied, since it may be
// a map that f fills again for the next request.
func requestParams(f ParamsFunc, req *http.Request, body *replay.Body) (Params, error) {
	overlay := paramsOf(req.Context())
	if f == nil {
		return overlay, nil
	}
	if body != nil {
		shown := *req
		shown.GetBody = body.ForParams
		req = &shown
	}
	params, err := f(req)
	if err != nil {
		return nil, sound.Error("routeauth: the params function", err)
	}
	if len(params) == 0 {
		return overlay, nil
	}
	merged := make(Params, len(params)+len(overlay))
	maps.Copy(merged, params)
	maps.Copy(merged, overlay)
	return merged, nil
}
