package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/routeauth"
	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	jwtKey       = "jwt-key-17"
	jwtSecret    = "a secret of the tests, 32 bytes or more"
	aliceSession = "alice-0123456789"
	bobSession   = "bob-0123456789=="
)

// environment returns a complete environment, changed by name and value.
func environment(changes ...string) func(string) string {
	values := map[string]string{
		envKey:      jwtKey,
		envSecret:   jwtSecret,
		envSessions: "alice=" + aliceSession + ", bob=" + bobSession,
	}
	for i := 0; i < len(changes); i += 2 {
		values[changes[i]] = changes[i+1]
	}
	return func(name string) string { return values[name] }
}

// program is a backend that runs.
type program struct {
	addr   string
	stop   context.CancelFunc
	result chan error // of run

	mu  sync.Mutex
	log bytes.Buffer
}

// start runs the program on a free port until the test ends.
func start(t *testing.T, args ...string) *program {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	p := &program{stop: stop, result: make(chan error, 1)}
	stderr, write := io.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.result <- run(ctx, append([]string{"-json", "-addr", "127.0.0.1:0"}, args...), environment(), write)
		write.Close()
	}()
	lines := bufio.NewScanner(stderr)
	require.True(t, lines.Scan(), "the program says where it listens")
	var first struct{ Msg, Addr string }
	require.NoError(t, json.Unmarshal(lines.Bytes(), &first))
	require.Equal(t, "listening", first.Msg)
	p.addr = first.Addr
	go func() {
		for lines.Scan() {
			p.mu.Lock()
			fmt.Fprintln(&p.log, lines.Text())
			p.mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		stop()
		<-ended
	})
	return p
}

func (p *program) logged() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// source returns what the app of the user with this session asks for tokens.
func (p *program) source(t *testing.T, session string) *routeauth.RemoteTokenSource {
	t.Helper()
	transport, err := routeauth.NewHeaderTransport("session", "Authorization", routeauth.Secret("Bearer "+session), nil)
	require.NoError(t, err)
	source, err := routeauth.NewRemoteTokenSource("http://"+p.addr+"/jwt", &http.Client{Transport: transport})
	require.NoError(t, err)
	return source
}

func TestAKnownUserGetsATokenForItsParams(t *testing.T) {
	p := start(t, "-ttl", "90s")
	for _, session := range []string{aliceSession, bobSession} {
		token, err := p.source(t, session).Token(t.Context(), routeauth.Params{"uploaded_image_id": "17", "sku_ids": "a,b"})
		require.NoError(t, err)

		claims := jwt.MapClaims{}
		_, err = jwt.ParseWithClaims(string(token.Value), claims, func(*jwt.Token) (any, error) { return []byte(jwtSecret), nil },
			jwt.WithIssuer(jwtKey), jwt.WithValidMethods([]string{"HS256"}))
		require.NoError(t, err)
		assert.Equal(t, 90.0, claims["exp"].(float64)-claims["iat"].(float64))
		delete(claims, "exp")
		delete(claims, "iat")
		assert.Equal(t, jwt.MapClaims{"iss": jwtKey, "uploaded_image_id": "17", "sku_ids": "a,b"}, claims)
	}
}

func TestNobodyElseGetsAToken(t *testing.T) {
	p := start(t)
	for _, authorization := range []string{
		"", "Bearer", "Bearer ", "Bearer mallory-0123456789", "Bearer " + aliceSession + "0", "Bearer alice",
		"Basic " + aliceSession, aliceSession, "Bearer  " + aliceSession,
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+p.addr+"/jwt", nil)
		require.NoError(t, err)
		req.Header.Set("Authorization", authorization)
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		resp.Body.Close()
		assert.Equal(t, http.StatusUnauthorized, resp.StatusCode, "%q", authorization)
		assert.Equal(t, "Bearer", resp.Header.Get("WWW-Authenticate"))
	}
	p.end(t)
	assert.Equal(t, 9, strings.Count(p.logged(), "no known session"))
	assert.NotContains(t, p.logged(), aliceSession)
}

func TestTheSchemeOfASessionHasNoCase(t *testing.T) {
	users, err := parseSessions("alice=" + aliceSession)
	require.NoError(t, err)
	user, err := users.user(&http.Request{Header: http.Header{"Authorization": {"bearer " + aliceSession}}})
	require.NoError(t, err)
	assert.Equal(t, "alice", user)
}

// endpointError returns the EndpointError that err is or wraps.
func endpointError(t *testing.T, err error) *routeauth.EndpointError {
	t.Helper()
	var answered *routeauth.EndpointError
	require.ErrorAs(t, err, &answered)
	return answered
}

func TestAnAppWithoutASessionMayLogInAndComeBack(t *testing.T) {
	p := start(t)
	source := p.source(t, "mallory-0123456789")
	_, err := source.Token(t.Context(), routeauth.Params{"sku_id": "4"})
	assert.Equal(t, http.StatusUnauthorized, endpointError(t, err).StatusCode)

	transport, err := routeauth.NewJWTTransport(source, nil)
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://api.invalid/", nil)
	require.NoError(t, err)
	_, err = transport.RoundTrip(req)
	var missing *routeauth.CredentialError
	require.ErrorAs(t, err, &missing)
	assert.True(t, missing.Temporary())
}

func TestATokenThatIsBoundToNothingIsRefused(t *testing.T) {
	p := start(t)
	for _, params := range []routeauth.Params{
		nil, {"sku_id": ""}, {"sku_id": " "}, {"sku_ids": ","}, {"sku_ids": ", ,"}, {"uploaded_image_id": "17", "sku_ids": ""},
	} {
		_, err := p.source(t, aliceSession).Token(t.Context(), params)
		assert.Equal(t, http.StatusForbidden, endpointError(t, err).StatusCode, "%v", params)
	}
	p.end(t)
	assert.Equal(t, 1, strings.Count(p.logged(), "good for any request"))
	assert.Equal(t, 5, strings.Count(p.logged(), "a token with an empty"))
}

func TestAClaimThatTokensDoNotHaveIsRefused(t *testing.T) {
	p := start(t, "-per-minute", "1")
	source := p.source(t, aliceSession)
	_, err := source.Token(t.Context(), routeauth.Params{"scope": "admin"})
	assert.Equal(t, http.StatusForbidden, endpointError(t, err).StatusCode)
	_, err = source.Token(t.Context(), routeauth.Params{"sku_id": "4"})
	require.NoError(t, err, "what was refused does not count")
	p.end(t)
	assert.Contains(t, p.logged(), `asks for a claim \"scope\"`)
}

func TestAUserWhoAsksTooOftenIsToldToWait(t *testing.T) {
	p := start(t, "-per-minute", "2")
	alice := p.source(t, aliceSession)
	for range 2 {
		_, err := alice.Token(t.Context(), routeauth.Params{"sku_id": "4"})
		require.NoError(t, err)
	}
	_, err := alice.Token(t.Context(), routeauth.Params{"sku_id": "4"})
	assert.Equal(t, http.StatusTooManyRequests, endpointError(t, err).StatusCode)
	assert.InDelta(t, 30*time.Second, endpointError(t, err).RetryAfter, float64(5*time.Second))
	_, err = p.source(t, bobSession).Token(t.Context(), routeauth.Params{"sku_id": "4"})
	require.NoError(t, err)
	p.end(t)
	assert.Contains(t, p.logged(), `user \"alice\" asks too often`)
}

// A page of another site sends a form with what the browser knows of the user.
func TestAPageOfAnotherSiteGetsNoToken(t *testing.T) {
	p := start(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+p.addr+"/jwt?sku_id=4", nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+aliceSession)
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	resp.Body.Close()
	assert.Equal(t, http.StatusForbidden, resp.StatusCode)
}

// end stops the program as a signal does, and waits until it has.
func (p *program) end(t *testing.T) {
	t.Helper()
	p.stop()
	err := <-p.result
	p.result <- err
	require.NoError(t, err)
}

func TestARequestOnItsWayIsAnsweredBeforeTheEnd(t *testing.T) {
	p := start(t)
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", p.addr)
	require.NoError(t, err)
	defer conn.Close()
	fmt.Fprintf(conn, "POST /jwt HTTP/1.1\r\nHost: backend\r\nAuthorization: Bearer %s\r\n"+
		"Content-Length: 14\r\nExpect: 100-continue\r\n\r\n", aliceSession)
	answers := bufio.NewReader(conn)
	line, err := answers.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "HTTP/1.1 100 Continue\r\n", line) // the handler reads
	_, err = answers.ReadString('\n')
	require.NoError(t, err)

	p.stop()
	for { // until nobody listens any more
		other, err := new(net.Dialer).DialContext(t.Context(), "tcp", p.addr)
		if err != nil {
			break
		}
		other.Close()
	}
	fmt.Fprint(conn, `{"sku_id":"4"}`)
	resp, err := http.ReadResponse(answers, nil)
	require.NoError(t, err)
	resp.Body.Close()
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	p.end(t)
}

func TestHelpExplainsEverySetting(t *testing.T) {
	var stderr bytes.Buffer
	err := run(t.Context(), []string{"-h"}, environment(), &stderr)
	assert.Equal(t, 0, report(err, &stderr))
	for _, want := range []string{envKey, envSecret, envSessions, "-addr", "127.0.0.1:8080", "-ttl", "1m0s", "-per-minute", "-json"} {
		assert.Contains(t, stderr.String(), want)
	}
}

func TestWhatIsWrongEndsWithOneLineAndAStatus(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()

	for name, test := range map[string]struct {
		args   []string
		env    []string // changes
		status int
		want   string
	}{
		"no key":                {nil, []string{envKey, ""}, 1, "not set in the environment: AIUTA_JWT_KEY (-h explains)"},
		"no secret":             {nil, []string{envSecret, ""}, 1, "not set in the environment: AIUTA_JWT_SECRET (-h explains)"},
		"nothing":               {nil, []string{envKey, "", envSecret, "", envSessions, ""}, 1, "AIUTA_JWT_KEY, AIUTA_JWT_SECRET, BACKEND_SESSIONS"},
		"placeholder":           {nil, []string{envSecret, "REDACTED"}, 1, "secret is the placeholder REDACTED"},
		"session of nobody":     {nil, []string{envSessions, "=" + aliceSession}, 1, "BACKEND_SESSIONS: entry 1 is not of the form user=session"},
		"user without session":  {nil, []string{envSessions, "bob=" + bobSession + ",alice"}, 1, "BACKEND_SESSIONS: entry 2 is not of the form"},
		"session too short":     {nil, []string{envSessions, "alice=0123456789abcde"}, 1, "BACKEND_SESSIONS: entry 1: a session token has 16 characters or more"},
		"session of two":        {nil, []string{envSessions, "alice=" + aliceSession + ",bob=" + aliceSession}, 1, "entry 2: two users have the same session token"},
		"address in use":        {[]string{"-addr", taken.Addr().String()}, nil, 1, "address already in use"},
		"unknown flag":          {[]string{"-secret", "x"}, nil, 2, "flag provided but not defined: -secret (-h explains)"},
		"TTL that is no time":   {[]string{"-ttl", "soon"}, nil, 2, `invalid value "soon" for flag -ttl`},
		"TTL under one second":  {[]string{"-ttl", "999ms"}, nil, 2, "-ttl is 999ms: it must be one second or more"},
		"limit of nothing":      {[]string{"-per-minute", "0"}, nil, 2, "-per-minute is 0: it must be 1 or more"},
		"argument that is none": {[]string{"serve"}, nil, 2, `unexpected argument "serve"`},
	} {
		t.Run(name, func(t *testing.T) {
			var stderr bytes.Buffer
			err := run(t.Context(), test.args, environment(test.env...), &stderr)
			assert.Equal(t, test.status, report(err, &stderr))
			assert.Contains(t, stderr.String(), test.want)
			assert.Equal(t, 1, strings.Count(stderr.String(), "\n"), stderr.String())
			for _, hidden := range []string{jwtSecret, aliceSession, bobSession, "0123456789abcde"} {
				assert.NotContains(t, stderr.String(), hidden)
			}
		})
	}
}

func TestTheServerHasATimeoutForEverything(t *testing.T) {
	server := newServer(nil, slog.New(slog.DiscardHandler))
	for _, timeout := range []time.Duration{server.ReadHeaderTimeout, server.ReadTimeout, server.WriteTimeout, server.IdleTimeout} {
		assert.Positive(t, timeout)
	}
}
