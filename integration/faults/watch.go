package faults

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
)

// watch counts what is open.
type watch struct {
	requests, responses, connections, dialed atomic.Int64
}

// requestBodies is a transport over base that counts the request bodies that
// base has yet to close.
func (w *watch) requestBodies(base http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		if req.Body == nil || req.Body == http.NoBody {
			return base.RoundTrip(req)
		}
		watched := req.WithContext(req.Context())
		watched.Body = newWatchedBody(&w.requests, req.Body)
		if req.GetBody != nil {
			watched.GetBody = func() (io.ReadCloser, error) {
				body, err := req.GetBody()
				if err != nil {
					return nil, err
				}
				return newWatchedBody(&w.requests, body), nil
			}
		}
		resp, err := base.RoundTrip(watched)
		if resp != nil {
			resp.Request = req
		}
		return resp, err
	})
}

// ownReplays is a transport over base, the network, that does not count the
// bodies which base asks for by itself. They are net/http's own business, and
// its HTTP/2 leaves one open if it finds no connection for a second try.
func (w *watch) ownReplays(base http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		if req.GetBody == nil {
			return base.RoundTrip(req)
		}
		own := req.WithContext(req.Context())
		own.GetBody = func() (io.ReadCloser, error) {
			body, err := req.GetBody()
			for watched, ok := body.(*watchedBody); ok; watched, ok = body.(*watchedBody) {
				watched.closed()
				body = watched.ReadCloser
			}
			return body, err
		}
		resp, err := base.RoundTrip(own)
		if resp != nil {
			resp.Request = req
		}
		return resp, err
	})
}

// responseBodies is a transport over base that counts the response bodies that
// nobody has closed yet.
func (w *watch) responseBodies(base http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		resp, err := base.RoundTrip(req)
		if resp != nil && resp.Body != nil && resp.Body != http.NoBody {
			resp.Body = newWatchedBody(&w.responses, resp.Body)
		}
		return resp, err
	})
}

type watchedBody struct {
	io.ReadCloser
	closed func()
}

func newWatchedBody(open *atomic.Int64, body io.ReadCloser) *watchedBody {
	open.Add(1)
	return &watchedBody{body, sync.OnceFunc(func() { open.Add(-1) })}
}

func (b *watchedBody) Close() error {
	b.closed()
	return b.ReadCloser.Close()
}

// dial dials, and counts the connections that nobody has closed yet.
func (w *watch) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	w.dialed.Add(1)
	w.connections.Add(1)
	return &watchedConn{conn, sync.OnceFunc(func() { w.connections.Add(-1) })}, nil
}

type watchedConn struct {
	net.Conn
	closed func()
}

func (c *watchedConn) Close() error {
	c.closed()
	return c.Conn.Close()
}

// NetConn is the connection below, as that of a tls.Conn is.
func (c *watchedConn) NetConn() net.Conn { return c.Conn }

type roundTripper func(req *http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
