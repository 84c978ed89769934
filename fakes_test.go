package routeauth_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/routeauth"
	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

// roundTripFunc is a function as a base.
type roundTripFunc func(req *http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// answer returns a response of its own for req.
func answer(req *http.Request, status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status,
		Status:     fmt.Sprintf("%d %s", status, http.StatusText(status)),
		Proto:      "HTTP/1.1",
		ProtoMajor: 1,
		ProtoMinor: 1,
		Header:     make(http.Header),
		Body:       io.NopCloser(strings.NewReader(body)),
		Request:    req,
	}
}

// base is a transport that records what it gets, as it gets it, and answers as
// it is told, or else with 204. It closes request bodies, as a base must.
type base struct {
	respond func(req *http.Request, nth int) (*http.Response, error)

	mu       sync.Mutex
	requests []sent
	idle     int // calls of CloseIdleConnections
}

// sent is a request as the base got it.
type sent struct {
	*http.Request // the value that the base got
	Body          string
}

func (b *base) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		body, _ = io.ReadAll(req.Body)
		_ = req.Body.Close()
	}
	b.mu.Lock()
	b.requests = append(b.requests, sent{req, string(body)})
	nth := len(b.requests)
	b.mu.Unlock()
	if b.respond == nil {
		return answer(req, http.StatusNoContent, ""), nil
	}
	return b.respond(req, nth)
}

func (b *base) CloseIdleConnections() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.idle++
}

// sent returns what the base got so far.
func (b *base) sent() []sent {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]sent(nil), b.requests...)
}

// only returns the one request that the base got.
func (b *base) only(t testing.TB) sent {
	t.Helper()
	requests := b.sent()
	require.Len(t, requests, 1, "requests that reached the base")
	return requests[0]
}

// trackedBody is a request body that counts how often it is closed.
type trackedBody struct {
	io.Reader
	mu     sync.Mutex
	closed int
}

func newTrackedBody(text string) *trackedBody { return &trackedBody{Reader: strings.NewReader(text)} }

func (b *trackedBody) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed++
	return nil
}

func (b *trackedBody) closes() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.closed
}

// newRequest returns a request, with a body that can be read again if body is
// not empty.
func newRequest(t testing.TB, method, url, body string) *http.Request {
	t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, url, reader)
	require.NoError(t, err)
	return req
}

// mint returns a JWT that lives from iat to exp and holds id as its jti.
func mint(t testing.TB, id string, iat, exp time.Time) string {
	t.Helper()
	return sign(t, jwt.MapClaims{"jti": id, "iat": iat.Unix(), "exp": exp.Unix()})
}

// sign returns a JWT with these claims.
func sign(t testing.TB, claims jwt.MapClaims) string {
	t.Helper()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte("a secret of the tests"))
	require.NoError(t, err)
	return token
}

// tokenFunc is a source of tokens that are not more than their text.
type tokenFunc func(ctx context.Context, params routeauth.Params) (string, error)

func (f tokenFunc) Token(ctx context.Context, params routeauth.Params) (routeauth.Token, error) {
	token, err := f(ctx, params)
	return routeauth.Token{Value: routeauth.Secret(token)}, err
}

// text returns the text of what a source returned.
func text(token routeauth.Token, err error) (string, error) { return string(token.Value), err }

// countingSource hands out what next returns and counts the calls.
type countingSource struct {
	next func(ctx context.Context, params routeauth.Params, nth int) (string, error)

	mu    sync.Mutex
	calls int
}

func (s *countingSource) Token(ctx context.Context, params routeauth.Params) (routeauth.Token, error) {
	s.mu.Lock()
	s.calls++
	nth := s.calls
	s.mu.Unlock()
	token, err := s.next(ctx, params, nth)
	return routeauth.Token{Value: routeauth.Secret(token)}, err
}

func (s *countingSource) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

// fieldValues returns the values under a name in whatever case.
func fieldValues(h http.Header, name string) (values []string) {
	for key, vv := range h {
		if strings.EqualFold(key, name) {
			values = append(values, vv...)
		}
	}
	return values
}

// atOnce returns a t.Run for tests that mostly wait, of which four run at the same
// time, where t.Parallel would let fewer run. They must be waited for.
func atOnce(t *testing.T) (run func(name string, test func(t *testing.T)), wait func()) {
	var all sync.WaitGroup
	places := make(chan struct{}, 4)
	return func(name string, test func(t *testing.T)) {
		all.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			t.Run(name, test)
		})
	}, all.Wait
}
