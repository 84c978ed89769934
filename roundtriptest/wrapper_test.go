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
func wrapping(roundTrip func(base http.RoundTripper, req *http.Request) (*http.Response, error)) WrapFunc {
	return func(base http.RoundTripper) (http.RoundTripper, error) { return &wrapper{base, roundTrip}, nil }
}

// sending returns the wrap of a wrapper that sends another request in the
// caller's place.
func sending(instead func(req *http.Request) *http.Request) WrapFunc {
	return wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
		return base.RoundTrip(instead(req))
	})
}

// changing returns the wrap of a wrapper that sends a copy of the request, with
// a header of its own, in which it changes something.
func changing(change func(sent *http.Request)) WrapFunc {
	return sending(func(req *http.Request) *http.Request {
		sent := copied(req)
		change(sent)
		return sent
	})
}

func copied(req *http.Request) *http.Request {
	sent := req.WithContext(req.Context())
	sent.Header = req.Header.Clone()
	return sent
}

// withBody returns the wrap of a wrapper that sends another body in the place of
// the caller's.
func withBody(instead func(body io.ReadCloser) io.ReadCloser) WrapFunc {
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
func returning(instead func(req *http.Request, resp *http.Response, err error) (*http.Response, error)) WrapFunc {
	return wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
		resp, err := base.RoundTrip(req)
		return instead(req, resp, err)
	})
}

// changingResponse returns the wrap of a wrapper that changes something in each
// response.
func changingResponse(change func(resp *http.Response)) WrapFunc {
	return returning(func(_ *http.Request, resp *http.Response, err error) (*http.Response, error) {
		if err == nil && resp != nil && resp.Body != nil {
			change(resp)
		}
		return resp, err
	})
}

// failingFor returns the wrap of a wrapper that makes an error of a status.
func failingFor(status int) WrapFunc {
	return returning(func(_ *http.Request, resp *http.Response, err error) (*http.Response, error) {
		if resp != nil && resp.StatusCode == status {
			discard(resp)
			return nil, errors.New("the API says no")
		}
		return resp, err
	})
}

// sendingAgain returns the wrap of a wrapper that sends a request again, once,
// with a body of its own, where what came back calls for it.
func sendingAgain(calls func(resp *http.Response, err error) bool) WrapFunc {
	return wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
		resp, err := base.RoundTrip(req)
		if !calls(resp, err) {
			return resp, err
		}
		again := copied(req)
		if req.GetBody != nil {
			body, err := req.GetBody()
			if err != nil {
				return nil, err
			}
			again.Body = body
		}
		discard(resp)
		return base.RoundTrip(again)
	})
}

// counted hides what else the value can do.
type counted struct{ io.ReadCloser }

// countedWriter is counted for a body that can be written to.
type countedWriter struct{ io.ReadWriteCloser }

func countBody(resp *http.Response) io.ReadCloser {
	if rw, ok := resp.Body.(io.ReadWriteCloser); ok {
		return countedWriter{rw}
	}
	return counted{resp.Body}
}

var errRefused = errors.New("refused")
