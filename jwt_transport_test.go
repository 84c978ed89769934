package routeauth_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"example.com/routeauth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const endpoint = "https://api.example.com/generations"

func newJWTTransport(t testing.TB, source routeauth.TokenSource, base http.RoundTripper, opts ...routeauth.JWTOption) *routeauth.JWTTransport {
	t.Helper()
	transport, err := routeauth.NewJWTTransport(source, base, opts...)
	require.NoError(t, err)
	return transport
}

// rejecting answers 401 to these tokens and 200 to any other, and each answer
// says which request it is for.
func rejecting(tokens ...string) *base {
	return &base{respond: func(req *http.Request, nth int) (*http.Response, error) {
		status := http.StatusOK
		if slices.Contains(tokens, tokenOf(req)) {
			status = http.StatusUnauthorized
		}
		return answer(req, status, fmt.Sprintf(`{"detail": "answer %d"}`, nth)), nil
	}}
}

// tokenOf returns the token that a request carries.
func tokenOf(req *http.Request) string {
	token, _ := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer ")
	return token
}

// tokensOf returns the tokens that reached a base.
func tokensOf(b *base) (tokens []string) {
	for _, req := range b.sent() {
		tokens = append(tokens, tokenOf(req.Request))
	}
	return tokens
}

// longLived returns n tokens that a cache keeps.
func longLived(t testing.TB, n int) (tokens []string) {
	for i := range n {
		tokens = append(tokens, mint(t, fmt.Sprint("token ", i), time.Unix(900_000_000, 0), time.Unix(4_000_000_000, 0)))
	}
	return tokens
}

// credentialErrorOf returns the *CredentialError that err is.
func credentialErrorOf(t testing.TB, err error) *routeauth.CredentialError {
	t.Helper()
	var e *routeauth.CredentialError
	require.ErrorAs(t, err, &e)
	assert.Equal(t, routeauth.SchemeJWT, e.Scheme)
	assert.NotErrorIs(t, err, routeauth.ErrUnauthorized)
	return e
}

// rejectionOf returns the *UnauthorizedError that err is.
func rejectionOf(t testing.TB, err error) *routeauth.UnauthorizedError {
	t.Helper()
	var e *routeauth.UnauthorizedError
	require.ErrorAs(t, err, &e)
	assert.Equal(t, routeauth.SchemeJWT, e.Scheme)
	return e
}

// paramsSeen returns a source that records the params that it gets.
func paramsSeen() (source *countingSource, seen func() []routeauth.Params) {
	var mu sync.Mutex
	var all []routeauth.Params
	source = &countingSource{next: func(_ context.Context, params routeauth.Params, _ int) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, params)
		return "token", nil
	}}
	return source, func() []routeauth.Params { return all }
}

// Rule 15.
func TestTheParamsOfARequestAreOverlaidWithThoseOfItsContext(t *testing.T) {
	fixed := func(params routeauth.Params) routeauth.ParamsFunc {
		return func(*http.Request) (routeauth.Params, error) { return params, nil }
	}
	tests := []struct {
		name    string
		params  routeauth.ParamsFunc
		context []routeauth.Params
		want    routeauth.Params
	}{
		{"neither", nil, nil, nil},
		{"of the request", fixed(routeauth.Params{"a": "1"}), nil, routeauth.Params{"a": "1"}},
		{"of the context", nil, []routeauth.Params{{"a": "1"}}, routeauth.Params{"a": "1"}},
		{"of both", fixed(routeauth.Params{"a": "1", "b": "2"}), []routeauth.Params{{"b": "3", "c": "4"}}, routeauth.Params{"a": "1", "b": "3", "c": "4"}},
		{"an empty value overlays too", fixed(routeauth.Params{"a": "1"}), []routeauth.Params{{"a": ""}}, routeauth.Params{"a": ""}},
		{"the request has none", fixed(nil), []routeauth.Params{{"b": "3"}}, routeauth.Params{"b": "3"}},
		{"the context has an empty map", fixed(routeauth.Params{"a": "1"}), []routeauth.Params{{}}, routeauth.Params{"a": "1"}},
		{"the inner context replaces the outer", nil, []routeauth.Params{{"a": "1", "b": "2"}, {"a": "3"}}, routeauth.Params{"a": "3"}},
	}
	for _, test := range tests {
		for _, cached := range []bool{false, true} {
			t.Run(fmt.Sprint(test.name, ", cached ", cached), func(t *testing.T) {
				recording, seen := paramsSeen()
				var source routeauth.TokenSource = recording
				if cached {
					source = newCache(t, source)
				}
				var opts []routeauth.JWTOption
				if test.params != nil {
					opts = append(opts, routeauth.WithParams(test.params))
				}
				req := newRequest(t, http.MethodPost, endpoint, "body")
				ctx := req.Context()
				for _, params := range test.context {
					ctx = routeauth.ContextWithParams(ctx, params)
				}
				_, err := newJWTTransport(t, source, &base{}, opts...).RoundTrip(req.WithContext(ctx))
				require.NoError(t, err)
				assert.Equal(t, []routeauth.Params{test.want}, seen())
			})
		}
	}
}

// Rule 15: the params function sees the caller's own request, where it has no
// body that could be read.
func TestTheParamsAreTakenFromTheCallersRequest(t *testing.T) {
	req := newRequest(t, http.MethodPost, endpoint, "")
	params := func(got *http.Request) (routeauth.Params, error) {
		assert.Same(t, req, got)
		return nil, nil
	}
	source, seen := paramsSeen()
	_, err := newJWTTransport(t, source, &base{}, routeauth.WithParams(params)).RoundTrip(req)
	require.NoError(t, err)
	assert.Len(t, seen(), 1)
}

// Rule 15: neither the maps of the caller nor those of the params function are
// the source's.
func TestTheSourceGetsACopyOfTheParams(t *testing.T) {
	for _, cached := range []bool{false, true} {
		ofRequest, ofContext := routeauth.Params{"a": "1"}, routeauth.Params{"b": "2"}
		var source routeauth.TokenSource = tokenFunc(func(_ context.Context, params routeauth.Params) (string, error) {
			for name := range params {
				params[name] = "changed"
			}
			if params != nil {
				params["new"] = "changed"
			}
			return "token", nil
		})
		if cached {
			source = newCache(t, source)
		}
		fromRequest := routeauth.WithParams(func(*http.Request) (routeauth.Params, error) { return ofRequest, nil })
		ctx := routeauth.ContextWithParams(t.Context(), ofContext)
		for _, test := range []struct {
			ctx  context.Context
			opts []routeauth.JWTOption
		}{
			{t.Context(), nil},
			{ctx, nil},
			{t.Context(), []routeauth.JWTOption{fromRequest}},
			{ctx, []routeauth.JWTOption{fromRequest}},
		} {
			transport := newJWTTransport(t, source, &base{}, test.opts...)
			var requests sync.WaitGroup
			for range 2 { // each source writes into a map of its own
				requests.Go(func() {
					_, err := transport.RoundTrip(newRequest(t, http.MethodGet, endpoint, "").WithContext(test.ctx))
					assert.NoError(t, err)
				})
			}
			requests.Wait()
		}
		assert.Equal(t, routeauth.Params{"a": "1"}, ofRequest)
		assert.Equal(t, routeauth.Params{"b": "2"}, ofContext)
		assert.Equal(t, routeauth.Params{"b": "2"}, routeauth.ParamsFromContext(ctx))
	}
}

// Rule 15: a map that the params function fills again for the next request
// changes nothing, neither at the replay nor at the discard.
func TestAMapOfTheParamsFunctionThatIsUsedAgainChangesNothing(t *testing.T) {
	shared := routeauth.Params{}
	params := func(req *http.Request) (routeauth.Params, error) {
		clear(shared)
		shared["user"] = req.Header.Get("X-User")
		return shared, nil
	}
	source := &countingSource{next: func(_ context.Context, params routeauth.Params, nth int) (string, error) {
		return mint(t, fmt.Sprint(params["user"], " ", nth), time.Unix(900_000_000, 0), time.Unix(4_000_000_000, 0)), nil
	}}
	cache := newCache(t, source)
	alices, bobs := tokenFor(t, cache, routeauth.Params{"user": "alice"}), tokenFor(t, cache, routeauth.Params{"user": "bob"})
	requestOf := func(user string) *http.Request {
		req := newRequest(t, http.MethodGet, endpoint, "")
		req.Header.Set("X-User", user)
		return req
	}
	var sent []string
	var transport *routeauth.JWTTransport
	transport = newJWTTransport(t, cache, roundTripFunc(func(req *http.Request) (*http.Response, error) {
		sent = append(sent, tokenOf(req))
		if tokenOf(req) == alices {
			_, err := transport.RoundTrip(requestOf("bob")) // fills the map again
			require.NoError(t, err)
			return answer(req, http.StatusUnauthorized, ""), nil
		}
		return answer(req, http.StatusOK, ""), nil
	}), routeauth.WithParams(params))
	_, err := transport.RoundTrip(requestOf("alice"))
	require.NoError(t, err)
	require.Len(t, sent, 3)
	assert.Equal(t, []string{alices, bobs}, sent[:2])
	assert.Equal(t, tokenFor(t, cache, routeauth.Params{"user": "alice"}), sent[2], "alice's new token")
	assert.Equal(t, bobs, tokenFor(t, cache, routeauth.Params{"user": "bob"}), "bob's is not discarded")
}

// Rule 18: a deadline that passes while a token is asked for is a timeout to
// whoever asks.
func TestADeadlineThatPassesDuringAFetchIsATimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		waits := tokenFunc(func(ctx context.Context, _ routeauth.Params) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		})
		returns := func(token string, err error) routeauth.TokenSource {
			return tokenFunc(func(context.Context, routeauth.Params) (string, error) { return token, err })
		}
		for name, test := range map[string]struct {
			source  routeauth.TokenSource
			timeout bool
		}{
			"the request's deadline":          {waits, true},
			"the same, cached":                {newCache(t, waits), true},
			"a deadline of the source's own":  {returns("", context.DeadlineExceeded), true},
			"a timeout of net/http":           {returns("", &url.Error{Op: "Post", Err: &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}}), true},
			"a timeout that was joined":       {returns("", errors.Join(errors.New("down"), fmt.Errorf("%w", os.ErrDeadlineExceeded))), true},
			"a timeout in a credential error": {returns("", &routeauth.CredentialError{Err: os.ErrDeadlineExceeded}), true},
			"a refused connection":            {returns("", &url.Error{Op: "Post", Err: syscall.ECONNREFUSED}), false},
			"a cancellation":                  {returns("", context.Canceled), false},
			"an ill-formed token":             {returns("a b", nil), false},
		} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			client := &http.Client{Transport: newJWTTransport(t, test.source, &base{})}
			_, err := client.Do(newRequest(t, http.MethodGet, endpoint, "").WithContext(ctx))
			cancel()
			var netErr net.Error
			require.ErrorAs(t, err, &netErr, name)
			assert.Equal(t, test.timeout, netErr.Timeout(), name)
			assert.Equal(t, test.timeout, os.IsTimeout(err), name)
		}
		advance(time.Minute) // the cache's fetch ends
	})
}

// Request.Cancel, old as it is, ends the wait for a token.
func TestACancelledRequestWaitsForNoToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		waits := tokenFunc(func(ctx context.Context, _ routeauth.Params) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		})
		for _, source := range []routeauth.TokenSource{waits, newCache(t, waits)} {
			began, cancel := time.Now(), make(chan struct{})
			time.AfterFunc(50*time.Millisecond, func() { close(cancel) })
			req := newRequest(t, http.MethodGet, endpoint, "")
			//lint:ignore SA1019 callers may still set it
			req.Cancel = cancel
			_, err := newJWTTransport(t, source, &base{}).RoundTrip(req)
			e := credentialErrorOf(t, err)
			assert.ErrorIs(t, e, context.Canceled)
			assert.False(t, e.Temporary(), "the request itself ended")
			assert.Equal(t, 50*time.Millisecond, time.Since(began))
		}
		advance(time.Minute) // the cache's fetch ends
	})
}

// Rule 8: what waits for Request.Cancel ends with the request, though neither the
// channel nor the context ever does. The bubble would not end otherwise.
func TestARequestThatCouldBeCancelledLeavesNoGoroutineBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		req := newRequest(t, http.MethodGet, endpoint, "").WithContext(context.Background())
		//lint:ignore SA1019 old programs still set it, and net/http honours it
		req.Cancel = make(chan struct{})
		_, err := newJWTTransport(t, sourceOf("token"), &base{}).RoundTrip(req)
		require.NoError(t, err)
	})
}

// Rule 15: a context holds a copy of its params, and hands out copies.
func TestTheParamsOfAContextAreItsOwn(t *testing.T) {
	assert.Nil(t, routeauth.ParamsFromContext(t.Context()))
	params := routeauth.Params{"a": "1"}
	ctx := routeauth.ContextWithParams(t.Context(), params)
	params["a"] = "changed"
	got := routeauth.ParamsFromContext(ctx)
	assert.Equal(t, routeauth.Params{"a": "1"}, got)
	got["a"] = "changed"
	assert.Equal(t, routeauth.Params{"a": "1"}, routeauth.ParamsFromContext(ctx))
	assert.Nil(t, routeauth.ParamsFromContext(t.Context()), "the outer context has none")
	assert.Empty(t, routeauth.ParamsFromContext(routeauth.ContextWithParams(ctx, nil)))
}

// Rule 16, and rule 20 for what a source without a cache gets: the request's
// own context.
func TestWithoutACacheTheSourceIsAskedForEachRequest(t *testing.T) {
	tokens := longLived(t, 3)
	source := sourceOf(tokens...)
	next := source.next
	source.next = func(ctx context.Context, params routeauth.Params, nth int) (string, error) {
		assert.Equal(t, nth, ctx.Value(contextKey{}))
		return next(ctx, params, nth)
	}
	b := &base{}
	transport := newJWTTransport(t, source, b)
	for nth := range tokens {
		req := newRequest(t, http.MethodGet, endpoint, "")
		_, err := transport.RoundTrip(req.WithContext(context.WithValue(t.Context(), contextKey{}, nth+1)))
		require.NoError(t, err)
	}
	assert.Equal(t, tokens, tokensOf(b))
	assert.Equal(t, 3, source.count())
}

// Rule 19: a cache as the source is asked once.
func TestWithACacheTheSourceIsAskedOnce(t *testing.T) {
	tokens := longLived(t, 2)
	source := sourceOf(tokens...)
	b := &base{}
	transport := newJWTTransport(t, newCache(t, source), b)
	for range 3 {
		_, err := transport.RoundTrip(newRequest(t, http.MethodGet, endpoint, ""))
		require.NoError(t, err)
	}
	assert.Equal(t, []string{tokens[0], tokens[0], tokens[0]}, tokensOf(b))
	assert.Equal(t, 1, source.count())
}

// Rule 11: a redirect hop that left its origin costs no token.
func TestNoTokenIsAskedForWhereNoneMayGo(t *testing.T) {
	source := sourceOf("token")
	b := &base{}
	params := func(*http.Request) (routeauth.Params, error) { return nil, errors.New("not to be called") }
	req := newRequest(t, http.MethodGet, "https://elsewhere.example.com/", "")
	req.Response = &http.Response{Request: newRequest(t, http.MethodGet, endpoint, "")}
	_, err := newJWTTransport(t, source, b, routeauth.WithParams(params)).RoundTrip(req)
	require.NoError(t, err)
	assert.Same(t, req, b.only(t).Request)
	assert.Zero(t, source.count())
}

// temporary is an error that says whether it is temporary.
type temporary bool

func (e temporary) Error() string   { return fmt.Sprintf("temporary: %t", bool(e)) }
func (e temporary) Temporary() bool { return bool(e) }

// Rules 17 and 18: a request for which there is no token is not sent. Its body
// is closed, once, and the error says whether trying again may help.
func TestARequestWithoutATokenIsNotSent(t *testing.T) {
	plain := errors.New("down")
	type test struct {
		token     string
		err       error
		temporary bool
	}
	tests := map[string]test{
		"a plain error":                         {"", plain, true},
		"an error that comes with a token":      {"token", plain, true},
		"an error with a method Temporary":      {"", temporary(false), true},
		"a permanent error":                     {"", routeauth.Permanent(plain), false},
		"a wrapped error that is permanent":     {"", fmt.Errorf("source: %w", routeauth.Permanent(plain)), false},
		"a joined error that is permanent":      {"", errors.Join(plain, routeauth.Permanent(plain)), false},
		"a credential error that is permanent":  {"", &routeauth.CredentialError{Err: plain}, false},
		"a joined one of these":                 {"", errors.Join(plain, &routeauth.CredentialError{Err: plain}), false},
		"an error that is one by its As":        {"", asPermanent{plain}, false},
		"net/http's error of a refused dial":    {"", &url.Error{Op: "Get", Err: &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}}, true},
		"a timeout of the source's own":         {"", context.DeadlineExceeded, true},
		"a cancellation of the source's own":    {"", context.Canceled, true},
		"an ill-formed token, as a last resort": {"two words", nil, false},
	}
	for token := range noTokens {
		tests[fmt.Sprintf("the token %.30q", token)] = test{token, nil, false}
	}
	for name, test := range tests {
		for _, cached := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", cached ", cached), func(t *testing.T) {
				var source routeauth.TokenSource = tokenFunc(func(context.Context, routeauth.Params) (string, error) {
					return test.token, test.err
				})
				if cached {
					source = newCache(t, source)
				}
				b, body := &base{}, newTrackedBody("body")
				req := newRequest(t, http.MethodPost, endpoint+"?key=hunter2", "")
				req.Body = body
				resp, err := newJWTTransport(t, source, b).RoundTrip(req)
				assert.Nil(t, resp)
				e := credentialErrorOf(t, err)
				assert.Equal(t, test.temporary, e.Temporary())
				assert.Equal(t, http.MethodPost, e.Method)
				assert.Equal(t, endpoint, e.URL)
				if test.err != nil {
					assert.Equal(t, test.err, e.Err)
					assert.ErrorIs(t, err, test.err)
				} else {
					assert.ErrorContains(t, err, noTokens[test.token])
				}
				assert.NotContains(t, fmt.Sprintf("%v %+v %#v %+v", err, err, err, e.Err), "hunter2")
				assert.Empty(t, b.sent())
				assert.Equal(t, 1, body.closes())
			})
		}
	}
}

// Rule 18: the end of the request's own context is no failure of the source.
func TestTheEndOfTheRequestIsNotTemporary(t *testing.T) {
	cause := errors.New("the user closed the window")
	cancelled := func(t *testing.T) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(cause) })
		return ctx, func() { cancel(nil) }
	}
	expired := func(t *testing.T) (context.Context, context.CancelFunc) {
		return context.WithTimeout(t.Context(), time.Second)
	}
	for name, test := range map[string]struct {
		context func(t *testing.T) (context.Context, context.CancelFunc)
		want    error
	}{
		"cancelled": {cancelled, context.Canceled},
		"expired":   {expired, context.DeadlineExceeded},
	} {
		sources := map[string]tokenFunc{
			"says so": func(ctx context.Context, _ routeauth.Params) (string, error) {
				<-ctx.Done()
				return "", ctx.Err()
			},
			"wraps it": func(ctx context.Context, _ routeauth.Params) (string, error) {
				<-ctx.Done()
				return "", fmt.Errorf("source: %w", ctx.Err())
			},
			"names the cause": func(ctx context.Context, _ routeauth.Params) (string, error) {
				<-ctx.Done()
				return "", context.Cause(ctx)
			},
			"is behind a cache": nil,
		}
		for how, source := range sources {
			t.Run(name+", and the source "+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var asked routeauth.TokenSource = source
					if source == nil {
						asked = newCache(t, after(5*time.Second, sourceOf("token")))
					}
					ctx, cancel := test.context(t)
					defer cancel()
					b := &base{}
					began := time.Now()
					_, err := newJWTTransport(t, asked, b).RoundTrip(newRequest(t, http.MethodPost, endpoint, "body").WithContext(ctx))
					assert.False(t, credentialErrorOf(t, err).Temporary())
					if how != "names the cause" {
						assert.ErrorIs(t, err, test.want)
					}
					assert.Equal(t, time.Second, time.Since(began), "it leaves at once")
					assert.Empty(t, b.sent())
					advance(5 * time.Second)
				})
			})
		}
	}
}

// Rule 18: an error that has nothing to do with the end of the request is the
// source's, even if the request has ended too.
func TestAFailureOfTheSourceIsTemporaryThoughTheRequestEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	source := tokenFunc(func(context.Context, routeauth.Params) (string, error) {
		cancel()
		return "", errors.New("down")
	})
	_, err := newJWTTransport(t, source, &base{}).RoundTrip(newRequest(t, http.MethodGet, endpoint, "").WithContext(ctx))
	assert.True(t, credentialErrorOf(t, err).Temporary())
}

// Rules 18 and 20: the fetch timeout is the cache's, not the request's.
func TestTheFetchTimeoutIsTemporary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cache := newCache(t, after(time.Minute, sourceOf("token")))
		_, err := newJWTTransport(t, cache, &base{}).RoundTrip(newRequest(t, http.MethodGet, endpoint, ""))
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.True(t, credentialErrorOf(t, err).Temporary())
		advance(time.Minute)
	})
}

// Rules 15 and 18: errors of params are permanent, whatever they say.
func TestARequestWithoutParamsIsNotSent(t *testing.T) {
	broken := fmt.Errorf("no subscription: %w", temporary(true))
	params := func(*http.Request) (routeauth.Params, error) { return routeauth.Params{"a": "1"}, broken }
	source, b, body := sourceOf("token"), &base{}, newTrackedBody("body")
	req := newRequest(t, http.MethodPost, endpoint, "")
	req.Body = body
	req = req.WithContext(routeauth.ContextWithParams(t.Context(), routeauth.Params{"b": "2"}))
	resp, err := newJWTTransport(t, source, b, routeauth.WithParams(params)).RoundTrip(req)
	assert.Nil(t, resp)
	e := credentialErrorOf(t, err)
	assert.Equal(t, broken, e.Err)
	assert.False(t, e.Temporary())
	assert.Empty(t, b.sent())
	assert.Zero(t, source.count())
	assert.Equal(t, 1, body.closes())
}

// Rules 15 and 18: errors of the body that params are taken from are permanent.
func TestABodyThatCannotBeReadTwiceIsPermanent(t *testing.T) {
	source, b := sourceOf("token"), &base{}
	transport := newJWTTransport(t, source, b, routeauth.WithParams(routeauth.BodyParams("sku")))
	for name, getBody := range map[string]func() (io.ReadCloser, error){
		"no GetBody":       nil,
		"a GetBody failed": func() (io.ReadCloser, error) { return nil, temporary(true) },
	} {
		body := newTrackedBody(`{"sku":"1"}`)
		req := newRequest(t, http.MethodPost, endpoint, "")
		req.Body, req.GetBody = body, getBody
		_, err := transport.RoundTrip(req)
		assert.False(t, credentialErrorOf(t, err).Temporary(), name)
		assert.Equal(t, 1, body.closes(), name)
	}
	assert.Empty(t, b.sent())
	assert.Zero(t, source.count())
}

// stale returns a cache that holds tokens[0] for params and fetches the next
// ones from the source.
func stale(t testing.TB, params routeauth.Params, tokens ...string) (*routeauth.TokenCache, *countingSource) {
	source := sourceOf(tokens...)
	cache := newCache(t, source)
	require.Equal(t, tokens[0], tokenFor(t, cache, params))
	return cache, source
}

// Rule 24: a token that was held and is rejected is replaced, and the request
// is sent once more, whatever its method.
func TestARejectedTokenOfTheCacheIsReplacedOnce(t *testing.T) {
	t.Parallel()
	noBody := newRequest(t, http.MethodGet, endpoint, "")
	noBody.Body = http.NoBody
	emptyMethod := newRequest(t, http.MethodGet, endpoint, "")
	emptyMethod.Method = ""
	for name, req := range map[string]*http.Request{
		"GET":               newRequest(t, http.MethodGet, endpoint, ""),
		"no method":         emptyMethod,
		"http.NoBody":       noBody,
		"DELETE":            newRequest(t, http.MethodDelete, endpoint, ""),
		"POST":              newRequest(t, http.MethodPost, endpoint, `{"sku":"1"}`),
		"POST without body": newRequest(t, http.MethodPost, endpoint, ""),
		"PATCH":             newRequest(t, http.MethodPatch, endpoint, `{"sku":"1"}`),
		"a large PUT":       newRequest(t, http.MethodPut, endpoint, strings.Repeat("0123456789", 100_000)),
	} {
		t.Run(name, func(t *testing.T) {
			tokens := longLived(t, 2)
			params := user(1)
			cache, source := stale(t, params, tokens...)
			b := rejecting(tokens[0])
			transport := newJWTTransport(t, cache, b)
			var whole string
			if req.GetBody != nil {
				body, err := req.GetBody()
				require.NoError(t, err)
				text, err := io.ReadAll(body)
				require.NoError(t, err)
				whole = string(text)
			}
			req = req.WithContext(routeauth.ContextWithParams(t.Context(), params))
			req.Header.Set("X-Other", "kept")
			before := *req

			resp, err := transport.RoundTrip(req)
			require.NoError(t, err)
			assert.Equal(t, http.StatusOK, resp.StatusCode)
			assert.Same(t, req, resp.Request, "the response leads to the caller's request")
			assert.Equal(t, tokens, tokensOf(b))
			for _, sent := range b.sent() {
				assert.Equal(t, whole, sent.Body)
				assert.Equal(t, before.Method, sent.Method)
				assert.Equal(t, before.ContentLength, sent.ContentLength)
				assert.Equal(t, "kept", sent.Header.Get("X-Other"))
				assert.Equal(t, req.Context(), sent.Context())
				assert.Len(t, fieldValues(sent.Header, "Authorization"), 1)
			}
			assert.Empty(t, req.Header.Get("Authorization"))
			assert.True(t, before.Body == req.Body, "the caller's request keeps its body")
			assert.Equal(t, 2, source.count())

			assert.Equal(t, tokens[1], tokenFor(t, cache, params), "the new token is held")
			assert.Equal(t, 2, source.count())
		})
	}
}

// Rules 4 and 24: the answer to the second attempt is the base's own.
func TestTheAnswerToTheSecondAttemptIsTheBasesOwn(t *testing.T) {
	tokens := longLived(t, 2)
	broken := errors.New("connection reset")
	for name, test := range map[string]struct {
		resp *http.Response
		err  error
	}{
		"a response": {&http.Response{StatusCode: http.StatusTeapot, Body: newTrackedBody("short and stout")}, nil},
		"an error":   {nil, broken},
	} {
		t.Run(name, func(t *testing.T) {
			cache, _ := stale(t, nil, tokens...)
			b := &base{respond: func(req *http.Request, nth int) (*http.Response, error) {
				if nth == 1 {
					return answer(req, http.StatusUnauthorized, ""), nil
				}
				return test.resp, test.err
			}}
			resp, err := newJWTTransport(t, cache, b).RoundTrip(newRequest(t, http.MethodPost, endpoint, "body"))
			assert.True(t, err == test.err, "%v", err)
			assert.True(t, resp == test.resp)
			if resp != nil {
				assert.Zero(t, resp.Body.(*trackedBody).closes())
			}
			assert.Len(t, b.sent(), 2)
		})
	}
}

// journal is a list of what happened in which order.
type journal struct {
	mu     sync.Mutex
	events []string
}

func (j *journal) add(event string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.events = append(j.events, event)
}

// noted is a body whose Close is written down.
type noted struct {
	io.Reader
	journal *journal
	event   string
}

func (n noted) Close() error {
	n.journal.add(n.event)
	return nil
}

// Rule 24: the second body is asked for when everything else is there, so that
// none is had in vain.
func TestTheSecondBodyIsAskedForWhenTheNewTokenIsThere(t *testing.T) {
	tokens := longLived(t, 2)
	j := &journal{}
	source := sourceOf(tokens...)
	next := source.next
	source.next = func(ctx context.Context, params routeauth.Params, nth int) (string, error) {
		j.add(fmt.Sprint("token ", nth))
		return next(ctx, params, nth)
	}
	cache := newCache(t, source)
	tokenFor(t, cache, nil)
	b := &base{respond: func(req *http.Request, nth int) (*http.Response, error) {
		j.add(fmt.Sprint("sent ", nth))
		resp := answer(req, http.StatusOK, "")
		if nth == 1 {
			resp.StatusCode = http.StatusUnauthorized
		}
		resp.Body = noted{strings.NewReader(""), j, fmt.Sprint("response closed ", nth)}
		return resp, nil
	}}
	req := newRequest(t, http.MethodPost, endpoint, "")
	req.Body = noted{strings.NewReader("body"), j, "body closed 1"}
	req.GetBody = func() (io.ReadCloser, error) {
		j.add("GetBody")
		return noted{strings.NewReader("body"), j, "body closed 2"}, nil
	}
	_, err := newJWTTransport(t, cache, b).RoundTrip(req)
	require.NoError(t, err)
	assert.Equal(t, []string{
		"token 1", "body closed 1", "sent 1", "response closed 1", "token 2", "GetBody", "body closed 2", "sent 2",
	}, j.events)
	assert.Equal(t, "body", b.sent()[1].Body)
}

// Rule 24: in every other case the 401 is final. The request is sent once, and
// no second body is asked for in vain.
func TestA401IsFinal(t *testing.T) {
	tokens := longLived(t, 3)
	refuse := func(err error) func(context.Context, routeauth.Params, int) (string, error) {
		return func(_ context.Context, _ routeauth.Params, nth int) (string, error) {
			if nth == 1 {
				return tokens[0], nil
			}
			return "", err
		}
	}
	held := func(t *testing.T, source *countingSource) *routeauth.TokenCache {
		cache := newCache(t, source)
		tokenFor(t, cache, nil)
		return cache
	}
	tests := []struct {
		name    string
		source  func(t *testing.T) routeauth.TokenSource
		getBody bool
		asked   int // for a second body
	}{
		{"no cache", func(*testing.T) routeauth.TokenSource { return sourceOf(tokens...) }, true, 0},
		{"a decorator around the cache", func(t *testing.T) routeauth.TokenSource {
			return routeauth.TokenSourceFunc(held(t, sourceOf(tokens...)).Token)
		}, true, 0},
		{"a token fetched for this very request", func(t *testing.T) routeauth.TokenSource {
			return newCache(t, sourceOf(tokens...))
		}, true, 0},
		{"a token that is not kept", func(t *testing.T) routeauth.TokenSource {
			return held(t, sourceOf("opaque1", "opaque2"))
		}, true, 0},
		{"no second body", func(t *testing.T) routeauth.TokenSource { return held(t, sourceOf(tokens...)) }, false, 0},
		{"the same token again", func(t *testing.T) routeauth.TokenSource { return held(t, sourceOf(tokens[0])) }, true, 0},
		{"no new token", func(t *testing.T) routeauth.TokenSource {
			return held(t, &countingSource{next: refuse(errors.New("down"))})
		}, true, 0},
		{"the user may have none any more", func(t *testing.T) routeauth.TokenSource {
			return held(t, &countingSource{next: refuse(temporary(false))})
		}, true, 0},
		{"the new token is empty", func(t *testing.T) routeauth.TokenSource {
			return held(t, &countingSource{next: refuse(nil)})
		}, true, 0},
		{"the source panics", func(t *testing.T) routeauth.TokenSource {
			return held(t, &countingSource{next: func(_ context.Context, _ routeauth.Params, nth int) (string, error) {
				if nth > 1 {
					panic("down")
				}
				return tokens[0], nil
			}})
		}, true, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := &base{respond: func(req *http.Request, nth int) (*http.Response, error) {
				return answer(req, http.StatusUnauthorized, fmt.Sprintf(`{"detail": "answer %d"}`, nth)), nil
			}}
			body := newTrackedBody("body")
			req := newRequest(t, http.MethodPost, endpoint, "")
			req.Body = body
			asked := 0
			if test.getBody {
				req.GetBody = func() (io.ReadCloser, error) {
					asked++
					return io.NopCloser(strings.NewReader("body")), nil
				}
			}
			resp, err := newJWTTransport(t, test.source(t), b).RoundTrip(req)
			assert.Nil(t, resp)
			assert.Equal(t, "answer 1", rejectionOf(t, err).Detail)
			assert.Len(t, b.sent(), 1)
			assert.Equal(t, test.asked, asked, "bodies asked for")
			assert.Equal(t, 1, body.closes())
		})
	}
}

// Rule 24: where the body cannot be had again after all, the request is not
// sent with half of it or none.
func TestA401IsFinalWhenTheSecondBodyFails(t *testing.T) {
	tokens := longLived(t, 2)
	unsent := newTrackedBody("body")
	for name, getBody := range map[string]func() (io.ReadCloser, error){
		"an error":            func() (io.ReadCloser, error) { return nil, errors.New("gone") },
		"nil":                 func() (io.ReadCloser, error) { return nil, nil },
		"an error and a body": func() (io.ReadCloser, error) { return unsent, errors.New("gone") },
	} {
		t.Run(name, func(t *testing.T) {
			cache, _ := stale(t, nil, tokens...)
			b := rejecting(tokens[0])
			body := newTrackedBody("body")
			req := newRequest(t, http.MethodPost, endpoint, "")
			req.Body, req.GetBody = body, getBody
			resp, err := newJWTTransport(t, cache, b).RoundTrip(req)
			assert.Nil(t, resp)
			assert.Equal(t, "answer 1", rejectionOf(t, err).Detail)
			assert.Len(t, b.sent(), 1)
			assert.Equal(t, 1, body.closes())
		})
	}
	assert.Equal(t, 1, unsent.closes(), "a body had and not sent is closed")
}

// Rule 24: a second body that is sent is the base's to close.
func TestTheSecondBodyIsClosedByTheBaseAlone(t *testing.T) {
	tokens := longLived(t, 2)
	cache, _ := stale(t, nil, tokens...)
	first, second := newTrackedBody("body"), newTrackedBody("body")
	req := newRequest(t, http.MethodPost, endpoint, "")
	req.Body, req.GetBody = first, func() (io.ReadCloser, error) { return second, nil }
	b := roundTripFunc(func(req *http.Request) (*http.Response, error) {
		if tokenOf(req) == tokens[0] {
			_ = req.Body.Close()
			return answer(req, http.StatusUnauthorized, ""), nil
		}
		assert.Zero(t, second.closes())
		_ = req.Body.Close()
		_ = req.Body.Close()
		return answer(req, http.StatusOK, ""), nil
	})
	_, err := newJWTTransport(t, cache, b).RoundTrip(req)
	require.NoError(t, err)
	assert.Equal(t, 1, first.closes())
	assert.Equal(t, 1, second.closes())
}

// Rule 24: a rejected token is held no longer, also where the source hands it
// out again.
func TestARejectedTokenIsNotHeldAgain(t *testing.T) {
	tokens := longLived(t, 2)
	cache, source := stale(t, nil, tokens[0], tokens[0], tokens[1])
	_, err := newJWTTransport(t, cache, rejecting(tokens[0])).RoundTrip(newRequest(t, http.MethodGet, endpoint, ""))
	rejectionOf(t, err)
	assert.Equal(t, 2, source.count())
	assert.Equal(t, tokens[1], tokenFor(t, cache, nil))
}

// Rule 24: the second 401 is final, and its token is held no longer either.
func TestTheSecond401IsFinal(t *testing.T) {
	tokens := longLived(t, 3)
	cache, source := stale(t, nil, tokens...)
	b := rejecting(tokens[0], tokens[1])
	transport := newJWTTransport(t, cache, b)
	resp, err := transport.RoundTrip(newRequest(t, http.MethodPost, endpoint, "body"))
	assert.Nil(t, resp)
	assert.Equal(t, "answer 2", rejectionOf(t, err).Detail)
	assert.Equal(t, tokens[:2], tokensOf(b))
	assert.Equal(t, 2, source.count())

	_, err = transport.RoundTrip(newRequest(t, http.MethodPost, endpoint, "body"))
	assert.NoError(t, err)
	assert.Equal(t, tokens, tokensOf(b))
}

// Rule 26: a Detail that was not cut off ends as it ends, also with what the
// credential begins with.
func TestTheDetailOfTheSecond401EndsAsItEnds(t *testing.T) {
	tokens := longLived(t, 2)
	cache, _ := stale(t, nil, tokens...)
	b := &base{respond: func(req *http.Request, _ int) (*http.Response, error) {
		return answer(req, http.StatusUnauthorized, `{"detail": "the scheme is not Bearer"}`), nil
	}}
	_, err := newJWTTransport(t, cache, b).RoundTrip(newRequest(t, http.MethodGet, endpoint, ""))
	assert.Equal(t, "the scheme is not Bearer", rejectionOf(t, err).Detail)
	assert.Len(t, b.sent(), 2)
}

// Rules 24 and 26: nor does an error of the base that quotes them.
func TestTheErrorOfTheSecondRequestShowsNeitherToken(t *testing.T) {
	tokens := longLived(t, 2)
	cache, _ := stale(t, nil, tokens...)
	b := &base{respond: func(req *http.Request, nth int) (*http.Response, error) {
		if nth == 1 {
			return answer(req, http.StatusUnauthorized, ""), nil
		}
		return nil, fmt.Errorf("malformed response %q, %q: %w", tokens[0], tokens[1], io.ErrUnexpectedEOF)
	}}
	_, err := newJWTTransport(t, cache, b).RoundTrip(newRequest(t, http.MethodPost, endpoint, "body"))
	assert.EqualError(t, err, `malformed response "REDACTED", "REDACTED": unexpected EOF`)
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

// Rules 24 and 26: the server has seen both tokens, and the error shows neither.
func TestTheSecond401ShowsNeitherToken(t *testing.T) {
	tokens := longLived(t, 2)
	cache, _ := stale(t, nil, tokens...)
	b := &base{respond: func(req *http.Request, _ int) (*http.Response, error) {
		resp := answer(req, http.StatusUnauthorized, fmt.Sprintf(`{"detail": "%s and %s are no good"}`, tokens[0], tokens[1]))
		resp.Header.Set("X-Seen", tokens[0]+","+tokens[1])
		return resp, nil
	}}
	_, err := newJWTTransport(t, cache, b).RoundTrip(newRequest(t, http.MethodPost, endpoint, "body"))
	e := rejectionOf(t, err)
	assert.Len(t, b.sent(), 2)
	assert.Equal(t, "REDACTED and REDACTED are no good", e.Detail)
	assert.Equal(t, "REDACTED,REDACTED", e.Header.Get("X-Seen"))
	assert.NotContains(t, string(e.Body), "eyJ")
}

// Rule 24: a rejected token is discarded even where the request cannot be sent
// again, so that the next one gets a new token.
func TestARejectedTokenIsDiscarded(t *testing.T) {
	tokens := longLived(t, 2)
	for name, warm := range map[string]bool{"held": true, "fetched for this very request": false} {
		t.Run(name, func(t *testing.T) {
			cache := newCache(t, sourceOf(tokens...))
			if warm {
				tokenFor(t, cache, user(1))
			}
			b := rejecting(tokens[0])
			transport := newJWTTransport(t, cache, b)
			ctx := routeauth.ContextWithParams(t.Context(), user(1))
			req := newRequest(t, http.MethodPost, endpoint, "body").WithContext(ctx)
			req.GetBody = nil
			_, err := transport.RoundTrip(req)
			rejectionOf(t, err)
			_, err = transport.RoundTrip(newRequest(t, http.MethodPost, endpoint, "body").WithContext(ctx))
			assert.NoError(t, err)
			assert.Equal(t, tokens, tokensOf(b))
		})
	}
}

// Rule 24: any answer but a 401 leaves the token where it is.
func TestOtherAnswersDiscardNoToken(t *testing.T) {
	tokens := longLived(t, 2)
	cache, source := stale(t, nil, tokens...)
	for _, status := range []int{200, 204, 400, 403, 404, 407, 429, 500, 503} {
		b := &base{respond: func(req *http.Request, _ int) (*http.Response, error) { return answer(req, status, ""), nil }}
		resp, err := newJWTTransport(t, cache, b).RoundTrip(newRequest(t, http.MethodPost, endpoint, "body"))
		require.NoError(t, err)
		assert.Equal(t, status, resp.StatusCode)
		assert.Equal(t, tokens[:1], tokensOf(b))
	}
	assert.Equal(t, 1, source.count())
}

// Rule 24: a hundred requests whose shared token went stale make one fetch,
// whether their 401s come at the same time or one after the other.
func TestAHundredStaleRequestsMakeOneFetch(t *testing.T) {
	for name, apart := range map[string]time.Duration{"at once": 0, "one after the other": 100 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tokens := longLived(t, 2)
				source := sourceOf(tokens...)
				cache := newCache(t, source)
				tokenFor(t, cache, nil)
				after(2*time.Second, source)
				b := &base{}
				b.respond = func(req *http.Request, nth int) (*http.Response, error) {
					if tokenOf(req) == tokens[0] {
						advance(time.Second + time.Duration(nth)*apart)
						return answer(req, http.StatusUnauthorized, ""), nil
					}
					return answer(req, http.StatusOK, ""), nil
				}
				transport := newJWTTransport(t, cache, b)
				var requests sync.WaitGroup
				for range 100 {
					requests.Go(func() {
						resp, err := transport.RoundTrip(newRequest(t, http.MethodPost, endpoint, "body"))
						if assert.NoError(t, err) {
							assert.Equal(t, http.StatusOK, resp.StatusCode)
						}
					})
				}
				requests.Wait()
				assert.Equal(t, 2, source.count())
				assert.Len(t, b.sent(), 200)
			})
		})
	}
}

// Rule 24: callers who waited for the same fetch got a token that was fetched
// for their very request, each of them.
func TestA401ToASharedFetchIsFinalForEverybody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tokens := longLived(t, 2)
		source := after(time.Second, sourceOf(tokens...))
		b := rejecting(tokens[0])
		transport := newJWTTransport(t, newCache(t, source), b)
		var requests sync.WaitGroup
		for range 10 {
			requests.Go(func() {
				_, err := transport.RoundTrip(newRequest(t, http.MethodPost, endpoint, "body"))
				assert.ErrorIs(t, err, routeauth.ErrUnauthorized)
			})
		}
		requests.Wait()
		assert.Len(t, b.sent(), 10)
		assert.Equal(t, 1, source.count())
	})
}

// Rule 24: who gives up while the new token is fetched keeps the 401.
func TestA401IsFinalForARequestThatEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tokens := longLived(t, 2)
		source := sourceOf(tokens...)
		cache := newCache(t, source)
		tokenFor(t, cache, nil)
		after(5*time.Second, source)
		b := rejecting(tokens[0])
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := newJWTTransport(t, cache, b).RoundTrip(newRequest(t, http.MethodPost, endpoint, "body").WithContext(ctx))
		rejectionOf(t, err)
		assert.Len(t, b.sent(), 1)
		advance(5 * time.Second)
		assert.Equal(t, tokens[1], tokenFor(t, cache, nil), "the fetch went on")
		assert.Equal(t, 2, source.count())
	})
}

// Rule 24: a rejected token leaves those of other params alone.
func TestARejectedTokenLeavesOtherParamsAlone(t *testing.T) {
	tokens := longLived(t, 3)
	cache, source := stale(t, user(1), tokens...)
	tokenFor(t, cache, user(2))
	b := rejecting(tokens[0])
	ctx := routeauth.ContextWithParams(t.Context(), user(1))
	_, err := newJWTTransport(t, cache, b).RoundTrip(newRequest(t, http.MethodPost, endpoint, "body").WithContext(ctx))
	require.NoError(t, err)
	assert.Equal(t, []string{tokens[0], tokens[2]}, tokensOf(b))
	assert.Equal(t, tokens[1], tokenFor(t, cache, user(2)))
	assert.Equal(t, 3, source.count())
}

// Rules 15 and 24: JWTAuth passes its params and its cache on.
func TestJWTAuthTakesParamsAndReplacesRejectedTokens(t *testing.T) {
	tokens := longLived(t, 2)
	params := routeauth.Params{"sku": "1"}
	cache, source := stale(t, params, tokens...)
	b := rejecting(tokens[0])
	policy, err := routeauth.NewPolicy("https://api.example.com", nil)
	require.NoError(t, err)
	auth := routeauth.JWTAuth{SubscriptionID: "sub", Source: cache, Params: routeauth.BodyParams("sku")}
	transport, err := routeauth.New(policy, auth, b)
	require.NoError(t, err)
	req := newRequest(t, http.MethodPost, endpoint, `{"sku":"1"}`)
	resp, err := transport.RoundTrip(req)
	require.NoError(t, err)
	assert.Same(t, req, resp.Request)
	assert.Equal(t, tokens, tokensOf(b))
	assert.Equal(t, 2, source.count(), "the token was held for these params")
}

// Rules 6 and 31.
func TestNewJWTTransportReportsEverythingThatIsWrong(t *testing.T) {
	for _, source := range []routeauth.TokenSource{
		nil, routeauth.TokenSourceFunc(nil), (*routeauth.TokenCache)(nil), (*routeauth.RemoteTokenSource)(nil), (*countingSource)(nil),
	} {
		transport, err := routeauth.NewJWTTransport(source, nil)
		assert.ErrorContains(t, err, "token source is", "%T", source)
		assert.Nil(t, transport)
	}
	for want, opt := range map[string]routeauth.JWTOption{
		"params function is": routeauth.WithParams(nil),
		"option is nil":      nil,
	} {
		transport, err := routeauth.NewJWTTransport(sourceOf("token"), nil, opt)
		assert.ErrorContains(t, err, want)
		assert.Nil(t, transport)
	}
	_, err := routeauth.NewJWTTransport(nil, (*base)(nil), nil, routeauth.WithParams(nil))
	for _, want := range []string{"token source", "base is a nil", "option is nil", "params function"} {
		assert.ErrorContains(t, err, want)
	}
	_, _, err = routeauth.JWTAuth{SubscriptionID: "a b"}.RoundTrippers(nil)
	assert.ErrorContains(t, err, "token source")
	assert.ErrorContains(t, err, "subscription ID")
}

// A transport or a source that no constructor made sends nothing, and trying
// again does not help.
func TestAJWTTransportWithoutItsConstructorSendsNothing(t *testing.T) {
	b := &base{}
	for name, transport := range map[string]*routeauth.JWTTransport{
		"JWTTransport":      {},
		"TokenCache":        newJWTTransport(t, &routeauth.TokenCache{}, b),
		"RemoteTokenSource": newJWTTransport(t, &routeauth.RemoteTokenSource{}, b),
	} {
		body := newTrackedBody("body")
		req := newRequest(t, http.MethodPost, endpoint, "")
		req.Body = body
		_, err := transport.RoundTrip(req)
		var e *routeauth.CredentialError
		if assert.ErrorAs(t, err, &e, name) {
			assert.False(t, e.Temporary(), name)
		}
		assert.Equal(t, 1, body.closes(), name)
		transport.CloseIdleConnections()
	}
	assert.Empty(t, b.sent())
}

// asPermanent is an error that is found by its method As alone.
type asPermanent struct{ error }

func (e asPermanent) As(target any) bool {
	return errors.As(routeauth.Permanent(e.error), target) ||
		errors.As(&routeauth.CredentialError{Err: e.error}, target)
}
