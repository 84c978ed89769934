package aiutatest

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
)

// inProcess is a transport that calls a handler.
type inProcess struct {
	handler http.Handler
	url     string
}

// RoundTrip answers req with what the handler writes.
func (t *inProcess) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer req.Body.Close()
	}
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	if req.URL == nil {
		return nil, errors.New("aiutatest: the request has no URL")
	}
	if server, _ := url.Parse(t.url); req.URL.Scheme != server.Scheme || req.URL.Host != server.Host {
		return nil, &net.OpError{Op: "dial", Net: "tcp",
			Err: fmt.Errorf("aiutatest: this transport reaches %s alone, not %s", t.url, req.URL.Host)}
	}
	received := req.Clone(req.Context())
	received.RequestURI = req.URL.RequestURI()
	received.RemoteAddr = "192.0.2.1:1234" // RFC 5737
	if received.Body == nil {
		received.Body = http.NoBody
	}
	if received.Host == "" {
		received.Host = req.URL.Host
	}
	w := httptest.NewRecorder()
	t.handler.ServeHTTP(w, received)
	resp := w.Result()
	resp.Request = req
	return resp, nil
}
