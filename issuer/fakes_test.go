package issuer_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"example.com/routeauth"
	"example.com/routeauth/issuer"
	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	iss    = "jwt-key-17"
	secret = "a secret of the tests, 32 bytes or more"
)

// tokenFunc is a source of tokens that are not more than their text.
type tokenFunc func(ctx context.Context, params routeauth.Params) (string, error)

func (f tokenFunc) Token(ctx context.Context, params routeauth.Params) (routeauth.Token, error) {
	token, err := f(ctx, params)
	return routeauth.Token{Value: routeauth.Secret(token)}, err
}

// text returns the text of what a source returned.
func text(token routeauth.Token, err error) (string, error) { return string(token.Value), err }

// newIssuer returns an issuer that names itself iss and signs with secret.
func newIssuer(t testing.TB, opts ...issuer.Option) *issuer.Issuer {
	t.Helper()
	source, err := issuer.New(iss, secret, opts...)
	require.NoError(t, err)
	return source
}

// claimsOf verifies a token as the API does and returns its claims.
func claimsOf(t testing.TB, token string) jwt.MapClaims {
	t.Helper()
	claims := jwt.MapClaims{}
	_, err := jwt.ParseWithClaims(token, claims,
		func(*jwt.Token) (any, error) { return []byte(secret), nil },
		jwt.WithValidMethods([]string{"HS256"}),
		jwt.WithIssuer(iss),
		jwt.WithIssuedAt(),
		jwt.WithExpirationRequired())
	require.NoError(t, err)
	return claims
}

// paramsOf verifies a token and returns its claims without the issuer's own.
func paramsOf(t testing.TB, token string) routeauth.Params {
	t.Helper()
	params := routeauth.Params{}
	for name, value := range claimsOf(t, token) {
		switch name {
		case "iss", "iat", "exp":
			continue
		}
		text, isText := value.(string)
		require.True(t, isText, "claim %q is a string", name)
		params[name] = text
	}
	return params
}

// gate is an authorize that records what it is asked and answers with err.
type gate struct {
	err  error
	does func(req *http.Request, params routeauth.Params) // if not nil

	mu    sync.Mutex
	asked []routeauth.Params
}

func (g *gate) authorize(req *http.Request, params routeauth.Params) error {
	g.mu.Lock()
	g.asked = append(g.asked, params)
	g.mu.Unlock()
	if g.does != nil {
		g.does(req, params)
	}
	return g.err
}

// recordingSource hands out token and err and records what it is asked.
type recordingSource struct {
	token string
	err   error

	contexts []context.Context
	asked    []routeauth.Params
}

func (s *recordingSource) Token(ctx context.Context, params routeauth.Params) (routeauth.Token, error) {
	s.contexts = append(s.contexts, ctx)
	s.asked = append(s.asked, params)
	return routeauth.Token{Value: routeauth.Secret(s.token)}, s.err
}

// newHandler returns a handler over source that logs nowhere unless opts say
// where.
func newHandler(t testing.TB, source routeauth.TokenSource, g *gate, opts ...issuer.HandlerOption) http.Handler {
	t.Helper()
	handler, err := issuer.NewHandler(source, g.authorize, append([]issuer.HandlerOption{silent}, opts...)...)
	require.NoError(t, err)
	return handler
}

// serve sends a request to handler, without a server in between.
func serve(handler http.Handler, method, target, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(method, target, strings.NewReader(body)))
	return w
}

// tokenIn checks the form of an answer with a token and returns the token.
func tokenIn(t testing.TB, w *httptest.ResponseRecorder) string {
	t.Helper()
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	var answer map[string]string
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer))
	require.Equal(t, "jwt", answer["type"])
	require.NotEmpty(t, answer["token"])
	require.Len(t, answer, 2)
	assertHeaders(t, w)
	return answer["token"]
}

// detailIn checks the form of an answer without a token and returns why.
func detailIn(t testing.TB, w *httptest.ResponseRecorder) string {
	t.Helper()
	var answer map[string]string
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer), w.Body)
	require.NotEmpty(t, answer["detail"])
	require.Len(t, answer, 1)
	assertHeaders(t, w)
	return answer["detail"]
}

// assertHeaders checks the fields that rule 30 requires of every answer.
func assertHeaders(t testing.TB, w *httptest.ResponseRecorder) {
	t.Helper()
	assert.Equal(t, []string{"application/json"}, w.Result().Header["Content-Type"])
	assert.Equal(t, []string{"no-store"}, w.Result().Header["Cache-Control"])
	assert.Equal(t, []string{"nosniff"}, w.Result().Header["X-Content-Type-Options"])
}
