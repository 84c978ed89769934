package retry

import (
	"errors"
	"net/http"
)

// defaultTransport stands for whatever http.DefaultTransport is when a request is
// sent: a program may replace it after its clients were made.
type defaultTransport struct{}

func (defaultTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	base := http.DefaultTransport
	switch {
	case base == nil:
		closeBody(req)
		return nil, errors.New("retry: no transport was given, and http.DefaultTransport is nil")
	case endsInDefault(base):
		closeBody(req)
		return nil, errors.New("retry: http.DefaultTransport would send with itself: " +
			"give the transport that replaces it the old one")
	}
	return base.RoundTrip(req)
}

func (defaultTransport) CloseIdleConnections() {
	if base := http.DefaultTransport; !endsInDefault(base) {
		closeIdleConnections(base)
	}
}

// endsInDefault reports whether rt sends with whatever http.DefaultTransport is.
// As http.DefaultTransport itself, it would never come to an end.
func endsInDefault(rt http.RoundTripper) bool {
	for {
		switch t := rt.(type) {
		case defaultTransport:
			return true
		case *Transport:
			if t == nil {
				return false
			}
			rt = t.transport
		default:
			return false
		}
	}
}

func closeIdleConnections(transport http.RoundTripper) {
	if c, ok := transport.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

func closeBody(req *http.Request) {
	if req != nil && req.Body != nil {
		_ = req.Body.Close()
	}
}
