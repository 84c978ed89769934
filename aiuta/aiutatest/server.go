package aiutatest

import (
	"net/http"
	"net/http/httptest"

	"example.com/routeauth"
)

// Server is an Aiuta API that listens on a loopback address. It is safe for
// concurrent use. What it was sent stays in memory until it is garbage, so it
// is for tests and not for load of hours.
//
// The embedded [httptest.Server] gives URL, Client and Close. Close waits for
// the requests under way, and leaves no goroutine behind.
type Server struct {
	*httptest.Server
	handler   *handler
	inProcess bool
}

// NewServer starts a server. The caller closes it. It panics if there is no
// loopback address to listen on, as [httptest.NewServer] does.
func NewServer(cfg Config) *Server {
	cfg = cfg.withDefaults()
	if cfg.InProcess {
		url := "http://" + inProcessHost
		if cfg.TLS {
			url = "https://" + inProcessHost
		}
		return &Server{&httptest.Server{URL: url}, newHandler(cfg, url), true}
	}
	server := httptest.NewUnstartedServer(nil)
	url := "http://" + server.Listener.Addr().String()
	start := server.Start
	if cfg.TLS {
		url = "https://" + server.Listener.Addr().String()
		start = server.StartTLS
	}
	handler := newHandler(cfg, url)
	server.Config.Handler = handler
	start()
	return &Server{server, handler, false}
}

// inProcessHost is the host of a server without a listener. It is a loopback one,
// so that a policy takes it without TLS, and it has no port.
const inProcessHost = "localhost"

// Client returns a client of the server, which trusts its certificate.
func (s *Server) Client() *http.Client {
	if s.inProcess {
		return &http.Client{Transport: s.Transport()}
	}
	return s.Server.Client()
}

// Close ends the server.
func (s *Server) Close() {
	if !s.inProcess {
		s.Server.Close()
	}
}

// Transport returns a transport that answers requests for the server's URL within
// the process, without a connection. A request for another host fails. It is safe
// for concurrent use.
func (s *Server) Transport() http.RoundTripper { return &inProcess{s.handler, s.URL} }

// SetAPIKeys replaces the API keys that the server accepts, as a rotation does.
// Without keys it accepts none.
func (s *Server) SetAPIKeys(keys ...routeauth.Secret) { s.handler.credentials.setAPIKeys(keys) }

// RevokeTokens makes the server answer 401 to every token that it has accepted so
// far.
func (s *Server) RevokeTokens() { s.handler.credentials.revoked.revoke() }

// Fail makes the server answer the next n requests to an API with status, before
// it looks at their credentials. It replaces what an earlier call asked for.
func (s *Server) Fail(n int, status int) { s.handler.failures.set(n, status) }

// DigitalTryOnURL returns the base URL of the Digital Try-On API, which stands
// for [aiuta.DigitalTryOnURL].
func (s *Server) DigitalTryOnURL() string { return s.URL + digitalTryOnPath }

// StudioURL returns the base URL of the Studio API, which stands for
// [aiuta.StudioURL].
func (s *Server) StudioURL() string { return s.URL + studioPath }

// UnifiedURL returns the base URL of the Unified API, which stands for
// [aiuta.UnifiedURL].
func (s *Server) UnifiedURL() string { return s.URL + unifiedPath }

// Requests returns what the server was sent so far, in the order in which it
// began to answer. The slice is the caller's own. A request stands in it before
// its answer is sent: who has the answer finds the request here.
func (s *Server) Requests() []Request { return s.handler.log.snapshot() }

// Generations returns how many generations were started so far, of whatever
// kind at whatever API. Each of them would have cost money.
func (s *Server) Generations() int { return int(s.handler.generator.started.Load()) }
