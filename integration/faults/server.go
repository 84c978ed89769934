package faults

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
)

// newServer starts a TLS server that speaks HTTP/1.1 and HTTP/2 and does not
// log what its clients do to it.
func newServer(handler http.Handler) *httptest.Server {
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Config.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		return context.WithValue(ctx, connKey{}, conn)
	}
	server.StartTLS()
	return server
}

type connKey struct{}

// connOf returns the connection over which a request came.
func connOf(req *http.Request) net.Conn {
	conn, _ := req.Context().Value(connKey{}).(net.Conn)
	return conn
}

// tcpOf returns the connection below TLS, or nil.
func tcpOf(conn net.Conn) *net.TCPConn {
	for {
		if tcp, ok := conn.(*net.TCPConn); ok {
			return tcp
		}
		over, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			return nil
		}
		conn = over.NetConn()
	}
}
