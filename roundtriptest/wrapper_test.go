package roundtriptest

import (
	"errors"
	"io"
	"net/http"
)

// wrapper is a wrapping RoundTripper made of one function.
type wrapper struct {
	base      http.RoundTripper
	roundTrip func(base http.RoundTripper, req *http.Request) (*http.Response, error)
}

func (w *wrapper) RoundTrip(req *http.Request) (*http.Response, error) {
	return w.roundTrip(w.base, req)
}

func (w *wrapper) CloseIdleConnections() {
	(&http.Client{Transport: w.base}).CloseIdleConnections()
}

// wrapping returns the wrap of a wrapper without state.
func wrapping(roundTrip func(base http.RoundTripper, req *http.Request) (*http.Response, error)) wrapFunc {
	return func(base http.RoundTripper) http.RoundTripper { return &wrapper{base, roundTrip} }
}

// sending returns the wrap of a wrapper that sends another request in the
// caller's place.
func sending(instead func(req *http.Request) *http.Request) wrapFunc {
	return wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
		return base.RoundTrip(instead(req))
	})
}

// withBody returns the wrap of a wrapper that sends another body in the place of
// the caller's.
func withBody(instead func(body io.ReadCloser) io.ReadCloser) wrapFunc {
	return sending(func(req *http.Request) *http.Request {
		if req.Body == nil || req.Body == http.NoBody {
			return req
		}
		sent := req.WithContext(req.Context())
		sent.Body = instead(req.Body)
		return sent
	})
}

// returning returns the wrap of a wrapper that does something with what the
// base returned.
func returning(instead func(req *http.Request, resp *http.Response, err error) (*http.Response, error)) wrapFunc {
	return wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
		resp, err := base.RoundTrip(req)
		return instead(req, resp, err)
	})
}

// withResponseBody returns the wrap of a wrapper that returns the base's
// response with another body.
func withResponseBody(instead func(resp *http.Response) io.ReadCloser) wrapFunc {
	return returning(func(_ *http.Request, resp *http.Response, err error) (*http.Response, error) {
		if resp != nil && resp.Body != nil {
			resp.Body = instead(resp)
		}
		return resp, err
	})
}

var errRefused = errors.New("refused")
