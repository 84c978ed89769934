package integration_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"slices"
	"testing"

	"example.com/routeauth"
	"example.com/routeauth/aiuta/aiutatest"
	"example.com/routeauth/integration/measure"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var overHTTP2 = measure.Neighbour{
	Name: "HTTP/2 over TLS",
	File: "http2_test.go",
	Server: measure.Server{Sends: measure.Bearer, Listen: func(_ *testing.T, server *httptest.Server) http.RoundTripper {
		server.EnableHTTP2 = true
		server.StartTLS()
		return server.Client().Transport
	}},
	Call: post,
	Facts: []measure.Fact{
		{Says: "each route gets its credential", Test: http2Routes},
		{Says: "a 401 without an end costs no connection", Test: http2Endless401},
		{Says: "a connection that the server ends is replaced, and nothing is lost or sent twice", Test: http2Goaway},
	},
}

// newHTTP2 starts an HTTPS server that speaks HTTP/2.
func newHTTP2(t *testing.T, handler http.Handler) *httptest.Server {
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

func http2Routes(t *testing.T) {
	for name, auth := range auths(t) {
		t.Run(name, func(t *testing.T) {
			api := newAPI(t)
			server := newHTTP2(t, api.Config.Handler)
			baseURL := server.URL + "/digital-try-on/v1"
			client := &http.Client{Transport: newTransport(t, baseURL, auth, server.Client().Transport)}
			for _, req := range []*http.Request{
				newRequest(t, t.Context(), "POST", baseURL+startPath, startBody),
				newRequest(t, t.Context(), "GET", baseURL+statusPath, ""),
			} {
				resp, err := client.Do(req)
				require.NoError(t, err)
				resp.Body.Close()
				assert.Equal(t, 200, resp.StatusCode)
				assert.Equal(t, "HTTP/2.0", resp.Proto)
			}
			assert.Equal(t, []string{
				"POST sku_images_operations " + auth.mandatory,
				"GET sku_images_op-1 " + auth.optional,
			}, received(api))
		})
	}
}

// Rule 25: giving up on an endless 401 ends its stream and leaves the
// connection to the others.
func http2Endless401(t *testing.T) {
	ended := make(chan struct{}, 3)
	server := newHTTP2(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		defer func() { ended <- struct{}{} }()
		w.WriteHeader(http.StatusUnauthorized)
		for {
			if _, err := w.Write(make([]byte, 32<<10)); err != nil {
				return
			}
		}
	}))
	client := &http.Client{Transport: newTransport(t, server.URL, apiKeyAuth, server.Client().Transport)}
	connections := map[string]bool{}
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { connections[info.Conn.LocalAddr().String()] = true },
	})
	for range 3 {
		_, _, err := do(t, client, newRequest(t, ctx, "POST", server.URL+startPath, startBody))
		require.ErrorIs(t, err, routeauth.ErrUnauthorized)
		<-ended
	}
	assert.Len(t, connections, 1)
}

// Each answer ends its connection with a GOAWAY, which may cross the next
// request on its way. None is lost, and none arrives twice.
func http2Goaway(t *testing.T) {
	type seen struct{ key, body string }
	var requests []seen
	server := newHTTP2(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		requests = append(requests, seen{req.Header.Get("X-Api-Key"), string(body)})
		w.Header().Set("Connection", "close")
	}))
	client := &http.Client{Transport: newTransport(t, server.URL, apiKeyAuth, server.Client().Transport)}
	for range 20 {
		_, _, err := do(t, client, newRequest(t, t.Context(), "POST", server.URL+startPath, startBody))
		require.NoError(t, err)
	}
	assert.Equal(t, slices.Repeat([]seen{{aiutatest.APIKey, startBody}}, 20), requests)
}
