package wrapped

import "net/http"

// forward is the control.
type forward struct{ base http.RoundTripper }

func newForward(base http.RoundTripper) (http.RoundTripper, error) { return forward{base}, nil }

func (f forward) RoundTrip(req *http.Request) (*http.Response, error) {
	return f.baseOrDefault().RoundTrip(req)
}

func (f forward) CloseIdleConnections() {
	if c, ok := f.baseOrDefault().(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

func (f forward) baseOrDefault() http.RoundTripper {
	if f.base == nil {
		return http.DefaultTransport
	}
	return f.base
}
