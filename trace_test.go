package routeauth_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/routeauth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// recorder is a Trace that writes down what it is told, in order.
type recorder struct {
	routeauth.Trace

	mu        sync.Mutex
	lines     []string
	decisions []routeauth.Decision
	fetches   []routeauth.TokenFetch
}

func newRecorder() *recorder {
	r := &recorder{}
	note := func(format string, args ...any) {
		r.lines = append(r.lines, fmt.Sprintf(format, args...))
	}
	r.Decided = func(_ context.Context, d routeauth.Decision) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.decisions = append(r.decisions, d)
		note("decided %s %s %q", d.Verdict, d.Requirement, d.Scheme)
	}
	r.TokenFetched = func(_ context.Context, f routeauth.TokenFetch) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.fetches = append(r.fetches, f)
		note("fetched %q background %t error %v", f.Scheme, f.Background, f.Err)
	}
	r.Unauthorized = func(_ context.Context, e *routeauth.UnauthorizedError, sentAgain bool) {
		r.mu.Lock()
		defer r.mu.Unlock()
		note("unauthorized %s %q again %t", e.Scheme, e.Detail, sentAgain)
	}
	return r
}

// take returns what was written down since the last call.
func (r *recorder) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	lines := r.lines
	r.lines = nil
	return lines
}

func newTraced(t testing.TB, auth routeauth.Auth, b http.RoundTripper, opts ...routeauth.Option) *routeauth.Transport {
	t.Helper()
	policy, err := routeauth.NewPolicy(apiURL, routeauth.Routes{
		"GET /operations/{id}": routeauth.Optional,
		"GET /status":          routeauth.Public,
	})
	require.NoError(t, err)
	transport, err := routeauth.New(policy, auth, b, opts...)
	require.NoError(t, err)
	return transport
}

// Rule 33: each request is decided once, before anything is sent.
func TestATraceIsToldEachDecision(t *testing.T) {
	r, sent := newRecorder(), false
	transport := newTraced(t, routeauth.APIKeyAuth{APIKey: apiKey}, roundTripFunc(func(req *http.Request) (*http.Response, error) {
		assert.NotEmpty(t, r.decisions, "before anything is sent")
		sent = true
		return answer(req, 204, ""), nil
	}), routeauth.WithTrace(&r.Trace))
	hop := newRequest(t, "GET", optionalURL, "")
	hop.Response = &http.Response{Request: newRequest(t, "GET", "https://evil.example.com/", "")}
	for _, test := range []struct {
		req  *http.Request
		want routeauth.Decision
	}{
		{newRequest(t, "POST", "https://ada:pw@api.example.com/v1/operations?key=1#x", ""), routeauth.Decision{
			Match:  routeauth.Match{Verdict: routeauth.InScope, Reason: "no route matches, so it is mandatory"},
			Method: "POST", URL: mandatoryURL, Scheme: routeauth.SchemeAPIKey}},
		{newRequest(t, "GET", optionalURL, ""), routeauth.Decision{
			Match: routeauth.Match{Verdict: routeauth.InScope, Requirement: routeauth.Optional, Pattern: "GET /operations/{id}",
				Reason: `the route "GET /operations/{id}" is optional`},
			Method: "GET", URL: optionalURL, Scheme: routeauth.SchemeAPIKey}},
		{newRequest(t, "GET", apiURL+"/status", ""), routeauth.Decision{
			Match: routeauth.Match{Verdict: routeauth.InScope, Requirement: routeauth.Public, Pattern: "GET /status",
				Reason: `the route "GET /status" is public`},
			Method: "GET", URL: apiURL + "/status"}},
		{newRequest(t, "GET", "https://www.api.example.com/v1/operations", ""), routeauth.Decision{
			Match:  routeauth.Match{Verdict: routeauth.OutOfScope, Reason: "the host is www.api.example.com, the policy's is api.example.com"},
			Method: "GET", URL: "https://www.api.example.com/v1/operations"}},
		{newRequest(t, "GET", apiURL+"/..%2fx", ""), routeauth.Decision{
			Match:  routeauth.Match{Verdict: routeauth.Refused, Reason: `the segment "..%2fx" may be read as a dot segment`},
			Method: "GET", URL: apiURL + "/..%2fx"}},
		{hop, routeauth.Decision{
			Match: routeauth.Match{Verdict: routeauth.InScope, Requirement: routeauth.Optional, Pattern: "GET /operations/{id}",
				Reason: `the route "GET /operations/{id}" is optional`},
			Method: "GET", URL: optionalURL, Redirected: true}},
	} {
		r.decisions, sent = nil, false
		_, err := transport.RoundTrip(test.req)
		assert.Equal(t, []routeauth.Decision{test.want}, r.decisions)
		assert.Equal(t, test.want.Verdict != routeauth.Refused, sent)
		assert.Equal(t, sent, err == nil)
	}
}

// Rule 33: a decision names the scheme of the transport that carries the
// credential, and none where that is somebody else's.
func TestADecisionNamesTheSchemeOfItsCarrier(t *testing.T) {
	foreign := authFunc(func(base http.RoundTripper) (mandatory, optional http.RoundTripper, err error) {
		return roundTripFunc(base.RoundTrip), roundTripFunc(base.RoundTrip), nil
	})
	for _, test := range []struct {
		auth                routeauth.Auth
		mandatory, optional routeauth.Scheme
	}{
		{routeauth.JWTAuth{SubscriptionID: subscriptionID, Source: handsOut(token)}, routeauth.SchemeJWT, routeauth.SchemeSubscription},
		{routeauth.BearerAuth{Source: handsOut(token)}, routeauth.SchemeBearer, routeauth.SchemeBearer},
		{routeauth.BasicAuth{Username: "ada", Password: "lovelace"}, routeauth.SchemeBasic, routeauth.SchemeBasic},
		{routeauth.HeaderAuth{Scheme: "gateway", Name: "x-gateway", Value: "abc"}, "gateway", "gateway"},
		{foreign, "", ""},
	} {
		r := newRecorder()
		transport := newTraced(t, test.auth, &base{}, routeauth.WithTrace(&r.Trace))
		for _, url := range []string{mandatoryURL, optionalURL} {
			_, err := transport.RoundTrip(newRequest(t, "GET", url, ""))
			require.NoError(t, err)
		}
		require.Len(t, r.decisions, 2)
		assert.Equal(t, []routeauth.Scheme{test.mandatory, test.optional},
			[]routeauth.Scheme{r.decisions[0].Scheme, r.decisions[1].Scheme}, "%T", test.auth)
	}
}

// Rule 33: what happens to one request is told in order, with the new token's
// fetch before the 401.
func TestATraceIsToldInOrder(t *testing.T) {
	tokens := longLived(t, 2)
	for _, kept := range []bool{false, true} {
		r := newRecorder()
		opts := []routeauth.Option{routeauth.WithTrace(&r.Trace)}
		if kept {
			opts = append(opts, routeauth.KeepUnauthorized())
		}
		cache := newCache(t, sourceOf(tokens...))
		transport := newTraced(t, routeauth.JWTAuth{SubscriptionID: subscriptionID, Source: cache}, rejecting(tokens...), opts...)
		const decided = `decided in scope mandatory "jwt"`
		const fetched = `fetched "jwt" background false error <nil>`

		_, _ = transport.RoundTrip(newRequest(t, "POST", mandatoryURL, "body"))
		assert.Equal(t, []string{decided, fetched, `unauthorized jwt "answer 1" again false`}, r.take())

		_ = tokenFor(t, cache, nil) // held now
		assert.Empty(t, r.take(), "a call that is not the transport's")
		_, _ = transport.RoundTrip(newRequest(t, "POST", mandatoryURL, "body"))
		assert.Equal(t, []string{decided, fetched, `unauthorized jwt "answer 2" again false`}, r.take(), "the source has no other")
	}

	r := newRecorder()
	cache, _ := stale(t, nil, tokens...)
	transport := newTraced(t, routeauth.JWTAuth{SubscriptionID: subscriptionID, Source: cache}, rejecting(tokens[0]), routeauth.WithTrace(&r.Trace))
	_, err := transport.RoundTrip(newRequest(t, "POST", mandatoryURL, "body"))
	require.NoError(t, err)
	assert.Equal(t, []string{
		`decided in scope mandatory "jwt"`,
		`fetched "jwt" background false error <nil>`,
		`unauthorized jwt "answer 1" again true`,
	}, r.take())
}

// Rule 33: one Trace that is given in every way is told once, two are each told,
// and none that is given is changed.
func TestATraceThatIsGivenTwiceIsToldOnce(t *testing.T) {
	r, other := newRecorder(), newRecorder()
	source := handsOut("opaque")
	cache, err := routeauth.NewTokenCache(source, routeauth.WithCacheTrace(&r.Trace))
	require.NoError(t, err)
	transport := newTraced(t, routeauth.BearerAuth{Source: cache}, &base{}, routeauth.WithTrace(&r.Trace), routeauth.WithTrace(&r.Trace))
	ctx := routeauth.ContextWithTrace(t.Context(), &r.Trace)
	ctx = routeauth.ContextWithTrace(ctx, &other.Trace)
	ctx = routeauth.ContextWithTrace(ctx, &other.Trace)
	ctx = routeauth.ContextWithTrace(ctx, nil)

	_, err = transport.RoundTrip(newRequest(t, "GET", mandatoryURL, "").WithContext(ctx))
	require.NoError(t, err)
	want := []string{`decided in scope mandatory "bearer"`, `fetched "bearer" background false error <nil>`}
	assert.Equal(t, want, r.take())
	assert.Equal(t, want, other.take())

	_, err = transport.RoundTrip(newRequest(t, "GET", mandatoryURL, ""))
	require.NoError(t, err)
	assert.Equal(t, want, r.take())
	assert.Empty(t, other.take(), "it was for one request")
}

// Rule 33: a cache's own trace sees each call of the source, with no scheme, and
// those in the background too.
func TestACachesTraceSeesItsFetches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		source := sourceLiving(t, time.Minute)
		next := source.next
		source.next = func(ctx context.Context, params routeauth.Params, nth int) (string, error) {
			if nth == 2 {
				return "", errors.New("down")
			}
			return next(ctx, params, nth)
		}
		cache, err := routeauth.NewTokenCache(source, routeauth.WithCacheTrace(&r.Trace))
		require.NoError(t, err)
		outer := newCache(t, cache)
		_ = tokenFor(t, outer, nil)
		_ = tokenFor(t, outer, nil)
		assert.Equal(t, []string{`fetched "" background false error <nil>`}, r.take(), "a call of a cache is no fetch")
		advance(55 * time.Second)
		_ = tokenFor(t, cache, nil)
		synctest.Wait()
		assert.Equal(t, []string{`fetched "" background true error down`}, r.take())
		assert.False(t, r.fetches[0].Expiry.IsZero())
		advance(time.Hour)
	})
}

// Rule 33: a source without a cache is told of at each request, also alone.
func TestAWrapperAloneTellsTheRequestsTrace(t *testing.T) {
	r := newRecorder()
	jwt := newJWTTransport(t, handsOut("token"), denying(withBody("no")))
	ctx := routeauth.ContextWithTrace(t.Context(), &r.Trace)
	_, err := jwt.RoundTrip(newRequest(t, "GET", endpoint, "").WithContext(ctx))
	require.ErrorIs(t, err, routeauth.ErrUnauthorized)
	assert.Equal(t, []string{`fetched "jwt" background false error <nil>`, `unauthorized jwt "" again false`}, r.take())
}

// A Trace that does nothing costs nothing, and one that is told of decisions one
// allocation.
func TestATraceCostsWhatItIsTold(t *testing.T) {
	if withRaceDetector() {
		t.Skip("the race detector allocates")
	}
	nothing := roundTripFunc(func(*http.Request) (*http.Response, error) { return &http.Response{StatusCode: 204}, nil })
	req := newRequest(t, "GET", optionalURL, "")
	allocations := func(opts ...routeauth.Option) float64 {
		transport := newTraced(t, routeauth.APIKeyAuth{APIKey: apiKey}, nothing, opts...)
		return testing.AllocsPerRun(100, func() { _, _ = transport.RoundTrip(req) })
	}
	without := allocations()
	assert.Equal(t, without, allocations(routeauth.WithTrace(&routeauth.Trace{})))
	assert.Equal(t, without+1, allocations(routeauth.WithTrace(&routeauth.Trace{
		Decided: func(context.Context, routeauth.Decision) {},
	})))
}

// Rule 33: the lines are ones that an operator would write, and none has a
// credential.
func TestLogTraceWritesLinesWithoutCredentials(t *testing.T) {
	var out bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		switch a.Key {
		case slog.TimeKey:
			return slog.Attr{}
		case "took":
			return slog.Duration("took", time.Millisecond)
		}
		return a
	}}))
	trace := routeauth.LogTrace(logger)
	source := &countingSource{next: func(_ context.Context, _ routeauth.Params, nth int) (string, error) {
		if nth == 1 {
			return "", errors.New("backend is down")
		}
		return planted, nil
	}}
	transport := newTraced(t, routeauth.BearerAuth{Source: source}, denying(func(resp *http.Response) {
		resp.Header = http.Header{"X-Request-Id": {"17"}}
		withBody(`{"detail":"no ` + planted + `"}`)(resp)
	}), routeauth.WithTrace(trace))
	for range 2 {
		_, err := transport.RoundTrip(newRequest(t, "GET", optionalURL+"?key="+planted, ""))
		require.Error(t, err)
	}
	decided := `level=DEBUG msg="request decided" method=GET url=` + optionalURL + ` verdict="in scope" requirement=optional ` +
		`pattern="GET /operations/{id}" reason="the route \"GET /operations/{id}\" is optional" scheme=bearer redirected=false` + "\n"
	assert.Equal(t, decided+
		`level=WARN msg="credential not fetched" scheme=bearer took=1ms background=false error="backend is down"`+"\n"+
		decided+
		`level=WARN msg="credential rejected" method=GET url=`+optionalURL+` scheme=bearer detail="no REDACTED" request_id=17 sent_again=false`+"\n",
		out.String())
	assert.NotContains(t, out.String(), planted)
}

// Rules 31 and 33.
func TestANilTraceIsAnErrorOfTheConstructor(t *testing.T) {
	policy, err := routeauth.NewPolicy(apiURL, nil)
	require.NoError(t, err)
	_, err = routeauth.New(policy, routeauth.APIKeyAuth{APIKey: apiKey}, nil, routeauth.WithTrace(nil), nil)
	assert.ErrorContains(t, err, "trace is")
	assert.ErrorContains(t, err, "option is nil")
	_, err = routeauth.NewTokenCache(handsOut("a"), routeauth.WithCacheTrace(nil))
	assert.ErrorContains(t, err, "trace is")
}

// A LogTrace without a logger writes to the one that is the default when it writes.
func TestLogTraceTakesTheDefaultLogger(t *testing.T) {
	trace := routeauth.LogTrace(nil)
	var out bytes.Buffer
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })
	slog.SetDefault(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})))
	transport := newTraced(t, routeauth.APIKeyAuth{APIKey: "key"}, &base{}, routeauth.WithTrace(trace))
	_, err := transport.RoundTrip(newRequest(t, "GET", mandatoryURL, ""))
	require.NoError(t, err)
	assert.Contains(t, out.String(), "verdict=")
}
