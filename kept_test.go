package routeauth_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/routeauth"
	"github.com/hashicorp/go-retryablehttp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// keeping returns a transport with KeepUnauthorized over b.
func keeping(t testing.TB, auth routeauth.Auth, b http.RoundTripper, opts ...routeauth.Option) *routeauth.Transport {
	t.Helper()
	policy, err := routeauth.NewPolicy(apiURL, routes)
	require.NoError(t, err)
	transport, err := routeauth.New(policy, auth, b, append(opts, routeauth.KeepUnauthorized())...)
	require.NoError(t, err)
	return transport
}

// Rule 32: a 401 comes back as the server sent it, but for the credential, and
// can be read as the typed error without losing its body.
func TestAKept401IsAResponseThatCanBeReadAsAnError(t *testing.T) {
	const body = `{"detail": "no ` + apiKey + ` here"}`
	transport := keeping(t, routeauth.APIKeyAuth{APIKey: apiKey}, denying(func(resp *http.Response) {
		resp.Header = http.Header{"Www-Authenticate": {"Bearer"}, "X-Echo": {apiKey}, "Content-Length": {fmt.Sprint(len(body))}}
		resp.ContentLength = int64(len(body))
		resp.Body = io.NopCloser(strings.NewReader(body))
		resp.Trailer = http.Header{"X-Trailer": {"echo " + apiKey}}
	}))
	req := newRequest(t, "GET", mandatoryURL, "")
	resp, err := transport.RoundTrip(req)
	require.NoError(t, err)
	assert.Equal(t, http.StatusUnauthorized, resp.StatusCode)
	assert.Same(t, req, resp.Request)
	assert.Equal(t, "Bearer", resp.Header.Get("Www-Authenticate"))
	assert.Equal(t, "REDACTED", resp.Header.Get("X-Echo"))
	assert.Equal(t, "echo REDACTED", resp.Trailer.Get("X-Trailer"))

	e, ok := routeauth.UnauthorizedFrom(resp)
	require.True(t, ok)
	assert.Equal(t, routeauth.SchemeAPIKey, e.Scheme)
	assert.Equal(t, "no REDACTED here", e.Detail)
	assert.ErrorIs(t, e, routeauth.ErrUnauthorized)

	got, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, `{"detail": "no REDACTED here"}`, string(got))
	assert.EqualValues(t, len(got), resp.ContentLength)
	assert.Equal(t, fmt.Sprint(len(got)), resp.Header.Get("Content-Length"))
	require.NoError(t, resp.Body.Close())
	_, ok = routeauth.UnauthorizedFrom(resp)
	assert.True(t, ok, "also after the body was read")
}

// Rule 32: the response is known by itself whatever is put around its body, and a
// copy of it by its body.
func TestAKept401IsKnownBehindWhatIsPutAroundIt(t *testing.T) {
	transport := keeping(t, routeauth.APIKeyAuth{APIKey: apiKey}, denying(withBody("no")))
	client := &http.Client{Transport: transport, Timeout: time.Minute} // wraps the body
	resp, err := client.Get(mandatoryURL)
	require.NoError(t, err)
	e, ok := routeauth.UnauthorizedFrom(resp)
	require.True(t, ok)
	assert.Equal(t, mandatoryURL, e.URL)

	direct, err := transport.RoundTrip(newRequest(t, "GET", mandatoryURL, ""))
	require.NoError(t, err)
	dup := *direct
	_, ok = routeauth.UnauthorizedFrom(&dup)
	assert.True(t, ok)

	for _, other := range []*http.Response{nil, {}, {StatusCode: 401, Body: http.NoBody}} {
		_, ok := routeauth.UnauthorizedFrom(other)
		assert.False(t, ok)
	}
	elsewhere, err := transport.RoundTrip(newRequest(t, "GET", "https://other.example.com/", ""))
	require.NoError(t, err)
	_, ok = routeauth.UnauthorizedFrom(elsewhere)
	assert.False(t, ok, "nobody's credential was rejected")
	runtime.KeepAlive(resp)
}

// Rule 32: what is not read whole, or is coded, is passed on as it is.
func TestABodyThatIsNotReadWholeIsPassedOn(t *testing.T) {
	var coded bytes.Buffer
	zip := gzip.NewWriter(&coded)
	_, _ = io.WriteString(zip, `{"detail":"no"}`)
	require.NoError(t, zip.Close())
	for name, test := range map[string]struct {
		header http.Header
		body   string
	}{
		"64 KiB and more": {nil, strings.Repeat("x", 100<<10)},
		"coded":           {http.Header{"Content-Encoding": {"gzip"}}, coded.String()},
		"empty":           {nil, ""},
	} {
		body := newTrackedBody(test.body)
		transport := keeping(t, routeauth.APIKeyAuth{APIKey: apiKey}, denying(func(resp *http.Response) {
			resp.Header, resp.Body = test.header, body
		}))
		resp, err := transport.RoundTrip(newRequest(t, "GET", mandatoryURL, ""))
		require.NoError(t, err)
		got, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		assert.True(t, test.body == string(got), name)
		require.NoError(t, resp.Body.Close())
		assert.Positive(t, body.closes(), name)
		_, ok := routeauth.UnauthorizedFrom(resp)
		assert.True(t, ok, name)
	}
}

// Rule 32: a body that takes more than a second is passed on from where it is.
func TestABodyThatDripsIsPassedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent := 0
		drip := readFunc(func(p []byte) (int, error) {
			if sent == 10 {
				return 0, io.EOF
			}
			advance(300 * time.Millisecond)
			sent++
			return copy(p, fmt.Sprint(sent%10)), nil
		})
		transport := keeping(t, routeauth.APIKeyAuth{APIKey: apiKey}, denying(func(resp *http.Response) { resp.Body = io.NopCloser(drip) }))
		began := time.Now()
		resp, err := transport.RoundTrip(newRequest(t, "GET", mandatoryURL, ""))
		require.NoError(t, err)
		assert.Equal(t, time.Second, time.Since(began))
		got, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		assert.Equal(t, "1234567890", string(got))
		assert.NoError(t, resp.Body.Close())
	})
}

// Rule 32: a rejected token is discarded and replaced as without the option, and
// of two 401s the second comes back.
func TestAKept401IsReplayed(t *testing.T) {
	tokens := longLived(t, 2)
	for name, test := range map[string]struct {
		rejected []string
		status   int
		body     string
	}{
		"once":  {tokens[:1], http.StatusOK, `{"detail": "answer 2"}`},
		"twice": {tokens, http.StatusUnauthorized, `{"detail": "answer 2"}`},
	} {
		cache, _ := stale(t, nil, tokens...)
		b := rejecting(test.rejected...)
		auth := routeauth.JWTAuth{SubscriptionID: subscriptionID, Source: cache}
		req := newRequest(t, "POST", mandatoryURL, "body")
		resp, err := keeping(t, auth, b).RoundTrip(req)
		require.NoError(t, err, name)
		assert.Equal(t, test.status, resp.StatusCode, name)
		got, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		assert.Equal(t, test.body, string(got), name)
		assert.Equal(t, tokens, tokensOf(b), name)
		assert.Same(t, req, resp.Request, name)
		e, ok := routeauth.UnauthorizedFrom(resp)
		assert.Equal(t, test.status == http.StatusUnauthorized, ok, name)
		if ok {
			assert.Equal(t, "answer 2", e.Detail)
		}
	}
}

// Rule 32: where somebody's own transport returns the error, a 401 without a body
// takes its place.
func TestAnOwnTransportsUnauthorizedErrorBecomesAResponse(t *testing.T) {
	rejected := &routeauth.UnauthorizedError{Scheme: "own", Header: http.Header{"X-Why": {"because"}, "Content-Length": {"17"}}}
	own := roundTripFunc(func(*http.Request) (*http.Response, error) { return nil, fmt.Errorf("own: %w", rejected) })
	transport := keeping(t, authFunc(func(http.RoundTripper) (mandatory, optional http.RoundTripper, err error) {
		return own, own, nil
	}), nil)
	req := newRequest(t, "GET", mandatoryURL, "")
	resp, err := transport.RoundTrip(req)
	require.NoError(t, err)
	assert.Equal(t, http.StatusUnauthorized, resp.StatusCode)
	assert.Equal(t, "401 Unauthorized", resp.Status)
	assert.Equal(t, http.Header{"X-Why": {"because"}}, resp.Header)
	assert.Same(t, req, resp.Request)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Empty(t, body)
	e, ok := routeauth.UnauthorizedFrom(resp)
	require.True(t, ok)
	assert.Same(t, rejected, e)
}

// Rule 32: also where that error has no header.
func TestAnUnauthorizedErrorWithoutAHeaderBecomesAResponseToo(t *testing.T) {
	own := roundTripFunc(func(*http.Request) (*http.Response, error) { return nil, &routeauth.UnauthorizedError{} })
	resp, err := keeping(t, authFunc(func(http.RoundTripper) (mandatory, optional http.RoundTripper, err error) {
		return own, own, nil
	}), nil).RoundTrip(newRequest(t, "GET", mandatoryURL, ""))
	require.NoError(t, err)
	assert.NotNil(t, resp.Header)
}

// Rule 32: of two transports over each other, the type is that of the one whose
// credential was rejected first, and it shows neither credential.
func TestAKept401OfATransportBelowKeepsItsType(t *testing.T) {
	key, token := "key-of-the-gateway", secretToken(t)
	b := denying(func(resp *http.Response) { withBody(`{"detail": "no ` + key + ` and no ` + token + `"}`)(resp) })
	below := keeping(t, routeauth.APIKeyAuth{APIKey: routeauth.Secret(key)}, b)
	resp, err := keeping(t, routeauth.BearerAuth{Source: handsOut(token)}, below).RoundTrip(newRequest(t, "GET", mandatoryURL, ""))
	require.NoError(t, err)
	e, ok := routeauth.UnauthorizedFrom(resp)
	require.True(t, ok)
	assert.Equal(t, routeauth.SchemeAPIKey, e.Scheme)
	assert.Equal(t, "no REDACTED and no REDACTED", e.Detail)
}

// Rule 28: a kept 401 is not retried, with any method.
func TestCheckRetryKnowsAKept401(t *testing.T) {
	requests := 0
	b := denying(func(resp *http.Response) { requests++ })
	retrying := retryablehttp.NewClient()
	retrying.Logger = nil
	retrying.CheckRetry = routeauth.CheckRetry(func(_ context.Context, resp *http.Response, err error) (bool, error) { return true, nil })
	retrying.HTTPClient = &http.Client{Transport: keeping(t, routeauth.APIKeyAuth{APIKey: apiKey}, b)}
	resp, err := retrying.Get(mandatoryURL)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, http.StatusUnauthorized, resp.StatusCode)
	assert.Equal(t, 1, requests)
}

// Rule 32, over a real server: HEAD keeps its length, and the connection is used
// again.
func TestAKept401OverARealServer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"detail":"`+req.Header.Get("x-api-key")+`"}`)
	}))
	defer server.Close()
	policy, err := routeauth.NewPolicy(server.URL, nil)
	require.NoError(t, err)
	transport, err := routeauth.New(policy, routeauth.APIKeyAuth{APIKey: apiKey}, server.Client().Transport, routeauth.KeepUnauthorized())
	require.NoError(t, err)
	client := &http.Client{Transport: transport}

	head, err := client.Head(server.URL)
	require.NoError(t, err)
	require.NoError(t, head.Body.Close())
	assert.EqualValues(t, len(`{"detail":"`+apiKey+`"}`), head.ContentLength)
	get, err := client.Get(server.URL)
	require.NoError(t, err)
	body, err := io.ReadAll(get.Body)
	require.NoError(t, err)
	assert.Equal(t, `{"detail":"REDACTED"}`, string(body))
	assert.EqualValues(t, len(body), get.ContentLength)
}

// Rule: a typo in the base URL becomes a sentence, and redirects still work.
func TestRefuseOutOfScopeSaysWhatIsWrong(t *testing.T) {
	policy, err := routeauth.NewPolicy(apiURL, routes)
	require.NoError(t, err)
	b, body := &base{}, newTrackedBody("body")
	transport, err := routeauth.New(policy, routeauth.APIKeyAuth{APIKey: apiKey}, b, routeauth.RefuseOutOfScope())
	require.NoError(t, err)
	req := newRequest(t, "POST", "https://api.example.org/v1/operations", "")
	req.Body = body
	_, err = transport.RoundTrip(req)
	var e *routeauth.CredentialError
	require.ErrorAs(t, err, &e)
	assert.Empty(t, e.Scheme)
	assert.False(t, e.Temporary())
	assert.EqualError(t, err, "routeauth: POST https://api.example.org/v1/operations: not sent: "+
		"the host is api.example.org, the policy's is api.example.com")
	assert.Equal(t, policy.Match(req).Reason, errors.Unwrap(err).Error())
	assert.Empty(t, b.sent())
	assert.Equal(t, 1, body.closes())

	hop := newRequest(t, "GET", "https://elsewhere.example.com/", "")
	hop.Response = &http.Response{Request: newRequest(t, "GET", mandatoryURL, "")}
	_, err = transport.RoundTrip(hop)
	require.NoError(t, err)
	assert.Same(t, hop, b.only(t).Request)
}
