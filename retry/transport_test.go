package retry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/retry"
	"example.com/routeauth/roundtriptest"
	"github.com/hashicorp/go-retryablehttp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const api = "https://api.example.com/v1/operations"

type roundTripFunc func(req *http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

type mapTransport map[string]string

func (mapTransport) RoundTrip(*http.Request) (*http.Response, error) { return nil, nil }

// attempts is a transport that answers each attempt as it is told.
type attempts struct {
	outcomes []any // a status, an error, or a function of the request
	bodies   []string
}

func (a *attempts) RoundTrip(req *http.Request) (*http.Response, error) {
	outcome := a.outcomes[min(len(a.bodies), len(a.outcomes)-1)]
	if f, ok := outcome.(func(*http.Request) (*http.Response, error)); ok {
		a.bodies = append(a.bodies, "")
		return f(req)
	}
	var body []byte
	if req.Body != nil {
		body, _ = io.ReadAll(req.Body)
		_ = req.Body.Close()
	}
	a.bodies = append(a.bodies, string(body))
	if err, ok := outcome.(error); ok {
		return nil, err
	}
	return response(req, outcome.(int)), nil
}

func response(req *http.Request, status int) *http.Response {
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{},
		Body: io.NopCloser(strings.NewReader(fmt.Sprintf("answer %d", status))), Request: req,
	}
}

func newRetrying(t testing.TB, transport http.RoundTripper, opts ...retry.Option) *retry.Transport {
	t.Helper()
	retrying, err := retry.NewTransport(transport, opts...)
	require.NoError(t, err)
	return retrying
}

func newRequest(t testing.TB, method, body string) *http.Request {
	t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, api, reader)
	require.NoError(t, err)
	return req
}

var (
	dialFailed = &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	cut        = &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
)

// credentialError is what a transport fails with whose source fails with err.
func credentialError(t testing.TB, err error) error {
	source := routeauth.TokenSourceFunc(func(context.Context, routeauth.Params) (routeauth.Token, error) { return routeauth.Token{}, err })
	transport, newErr := routeauth.NewJWTTransport(source, nil)
	require.NoError(t, newErr)
	_, err = transport.RoundTrip(newRequest(t, "POST", ""))
	return err
}

// Rules 28 and 35: what is sent again, and how often.
func TestARequestIsSentAgainWhereThatIsSafe(t *testing.T) {
	temporary := credentialError(t, errors.New("down"))
	permanent := credentialError(t, routeauth.Permanent(errors.New("no such user")))
	unread := func(err error) any {
		return func(req *http.Request) (*http.Response, error) { return nil, errors.Join(err, req.Body.Close()) }
	}
	for name, test := range map[string]struct {
		method  string
		key     string // a header field that is set
		outcome any
		sent    int
	}{
		"GET, 503":                       {"GET", "", 503, 5},
		"PUT, cut":                       {"PUT", "", cut, 5},
		"GET, 404":                       {"GET", "", 404, 1},
		"POST, 503":                      {"POST", "", 503, 1},
		"POST, cut":                      {"POST", "", cut, 1},
		"POST, 429":                      {"POST", "", 429, 5},
		"POST, dial failed":              {"POST", "", unread(dialFailed), 5},
		"POST, dial failed after a read": {"POST", "", dialFailed, 1},
		"POST, dial and cut":             {"POST", "", unread(errors.Join(dialFailed, cut)), 1},
		"POST, no token now":             {"POST", "", temporary, 5},
		"POST, no token ever":            {"POST", "", permanent, 1},
		"GET, no token ever":             {"GET", "", permanent, 1},
		"GET, 401 as an error":           {"GET", "", &routeauth.UnauthorizedError{}, 1},
		"POST with a key, 503":           {"POST", "Idempotency-Key", 503, 5},
		"POST with another key, cut":     {"POST", "X-Idempotency-Key", cut, 5},
		"POST with a key, 401":           {"POST", "Idempotency-Key", &routeauth.UnauthorizedError{}, 1},
		"PATCH, 503":                     {"PATCH", "", 503, 1},
		"a method in small letters, 503": {"get", "", 503, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &attempts{outcomes: []any{test.outcome}}
				req := newRequest(t, test.method, "body")
				if test.key != "" {
					req.Header[test.key] = nil // declared, as net/http has it
				}
				resp, err := newRetrying(t, a).RoundTrip(req)
				assert.Len(t, a.bodies, test.sent)
				if status, ok := test.outcome.(int); ok {
					require.NoError(t, err)
					assert.Equal(t, status, resp.StatusCode)
					assert.Same(t, req, resp.Request)
					body, err := io.ReadAll(resp.Body)
					require.NoError(t, err)
					assert.Equal(t, fmt.Sprintf("answer %d", status), string(body), "the last response comes back whole")
					for _, body := range a.bodies {
						assert.Equal(t, "body", body)
					}
					return
				}
				assert.Nil(t, resp)
				if wanted, ok := test.outcome.(error); ok {
					assert.Equal(t, wanted, err, "the last error comes back as it is")
				}
			})
		})
	}
}

// Rule 28: the exceptions for a POST hold only where no redirect was followed, and
// the method of a hop is that of the first request.
func TestARedirectHopCountsAsItsFirstRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, test := range []struct {
			first string
			sent  int
		}{{"POST", 1}, {"PUT", 5}, {"GET", 5}} {
			a := &attempts{outcomes: []any{429}}
			hop := newRequest(t, "GET", "")
			hop.Response = &http.Response{Request: newRequest(t, test.first, "")}
			_, err := newRetrying(t, a).RoundTrip(hop)
			require.NoError(t, err)
			assert.Len(t, a.bodies, test.sent, test.first)
		}
	})
}

// Rule 35: a body that can be had only once is sent once, as the value that it is.
func TestABodyThatIsHadOnceIsSentOnce(t *testing.T) {
	body := io.NopCloser(strings.NewReader("body"))
	sent := 0
	req := newRequest(t, "PUT", "")
	req.Body = body
	resp, err := newRetrying(t, roundTripFunc(func(got *http.Request) (*http.Response, error) {
		sent++
		assert.Same(t, req, got)
		return response(got, 503), got.Body.Close()
	})).RoundTrip(req)
	require.NoError(t, err)
	assert.Equal(t, 503, resp.StatusCode)
	assert.Equal(t, 1, sent)
}

// Rule 35: no redirect is followed inside, whatever the client given would do.
func TestNoRedirectIsFollowedInside(t *testing.T) {
	client := retryablehttp.NewClient()
	client.HTTPClient = &http.Client{Transport: roundTripFunc(func(*http.Request) (*http.Response, error) {
		assert.Fail(t, "the client's HTTPClient is ignored")
		return nil, errors.New("used")
	})}
	resp, err := newRetrying(t, roundTripFunc(func(req *http.Request) (*http.Response, error) {
		resp := response(req, http.StatusFound)
		resp.Header.Set("Location", "https://evil.example.com/")
		return resp, nil
	}), retry.WithClient(client)).RoundTrip(newRequest(t, "GET", ""))
	require.NoError(t, err)
	assert.Equal(t, http.StatusFound, resp.StatusCode)
}

// Rule 35: Retry-After is obeyed, and the context while it waits.
func TestTheWaitIsWhatTheServerAsksFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := func(req *http.Request) (*http.Response, error) {
			resp := response(req, 429)
			resp.Header.Set("Retry-After", "7")
			return resp, nil
		}
		began := time.Now()
		_, err := newRetrying(t, &attempts{outcomes: []any{first, 200}}).RoundTrip(newRequest(t, "POST", ""))
		require.NoError(t, err)
		assert.Equal(t, 7*time.Second, time.Since(began))

		began = time.Now()
		cause := errors.New("the user left")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(2*time.Second, func() { cancel(cause) })
		a := &attempts{outcomes: []any{first}}
		_, err = newRetrying(t, a).RoundTrip(newRequest(t, "POST", "").WithContext(ctx))
		assert.ErrorIs(t, err, context.Canceled)
		assert.ErrorIs(t, err, cause)
		assert.Equal(t, 2*time.Second, time.Since(began))
		assert.Len(t, a.bodies, 1)
	})
}

// Rule 35: the settings are those of the client as it was.
func TestTheClientsSettingsAreCopied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged strings.Builder
		client := retryablehttp.NewClient()
		client.RetryMax, client.RetryWaitMin, client.RetryWaitMax = 1, time.Second, time.Second
		client.Logger = log.New(&logged, "", 0)
		transport := newRetrying(t, &attempts{outcomes: []any{503}}, retry.WithClient(client))
		client.RetryMax = 10
		began := time.Now()
		_, err := transport.RoundTrip(newRequest(t, "GET", ""))
		require.NoError(t, err)
		assert.Equal(t, time.Second, time.Since(began))
		assert.Contains(t, logged.String(), "GET")
	})
}

// Rule 35: go-retryablehttp's own default logger counts as none.
func TestNothingIsLoggedThatNobodyAskedFor(t *testing.T) {
	stderr := os.Stderr
	read, write, err := os.Pipe()
	require.NoError(t, err)
	os.Stderr = write
	defer func() { os.Stderr = stderr }()
	client := retryablehttp.NewClient()
	for _, opts := range [][]retry.Option{nil, {retry.WithClient(client)}} {
		_, err := newRetrying(t, &attempts{outcomes: []any{200}}, opts...).RoundTrip(newRequest(t, "GET", ""))
		require.NoError(t, err)
	}
	require.NoError(t, write.Close())
	text, err := io.ReadAll(read)
	require.NoError(t, err)
	assert.Empty(t, string(text))
}

// Rules 24 and 35: over auth each attempt is authenticated afresh, and a kept 401
// is final.
func TestAKept401IsFinal(t *testing.T) {
	policy, err := routeauth.NewPolicy("https://api.example.com/v1", nil)
	require.NoError(t, err)
	asked := 0
	source := routeauth.SecretSourceFunc(func(context.Context) (routeauth.Secret, error) {
		asked++
		return routeauth.Secret(fmt.Sprint("key-", asked)), nil
	})
	var keys []string
	auth, err := routeauth.New(policy, routeauth.APIKeyAuth{Source: source}, roundTripFunc(func(req *http.Request) (*http.Response, error) {
		keys = append(keys, req.Header.Get("x-api-key"))
		return response(req, map[int]int{1: 503, 2: 401}[len(keys)]), nil
	}), routeauth.KeepUnauthorized())
	require.NoError(t, err)
	synctest.Test(t, func(t *testing.T) {
		resp, err := newRetrying(t, auth).RoundTrip(newRequest(t, "GET", ""))
		require.NoError(t, err)
		assert.Equal(t, 401, resp.StatusCode)
		_, ok := routeauth.UnauthorizedFrom(resp)
		assert.True(t, ok)
		assert.Equal(t, []string{"key-1", "key-2"}, keys)
	})
}

// Rule 2: what a second attempt sends is whole, though GetBody rewinds the reader
// that the first is still being read from.
func TestASecondBodyIsWholeOverHTTP2(t *testing.T) {
	text := strings.Repeat("0123456789", 20_000)
	calls := 0
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if calls++; calls%2 == 1 {
			w.WriteHeader(http.StatusServiceUnavailable) // before it has read the body
			return
		}
		body, err := io.ReadAll(req.Body)
		assert.NoError(t, err)
		assert.True(t, string(body) == text, "another body of %d bytes", len(body))
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	client := retryablehttp.NewClient()
	client.RetryWaitMin, client.RetryWaitMax = time.Millisecond, time.Millisecond
	transport := newRetrying(t, server.Client().Transport, retry.WithClient(client))
	for range 10 {
		reader := strings.NewReader(text)
		req, err := http.NewRequestWithContext(t.Context(), "PUT", server.URL, io.NopCloser(reader))
		require.NoError(t, err)
		req.ContentLength = int64(len(text))
		req.GetBody = func() (io.ReadCloser, error) {
			_, err := reader.Seek(0, io.SeekStart)
			return io.NopCloser(reader), err
		}
		resp, err := transport.RoundTrip(req)
		if err != nil { // the connection was cut under the first attempt
			continue
		}
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, 200, resp.StatusCode)
	}
}

// Rule 31, and the zero value.
func TestBadConfigurationIsRefused(t *testing.T) {
	negative := retryablehttp.NewClient()
	negative.RetryMax = -1
	backwards := retryablehttp.NewClient()
	backwards.RetryWaitMax = backwards.RetryWaitMin - 1
	_, err := retry.NewTransport((*http.Transport)(nil), nil, retry.WithClient(nil))
	for _, want := range []string{"transport is a nil *http.Transport", "option is nil", "client is nil"} {
		assert.ErrorContains(t, err, want)
	}
	_, err = retry.NewTransport(nil, retry.WithClient(negative))
	assert.ErrorContains(t, err, "RetryMax is -1")
	_, err = retry.NewTransport(nil, retry.WithClient(backwards))
	assert.ErrorContains(t, err, "waits from")

	for _, transport := range []http.RoundTripper{roundTripFunc(nil), (*retry.Transport)(nil), mapTransport(nil)} {
		_, err := retry.NewTransport(transport)
		assert.ErrorContains(t, err, fmt.Sprintf("transport is a nil %T", transport))
	}
	for text, logger := range map[string]any{
		"Logger is a struct {}":        struct{}{},
		"Logger is a nil *log.Logger":  (*log.Logger)(nil),
		"Logger is a nil *slog.Logger": (*slog.Logger)(nil),
	} {
		client := retryablehttp.NewClient()
		client.Logger = logger
		_, err = retry.NewTransport(nil, retry.WithClient(client))
		assert.ErrorContains(t, err, text)
	}

	for _, transport := range []*retry.Transport{nil, {}} {
		_, err := transport.RoundTrip(newRequest(t, "POST", "body"))
		assert.ErrorContains(t, err, "NewTransport")
		transport.CloseIdleConnections()
	}
	_, err = newRetrying(t, &attempts{}).RoundTrip(&http.Request{})
	assert.ErrorContains(t, err, "no URL")
}

// The error of the inner client is not the caller's business.
func TestAnErrorIsTheTransportsOwn(t *testing.T) {
	_, err := newRetrying(t, &attempts{outcomes: []any{cut}}).RoundTrip(newRequest(t, "POST", ""))
	var urlErr *url.Error
	assert.False(t, errors.As(err, &urlErr))
	assert.Equal(t, error(cut), err)
}

// Rule 39: it keeps the http.RoundTripper contract.
func TestTheTransportKeepsTheContract(t *testing.T) {
	roundtriptest.Test(t, func(base http.RoundTripper) (http.RoundTripper, error) {
		settings := retryablehttp.NewClient()
		settings.RetryMax = 0
		return retry.NewTransport(base, retry.WithClient(settings))
	})
}

type closing struct {
	roundTripFunc
	closed *int
}

func (c closing) CloseIdleConnections() { *c.closed++ }

// Rule 6: a nil transport is http.DefaultTransport, looked up at each request.
func TestTheDefaultTransportIsThatOfTheRequest(t *testing.T) {
	was := http.DefaultTransport
	defer func() { http.DefaultTransport = was }()
	retrying := newRetrying(t, nil)
	sent, closed := 0, 0
	http.DefaultTransport = closing{func(req *http.Request) (*http.Response, error) {
		sent++
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return response(req, 200), nil
	}, &closed}
	for _, body := range []string{"", "body"} {
		_, err := retrying.RoundTrip(newRequest(t, "POST", body))
		require.NoError(t, err)
	}
	assert.Equal(t, 2, sent)
	retrying.CloseIdleConnections()
	assert.Equal(t, 1, closed)

	policy, err := routeauth.NewPolicy("https://api.example.com/v1", nil)
	require.NoError(t, err)
	auth, err := routeauth.New(policy, routeauth.APIKeyAuth{APIKey: "sk-17"}, nil)
	require.NoError(t, err)
	for text, transport := range map[string]http.RoundTripper{
		"http.DefaultTransport is nil": nil,
		"would send with itself":       newRetrying(t, retrying),
		"send with itself: give":       newRetrying(t, auth),
	} {
		http.DefaultTransport = transport
		body := &countedBody{}
		req := newRequest(t, "POST", "")
		req.Body = body
		_, err := retrying.RoundTrip(req)
		assert.ErrorContains(t, err, text)
		assert.Equal(t, 1, body.closed)
		retrying.CloseIdleConnections()
	}
}
