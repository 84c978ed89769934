package measure

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"example.com/routeauth"
	"github.com/stretchr/testify/require"
)

// What the APIs of this package let in, and what they do not.
const (
	Right routeauth.Secret = "the-right-one"
	Wrong routeauth.Secret = "a-rejected-one"
)

// Credential is a kind of credential, and where it is sent.
type Credential struct {
	Field, Prefix string
	Auth          func(secret routeauth.Secret) routeauth.Auth
}

// The kinds that most neighbours are measured with.
var (
	APIKey = Credential{routeauth.HeaderAPIKey, "", func(secret routeauth.Secret) routeauth.Auth {
		return routeauth.APIKeyAuth{APIKey: secret}
	}}
	Bearer = Credential{routeauth.HeaderAuthorization, "Bearer ", func(secret routeauth.Secret) routeauth.Auth {
		return routeauth.HeaderAuth{Scheme: routeauth.SchemeBearer, Name: routeauth.HeaderAuthorization, Prefix: "Bearer ", Value: secret}
	}}
)

// Server is an API before it is started.
type Server struct {
	Sends   Credential
	Handler http.HandlerFunc // answers what was let in; nil: with an empty JSON object
	// Listen starts the server and returns the way to it; nil: over HTTP/1.1.
	Listen func(t *testing.T, server *httptest.Server) http.RoundTripper
}

// API is a server that answers 401 to whatever does not carry the right
// credential, once and in its field, and counts.
type API struct {
	*httptest.Server
	sends            Credential
	network          http.RoundTripper
	served, rejected atomic.Int32
}

// Start starts the server, until the test ends.
func (s Server) Start(t *testing.T) *API {
	api := &API{sends: s.Sends}
	handler := s.Handler
	if handler == nil {
		handler = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, "{}")
		}
	}
	want := s.Sends.Prefix + string(Right)
	api.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if values := req.Header.Values(s.Sends.Field); len(values) == 1 && values[0] == want {
			api.served.Add(1)
			handler(w, req)
			return
		}
		api.rejected.Add(1)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("WWW-Authenticate", "Bearer")
		http.SetCookie(w, &http.Cookie{Name: "tried", Value: "once"})
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"detail":"no such credential"}`)
	}))
	t.Cleanup(api.Close)
	if s.Listen != nil {
		api.network = s.Listen(t, api.Server)
	} else {
		api.Start()
		api.network = api.Server.Client().Transport
	}
	return api
}

// Client returns an http.Client with routeauth as its transport, and under it
// the way to the API. Every route of the API demands the credential.
func (a *API) Client(t *testing.T, secret routeauth.Secret, opts ...routeauth.Option) *http.Client {
	policy, err := routeauth.NewPolicy(a.URL, nil)
	require.NoError(t, err)
	transport, err := routeauth.New(policy, a.sends.Auth(secret), a.network, opts...)
	require.NoError(t, err)
	return &http.Client{Transport: transport}
}

// Served is how many requests were let in.
func (a *API) Served() int { return int(a.served.Load()) }

// Rejected is how many requests were answered 401.
func (a *API) Rejected() int { return int(a.rejected.Load()) }
