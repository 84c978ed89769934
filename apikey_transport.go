package routeauth

import (
	"fmt"
	"net/http"

	"example.com/routeauth/internal/httpfield"
)

// APIKeyTransport is an [http.RoundTripper] that sends each request with the
// header field x-api-key. It keeps what the package comment promises of every
// transport. Alone it has no scope: [New] with [APIKeyAuth] binds the key to one
// API.
//
// net/http knows nothing of x-api-key: what a caller sets by hand on a request
// follows a redirect to any host. What this transport sets does not.
type APIKeyTransport struct{ header HeaderTransport }

// NewAPIKeyTransport returns an APIKeyTransport that sends apiKey with base. A nil
// base means [http.DefaultTransport].
//
// The error joins everything that is wrong: a key that is empty, holds anything
// but printable ASCII without spaces or is the literal REDACTED; a base that is
// a nil pointer or function. It never holds the key.
func NewAPIKeyTransport(apiKey Secret, base http.RoundTripper) (*APIKeyTransport, error) {
	header, err := newHeaderTransport(SchemeAPIKey, HeaderAPIKey, string(apiKey), base,
		httpfield.CheckCredential("API key", string(apiKey)))
	if err != nil {
		return nil, err
	}
	return &APIKeyTransport{*header}, nil
}

// RoundTrip sends req with the API key. The package comment says what happens to
// req, its body and the response.
func (t *APIKeyTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	return t.header.RoundTrip(req)
}

// CloseIdleConnections closes the base's idle connections, if it can.
func (t *APIKeyTransport) CloseIdleConnections() { t.header.CloseIdleConnections() }

func (t *APIKeyTransport) roundTripTo(to target, req *http.Request) (*http.Response, error) {
	return t.header.roundTripTo(to, req)
}

func (t *APIKeyTransport) scheme() Scheme { return t.header.scheme() }

func (t *APIKeyTransport) unwrap() http.RoundTripper { return t.header.unwrap() }

// APIKeyAuth authenticates every request of an API, mandatory or optional, with
// the API key. It is for programs that run where the key can be kept secret,
// such as a server. Exactly one of APIKey and Source must be set.
//
// Do not keep it in an unexported field of a struct that is printed: see
// [Secret]. Keep the [Transport] that [New] makes of it.
type APIKeyAuth struct {
	APIKey Secret       // the key, or
	Source SecretSource // where the current one comes from
}

// Format formats a with REDACTED in the place of the key. It implements
// [fmt.Formatter]. Without it, fmt would print the key of an *APIKeyAuth inside
// of another value for a verb that does not fit a pointer, such as %s.
func (a APIKeyAuth) Format(f fmt.State, verb rune) {
	formatFields(f, verb, "routeauth.APIKeyAuth", []field{{"APIKey", a.APIKey}, {"Source", typeOf(a.Source)}})
}

// RoundTrippers returns one transport for both kinds of endpoints: an
// [APIKeyTransport] or, over Source, a [HeaderTransport]. The error is that of its
// constructor, or says that not exactly one of APIKey and Source is set.
func (a APIKeyAuth) RoundTrippers(base http.RoundTripper) (mandatory, optional http.RoundTripper, err error) {
	if err := checkOneOf("API key", "APIKey", a.APIKey != "", "Source", a.Source != nil); err != nil {
		return nil, nil, joinErrors(err)
	}
	if a.Source != nil {
		t, err := newHeaderSourceTransport(SchemeAPIKey, HeaderAPIKey, "", a.Source, base, httpfield.CheckCredential)
		if err != nil {
			return nil, nil, err
		}
		return t, t, nil
	}
	t, err := NewAPIKeyTransport(a.APIKey, base)
	if err != nil {
		return nil, nil, err
	}
	return t, t, nil
}
