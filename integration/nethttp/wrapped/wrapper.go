package wrapped

import (
	"net/http"

	"example.com/routeauth"
)

// Wrapper is one way to put a transport around another one. It is safe for
// concurrent use.
type Wrapper struct {
	// Name says which it is.
	Name string
	// Credential is the header field that it sends, or "" if it sends none.
	Credential string
	// ByNew is set if routeauth.New makes its transports, which then can have
	// options.
	ByNew bool

	wrap func(base http.RoundTripper) (http.RoundTripper, error)
}

// Wrap puts w around base. As for all of routeauth, a nil base is
// http.DefaultTransport. If a constructor refuses base, every request fails with
// its error.
func (w Wrapper) Wrap(base http.RoundTripper) http.RoundTripper {
	rt, err := w.wrap(base)
	if err != nil {
		return failing{err}
	}
	return rt
}

// Control is the name of the wrapper without routeauth: it sends with its base
// and does nothing else. A test that fails with it does not bear to be wrapped,
// by whatever it is.
const Control = "control"

// Wrappers returns every wrapper, the control first.
func Wrappers() []Wrapper {
	return []Wrapper{
		{Name: Control, wrap: newForward},
		{Name: "HeaderTransport", Credential: headerName, wrap: newHeader},
		{Name: "HeaderTransport, SecretSource", Credential: headerName, wrap: newHeaderSource},
		{Name: "APIKeyTransport", Credential: routeauth.HeaderAPIKey, wrap: newAPIKey},
		{Name: "SubscriptionTransport", Credential: routeauth.HeaderUserID, wrap: newSubscription},
		{Name: "JWTTransport", Credential: routeauth.HeaderAuthorization, wrap: newJWT},
		{Name: "JWTTransport, TokenCache", Credential: routeauth.HeaderAuthorization, wrap: newCachedJWT},
		{Name: "New, JWTAuth, mandatory", Credential: routeauth.HeaderAuthorization, ByNew: true, wrap: perAPI(jwtAuth, routeauth.Mandatory)},
		{Name: "New, JWTAuth, optional", Credential: routeauth.HeaderUserID, ByNew: true, wrap: perAPI(jwtAuth, routeauth.Optional)},
		{Name: "New, APIKeyAuth, mandatory", Credential: routeauth.HeaderAPIKey, ByNew: true, wrap: perAPI(apiKeyAuth, routeauth.Mandatory)},
		{Name: "New, APIKeyAuth, optional", Credential: routeauth.HeaderAPIKey, ByNew: true, wrap: perAPI(apiKeyAuth, routeauth.Optional)},
	}
}

// The credentials are made up: no server of net/http's tests asks for one.
const (
	headerName     = "X-Routeauth"
	headerValue    = "a-made-up-header-value"
	apiKey         = "a-made-up-api-key"
	subscriptionID = "a-made-up-subscription"
)

var (
	jwtAuth    = routeauth.JWTAuth{SubscriptionID: subscriptionID, Source: cache}
	apiKeyAuth = routeauth.APIKeyAuth{APIKey: apiKey}
)

func newHeader(base http.RoundTripper) (http.RoundTripper, error) {
	return routeauth.NewHeaderTransport("made-up", headerName, headerValue, base)
}

func newHeaderSource(base http.RoundTripper) (http.RoundTripper, error) {
	return routeauth.NewHeaderSourceTransport("made-up", headerName, "", secrets{}, base)
}

func newAPIKey(base http.RoundTripper) (http.RoundTripper, error) {
	return routeauth.NewAPIKeyTransport(apiKey, base)
}

func newSubscription(base http.RoundTripper) (http.RoundTripper, error) {
	return routeauth.NewSubscriptionTransport(subscriptionID, base)
}

func newJWT(base http.RoundTripper) (http.RoundTripper, error) {
	return routeauth.NewJWTTransport(source, base)
}

func newCachedJWT(base http.RoundTripper) (http.RoundTripper, error) {
	return routeauth.NewJWTTransport(cache, base)
}

// failing stands for a transport that could not be made.
type failing struct{ err error }

func (f failing) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
	return nil, f.err
}
