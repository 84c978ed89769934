package routeauth_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/routeauth"
	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const jwtSecret = "a secret that is long enough for HS256"

// newAPI starts an HTTPS server that knows the credentials of the tests and
// answers with the name of the field that it accepted. It checks a JWT with
// golang-jwt and compares the params in it with the body.
func newAPI(t *testing.T) *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/operations", func(w http.ResponseWriter, req *http.Request) {
		switch {
		case req.Header.Get("X-Api-Key") == apiKey:
			_, _ = io.WriteString(w, "X-Api-Key")
		case acceptsJWT(req):
			_, _ = io.WriteString(w, "Authorization")
		default:
			unauthorized(w, req)
		}
	})
	mux.HandleFunc("GET /v1/operations/{id}", func(w http.ResponseWriter, req *http.Request) {
		switch {
		case req.Header.Get("X-Api-Key") == apiKey:
			_, _ = io.WriteString(w, "X-Api-Key")
		case req.Header.Get("X-User-Id") == subscriptionID:
			_, _ = io.WriteString(w, "X-User-Id")
		default:
			unauthorized(w, req)
		}
	})
	server := httptest.NewTLSServer(mux)
	t.Cleanup(server.Close)
	return server
}

// newPipe returns the URL of a server, and a transport to it, in a bubble of
// synctest: net/http on both sides, and pipes for connections.
func newPipe(t *testing.T, handler http.HandlerFunc) (url string, client *http.Transport) {
	listener := pipeListener{make(chan net.Conn), make(chan struct{})}
	server := &http.Server{Handler: handler}
	go func() { _ = server.Serve(listener) }()
	client = &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		listener.connections <- far
		return near, nil
	}}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		_ = server.Close()
	})
	return "http://127.0.0.1", client
}

type pipeListener struct {
	connections chan net.Conn
	closed      chan struct{}
}

func (l pipeListener) Accept() (net.Conn, error) {
	select {
	case connection := <-l.connections:
		return connection, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

func (l pipeListener) Close() error {
	close(l.closed)
	return nil
}

func acceptsJWT(req *http.Request) bool {
	var body map[string]string
	if json.NewDecoder(req.Body).Decode(&body) != nil {
		return false
	}
	raw, _ := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer ")
	claims := jwt.MapClaims{}
	_, err := jwt.ParseWithClaims(raw, claims, func(*jwt.Token) (any, error) { return []byte(jwtSecret), nil },
		jwt.WithValidMethods([]string{"HS256"}), jwt.WithExpirationRequired())
	return err == nil && claims["image"] == body["image"]
}

func unauthorized(w http.ResponseWriter, req *http.Request) {
	w.Header().Set("X-Cloud-Trace-Context", "trace-17")
	w.WriteHeader(http.StatusUnauthorized)
	// A careless server says what it was sent.
	_ = json.NewEncoder(w).Encode(map[string]string{"detail": fmt.Sprintf("rejected: %v", req.Header)})
}

// signingSource signs a token for the params that it is asked for.
func signingSource(secret string) routeauth.TokenSource {
	return tokenFunc(func(_ context.Context, params routeauth.Params) (string, error) {
		claims := jwt.MapClaims{"iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix()}
		for name, value := range params {
			claims[name] = value
		}
		return jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(secret))
	})
}

// clientOf returns the server's own client with auth in front.
func clientOf(t *testing.T, server *httptest.Server, auth routeauth.Auth, opts ...routeauth.PolicyOption) *http.Client {
	policy, err := routeauth.NewPolicy(server.URL+"/v1", routes, opts...)
	require.NoError(t, err)
	transport, err := routeauth.New(policy, auth, server.Client().Transport)
	require.NoError(t, err)
	return &http.Client{Transport: transport}
}

func call(t *testing.T, client *http.Client, method, url, body string) (string, error) {
	resp, err := client.Do(newRequest(t, method, url, body))
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return fmt.Sprintf("%d %s", resp.StatusCode, text), nil
}

// The table, over a real server.
func TestTheFourCellsOfTheTableOverARealServer(t *testing.T) {
	server := newAPI(t)
	jwtAuth := routeauth.JWTAuth{
		SubscriptionID: subscriptionID,
		Source:         signingSource(jwtSecret),
		Params:         routeauth.BodyParams("image"),
	}
	for _, test := range []struct {
		auth                routeauth.Auth
		mandatory, optional string
	}{
		{jwtAuth, "Authorization", "X-User-Id"},
		{routeauth.APIKeyAuth{APIKey: apiKey}, "X-Api-Key", "X-Api-Key"},
	} {
		client := clientOf(t, server, test.auth)
		got, err := call(t, client, "POST", server.URL+"/v1/operations", `{"image":"17"}`)
		require.NoError(t, err)
		assert.Equal(t, "200 "+test.mandatory, got)
		got, err = call(t, client, "GET", server.URL+"/v1/operations/17", "")
		require.NoError(t, err)
		assert.Equal(t, "200 "+test.optional, got)
	}
}

// A token that is bound to one image does not start a generation of another.
func TestATokenIsGoodOnlyForTheParamsItIsBoundTo(t *testing.T) {
	server := newAPI(t)
	client := clientOf(t, server, routeauth.JWTAuth{
		SubscriptionID: subscriptionID,
		Source:         signingSource(jwtSecret),
		Params: func(*http.Request) (routeauth.Params, error) {
			return routeauth.Params{"image": "16"}, nil
		},
	})
	_, err := call(t, client, "POST", server.URL+"/v1/operations", `{"image":"17"}`)
	require.ErrorIs(t, err, routeauth.ErrUnauthorized)

	// The context overlays what the function says.
	ctx := routeauth.ContextWithParams(t.Context(), routeauth.Params{"image": "17"})
	req := newRequest(t, "POST", server.URL+"/v1/operations", `{"image":"17"}`).WithContext(ctx)
	resp, err := client.Do(req)
	require.NoError(t, err)
	resp.Body.Close()
}

// Rules 25 and 26 over a real server: the error says what went wrong without
// the credential, and the connection is used again.
func TestA401OverARealServer(t *testing.T) {
	server := newAPI(t)
	var connections sync.Map
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { connections.Store(info.Conn.LocalAddr().String(), true) },
	})
	client := clientOf(t, server, routeauth.APIKeyAuth{APIKey: "a-wrong-key-0123456789"})

	for range 20 {
		req := newRequest(t, "POST", server.URL+"/v1/operations?secret=1", "{}").WithContext(ctx)
		_, err := client.Do(req)
		var unauthorized *routeauth.UnauthorizedError
		require.ErrorAs(t, err, &unauthorized)
		assert.Equal(t, routeauth.SchemeAPIKey, unauthorized.Scheme)
		assert.Equal(t, "POST", unauthorized.Method)
		assert.Equal(t, server.URL+"/v1/operations", unauthorized.URL)
		assert.Equal(t, "trace-17", unauthorized.RequestID)
		assert.Contains(t, unauthorized.Detail, "X-Api-Key:[REDACTED]")
		assert.NotContains(t, fmt.Sprintf("%v %+v %s", err, unauthorized, unauthorized.Body), "a-wrong-key")
	}
	n := 0
	connections.Range(func(any, any) bool { n++; return true })
	// On a busy machine net/http may give up one that could be used again.
	assert.Less(t, n, 5, "connections for 20 rejected requests")
}

// Rule 11 over real servers: another port is another origin.
func TestARedirectToAnotherServerCarriesNoCredential(t *testing.T) {
	var seen atomic.Value
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		seen.Store(req.Header.Clone())
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer elsewhere.Close()
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusFound))
	defer server.Close()

	client := clientOf(t, server, routeauth.APIKeyAuth{APIKey: apiKey})
	got, err := call(t, client, "GET", server.URL+"/v1/operations/17", "")
	require.NoError(t, err, "nobody's credential was rejected")
	assert.Equal(t, "401 ", got)
	assert.Empty(t, seen.Load().(http.Header).Values("X-Api-Key"))
}

// Rule 9: what counts is URL.Host, which is where the request goes.
func TestTheHostFieldDoesNotBringAnotherServerIntoScope(t *testing.T) {
	server := newAPI(t)
	var seen atomic.Value
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		seen.Store(req.Header.Clone())
	}))
	defer elsewhere.Close()

	client := clientOf(t, server, routeauth.APIKeyAuth{APIKey: apiKey})
	req := newRequest(t, "GET", elsewhere.URL+"/v1/operations/17", "")
	req.Host = strings.TrimPrefix(server.URL, "https://")
	resp, err := client.Do(req)
	require.NoError(t, err)
	resp.Body.Close()
	assert.Empty(t, seen.Load().(http.Header).Values("X-Api-Key"))
}

// Rule 1 over a real server: trailers that the caller sets while the body is
// read arrive.
func TestTrailersArriveAtARealServer(t *testing.T) {
	got := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		got <- req.Trailer.Get("X-Checksum")
	}))
	defer server.Close()

	req := newRequest(t, "POST", server.URL+"/v1/operations", "")
	req.Trailer = http.Header{"X-Checksum": nil}
	req.Body = io.NopCloser(io.MultiReader(strings.NewReader("body"), readerFunc(func([]byte) (int, error) {
		req.Trailer.Set("X-Checksum", "abc")
		return 0, io.EOF
	})))
	resp, err := clientOf(t, server, routeauth.APIKeyAuth{APIKey: apiKey}).Do(req)
	require.NoError(t, err)
	resp.Body.Close()
	assert.Equal(t, "abc", <-got)
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// Rule 4 over a real server: an upgraded connection can be written to, and a
// stream is read as it comes.
func TestUpgradesAndStreamsWork(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/operations", func(w http.ResponseWriter, req *http.Request) {
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if !assert.NoError(t, err) {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n")
		line, _ := buffered.ReadString('\n')
		_, _ = io.WriteString(conn, "echo "+line)
	})
	proceed := make(chan struct{})
	mux.HandleFunc("GET /v1/operations/{id}", func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.WriteString(w, "first\n")
		_ = http.NewResponseController(w).Flush()
		<-proceed
		_, _ = io.WriteString(w, "second\n")
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	client := clientOf(t, server, routeauth.APIKeyAuth{APIKey: apiKey})

	req := newRequest(t, "GET", server.URL+"/v1/operations", "")
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "echo")
	resp, err := client.Do(req)
	require.NoError(t, err)
	require.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
	conn, isWriter := resp.Body.(io.ReadWriteCloser)
	require.True(t, isWriter)
	_, err = io.WriteString(conn, "hello\n")
	require.NoError(t, err)
	line, err := bufio.NewReader(conn).ReadString('\n')
	require.NoError(t, err)
	assert.Equal(t, "echo hello\n", line)
	require.NoError(t, conn.Close())

	resp, err = client.Do(newRequest(t, "GET", server.URL+"/v1/operations/17", ""))
	require.NoError(t, err)
	defer resp.Body.Close()
	stream := bufio.NewReader(resp.Body)
	line, err = stream.ReadString('\n')
	require.NoError(t, err)
	assert.Equal(t, "first\n", line)
	close(proceed)
	line, err = stream.ReadString('\n')
	require.NoError(t, err)
	assert.Equal(t, "second\n", line)
}

// Rule 12: loopback needs no permission to be plaintext; another host does.
func TestPlaintextNeedsPermission(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	_, err := routeauth.NewPolicy(plain.URL, routes)
	require.NoError(t, err)

	_, port, err := net.SplitHostPort(plain.Listener.Addr().String())
	require.NoError(t, err)
	_, err = routeauth.NewPolicy("http://api.example.com:"+port, routes)
	require.ErrorContains(t, err, "plaintext")
	_, err = routeauth.NewPolicy("http://api.example.com:"+port, routes, routeauth.AllowPlaintext())
	require.NoError(t, err)
}

// A request whose context ends comes back with that context's error.
func TestACancelledRequestEnds(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(arrived)
		<-release
	}))
	defer server.Close()
	defer close(release)

	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	req := newRequest(t, "GET", server.URL+"/v1/operations/17", "").WithContext(ctx)
	_, err := clientOf(t, server, routeauth.APIKeyAuth{APIKey: apiKey}).Do(req)
	require.ErrorIs(t, err, context.Canceled)
}
