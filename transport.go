package routeauth

import (
	"errors"
	"fmt"
	"net/http"

	"example.com/routeauth/internal/fallback"
	"example.com/routeauth/internal/sound"
)

// Transport is an [http.RoundTripper] that sends each request of one API with
// the credential that its route calls for, and each other request as it is.
//
// A request is the API's if it lies in the scope of the [Policy]. Its route says
// whether it gets the credential for mandatory endpoints, the one for optional
// endpoints, or none. The package comment says what happens to it, to its body
// and to the response.
//
// A request out of scope goes to the base as the same value, without a
// credential, and its 401 is an ordinary response. So does a redirect hop whose
// chain was out of scope at any place, even where it leads back to the API: on a
// host that several tenants share by path, a neighbour's redirect starts nothing
// with this credential.
//
// A Transport is safe for concurrent use. The zero value sends nothing: each
// request is a [*CredentialError].
type Transport struct {
	policy              *Policy
	options             *transportConfig
	base                hidden[http.RoundTripper]
	mandatory, optional hidden[roundTripperTo]
}

// roundTripperTo is a transport of this package as [Transport] calls it: with
// the target that the policy decided on.
type roundTripperTo interface {
	roundTripTo(to target, req *http.Request) (*http.Response, error)
	scheme() Scheme
}

// foreign is somebody else's transport as a roundTripperTo.
type foreign struct{ transport http.RoundTripper }

func (f foreign) scheme() Scheme { return "" }

func (f foreign) roundTripTo(to target, req *http.Request) (*http.Response, error) {
	own := *req
	own.Method, own.URL = to.method, &to.url
	asked := to.url
	resp, err := sound.RoundTrip("routeauth: the base", f.transport, &own)
	if resp != nil && isCallers(resp.Request, &asked, req) {
		resp.Request = req // f's own has its credential
	}
	return resp, err
}

// asRoundTripperTo asks for the types by name: somebody's type that embeds one of
// them has its method too, but another RoundTrip.
func asRoundTripperTo(transport http.RoundTripper) roundTripperTo {
	switch own := transport.(type) {
	case *HeaderTransport:
		return own
	case *APIKeyTransport:
		return own
	case *SubscriptionTransport:
		return own
	case *JWTTransport:
		return own
	}
	return foreign{transport}
}

// Auth makes the transports that carry an API's credentials. Those of this package
// are [JWTAuth], [APIKeyAuth], [BearerAuth], [BasicAuth], [HeaderAuth] and
// [SplitAuth]; others can be built from [HeaderTransport].
type Auth interface {
	// RoundTrippers returns the transport for mandatory endpoints and the one
	// for optional endpoints, which may be the same, or nil where the policy has
	// no optional route. Both send with base, which is not nil when New calls.
	// Both must be safe for concurrent use and keep the http.RoundTripper
	// contract. They get only requests that may carry a credential.
	RoundTrippers(base http.RoundTripper) (mandatory, optional http.RoundTripper, err error)
}

// SplitAuth authenticates an API's mandatory endpoints as one Auth does and its
// optional ones as another.
type SplitAuth struct{ Mandatory, Optional Auth }

// RoundTrippers returns what Mandatory makes for mandatory endpoints and what
// Optional makes for optional ones, or for mandatory ones where it makes nothing
// for those. A nil Optional makes nothing, which [New] takes where the policy has
// no optional route. The error joins those of both.
func (a SplitAuth) RoundTrippers(base http.RoundTripper) (mandatory, optional http.RoundTripper, err error) {
	mandatory, _, mandatoryErr := halfOf("Mandatory of SplitAuth", a.Mandatory, base)
	if a.Optional != nil {
		var forMandatory http.RoundTripper
		if forMandatory, optional, err = halfOf("Optional of SplitAuth", a.Optional, base); optional == nil {
			optional = forMandatory
		}
	}
	if err := errors.Join(mandatoryErr, err); err != nil {
		return nil, nil, err
	}
	return mandatory, optional, nil
}

func halfOf(what string, auth Auth, base http.RoundTripper) (mandatory, optional http.RoundTripper, err error) {
	if err := checkNotNil(what, auth); err != nil {
		return nil, nil, joinErrors(err)
	}
	return auth.RoundTrippers(base)
}

// Option changes what a [Transport] does.
type Option func(*transportConfig) error

type transportConfig struct {
	keepUnauthorized bool
	refuseOutOfScope bool
	traces           traces
}

// KeepUnauthorized makes a 401 to a credential come back as a response, for what
// stands above and has its own idea of a 401: an SDK with its own errors and
// retries, [net/http/httputil.ReverseProxy], a cache, a circuit breaker. Status,
// header and body are the server's, but for the credential, in whose place
// REDACTED stands; a body that is coded, larger than 64 KiB or not whole within a
// second is passed on unchanged. [UnauthorizedFrom] reads the typed error off
// such a response. A rejected token is discarded and the request sent again as
// without this option; the cookies of the first 401 are then lost.
//
// What [Auth] makes with the base that it gets obeys this option. Where a
// transport of somebody's own returns an [*UnauthorizedError], a 401 without a
// body takes its place.
func KeepUnauthorized() Option {
	return func(c *transportConfig) error {
		c.keepUnauthorized = true
		return nil
	}
}

// RefuseOutOfScope makes a request out of the policy's scope a [*CredentialError]
// that says why, and not send it. It is for a client that talks to one API alone,
// where such a request is a mistake in a URL. A redirect hop is still sent,
// without a credential.
func RefuseOutOfScope() Option {
	return func(c *transportConfig) error {
		c.refuseOutOfScope = true
		return nil
	}
}

// New returns a Transport that sends with base. A nil base means
// [http.DefaultTransport]. A Transport that is to replace http.DefaultTransport
// needs the old one as its base.
//
// The error joins everything that is wrong: a nil policy or one that
// [NewPolicy] did not make, a nil auth, a base that is a nil pointer or
// function, an option that is nil or has a nil argument, an auth that fails,
// returns a nil transport for mandatory endpoints, or returns none for optional
// ones where the policy has an optional route.
func New(policy *Policy, auth Auth, base http.RoundTripper, opts ...Option) (*Transport, error) {
	config := new(transportConfig)
	base, baseErr := baseOrDefault(base)
	errs := append(apply(config, "transport", opts), baseErr, checkNotNil("auth", auth))
	if policy == nil || policy.table == nil {
		errs = append(errs, errors.New("policy is nil or empty: make one with NewPolicy"))
	}
	var mandatory, optional http.RoundTripper
	var authErr error
	if checkNotNil("auth", auth) == nil {
		mandatory, optional, authErr = auth.RoundTrippers(&configuredBase{hide(base), config})
		if authErr == nil {
			errs = append(errs, checkNotNil(fmt.Sprintf("the transport of %T for mandatory endpoints", auth), mandatory))
		}
		errs = append(errs, checkOptional(policy, auth, optional, authErr))
	}
	if err := errors.Join(joinErrors(errs...), authErr); err != nil {
		return nil, err
	}
	return &Transport{policy, config, hide(base),
		hide(asRoundTripperTo(mandatory)), hide(asRoundTripperTo(optional))}, nil
}

// checkOptional checks the transport for optional endpoints, which may be missing
// where the policy has none. It is also missing where the auth failed.
func checkOptional(policy *Policy, auth Auth, optional http.RoundTripper, authErr error) error {
	jwt, isJWT := auth.(JWTAuth)
	switch {
	case optional != nil:
		return checkNotNil(fmt.Sprintf("the transport of %T for optional endpoints", auth), optional)
	case policy == nil || policy.firstOptional() == nil:
		return nil
	case isJWT && jwt.SubscriptionID == "":
		return fmt.Errorf("subscription ID is empty, and the route %q is optional", policy.firstOptional().pattern)
	case authErr == nil:
		return fmt.Errorf("%T has no transport for optional endpoints, and the route %q is one", auth, policy.firstOptional().pattern)
	}
	return nil
}

// RoundTrip sends req with the credential that the policy calls for, or as it
// is. See [Transport].
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if t.base == nil {
		return nil, newCredentialError("", req, errors.New("the transport was not made by New"), false)
	}
	if req == nil || req.URL == nil {
		return nil, newCredentialError("", req, errNoURL, false)
	}
	to := targetOf(req)
	d := t.policy.decide(to.method, &to.url)
	left := d.verdict == InScope && t.policy.leftScope(req)
	var carrier roundTripperTo // of the credential
	switch {
	case d.verdict != InScope || d.requirement == Public || left:
	case d.requirement == Optional:
		carrier = t.optional()
	default:
		carrier = t.mandatory()
	}
	if traces := t.options.tracesOf(req); len(traces) > 0 {
		t.tellDecision(traces, &d, to, req, carrier, left)
	}
	switch {
	case d.verdict == Refused:
		return nil, newCredentialError("", req, fmt.Errorf("%w: %s", ErrRefusedPath, d.reasonRefused()), false)
	case d.verdict == OutOfScope && t.options.refuseOutOfScope && req.Response == nil:
		return nil, newCredentialError("", req, errors.New(t.policy.reasonOutOfScope(&to.url)), false)
	case carrier == nil:
		return sound.RoundTrip("routeauth: the base", t.base(), req)
	}
	resp, err := carrier.roundTripTo(to, req)
	if err != nil && t.options.keepUnauthorized {
		if rejected, ok := rejectionIn(err); ok {
			return responseOf(rejected, req), nil
		}
	}
	return resp, err
}

// CloseIdleConnections closes the base's idle connections, if it can.
func (t *Transport) CloseIdleConnections() { fallback.CloseIdleConnections(t.base.reveal()) }

func (t *Transport) unwrap() http.RoundTripper { return t.base.reveal() }
