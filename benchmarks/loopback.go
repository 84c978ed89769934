package benchmarks

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
)

// Loopback is an HTTP server on this machine that answers 401 to whatever does
// not carry the [Token].
type Loopback struct{ server *httptest.Server }

// NewLoopback starts the server. Close ends it.
func NewLoopback() *Loopback {
	answer := `{"items":["` + strings.Repeat("0123456789abcdef", 32) + `"]}`
	return &Loopback{httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("Authorization") != "Bearer "+Token() {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, answer)
	}))}
}

// Close ends the server.
func (l *Loopback) Close() { l.server.Close() }

// Minimum returns the hand-written minimum with a request to the server.
func (l *Loopback) Minimum() Subject { return MinimumBearer(l.server.URL + "/v1" + StaticPath) }

// JWTAuth returns routeauth with a cached token and a request to the server.
func (l *Loopback) JWTAuth() Subject { return JWTAuth(l.server.URL+"/v1", 10, StaticPath) }

// Exchanges returns the operation that sends the subject's request to the
// server and reads the answer. All subjects use the same connection. It was
// done once when Exchanges returns. It is for one goroutine.
func (l *Loopback) Exchanges(s Subject) (Operation, error) {
	transport, err := s.Transport(l.server.Client().Transport)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	req, err := NewRequest(s.URL)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	client := &http.Client{Transport: transport}
	exchange := func() error { return exchange(client, req) }
	return exchange, exchange()
}

func exchange(client *http.Client, req *http.Request) error {
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answered %s", resp.Status)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
