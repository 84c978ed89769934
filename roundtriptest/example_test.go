package roundtriptest_test

import (
	"net/http"
	"testing"

	"example.com/routeauth/roundtriptest"
)

// userAgent is a wrapper that names the program to the server.
type userAgent struct {
	name string
	base http.RoundTripper
}

func (t *userAgent) RoundTrip(req *http.Request) (*http.Response, error) {
	// A shallow copy with a header of its own: the caller's request stays
	// unchanged, and trailers that the caller sets later are still sent.
	sent := req.WithContext(req.Context())
	sent.Header = req.Header.Clone()
	if sent.Header == nil {
		sent.Header = make(http.Header)
	}
	sent.Header.Set("User-Agent", t.name)
	return t.base.RoundTrip(sent)
}

func (t *userAgent) CloseIdleConnections() {
	if base, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		base.CloseIdleConnections()
	}
}

// In a test file, this is the body of
//
//	func TestUserAgentKeepsTheContract(t *testing.T)
func ExampleTest() {
	var t *testing.T // the argument of the test
	roundtriptest.Test(t, func(base http.RoundTripper) (http.RoundTripper, error) {
		return &userAgent{name: "tryon/1.0", base: base}, nil
	})
}

// Strict holds a wrapper to more than net/http's documentation.
func ExampleStrict() {
	var t *testing.T // the argument of the test
	wrap := func(base http.RoundTripper) (http.RoundTripper, error) {
		return &userAgent{name: "tryon/1.0", base: base}, nil
	}
	roundtriptest.Test(t, wrap, roundtriptest.Strict())
}
