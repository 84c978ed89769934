package integration_test

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	"example.com/routeauth"
	"example.com/routeauth/integration/measure"
	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var reverseProxy = measure.Neighbour{
	Name:   "`httputil.ReverseProxy`",
	File:   "reverse_proxy_test.go",
	Server: measure.Server{Sends: measure.APIKey},
	Own:    "status 401",
	Call: func(t *testing.T, baseURL string, client *http.Client) (answer measure.Answer) {
		proxy := newReverseProxy(t, baseURL, client.Transport)
		proxy.ModifyResponse = func(resp *http.Response) error {
			answer.Resp = resp
			return nil
		}
		proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, err error) {
			answer.Err = err
			w.WriteHeader(http.StatusBadGateway)
		}
		resp, err := http.Post(newServer(t, proxy.ServeHTTP).URL, "text/plain", nil)
		require.NoError(t, err)
		defer resp.Body.Close()
		answer.Own = resp.StatusCode == http.StatusUnauthorized
		return answer
	},
	Facts: []measure.Fact{
		{Says: "as an error a 401 is a 502 without `WWW-Authenticate`", Test: reverseProxyBadGateway},
		{Says: "a caller's own credential in that field is replaced, and an upgrade goes through", Test: reverseProxyUpgrade},
	},
}

func newReverseProxy(t *testing.T, baseURL string, transport http.RoundTripper) *httputil.ReverseProxy {
	target, err := url.Parse(baseURL)
	require.NoError(t, err)
	return &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport: transport,
		ErrorLog:  log.New(io.Discard, "", 0),
	}
}

func reverseProxyBadGateway(t *testing.T) {
	for _, test := range []struct {
		opts         []routeauth.Option
		status       int
		authenticate string
	}{
		{nil, http.StatusBadGateway, ""},
		{[]routeauth.Option{routeauth.KeepUnauthorized()}, http.StatusUnauthorized, "Bearer"},
	} {
		api := measure.Server{Sends: measure.APIKey}.Start(t)
		proxy := newReverseProxy(t, api.URL, api.Client(t, measure.Wrong, test.opts...).Transport)
		answer := httptest.NewRecorder()
		proxy.ServeHTTP(answer, httptest.NewRequest("GET", "/", nil))
		assert.Equal(t, test.status, answer.Code)
		assert.Equal(t, test.authenticate, answer.Header().Get("WWW-Authenticate"))
	}
}

func reverseProxyUpgrade(t *testing.T) {
	api := webSocketServer.Start(t)
	proxy := newReverseProxy(t, api.URL, api.Client(t, measure.Right, routeauth.KeepUnauthorized()).Transport)
	front := newServer(t, proxy.ServeHTTP)
	conn, _, err := websocket.Dial(t.Context(), front.URL, &websocket.DialOptions{
		HTTPHeader: http.Header{routeauth.HeaderAPIKey: {"the-caller's-own"}},
	})
	require.NoError(t, err)
	defer conn.CloseNow()
	require.NoError(t, conn.Write(t.Context(), websocket.MessageText, []byte("through")))
	_, echo, err := conn.Read(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "through", string(echo))
	assert.Equal(t, 1, api.Served())
}
