package retry_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/routeauth/retry"
	"github.com/hashicorp/go-retryablehttp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Rule 35: what an http.Client refuses in a request or adds to it is no business of
// a RoundTripper.
func TestTheTransportGetsTheCallersRequest(t *testing.T) {
	for name, change := range map[string]func(*http.Request){
		"as it came in":             func(req *http.Request) { req.RequestURI = "/v1/operations" },
		"user info":                 func(req *http.Request) { req.URL.User = url.UserPassword("user", "password") },
		"no header":                 func(req *http.Request) { req.Header = nil },
		"no scheme and no host":     func(req *http.Request) { req.URL = &url.URL{Path: "/v1"} },
		"opaque":                    func(req *http.Request) { req.URL = &url.URL{Scheme: "https", Opaque: "//h/%zz"} },
		"no method":                 func(req *http.Request) { req.Method = "" },
		"a method that is no token": func(req *http.Request) { req.Method = "G E T" },
		"a body of a bodyless kind": func(req *http.Request) { req.Body = http.NoBody },
	} {
		t.Run(name, func(t *testing.T) {
			req := newRequest(t, "GET", "")
			change(req)
			wanted := *req
			resp, err := newRetrying(t, roundTripFunc(func(got *http.Request) (*http.Response, error) {
				assert.Equal(t, wanted.RequestURI, got.RequestURI)
				assert.Equal(t, wanted.Header, got.Header)
				assert.Same(t, wanted.URL, got.URL)
				assert.Equal(t, wanted.Method, got.Method)
				return response(got, 200), nil
			})).RoundTrip(req)
			require.NoError(t, err)
			assert.Same(t, req, resp.Request)
		})
	}
}

// Rule 35: over it a reverse proxy works, whose requests came in as a server's.
func TestAReverseProxySendsThroughIt(t *testing.T) {
	var got []string
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		assert.NoError(t, err)
		got = append(got, req.Method+" "+string(body))
	}))
	defer backend.Close()
	to, err := url.Parse(backend.URL)
	require.NoError(t, err)
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(to) },
		Transport: newRetrying(t, backend.Client().Transport),
	}
	for _, body := range []string{"", "body"} {
		answer := httptest.NewRecorder()
		proxy.ServeHTTP(answer, httptest.NewRequest("PUT", "/x", strings.NewReader(body)))
		assert.Equal(t, http.StatusOK, answer.Code)
	}
	assert.Equal(t, []string{"PUT ", "PUT body"}, got)
}

// Rule 35: what an http.Client reads in a response, or refuses in it, changes
// nothing.
func TestTheCallerGetsTheTransportsResponse(t *testing.T) {
	for name, change := range map[string]func(*http.Response){
		"a Location that is no URL": func(r *http.Response) {
			r.StatusCode, r.Header = 302, http.Header{"Location": {"http://[::1/%zz"}}
		},
		"a Location that is one": func(r *http.Response) {
			r.StatusCode, r.Header = 308, http.Header{"Location": {"https://evil.example.com/"}}
		},
		"no Location":              func(r *http.Response) { r.StatusCode = 303 },
		"no header":                func(r *http.Response) { r.Header = nil },
		"a body that is not there": func(r *http.Response) { r.Body, r.ContentLength = nil, 5 },
		"no body":                  func(r *http.Response) { r.Body = nil },
		"another protocol": func(r *http.Response) {
			r.StatusCode, r.Body = 101, struct{ io.ReadWriteCloser }{}
		},
	} {
		for _, method := range []string{"GET", "POST"} {
			t.Run(name+", "+method, func(t *testing.T) {
				sent := 0
				var given *http.Response
				var wanted http.Response
				req := newRequest(t, method, "body")
				resp, err := newRetrying(t, roundTripFunc(func(got *http.Request) (*http.Response, error) {
					sent++
					given = response(got, 200)
					change(given)
					wanted = *given
					wanted.Request = req
					return given, got.Body.Close()
				})).RoundTrip(req)
				require.NoError(t, err)
				assert.Equal(t, 1, sent)
				assert.Same(t, given, resp)
				assert.Equal(t, wanted, *resp)
			})
		}
	}
}

// Rule 35: the policy and the backoff of the client see what really came back.
func TestThePolicySeesTheRealOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		settings := retryablehttp.NewClient()
		settings.RetryMax = 1
		policy := settings.CheckRetry
		plaintext := tls.RecordHeaderError{Msg: "no TLS", RecordHeader: [5]byte{'H', 'T', 'T', 'P', '/'}}
		var checked, waited []*http.Response
		settings.CheckRetry = func(ctx context.Context, resp *http.Response, err error) (bool, error) {
			checked = append(checked, resp)
			if err != nil {
				var urlErr *url.Error
				require.ErrorAs(t, err, &urlErr)
				assert.Equal(t, "Get", urlErr.Op)
				assert.Equal(t, api, urlErr.URL)
				assert.Equal(t, error(plaintext), urlErr.Err, "also one that an http.Client replaces")
			}
			return policy(ctx, resp, err)
		}
		settings.Backoff = func(_, _ time.Duration, _ int, resp *http.Response) time.Duration {
			waited = append(waited, resp)
			return 0
		}
		var given *http.Response
		a := &attempts{outcomes: []any{func(req *http.Request) (*http.Response, error) {
			given = response(req, 503)
			given.Header.Set("Location", "https://elsewhere.example.com/")
			return given, nil
		}, plaintext}}
		_, err := newRetrying(t, a, retry.WithClient(settings)).RoundTrip(newRequest(t, "GET", ""))
		assert.Equal(t, error(plaintext), err)
		require.Len(t, checked, 2)
		assert.Same(t, given, checked[0])
		assert.Nil(t, checked[1])
		require.Len(t, waited, 1)
		assert.Same(t, given, waited[0])

		settings.CheckRetry = func(_ context.Context, resp *http.Response, _ error) (bool, error) {
			_, err := io.ReadAll(resp.Body)
			return false, err
		}
		_, err = newRetrying(t, roundTripFunc(func(req *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Request: req}, nil
		}), retry.WithClient(settings)).RoundTrip(newRequest(t, "GET", ""))
		assert.NoError(t, err, "a policy may read a body that is not there")
	})
}

// Rule 35: go-retryablehttp decides by the error's kind, which is still seen.
func TestAnErrorThatLastsIsNotTriedAgain(t *testing.T) {
	a := &attempts{outcomes: []any{&tls.CertificateVerificationError{Err: errors.New("expired")}}}
	_, err := newRetrying(t, a).RoundTrip(newRequest(t, "GET", ""))
	assert.Equal(t, a.outcomes[0], err)
	assert.Len(t, a.bodies, 1)
}
