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
	"testing/iotest"
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
		"more than 64 KiB": {nil, strings.Repeat("x", 64<<10+1)},
		"coded":            {http.Header{"Content-Encoding": {"gzip"}}, coded.String()},
		"empty":            {nil, ""},
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

// Rule 32: 64 KiB are not more than 64 KiB, also where the end comes in a read of
// its own.
func TestABodyOf64KiBIsSearched(t *testing.T) {
	body := apiKey + strings.Repeat("x", 64<<10-len(apiKey))
	transport := keeping(t, routeauth.APIKeyAuth{APIKey: apiKey}, denying(withBody(body)))
	resp, err := transport.RoundTrip(newRequest(t, "GET", mandatoryURL, ""))
	require.NoError(t, err)
	got, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.True(t, "REDACTED"+body[len(apiKey):] == string(got), "%d bytes", len(got))
}

// Rule 32: a body that broke off is all there, so it is searched too. Its reader
// learns how it ended, and sees no beginning of a credential.
func TestABodyThatBrokeOffIsSearched(t *testing.T) {
	broken := fmt.Errorf("after %s: %w", apiKey, io.ErrUnexpectedEOF)
	for name, failing := range map[string]io.Reader{
		"an error":              iotest.ErrReader(io.ErrUnexpectedEOF),
		"an error with the key": iotest.ErrReader(broken),
		"a panic":               panickingReader{},
	} {
		body := newTrackedBody("")
		body.Reader = io.MultiReader(strings.NewReader("no "+apiKey+", no "+apiKey[:6]), failing)
		transport := keeping(t, routeauth.APIKeyAuth{APIKey: apiKey}, denying(func(resp *http.Response) { resp.Body, resp.ContentLength = body, 100 }))
		resp, err := transport.RoundTrip(newRequest(t, "GET", mandatoryURL, ""))
		require.NoError(t, err)
		got, err := io.ReadAll(resp.Body)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF, name)
		assert.NotContains(t, err.Error(), apiKey, name)
		assert.Equal(t, "no REDACTED, no REDACTED", string(got), name)
		assert.EqualValues(t, 100, resp.ContentLength, name)
		assert.Equal(t, 1, body.closes(), name)
	}
}

// Rule 32: the status is the server's, but for the credential.
func TestTheStatusOfAKept401IsSearched(t *testing.T) {
	transport := keeping(t, routeauth.APIKeyAuth{APIKey: apiKey}, denying(func(resp *http.Response) { resp.Status = "401 key " + apiKey + " is revoked" }))
	resp, err := transport.RoundTrip(newRequest(t, "GET", mandatoryURL, ""))
	require.NoError(t, err)
	assert.Equal(t, "401 key REDACTED is revoked", resp.Status)
}

// Rule 32: the trailer that net/http writes to is not the one that the caller
// reads, before the body has ended.
func TestTheTrailerOfAKept401IsNotTheBases(t *testing.T) {
	var bases *http.Response
	transport := keeping(t, routeauth.APIKeyAuth{APIKey: apiKey}, denying(func(resp *http.Response) {
		resp.Trailer = http.Header{"X-Trailer": nil}
		resp.Body = io.NopCloser(strings.NewReader(strings.Repeat("x", 70<<10)))
		bases = resp
	}))
	resp, err := transport.RoundTrip(newRequest(t, "GET", mandatoryURL, ""))
	require.NoError(t, err)
	bases.Trailer["X-Trailer"] = []string{"echo " + apiKey}
	assert.Equal(t, http.Header{"X-Trailer": nil}, resp.Trailer)
	_, err = io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, http.Header{"X-Trailer": {"echo REDACTED"}}, resp.Trailer)
}

// Rule 32: net/http sets the trailer where the body ends. Until then nobody else
// may, and then it is searched, whoever reads the end. The race detector helps.
func TestTheTrailerOfABodyThatIsPassedOnIsSearched(t *testing.T) {
	for name, test := range map[string]struct {
		announced bool
		late      bool // the end comes after the second for which it is waited
		size      int
	}{
		"announced, late":     {true, true, 0},
		"not announced, late": {false, true, 0},
		"announced, large":    {true, false, 70 << 10},
		"announced, in time":  {true, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, client := newPipe(t, func(w http.ResponseWriter, req *http.Request) {
					trailer := "X-Trailer"
					if test.announced {
						w.Header().Set("Trailer", trailer)
					} else {
						trailer = http.TrailerPrefix + trailer
					}
					w.WriteHeader(http.StatusUnauthorized)
					_, _ = io.WriteString(w, strings.Repeat("x", test.size+1))
					w.(http.Flusher).Flush()
					if test.late {
						<-time.After(1100 * time.Millisecond)
					}
					w.Header().Set(trailer, "echo "+req.Header.Get("x-api-key"))
				})
				policy, err := routeauth.NewPolicy(server, nil)
				require.NoError(t, err)
				transport, err := routeauth.New(policy, routeauth.APIKeyAuth{APIKey: apiKey}, client, routeauth.KeepUnauthorized())
				require.NoError(t, err)
				resp, err := transport.RoundTrip(newRequest(t, "GET", server, ""))
				require.NoError(t, err)
				_, announced := resp.Trailer["X-Trailer"] // as a proxy looks before it reads
				assert.Equal(t, test.announced, announced)
				body, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				assert.Len(t, body, test.size+1)
				assert.Equal(t, "echo REDACTED", resp.Trailer.Get("X-Trailer"))
				require.NoError(t, resp.Body.Close())
			})
		})
	}
}

// Rule 32: a 401 that is closed for a second request, for which there then is no
// body, ends with what was read of it and says why.
func TestAKept401ThatWasClosedForNothingEndsHonestly(t *testing.T) {
	tokens := longLived(t, 2)
	for _, size := range []int{10, 100 << 10} {
		cache, _ := stale(t, nil, tokens...)
		text := tokens[0] + strings.Repeat("x", size)
		body := newTrackedBody(text)
		auth := routeauth.JWTAuth{SubscriptionID: subscriptionID, Source: cache}
		transport := keeping(t, auth, denying(func(resp *http.Response) { resp.Body = body }))
		req := newRequest(t, "POST", mandatoryURL, "body")
		req.GetBody = func() (io.ReadCloser, error) { return nil, errors.New("no second body") }
		resp, err := transport.RoundTrip(req)
		require.NoError(t, err)
		got, err := io.ReadAll(resp.Body)
		if size == 10 {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, "was not read, as the request was to be sent again")
		}
		want := "REDACTED" + text[len(tokens[0]):min(len(text), 64<<10)]
		assert.True(t, want == string(got), "%d bytes: %.100q", len(got), got)
		assert.Equal(t, 1, body.closes())
		require.NoError(t, resp.Body.Close())
	}
}

// Rule 32: somebody else's 401 to whoever makes the credential is not the API's.
func TestA401InASourcesErrorIsNoResponse(t *testing.T) {
	failed := fmt.Errorf("idp, asked with %s: %w", apiKey, &routeauth.UnauthorizedError{Scheme: "own", URL: "https://idp.example.com/token"})
	for name, auth := range map[string]routeauth.BearerAuth{
		"source": {Source: tokenFunc(func(context.Context, routeauth.Params) (string, error) { return "", failed })},
		"params": {Source: handsOut("token"), Params: func(*http.Request) (routeauth.Params, error) { return nil, failed }},
	} {
		b := &base{}
		resp, err := keeping(t, auth, b).RoundTrip(newRequest(t, "GET", mandatoryURL, ""))
		assert.Nil(t, resp, name)
		var e *routeauth.CredentialError
		require.ErrorAs(t, err, &e, name)
		assert.ErrorIs(t, err, routeauth.ErrUnauthorized, "through its cause")

		// Nor is it where a transport above hides its own credential in it.
		below, _, err := auth.RoundTrippers(b)
		require.NoError(t, err)
		resp, err = keeping(t, routeauth.APIKeyAuth{APIKey: apiKey}, below).RoundTrip(newRequest(t, "GET", mandatoryURL, ""))
		assert.Nil(t, resp, name)
		require.ErrorAs(t, err, &e, name)
		assert.NotContains(t, err.Error(), apiKey, name)
		assert.Empty(t, b.sent(), name)
	}
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
