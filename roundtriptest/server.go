package roundtriptest

import (
	"net/http"
	"net/http/httptest"
)

// serve starts a server on the loopback interface and returns a base that sends
// each request there, whatever host its URL names, with a real transport.
func serve(handler http.HandlerFunc) (base http.RoundTripper, stop func()) {
	server := httptest.NewServer(handler)
	transport := &http.Transport{} // without a proxy
	base = roundTripFunc(func(req *http.Request) (*http.Response, error) {
		u := *req.URL
		u.Scheme, u.Host = "http", server.Listener.Addr().String()
		sent := req.WithContext(req.Context()) // shares Trailer, as a transport must
		sent.URL = &u
		resp, err := transport.RoundTrip(sent)
		if resp != nil {
			resp.Request = req
		}
		return resp, err
	})
	return base, func() {
		transport.CloseIdleConnections()
		server.Close()
	}
}
