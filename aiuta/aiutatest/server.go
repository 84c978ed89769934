package aiutatest

import "net/http/httptest"

// Server is an Aiuta API that listens on a loopback address. It is safe for
// concurrent use. What it was sent stays in memory until it is garbage, so it
// is for tests and not for load of hours.
//
// The embedded [httptest.Server] gives URL, Client and Close. Close waits for
// the requests under way, and leaves no goroutine behind.
type Server struct {
	*httptest.Server
	handler *handler
}

// NewServer starts a server. The caller closes it. It panics if there is no
// loopback address to listen on, as [httptest.NewServer] does.
func NewServer(cfg Config) *Server {
	server := httptest.NewUnstartedServer(nil)
	url := "http://" + server.Listener.Addr().String()
	start := server.Start
	if cfg.TLS {
		url = "https://" + server.Listener.Addr().String()
		start = server.StartTLS
	}
	handler := newHandler(cfg.withDefaults(), url)
	server.Config.Handler = handler
	start()
	return &Server{server, handler}
}

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
