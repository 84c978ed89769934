package wrapped

import (
	"net/http"
	"net/url"

	"example.com/routeauth"
)

// apiTransport sends each request with a [routeauth.Transport] for the API at
// the server that the request, or the first one of its redirect chain, names. A
// program knows its API beforehand. A test of net/http starts a server at
// whatever port is free.
type apiTransport struct {
	auth     routeauth.Auth
	required routeauth.Requirement
	base     http.RoundTripper
}

// perAPI wraps with an apiTransport for which every endpoint is as required.
func perAPI(auth routeauth.Auth, required routeauth.Requirement) func(base http.RoundTripper) (http.RoundTripper, error) {
	return func(base http.RoundTripper) (http.RoundTripper, error) {
		t := apiTransport{auth, required, base}
		_, err := t.to(nobodysAPI)
		return t, err
	}
}

// nobodysAPI is the API of a request whose server no policy can name, such as
// one whose scheme is file. It lies out of scope.
const nobodysAPI = "https://api.invalid"

func (t apiTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	api, err := t.to(baseURL(req))
	if err != nil {
		api, err = t.to(nobodysAPI)
	}
	if err != nil {
		return failing{err}.RoundTrip(req)
	}
	return api.RoundTrip(req)
}

func (t apiTransport) CloseIdleConnections() {
	if api, err := t.to(nobodysAPI); err == nil {
		api.CloseIdleConnections()
	}
}

func (t apiTransport) to(baseURL string) (*routeauth.Transport, error) {
	policy, err := routeauth.NewPolicy(baseURL, routeauth.Routes{"/": t.required}, routeauth.AllowPlaintext())
	if err != nil {
		return nil, err
	}
	if keepUnauthorized {
		return routeauth.New(policy, t.auth, t.base, routeauth.KeepUnauthorized())
	}
	return routeauth.New(policy, t.auth, t.base)
}

// baseURL returns the scheme and host of the request that the caller made.
func baseURL(req *http.Request) string {
	for req.Response != nil && req.Response.Request != nil {
		req = req.Response.Request
	}
	if req.URL == nil {
		return ""
	}
	return (&url.URL{Scheme: req.URL.Scheme, Host: req.URL.Host}).String()
}
