package routeauth

import (
	"net/http"

	"example.com/routeauth/internal/httpfield"
)

// SubscriptionTransport is an [http.RoundTripper] that sends each request with the
// header field x-user-id. A subscription ID is an identifier, not a secret:
// errors do not hide it. In everything else it keeps what the package comment
// promises of every transport. Alone it has no scope: [New] with [JWTAuth] binds
// the ID to one API.
type SubscriptionTransport struct{ header HeaderTransport }

// NewSubscriptionTransport returns a SubscriptionTransport that sends
// subscriptionID with base. A nil base means [http.DefaultTransport].
//
// The error joins everything that is wrong: an ID that is empty, holds anything
// but printable ASCII without spaces or is the literal REDACTED; a base that is
// a nil pointer or function.
func NewSubscriptionTransport(subscriptionID string, base http.RoundTripper) (*SubscriptionTransport, error) {
	header, err := newHeaderTransport(SchemeSubscription, HeaderUserID, subscriptionID, base,
		httpfield.CheckCredential("subscription ID", subscriptionID))
	if err != nil {
		return nil, err
	}
	header.sender.public = true
	return &SubscriptionTransport{*header}, nil
}

// RoundTrip sends req with the subscription ID. The package comment says what
// happens to req, its body and the response.
func (t *SubscriptionTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	return t.header.RoundTrip(req)
}

// CloseIdleConnections closes the base's idle connections, if it can.
func (t *SubscriptionTransport) CloseIdleConnections() { t.header.CloseIdleConnections() }

func (t *SubscriptionTransport) roundTripTo(to target, req *http.Request) (*http.Response, error) {
	return t.header.roundTripTo(to, req)
}

func (t *SubscriptionTransport) scheme() Scheme { return t.header.scheme() }

func (t *SubscriptionTransport) unwrap() http.RoundTripper { return t.header.unwrap() }
