package integration_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync"
	"testing"

	"example.com/routeauth"
	"example.com/routeauth/integration/measure"
	"example.com/routeauth/issuer"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var httpTrace = measure.Neighbour{
	Name:   "`httptrace`",
	File:   "httptrace_test.go",
	Server: measure.Server{Sends: measure.APIKey},
	Call: func(t *testing.T, baseURL string, client *http.Client) measure.Answer {
		tr := &trace{sent: map[string]string{}}
		req := newRequest(t, tr.context(t.Context()), "POST", baseURL, startBody)
		resp, err := client.Do(req)
		if err == nil {
			resp.Body.Close()
		}
		assert.Len(t, tr.hosts, 1)
		return measure.Answer{Err: err, Resp: resp}
	},
	Facts: []measure.Fact{
		{Says: "its hooks see the token fetch, and `WroteHeaderField` the credential: who logs that logs it", Test: httptraceFetch},
		{Says: "they see a fetch also after its caller has left", Test: httptraceOutlives},
	},
}

// newBackend starts an app's backend, which hands out tokens.
func newBackend(t *testing.T) *httptest.Server {
	handler, err := issuer.NewHandler(newIssuer(t),
		func(*http.Request, routeauth.Params) error { return nil },
		issuer.WithLogger(slog.New(slog.DiscardHandler)))
	require.NoError(t, err)
	return newServer(t, handler.ServeHTTP)
}

// newRemoteAuth returns an auth that keeps the tokens of a backend.
func newRemoteAuth(t *testing.T, backend *httptest.Server) routeauth.JWTAuth {
	remote, err := routeauth.NewRemoteTokenSource(backend.URL, backend.Client())
	require.NoError(t, err)
	auth := newJWTAuth(t)
	auth.Source, err = routeauth.NewTokenCache(remote)
	require.NoError(t, err)
	return auth
}

// trace records what a request's hooks see. They run in several goroutines.
type trace struct {
	mu    sync.Mutex
	hosts []string          // that were asked
	sent  map[string]string // Authorization, by where it went; the last connection's
}

func (tr *trace) context(ctx context.Context) context.Context {
	var host string
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(hostPort string) {
			tr.mu.Lock()
			defer tr.mu.Unlock()
			host = hostPort
			tr.hosts = append(tr.hosts, hostPort)
		},
		WroteHeaderField: func(name string, values []string) {
			tr.mu.Lock()
			defer tr.mu.Unlock()
			if strings.EqualFold(name, "Authorization") {
				tr.sent[host] = strings.Join(values, "|")
			}
		},
	})
}

// Rule 20: the fetch has the values of the first caller's context, and so its
// hooks. What they are shown of a request on the wire is all of it: a program
// that logs it logs the credential.
func httptraceFetch(t *testing.T) {
	api, backend := newAPI(t), newBackend(t)
	client := newClient(t, api, newRemoteAuth(t, backend))
	start := func() *trace {
		tr := &trace{sent: map[string]string{}}
		req := newRequest(t, tr.context(t.Context()), "POST", api.DigitalTryOnURL()+startPath, startBody)
		status, body, err := do(t, client, req)
		require.NoError(t, err)
		require.Equal(t, 200, status, body)
		return tr
	}
	apiHost, backendHost := api.Listener.Addr().String(), backend.Listener.Addr().String()

	first := start()
	assert.Equal(t, []string{backendHost, apiHost}, first.hosts, "the token is fetched first")
	assert.NotContains(t, first.sent, backendHost)
	assert.True(t, strings.HasPrefix(first.sent[apiHost], "Bearer eyJ"))

	second := start()
	assert.Equal(t, []string{apiHost}, second.hosts, "the token is held")
	assert.Equal(t, first.sent, second.sent)
}

// The hooks of a caller who did not wait for the end see the rest of its fetch.
func httptraceOutlives(t *testing.T) {
	arrived, proceed := make(chan struct{}), make(chan struct{})
	backend := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-proceed
		_, _ = w.Write([]byte(`{"token":"not-kept"}`))
	})
	api := newAPI(t)
	client := newClient(t, api, newRemoteAuth(t, backend))

	ctx, leave := context.WithCancel(t.Context())
	answered := make(chan struct{})
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotFirstResponseByte: func() { close(answered) },
	})
	go func() {
		<-arrived
		leave()
	}()
	_, _, err := do(t, client, newRequest(t, ctx, "POST", api.DigitalTryOnURL()+startPath, startBody))
	require.ErrorIs(t, err, context.Canceled)
	close(proceed)
	<-answered
}
