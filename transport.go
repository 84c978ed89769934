package routeauth

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

)

// Transport is an [http.RoundTripper] that sends each request of one API with
// the credential that its route calls for, and each other request as it is.
//
// A request is the API's if it lies in the scope of the [Policy]. It gets the
// credential for mandatory endpoints or the one for optional endpoints. What
// happens to it, to its body and to the response is what [HeaderTransport]
// promises; in particular a 401 becomes a [*UnauthorizedError].
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
	base                hidden[http.RoundTripper]
	mandatory, optional hidden[roundTripperTo]
}

// roundTripperTo is a transport of this package as [Transport] calls it: with
// the URL that the policy decided on, whatever the caller makes of the request's
// own in the meantime.
type roundTripperTo interface {
	roundTripTo(to url.URL, req *http.Request) (*http.Response, error)
}

// foreign is somebody else's transport as a roundTripperTo.
type foreign struct{ transport http.RoundTripper }

func (f foreign) roundTripTo(to url.URL, req *http.Request) (*http.Response, error) {
	own := *req
	own.URL = &to
	resp, err := roundTrip(f.transport, &own)
	if resp != nil && resp.Request == &own {
		resp.Request = req
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

// Auth makes the transports that carry an API's credentials. [JWTAuth] and
// [APIKeyAuth] are the ones of this package; others can be built from
// [HeaderTransport].
type Auth interface {
	// RoundTrippers returns the transport for mandatory endpoints and the one
	// for optional endpoints, which may be the same, or nil where the policy has
	// no optional route. Both send with base, which is not nil when New calls. Both must be safe for concurrent use and keep
	// the http.RoundTripper contract. They get only requests that may carry a
	// credential.
	RoundTrippers(base http.RoundTripper) (mandatory, optional http.RoundTripper, err error)
}

// Option changes what a [Transport] does.
type Option func(*transportConfig) error

type transportConfig struct{}

// New returns a Transport that sends with base, or with [http.DefaultTransport]
// as it is at the time of the request if base is nil. A Transport that is to
// replace http.DefaultTransport needs the old one as its base.
//
// The error joins everything that is wrong: a nil policy or one that
// [NewPolicy] did not make, a nil auth, a base that is a nil pointer or
// function, an auth that fails or returns a nil transport.
func New(policy *Policy, auth Auth, base http.RoundTripper, opts ...Option) (*Transport, error) {
	var config transportConfig
	base, baseErr := baseOrDefault(base)
	errs := append(apply(&config, "transport", opts), baseErr, checkNotNil("auth", auth))
	if policy == nil || policy.table == nil {
		errs = append(errs, errors.New("policy is nil or empty: make one with NewPolicy"))
	}
	var mandatory, optional http.RoundTripper
	var authErr error
	if checkNotNil("auth", auth) == nil {
		if mandatory, optional, authErr = auth.RoundTrippers(base); authErr == nil {
			errs = append(errs, checkNotNil(fmt.Sprintf("the transport of %T for mandatory endpoints", auth), mandatory),
				checkOptional(policy, auth, optional))
		}
	}
	if err := errors.Join(joinErrors(errs...), authErr); err != nil {
		return nil, err
	}
	return &Transport{policy, hide(base), hide(asRoundTripperTo(mandatory)), hide(asRoundTripperTo(optional))}, nil
}

// checkOptional checks the transport for optional endpoints, which may be missing
// where the policy has none.
func checkOptional(policy *Policy, auth Auth, optional http.RoundTripper) error {
	if optional != nil {
		return checkNotNil(fmt.Sprintf("the transport of %T for optional endpoints", auth), optional)
	}
	if route := policy.firstOptional(); route != nil {
		return fmt.Errorf("%T has no transport for optional endpoints, and the route %q is one", auth, route.pattern)
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
	to := *req.URL
	d := t.policy.decide(req.Method, &to)
	switch {
	case d.verdict == Refused:
		return nil, newCredentialError("", req, fmt.Errorf("%w: %s", ErrRefusedPath, d.reasonRefused()), false)
	case d.verdict == OutOfScope, d.requirement == Public, t.policy.leftScope(req):
		return roundTrip(t.base(), req)
	case d.requirement == Optional:
		return t.optional().roundTripTo(to, req)
	default:
		return t.mandatory().roundTripTo(to, req)
	}
}

// CloseIdleConnections closes the base's idle connections, if it can.
func (t *Transport) CloseIdleConnections() { closeIdleConnections(t.base.reveal()) }

func (t *Transport) unwrap() http.RoundTripper { return t.base.reveal() }
