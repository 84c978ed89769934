package integration_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"example.com/routeauth"
	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
	"github.com/go-resty/resty/v2"
	"github.com/hashicorp/go-retryablehttp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// doWithFailsafe sends a request with retries of failsafe-go, which asks CheckRetry
// whether. It stands above the http.Client, whose errors name the method.
func doWithFailsafe(client *http.Client, req *http.Request) (*http.Response, error) {
	check := routeauth.CheckRetry(retryablehttp.DefaultRetryPolicy)
	policy := retrypolicy.NewBuilder[*http.Response]().
		HandleIf(func(resp *http.Response, err error) bool {
			retry, _ := check(req.Context(), resp, err)
			if retry && resp != nil {
				_ = resp.Body.Close() // nobody reads it
			}
			return retry
		}).
		ReturnLastFailure().
		WithDelay(time.Millisecond).
		Build()
	return failsafe.With(policy).Get(func() (*http.Response, error) {
		attempt := req.Clone(req.Context())
		if req.GetBody != nil {
			body, err := req.GetBody()
			if err != nil {
				return nil, err
			}
			attempt.Body = body
		}
		return client.Do(attempt)
	})
}

// doWithResty does the same with resty's own retries.
func doWithResty(client *http.Client, req *http.Request) (*http.Response, error) {
	check := routeauth.CheckRetry(retryablehttp.DefaultRetryPolicy)
	r := resty.NewWithClient(client).SetLogger(silent{}).SetRetryCount(2).SetRetryWaitTime(time.Millisecond).
		AddRetryCondition(func(resp *resty.Response, err error) bool {
			retry, _ := check(resp.Request.Context(), resp.RawResponse, err)
			return retry
		}).R().SetContext(req.Context())
	if req.Body != nil {
		r.SetBody("body")
	}
	resp, err := r.Execute(req.Method, req.URL.String())
	return resp.RawResponse, err
}

// Rule 28: whoever decides when to retry, CheckRetry says what may be.
func TestRetryRecipes(t *testing.T) {
	cut := func(w http.ResponseWriter) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = conn.Close()
		}
	}
	down := errors.New("the issuer is down")
	for _, do := range []func(*http.Client, *http.Request) (*http.Response, error){doWithFailsafe, doWithResty} {
		for name, test := range map[string]struct {
			method  string
			answer  func(w http.ResponseWriter)
			source  error // of the first calls
			reached int   // how often the server is
		}{
			"a GET whose connection is cut":      {"GET", cut, nil, 3},
			"a POST whose connection is cut":     {"POST", cut, nil, 1},
			"a GET whose token is rejected":      {"GET", func(w http.ResponseWriter) { w.WriteHeader(401) }, nil, 1},
			"a POST that the server is too busy": {"POST", func(w http.ResponseWriter) { w.WriteHeader(429) }, nil, 3},
			"a POST without a token at first":    {"POST", func(w http.ResponseWriter) { w.WriteHeader(200) }, down, 1},
		} {
			var reached, asked atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				reached.Add(1)
				test.answer(w)
			}))
			source := routeauth.TokenSourceFunc(func(context.Context, routeauth.Params) (routeauth.Token, error) {
				if asked.Add(1) < 3 && test.source != nil {
					return routeauth.Token{}, test.source
				}
				return routeauth.Token{Value: "token"}, nil
			})
			policy, err := routeauth.NewPolicy(server.URL, nil)
			require.NoError(t, err)
			transport, err := routeauth.New(policy, routeauth.BearerAuth{Source: source}, &http.Transport{DisableKeepAlives: true})
			require.NoError(t, err)
			var body *strings.Reader
			req, err := http.NewRequestWithContext(t.Context(), test.method, server.URL, nil)
			if test.method == "POST" {
				body = strings.NewReader("body")
				req, err = http.NewRequestWithContext(t.Context(), test.method, server.URL, body)
			}
			require.NoError(t, err)
			resp, err := do(&http.Client{Transport: transport}, req)
			if err == nil {
				_ = resp.Body.Close()
			}
			assert.EqualValues(t, test.reached, reached.Load(), name)
			server.Close()
		}
	}
}
