// Package fallback is the transport that is used where no other was given.
package fallback

import (
	"errors"
	"net/http"

	"example.com/routeauth/internal/sound"
)

// Transport stands for whatever [http.DefaultTransport] is when a request is sent:
// a program may replace it after its clients were made.
type Transport struct{}

// RoundTrip sends req with http.DefaultTransport.
func (Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	base := http.DefaultTransport
	var err error
	switch {
	case base == nil:
		err = errors.New("routeauth: no transport was given to send with, and http.DefaultTransport is nil")
	case endsHere(base):
		err = errors.New("routeauth: http.DefaultTransport would send with itself: " +
			"give the transport that replaces it the old one to send with")
	default:
		return base.RoundTrip(req)
	}
	sound.CloseBody(req)
	return nil, err
}

// CloseIdleConnections closes those of http.DefaultTransport.
func (Transport) CloseIdleConnections() {
	if base := http.DefaultTransport; !endsHere(base) {
		CloseIdleConnections(base)
	}
}

// CloseIdleConnections closes a transport's idle connections, if it can.
func CloseIdleConnections(transport http.RoundTripper) {
	if c, ok := transport.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// RegisterUnwrap makes known a package's function that returns what a transport of
// its own sends with, and nil for any other. It is for init functions: what a
// transport wraps is nothing that it exports.
func RegisterUnwrap(unwrap func(transport http.RoundTripper) http.RoundTripper) {
	registered = append(registered, unwrap)
}

var registered []func(transport http.RoundTripper) http.RoundTripper

// endsHere reports whether transport sends with whatever http.DefaultTransport is.
// As http.DefaultTransport itself, it would never come to an end.
func endsHere(transport http.RoundTripper) bool {
	for transport != nil {
		if transport == (Transport{}) {
			return true
		}
		transport = below(transport)
	}
	return false
}

func below(transport http.RoundTripper) http.RoundTripper {
	for _, unwrap := range registered {
		if next := unwrap(transport); next != nil {
			return next
		}
	}
	return nil
}
