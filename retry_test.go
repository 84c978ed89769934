package routeauth_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"testing"
	"testing/synctest"

	"example.com/routeauth"
	"github.com/hashicorp/go-retryablehttp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// credentialError returns the error of a request for which a source failed.
func credentialError(t testing.TB, sourceErr error) error {
	source := tokenFunc(func(context.Context, routeauth.Params) (string, error) { return "", sourceErr })
	jwt, err := routeauth.NewJWTTransport(source, &base{})
	require.NoError(t, err)
	_, err = jwt.RoundTrip(newRequest(t, "POST", mandatoryURL, "{}"))
	return err
}

// Rule 28, as a table of what next would retry.
func TestCheckRetryNarrowsToWhatIsSafe(t *testing.T) {
	post, get := newRequest(t, "POST", mandatoryURL, ""), newRequest(t, "GET", mandatoryURL, "")
	// A POST was answered 303, and the GET after it with resp.
	afterPost := newRequest(t, "GET", optionalURL, "")
	afterPost.Response = &http.Response{StatusCode: 303, Request: post}
	unknown := &http.Response{StatusCode: 503}
	// A PUT was answered 303.
	afterPut := newRequest(t, "GET", optionalURL, "")
	afterPut.Response = &http.Response{StatusCode: 303, Request: newRequest(t, "PUT", mandatoryURL, "")}
	circle := answer(newRequest(t, "GET", optionalURL, ""), 503, "")
	circle.Request.Response = circle

	failed := func(op string, err error) error { return &url.Error{Op: op, URL: mandatoryURL, Err: err} }
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	proxy := &net.OpError{Op: "proxyconnect", Net: "tcp", Err: syscall.ECONNREFUSED}
	cut := &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	temporary := credentialError(t, errors.New("backend is down"))
	permanent := credentialError(t, routeauth.Permanent(errors.New("no such user")))

	for name, test := range map[string]struct {
		resp *http.Response
		err  error
		want bool
	}{
		"GET, 503":                  {answer(get, 503, ""), nil, true},
		"GET, 429":                  {answer(get, 429, ""), nil, true},
		"GET, cut":                  {nil, failed("Get", cut), true},
		"HEAD, cut":                 {nil, failed("Head", cut), true},
		"OPTIONS, cut":              {nil, failed("Options", cut), true},
		"TRACE, cut":                {nil, failed("Trace", cut), true},
		"PUT, cut":                  {nil, failed("Put", cut), true},
		"DELETE, cut":               {nil, failed("Delete", cut), true},
		"POST, 502":                 {answer(post, 502, ""), nil, false},
		"POST, 429":                 {answer(post, 429, ""), nil, true},
		"POST, cut":                 {nil, failed("Post", cut), false},
		"PATCH, cut":                {nil, failed("Patch", cut), false},
		"POST, EOF":                 {nil, failed("Post", io.EOF), false},
		"POST, dial failed":         {nil, failed("Post", dial), true},
		"POST, dial to proxy":       {nil, failed("Post", proxy), true},
		"unknown method, cut":       {nil, cut, false},
		"unknown method, dial":      {nil, dial, true},
		"lower-case get, cut":       {nil, failed("get", cut), false},
		"no method, cut":            {nil, failed("", cut), false},
		"invented method":           {nil, failed("Frobnicate", cut), false},
		"POST then GET, 503":        {answer(afterPost, 503, ""), nil, false},
		"POST then GET, 429":        {answer(afterPost, 429, ""), nil, false},
		"PUT then GET, 503":         {answer(afterPut, 503, ""), nil, true},
		"a chain in a circle":       {circle, nil, false},
		"no request in response":    {unknown, nil, false},
		"429, no request":           {&http.Response{StatusCode: 429}, nil, false},
		"nothing at all":            {nil, nil, false},
		"401, GET":                  {nil, failed("Get", &routeauth.UnauthorizedError{}), false},
		"401, POST":                 {nil, failed("Post", &routeauth.UnauthorizedError{}), false},
		"401, wrapped":              {nil, fmt.Errorf("sdk: %w", routeauth.ErrUnauthorized), false},
		"no token now":              {nil, failed("Post", temporary), true},
		"no token now, no url":      {nil, temporary, true},
		"no token ever":             {nil, failed("Post", permanent), false},
		"no token ever, GET":        {nil, failed("Get", permanent), false},
		"no token for a later hop":  {nil, failed("Patch", temporary), false},
		"the same, after a PUT":     {nil, failed("Put", temporary), true},
		"dial that quotes the key":  {nil, failed("Post", quoting(t, "dial")), true},
		"read that quotes the key":  {nil, failed("Post", quoting(t, "read")), false},
		"dial and read joined":      {nil, failed("Post", errors.Join(dial, cut)), false},
		"read and dial joined":      {nil, failed("Post", errors.Join(cut, dial)), false},
		"two dials joined":          {nil, failed("Post", errors.Join(dial, proxy)), true},
		"dial in a wrapped join":    {nil, failed("Post", fmt.Errorf("sdk: %w and %w", dial, cut)), false},
		"no token now, and a cut":   {nil, failed("Post", errors.Join(temporary, cut)), false},
		"now no token, then never":  {nil, failed("Get", errors.Join(temporary, permanent)), false},
		"no token now, and a dial":  {nil, failed("Post", errors.Join(temporary, dial)), true},
		"GET and POST joined":       {nil, errors.Join(failed("Get", cut), failed("Post", cut)), false},
		"a GET twice":               {nil, errors.Join(failed("Get", cut), failed("Get", cut)), true},
		"a nil *url.Error":          {nil, (*url.Error)(nil), false},
		"a nil *net.OpError":        {nil, failed("Post", (*net.OpError)(nil)), false},
		"a nil *CredentialError":    {nil, (*routeauth.CredentialError)(nil), false},
		"both response and failure": {answer(afterPost, 303, ""), failed("Post", errors.New("stopped after 10 redirects")), false},
	} {
		t.Run(name, func(t *testing.T) {
			always := func(context.Context, *http.Response, error) (bool, error) {
				return true, errors.New("why")
			}
			retry, err := routeauth.CheckRetry(always)(t.Context(), test.resp, test.err)
			assert.Equal(t, test.want, retry)
			if test.want {
				assert.EqualError(t, err, "why", "next's own answer")
			} else {
				assert.NoError(t, err, "so that the caller keeps the real response or error")
			}

			// It never widens: what next refuses stays refused, with its error.
			never := func(context.Context, *http.Response, error) (bool, error) {
				return false, context.Canceled
			}
			retry, err = routeauth.CheckRetry(never)(t.Context(), test.resp, test.err)
			assert.False(t, retry)
			assert.Equal(t, context.Canceled, err)

			retry, err = routeauth.CheckRetry(nil)(t.Context(), test.resp, test.err)
			assert.False(t, retry)
			assert.NoError(t, err)
		})
	}
}

// quoting returns an error of the network that quotes the key, in which a wrapper
// has hidden it.
func quoting(t *testing.T, op string) error {
	transport, err := routeauth.NewAPIKeyTransport(apiKey, roundTripFunc(func(*http.Request) (*http.Response, error) {
		return nil, &net.OpError{Op: op, Net: "tcp", Err: errors.New("proxy of " + apiKey)}
	}))
	require.NoError(t, err)
	_, err = transport.RoundTrip(newRequest(t, "POST", mandatoryURL, ""))
	require.NotContains(t, err.Error(), apiKey)
	return err
}

// newRetrying returns go-retryablehttp as both recipes have it.
func newRetrying(base http.RoundTripper) *retryablehttp.Client {
	client := retryablehttp.NewClient()
	client.Logger = nil
	client.CheckRetry = routeauth.CheckRetry(retryablehttp.DefaultRetryPolicy)
	client.HTTPClient = &http.Client{
		Transport: base,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
	return client
}

// stacks are the two recipes: where auth stands and where retries stand.
var stacks = map[string]func(t *testing.T, base http.RoundTripper, adjust func(*retryablehttp.Client)) *http.Client{
	"retry above auth": func(t *testing.T, base http.RoundTripper, adjust func(*retryablehttp.Client)) *http.Client {
		retrying := newRetrying(newKeyTransport(t, base))
		adjust(retrying)
		return &http.Client{Transport: &retryablehttp.RoundTripper{Client: retrying}}
	},
	"retry below auth": func(t *testing.T, base http.RoundTripper, adjust func(*retryablehttp.Client)) *http.Client {
		retrying := newRetrying(base)
		adjust(retrying)
		return &http.Client{Transport: newKeyTransport(t, &retryablehttp.RoundTripper{Client: retrying})}
	},
}

func newKeyTransport(t *testing.T, base http.RoundTripper) http.RoundTripper {
	policy, err := routeauth.NewPolicy(apiURL, routes)
	require.NoError(t, err)
	transport, err := routeauth.New(policy, routeauth.APIKeyAuth{APIKey: apiKey}, base)
	require.NoError(t, err)
	return transport
}

func asRecommended(*retryablehttp.Client) {}

// Rules 28 and 29.
func TestBothStacksRetryWhatIsSafeAndNothingElse(t *testing.T) {
	cut := &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	for stack, newClient := range stacks {
		for name, test := range map[string]struct {
			method, body string
			respond      func(req *http.Request, nth int) (*http.Response, error)
			requests     int
			check        func(t *testing.T, resp *http.Response, err error)
		}{
			"a 401 reaches the caller after one request": {
				"GET", "", func(req *http.Request, _ int) (*http.Response, error) {
					return answer(req, 401, `{"detail":"no"}`), nil
				}, 1, func(t *testing.T, _ *http.Response, err error) {
					var unauthorized *routeauth.UnauthorizedError
					require.ErrorAs(t, err, &unauthorized)
					assert.Equal(t, "no", unauthorized.Detail)
				}},
			"a POST whose connection was cut is not sent again": {
				"POST", "{}", func(*http.Request, int) (*http.Response, error) {
					return nil, cut
				}, 1, func(t *testing.T, _ *http.Response, err error) {
					require.ErrorIs(t, err, syscall.ECONNRESET)
				}},
			"a GET whose connection was cut is": {
				"GET", "", func(req *http.Request, nth int) (*http.Response, error) {
					if nth < 3 {
						return nil, cut
					}
					return answer(req, 200, ""), nil
				}, 3, func(t *testing.T, resp *http.Response, err error) {
					require.NoError(t, err)
					assert.Equal(t, 200, resp.StatusCode)
				}},
			"a POST that was answered 502 comes back as it is": {
				"POST", "{}", func(req *http.Request, _ int) (*http.Response, error) {
					return answer(req, 502, "bad gateway"), nil
				}, 1, func(t *testing.T, resp *http.Response, err error) {
					require.NoError(t, err)
					assert.Equal(t, 502, resp.StatusCode)
				}},
			"a POST that was answered 429 is sent again, whole": {
				"POST", `{"a":1}`, func(req *http.Request, nth int) (*http.Response, error) {
					if nth == 1 {
						return answer(req, 429, ""), nil
					}
					return answer(req, 200, ""), nil
				}, 2, func(t *testing.T, resp *http.Response, err error) {
					require.NoError(t, err)
					assert.Equal(t, 200, resp.StatusCode)
				}},
		} {
			t.Run(stack+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { // the backoff takes no time
					b := &base{respond: test.respond}
					resp, err := newClient(t, b, asRecommended).Do(newRequest(t, test.method, mandatoryURL, test.body))
					test.check(t, resp, err)
					require.Len(t, b.sent(), test.requests)
					for _, sent := range b.sent() {
						assert.Equal(t, test.body, sent.Body)
						assert.Equal(t, apiKey, sent.Header.Get("X-Api-Key"))
					}
				})
			})
		}
	}
}

// followRedirects is go-retryablehttp's client as it comes.
func followRedirects(client *retryablehttp.Client) { client.HTTPClient.CheckRedirect = nil }

// Rule 29: below auth, go-retryablehttp's client would follow a redirect with
// the key, since http.Client strips only the fields that it knows.
func TestRetryBelowAuthKeepsTheKeyFromAnotherHost(t *testing.T) {
	const evil = "https://evil.example.com/"
	keysSeenElsewhere := func(adjust func(*retryablehttp.Client)) (keys []string, hosts int) {
		b := &base{respond: func(req *http.Request, _ int) (*http.Response, error) {
			if req.URL.String() != mandatoryURL {
				return answer(req, 200, ""), nil
			}
			resp := answer(req, 302, "")
			resp.Header.Set("Location", evil)
			return resp, nil
		}}
		_, err := stacks["retry below auth"](t, b, adjust).Do(newRequest(t, "GET", mandatoryURL, ""))
		require.NoError(t, err)
		for _, sent := range b.sent() {
			if sent.URL.String() == evil {
				hosts++
				keys = append(keys, sent.Header.Values("X-Api-Key")...)
			}
		}
		return keys, hosts
	}

	keys, hosts := keysSeenElsewhere(asRecommended)
	assert.Empty(t, keys)
	assert.Equal(t, 1, hosts, "the outermost client follows the redirect")

	keys, _ = keysSeenElsewhere(followRedirects)
	assert.Equal(t, []string{apiKey}, keys, "if this is empty, the recipe can be relaxed")
}

// Rule 28: a POST that was answered 303 has been acted on. If its second hop
// cannot be dialled, the error alone does not tell.
func TestAPostWhoseSecondHopFailsIsNotSentAgain(t *testing.T) {
	for stack, newClient := range stacks {
		posts := func(adjust func(*retryablehttp.Client)) (n int) {
			b := &base{respond: func(req *http.Request, _ int) (*http.Response, error) {
				if req.Method == "GET" {
					return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
				}
				resp := answer(req, 303, "")
				resp.Header.Set("Location", optionalURL)
				return resp, nil
			}}
			synctest.Test(t, func(t *testing.T) {
				_, err := newClient(t, b, adjust).Do(newRequest(t, "POST", mandatoryURL, "{}"))
				require.ErrorIs(t, err, syscall.ECONNREFUSED)
			})
			for _, sent := range b.sent() {
				if sent.Method == "POST" {
					n++
				}
			}
			return n
		}
		assert.Equal(t, 1, posts(asRecommended), stack)
		assert.Greater(t, posts(followRedirects), 1, "%s: if this is 1, the recipe can be relaxed", stack)
	}
}

// Rule 29: each attempt is authenticated afresh above auth, and all attempts
// carry the same token below.
func TestRetryAboveAuthAsksForATokenAtEachAttempt(t *testing.T) {
	for stack, want := range map[string][]string{
		"retry above auth": {"Bearer token-1", "Bearer token-2"},
		"retry below auth": {"Bearer token-1", "Bearer token-1"},
	} {
		synctest.Test(t, func(t *testing.T) {
			source := &countingSource{next: func(_ context.Context, _ routeauth.Params, nth int) (string, error) {
				return fmt.Sprintf("token-%d", nth), nil
			}}
			b := &base{respond: func(req *http.Request, nth int) (*http.Response, error) {
				if nth == 1 {
					return answer(req, 503, ""), nil
				}
				return answer(req, 200, ""), nil
			}}
			newJWT := func(base http.RoundTripper) http.RoundTripper {
				jwt, err := routeauth.NewJWTTransport(source, base)
				require.NoError(t, err)
				return jwt
			}
			transport := newJWT(&retryablehttp.RoundTripper{Client: newRetrying(b)})
			if stack == "retry above auth" {
				transport = &retryablehttp.RoundTripper{Client: newRetrying(newJWT(b))}
			}
			_, err := (&http.Client{Transport: transport}).Do(newRequest(t, "GET", mandatoryURL, ""))
			require.NoError(t, err)
			var got []string
			for _, sent := range b.sent() {
				got = append(got, sent.Header.Get("Authorization"))
			}
			assert.Equal(t, want, got, stack)
		})
	}
}
