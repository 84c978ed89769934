package wasm_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// received is a request as a server saw it.
type received struct {
	path   string
	header http.Header
}

// server remembers the requests that it receives.
type server struct {
	*httptest.Server
	mu       sync.Mutex
	requests []received
}

// newServer starts a server. Its answer is told how many times this path was
// asked for, this time included.
func newServer(t *testing.T, answer func(w http.ResponseWriter, path string, times int)) *server {
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		s.mu.Lock()
		s.requests = append(s.requests, received{req.URL.Path, req.Header})
		times := 0
		for _, r := range s.requests {
			if r.path == req.URL.Path {
				times++
			}
		}
		s.mu.Unlock()
		answer(w, req.URL.Path, times)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) received() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// values returns the values of a field in the requests received, in order.
func (s *server) values(field string) (values []string) {
	for _, r := range s.received() {
		values = append(values, r.header.Get(field))
	}
	return values
}

// newElsewhere starts the server on another origin to which the others redirect.
// It answers like a token endpoint, with a token of its own.
func newElsewhere(t *testing.T) *server {
	return newServer(t, func(w http.ResponseWriter, _ string, _ int) {
		_, _ = io.WriteString(w, newToken("elsewhere"))
	})
}

// newAPI starts an API that answers /…/200 with that status, and a path like
// /…/429-then-307 with one status the first time and the other one after that.
// Its redirects lead to location.
func newAPI(t *testing.T, location string) *server {
	return newServer(t, func(w http.ResponseWriter, path string, times int) {
		what := path[strings.LastIndexByte(path, '/')+1:]
		if first, then, ok := strings.Cut(what, "-then-"); ok {
			what = first
			if times > 1 {
				what = then
			}
		}
		status, err := strconv.Atoi(what)
		if err != nil {
			panic(path)
		}
		if status/100 == 3 {
			w.Header().Set("Location", location)
		}
		w.WriteHeader(status)
	})
}

// newTokenEndpoint starts an app's backend, which issues token-1, token-2 and so
// on.
func newTokenEndpoint(t *testing.T) *server {
	return newServer(t, func(w http.ResponseWriter, _ string, times int) {
		_, _ = io.WriteString(w, newToken(fmt.Sprint("token-", times)))
	})
}

// newToken returns a token endpoint's answer: a JWT with this ID.
func newToken(id string) string {
	now := time.Now()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.RegisteredClaims{
		ID:        id,
		IssuedAt:  jwt.NewNumericDate(now),
		ExpiresAt: jwt.NewNumericDate(now.Add(time.Hour)),
	}).SignedString([]byte("a key that nobody verifies with"))
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf(`{"type":"jwt","token":%q}`, token)
}

// idOf returns the ID of the JWT in an Authorization field.
func idOf(t *testing.T, authorization string) string {
	t.Helper()
	var claims jwt.RegisteredClaims
	raw, found := strings.CutPrefix(authorization, "Bearer ")
	if !found {
		t.Fatalf("no bearer token: %q", authorization)
	}
	if _, _, err := jwt.NewParser().ParseUnverified(raw, &claims); err != nil {
		t.Fatal(err)
	}
	return claims.ID
}
