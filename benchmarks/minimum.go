package benchmarks

import (
	"net/http"

	"example.com/routeauth"
)

// MinimumAPIKey returns the hand-written minimum that [APIKeyAuth] is measured
// against: the least that sends a header field and leaves the caller's request
// unchanged, which is a shallow copy of the request, a copy of its header and
// one assignment. It knows no routes, no scope, no redirects and no expiry.
func MinimumAPIKey(url string) Subject { return minimumSubject(url, routeauth.HeaderAPIKey, apiKey) }

// MinimumBearer returns the hand-written minimum that [JWTAuth] is measured
// against. It sends the token as [MinimumAPIKey] sends the key.
func MinimumBearer(url string) Subject {
	return minimumSubject(url, routeauth.HeaderAuthorization, "Bearer "+Token())
}

func minimumSubject(url, field, value string) Subject {
	return Subject{
		Name: "hand-written minimum, " + field, URL: url, Field: field, Value: value,
		Transport: func(base http.RoundTripper) (http.RoundTripper, error) {
			return minimum{field, value, base}, nil
		},
	}
}

type minimum struct {
	field, value string
	base         http.RoundTripper
}

func (m minimum) RoundTrip(req *http.Request) (*http.Response, error) {
	authenticated := req.WithContext(req.Context())
	authenticated.Header = req.Header.Clone()
	authenticated.Header[m.field] = []string{m.value}
	return m.base.RoundTrip(authenticated)
}
