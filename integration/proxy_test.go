package integration_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"example.com/routeauth/aiuta/aiutatest"
	"example.com/routeauth/integration/measure"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var throughProxy = measure.Neighbour{
	Name: "a proxy",
	File: "proxy_test.go",
	Server: measure.Server{Sends: measure.APIKey, Listen: func(t *testing.T, server *httptest.Server) http.RoundTripper {
		server.StartTLS()
		return through(t, newProxy(t).URL, server.Client().Transport)
	}},
	Call: post,
	Facts: []measure.Fact{
		{Says: "it reads the credential over http, and not over https (`CONNECT`)", Test: proxyCredential},
		{Says: "a POST goes again where it is down", Test: proxyDown},
	},
}

// proxy is an HTTP proxy that remembers what it was asked for.
type proxy struct {
	*httptest.Server
	requests []*http.Request
}

func newProxy(t *testing.T) *proxy {
	p := &proxy{}
	p.Server = newServer(t, func(w http.ResponseWriter, req *http.Request) {
		p.requests = append(p.requests, req)
		if req.Method == http.MethodConnect {
			tunnel(w, req)
			return
		}
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	})
	return p
}

// tunnel copies bytes in both directions until one side is done.
func tunnel(w http.ResponseWriter, req *http.Request) {
	server, err := net.Dial("tcp", req.Host)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	client, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		server.Close()
		return
	}
	_, _ = io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n")
	go func() {
		defer client.Close()
		_, _ = io.Copy(client, server)
	}()
	go func() {
		defer server.Close()
		_, _ = io.Copy(server, buffered)
	}()
}

// through returns a copy of a transport that goes through a proxy.
func through(t *testing.T, proxyURL string, network http.RoundTripper) *http.Transport {
	u, err := url.Parse(proxyURL)
	require.NoError(t, err)
	proxied := network.(*http.Transport).Clone()
	proxied.Proxy = http.ProxyURL(u)
	t.Cleanup(proxied.CloseIdleConnections)
	return proxied
}

// A policy is about the URL that is asked for, and not about the way there.
func proxyCredential(t *testing.T) {
	for _, test := range []struct {
		name   string
		tls    bool
		method string // that the proxy sees
		key    string // that the proxy sees
	}{
		{"in plaintext, which the proxy reads", false, "POST", aiutatest.APIKey},
		{"in a tunnel, into which it cannot look", true, "CONNECT", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			api := aiutatest.NewServer(aiutatest.Config{TLS: test.tls})
			t.Cleanup(api.Close)
			p := newProxy(t)
			network := through(t, p.URL, api.Client().Transport)
			client := &http.Client{Transport: newTransport(t, api.DigitalTryOnURL(), apiKeyAuth, network)}

			status, body, err := do(t, client, newRequest(t, t.Context(), "POST", api.DigitalTryOnURL()+startPath, startBody))
			require.NoError(t, err)
			assert.Equal(t, 200, status, body)
			assert.Equal(t, []string{"POST sku_images_operations X-Api-Key"}, received(api))

			require.Len(t, p.requests, 1)
			assert.Equal(t, test.method, p.requests[0].Method)
			assert.Equal(t, test.key, p.requests[0].Header.Get("X-Api-Key"))
		})
	}
}

// Rule 28: where the proxy cannot be reached nothing was sent, and a POST may
// go again.
func proxyDown(t *testing.T) {
	api := newAPI(t)
	attempts := 0
	network := countAttempts(&attempts, through(t, nobodyURL, api.Client().Transport))
	transport := newTransport(t, api.DigitalTryOnURL(), apiKeyAuth, network)
	client := &http.Client{Transport: withRetries(transport)}

	_, _, err := do(t, client, newRequest(t, t.Context(), "POST", api.DigitalTryOnURL()+startPath, startBody))
	var opErr *net.OpError
	require.ErrorAs(t, err, &opErr)
	assert.Equal(t, "proxyconnect", opErr.Op)
	assert.Equal(t, 1+retryMax, attempts)
}

// roundTripper is a function as a transport.
type roundTripper func(req *http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func countAttempts(n *int, base http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		*n++
		return base.RoundTrip(req)
	})
}
