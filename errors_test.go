package routeauth_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/routeauth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	errorsURL = "https://api.example.com/v1/operations"
	echoedKey = `sk-live/4f"9\c1+e7=`
)

// carrier makes a wrapper that sends a secret.
type carrier struct {
	name   string
	scheme routeauth.Scheme
	over   func(base http.RoundTripper) (http.RoundTripper, error)
}

// carriersOf returns each kind of wrapper that carries a secret, with this one.
func carriersOf(secret string) []carrier {
	return []carrier{
		{"API key", routeauth.SchemeAPIKey, func(base http.RoundTripper) (http.RoundTripper, error) {
			return routeauth.NewAPIKeyTransport(routeauth.Secret(secret), base)
		}},
		{"JWT", routeauth.SchemeJWT, func(base http.RoundTripper) (http.RoundTripper, error) {
			return routeauth.NewJWTTransport(handsOut(secret), base)
		}},
		{"JWT out of a cache", routeauth.SchemeJWT, func(base http.RoundTripper) (http.RoundTripper, error) {
			cache, err := routeauth.NewTokenCache(handsOut(secret))
			if err != nil {
				return nil, err
			}
			return routeauth.NewJWTTransport(cache, base)
		}},
		{"header value", "tenant", func(base http.RoundTripper) (http.RoundTripper, error) {
			return routeauth.NewHeaderTransport("tenant", "X-Tenant", routeauth.Secret(secret), base)
		}},
		{"header value with a scheme", "token", func(base http.RoundTripper) (http.RoundTripper, error) {
			return routeauth.NewHeaderTransport("token", "Authorization", routeauth.Secret("Token "+secret), base)
		}},
	}
}

// everyCarrierOf returns each kind of wrapper for one key, and one kind for
// each other key: which wrapper it is and what the key is are independent.
func everyCarrierOf(key string) []carrier {
	if key == echoedKey {
		return carriersOf(key)
	}
	return carriersOf(key)[:1]
}

func handsOut(token string) routeauth.TokenSource {
	return tokenFunc(func(context.Context, routeauth.Params) (string, error) { return token, nil })
}

// denying is a base that answers 401 with whatever change makes of it.
func denying(change func(resp *http.Response)) http.RoundTripper {
	return roundTripFunc(func(req *http.Request) (*http.Response, error) {
		resp := answer(req, http.StatusUnauthorized, "")
		if change != nil {
			change(resp)
		}
		return resp, nil
	})
}

func withBody(body string) func(resp *http.Response) {
	return func(resp *http.Response) { resp.Body = io.NopCloser(strings.NewReader(body)) }
}

// rejection sends a request and returns the error that it is to end with.
func rejection(t testing.TB, c carrier, change func(resp *http.Response)) *routeauth.UnauthorizedError {
	t.Helper()
	transport, err := c.over(denying(change))
	require.NoError(t, err)
	resp, err := transport.RoundTrip(newRequest(t, "POST", errorsURL, ""))
	require.Nil(t, resp)
	var unauthorized *routeauth.UnauthorizedError
	require.ErrorAs(t, err, &unauthorized)
	return unauthorized
}

func keyRejection(t testing.TB, key string, change func(resp *http.Response)) *routeauth.UnauthorizedError {
	t.Helper()
	return rejection(t, carriersOf(key)[0], change)
}

// matched returns which of the package's sentinels and types an error is.
func matched(err error) (names []string) {
	var unauthorized *routeauth.UnauthorizedError
	var credential *routeauth.CredentialError
	for _, m := range []struct {
		name string
		is   bool
	}{
		{"ErrUnauthorized", errors.Is(err, routeauth.ErrUnauthorized)},
		{"UnauthorizedError", errors.As(err, &unauthorized)},
		{"CredentialError", errors.As(err, &credential)},
	} {
		if m.is {
			names = append(names, m.name)
		}
	}
	return names
}

func TestAnUnauthorizedErrorSaysWhatTheResponseSaid(t *testing.T) {
	for _, c := range carriersOf("abcdef") {
		transport, err := c.over(denying(func(resp *http.Response) {
			resp.Header.Add("Www-Authenticate", `Bearer error="invalid_token"`)
			resp.Header.Add("Www-Authenticate", "Basic")
			resp.Header.Set("X-Cloud-Trace-Context", "105445aa7843bc8b/1")
			resp.Body = io.NopCloser(strings.NewReader(`{"detail": "The key was revoked."}`))
		}))
		require.NoError(t, err)
		_, err = transport.RoundTrip(newRequest(t, "POST",
			"https://user:password@api.example.com/v1/a%2Fb%20c?access=granted#fragment", "{}"))

		assert.Equal(t, &routeauth.UnauthorizedError{
			Scheme: c.scheme,
			Method: "POST",
			URL:    "https://api.example.com/v1/a%2Fb%20c",
			Header: http.Header{
				"Www-Authenticate":      {`Bearer error="invalid_token"`, "Basic"},
				"X-Cloud-Trace-Context": {"105445aa7843bc8b/1"},
			},
			Body:      []byte(`{"detail": "The key was revoked."}`),
			Detail:    "The key was revoked.",
			RequestID: "105445aa7843bc8b/1",
		}, err, c.name)
	}
}

// Rule 26: method, URL, 401, scheme, Detail and request ID.
func TestTheTextOfAnUnauthorizedErrorNamesTheCall(t *testing.T) {
	e := &routeauth.UnauthorizedError{Scheme: "tenant", Method: "PUT", URL: "https://api.example.com/x", Detail: "No such tenant."}
	assert.Equal(t, "routeauth: PUT https://api.example.com/x: 401: the server rejected the tenant credential: No such tenant.", e.Error())
	e.RequestID = "105445aa/1"
	assert.Equal(t, "routeauth: PUT https://api.example.com/x: 401: the server rejected the tenant credential: No such tenant. (request ID 105445aa/1)", e.Error())
	e.Detail = ""
	assert.Equal(t, "routeauth: PUT https://api.example.com/x: 401: the server rejected the tenant credential (request ID 105445aa/1)", e.Error())
	e.RequestID = ""
	assert.Equal(t, "routeauth: PUT https://api.example.com/x: 401: the server rejected the tenant credential", e.Error())
}

// Rule 6.
func TestErrorsOfARequestWithoutMethodSayGET(t *testing.T) {
	transport, err := routeauth.NewAPIKeyTransport("abcdef", denying(nil))
	require.NoError(t, err)
	req := newRequest(t, "", errorsURL, "")
	req.Method = ""
	_, err = transport.RoundTrip(req)
	var unauthorized *routeauth.UnauthorizedError
	require.ErrorAs(t, err, &unauthorized)
	assert.Equal(t, "GET", unauthorized.Method)

	req.URL = nil
	_, err = transport.RoundTrip(req)
	var credential *routeauth.CredentialError
	require.ErrorAs(t, err, &credential)
	assert.Equal(t, "GET", credential.Method)
}

func TestTheRequestIDIsTheCloudTraceContextOrElseXRequestID(t *testing.T) {
	for _, test := range []struct{ trace, id, want string }{
		{"trace", "id", "trace"},
		{"trace", "", "trace"},
		{"", "id", "id"},
		{"", "", ""},
	} {
		e := keyRejection(t, "abcdef", func(resp *http.Response) {
			resp.Header.Set("X-Cloud-Trace-Context", test.trace)
			resp.Header.Set("X-Request-Id", test.id)
		})
		assert.Equal(t, test.want, e.RequestID, "%+v", test)
	}
}

func TestA401WithoutBodyOrHeaderIsAnUnauthorizedErrorToo(t *testing.T) {
	e := keyRejection(t, "abcdef", func(resp *http.Response) { resp.Body, resp.Header = nil, nil })
	assert.Empty(t, e.Body)
	assert.Empty(t, e.Header)
	assert.Empty(t, e.Detail)
	assert.Empty(t, e.RequestID)
}

func TestTheErrorsBodyIsTheFirst4KiB(t *testing.T) {
	letters := strings.Repeat("abcdefghijklmnopqrstuvwxyz", 1000)
	for _, size := range []int{0, 1, 4095, 4096, 4097, 20000} {
		e := keyRejection(t, "0123456789", withBody(letters[:size]))
		assert.Equal(t, letters[:min(size, 4096)], string(e.Body), "%d bytes", size)
	}
}

func TestABodyWithAContentEncodingIsNotKept(t *testing.T) {
	for _, test := range []struct {
		coding []string
		kept   bool
	}{
		{nil, true},
		{[]string{""}, true},
		{[]string{"identity"}, true},
		{[]string{"Identity"}, true},
		{[]string{"gzip"}, false},
		{[]string{"br"}, false},
		{[]string{"identity, gzip"}, false},
		{[]string{"identity", "gzip"}, false},
	} {
		e := keyRejection(t, "abcdef", func(resp *http.Response) {
			resp.Header["Content-Encoding"] = test.coding
			resp.Header.Set("X-Request-Id", "17")
			resp.Body = io.NopCloser(strings.NewReader(`{"detail": "no"}`))
		})
		assert.Equal(t, "17", e.RequestID)
		if test.kept {
			assert.Equal(t, `{"detail": "no"}`, string(e.Body), "%q", test.coding)
			assert.Equal(t, "no", e.Detail, "%q", test.coding)
		} else {
			assert.Nil(t, e.Body, "%q", test.coding)
			assert.Empty(t, e.Detail, "%q", test.coding)
		}
	}
}

func TestErrorsAreFoundThroughAClient(t *testing.T) {
	transport, err := routeauth.NewAPIKeyTransport("abcdef", denying(withBody(`{"detail": "no"}`)))
	require.NoError(t, err)
	client := &http.Client{Transport: transport}
	_, err = client.Get(errorsURL + "?page=2")

	var urlErr *url.Error
	require.ErrorAs(t, err, &urlErr, "net/http's own, around ours")
	require.ErrorIs(t, err, routeauth.ErrUnauthorized)
	var unauthorized *routeauth.UnauthorizedError
	require.ErrorAs(t, err, &unauthorized)
	assert.Equal(t, "no", unauthorized.Detail)
	assert.Equal(t, errorsURL, unauthorized.URL)

	assert.NotErrorIs(t, unauthorized, io.EOF)
	assert.NotErrorIs(t, io.EOF, routeauth.ErrUnauthorized)
}

// Each failure is exactly one of the package's errors, or none.
func TestEachFailureIsOneKindOfError(t *testing.T) {
	jwtWith := func(source routeauth.TokenSource, base http.RoundTripper, opts ...routeauth.JWTOption) http.RoundTripper {
		transport, err := routeauth.NewJWTTransport(source, base, opts...)
		require.NoError(t, err)
		return transport
	}
	keyOver := func(base http.RoundTripper) http.RoundTripper {
		transport, err := routeauth.NewAPIKeyTransport("abcdef", base)
		require.NoError(t, err)
		return transport
	}
	subscription, err := routeauth.NewSubscriptionTransport("66ec1726", denying(nil))
	require.NoError(t, err)
	answers := func(status int) http.RoundTripper {
		return roundTripFunc(func(req *http.Request) (*http.Response, error) { return answer(req, status, ""), nil })
	}
	failing := roundTripFunc(func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF })
	sourceError := tokenFunc(func(context.Context, routeauth.Params) (string, error) {
		return "", errors.New("backend is down")
	})
	paramsError := routeauth.WithParams(func(*http.Request) (routeauth.Params, error) { return nil, errors.New("no params") })

	unauthorized := []string{"ErrUnauthorized", "UnauthorizedError"}
	credential := []string{"CredentialError"}
	for name, test := range map[string]struct {
		transport http.RoundTripper
		want      []string
	}{
		"401 to an API key":               {keyOver(denying(nil)), unauthorized},
		"401 to a token":                  {jwtWith(handsOut("abc"), denying(nil)), unauthorized},
		"401 to a subscription ID":        {subscription, unauthorized},
		"403":                             {keyOver(answers(403)), nil},
		"407":                             {keyOver(answers(407)), nil},
		"500":                             {keyOver(answers(500)), nil},
		"the base failed":                 {keyOver(failing), nil},
		"the base answered nothing":       {keyOver(roundTripFunc(func(*http.Request) (*http.Response, error) { return nil, nil })), nil},
		"the source failed":               {jwtWith(sourceError, denying(nil)), credential},
		"an empty token":                  {jwtWith(handsOut(""), denying(nil)), credential},
		"an ill-formed token":             {jwtWith(handsOut("a b"), denying(nil)), credential},
		"params failed":                   {jwtWith(handsOut("abc"), denying(nil), paramsError), credential},
		"a transport without constructor": {&routeauth.Transport{}, credential},
	} {
		resp, direct := test.transport.RoundTrip(newRequest(t, "GET", errorsURL, ""))
		if resp != nil {
			assert.NoError(t, direct, name)
		}
		assert.Equal(t, test.want, matched(direct), name)

		_, throughClient := (&http.Client{Transport: test.transport}).Do(newRequest(t, "GET", errorsURL, ""))
		assert.Equal(t, test.want, matched(throughClient), "%s, through a client", name)
	}
}

// Rule 18.
func TestACredentialErrorSaysWhatWasNotSentAndWhy(t *testing.T) {
	down := errors.New("backend is down")
	source := tokenFunc(func(context.Context, routeauth.Params) (string, error) {
		return "", fmt.Errorf("asking: %w", down)
	})
	to := &base{}
	transport, err := routeauth.NewJWTTransport(source, to)
	require.NoError(t, err)
	body := newTrackedBody("{}")
	req := newRequest(t, "POST", "https://user:password@api.example.com/v1/a%2Fb?access=granted#fragment", "")
	req.Body = body

	_, err = (&http.Client{Transport: transport}).Do(req)
	var credential *routeauth.CredentialError
	require.ErrorAs(t, err, &credential)
	assert.Equal(t, routeauth.SchemeJWT, credential.Scheme)
	assert.Equal(t, "POST", credential.Method)
	assert.Equal(t, "https://api.example.com/v1/a%2Fb", credential.URL)
	assert.EqualError(t, credential.Err, "asking: backend is down")
	assert.Equal(t, credential.Err, errors.Unwrap(credential))
	assert.ErrorIs(t, err, down)
	assert.EqualError(t, credential,
		"routeauth: POST https://api.example.com/v1/a%2Fb: not sent, no jwt credential: asking: backend is down")
	assert.Empty(t, to.sent(), "requests that reached the base")
	assert.Equal(t, 1, body.closes())
}

// Rule 26: a password that was written into the URL's host by hand is not shown.
func TestAnErrorDoesNotShowAPasswordInTheHost(t *testing.T) {
	req := newRequest(t, "GET", endpoint, "")
	req.URL.Host = "ada:hunter2@api.example.com"
	_, err := newJWTTransport(t, failing(errors.New("down")), &base{}).RoundTrip(req)
	e := credentialErrorOf(t, err)
	assert.NotContains(t, e.Error()+e.URL, "hunter2")
	assert.Contains(t, e.URL, "//api.example.com/")
}

func TestTheTextOfACredentialErrorWithoutScheme(t *testing.T) {
	e := &routeauth.CredentialError{Method: "GET", URL: "https://api.example.com/x", Err: io.EOF}
	assert.EqualError(t, e, "routeauth: GET https://api.example.com/x: not sent: EOF")
	assert.False(t, e.Temporary())
}

// Rule 18: a deadline that passed is a timeout, also where the source's error does
// not wrap what the context says.
func TestADeadlineThatPassedIsATimeoutWhateverTheSourceSays(t *testing.T) {
	budget := errors.New("the budget is used up")
	opaque := func(ctx context.Context) error { return fmt.Errorf("vault: %v", ctx.Err()) }
	for name, test := range map[string]struct {
		says func(ctx context.Context) error
		late bool
		want bool
	}{
		"opaque":            {opaque, true, true},
		"the cause":         {context.Cause, true, true},
		"before it":         {func(context.Context) error { return budget }, false, false},
		"canceled":          {opaque, false, false},
		"an ill-formed one": {func(context.Context) error { return nil }, true, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, budget)
			defer cancel()
			transport, err := routeauth.NewJWTTransport(tokenFunc(func(ctx context.Context, _ routeauth.Params) (string, error) {
				if test.late {
					<-ctx.Done()
				} else if name == "canceled" {
					cancel()
				}
				return "ill formed", test.says(ctx)
			}), &base{})
			require.NoError(t, err)
			_, err = transport.RoundTrip(newRequest(t, "GET", errorsURL, "").WithContext(ctx))
			e := credentialErrorOf(t, err)
			assert.Equal(t, test.want, e.Timeout(), name)
			assert.Equal(t, test.want, os.IsTimeout(err), name)
		})
	}

	// What is refused at any time is no timeout.
	ctx, cancel := context.WithTimeout(t.Context(), -1)
	defer cancel()
	policy, err := routeauth.NewPolicy(apiURL, nil)
	require.NoError(t, err)
	transport, err := routeauth.New(policy, routeauth.APIKeyAuth{APIKey: apiKey}, &base{})
	require.NoError(t, err)
	_, err = transport.RoundTrip(newRequest(t, "GET", apiURL+"/a/../b", "").WithContext(ctx))
	require.ErrorIs(t, err, routeauth.ErrRefusedPath)
	assert.False(t, os.IsTimeout(err))
}

// Rules 17 and 18: what the source handed out is not shown.
func TestACredentialErrorDoesNotShowAnIllFormedToken(t *testing.T) {
	for _, c := range carriersOf("eyJhbGciOi\x7fJIUzI1NiJ9") {
		if c.scheme != routeauth.SchemeJWT {
			continue
		}
		transport, err := c.over(&base{})
		require.NoError(t, err)
		_, err = transport.RoundTrip(newRequest(t, "GET", errorsURL, ""))
		var credential *routeauth.CredentialError
		require.ErrorAs(t, err, &credential)
		for _, verb := range []string{"%v", "%+v", "%#v", "%q"} {
			assert.NotContains(t, cmp.Or(fmt.Sprintf(verb, err), "?"), "eyJhbGci", c.name)
		}
		assert.Regexp(t, `byte 0x7f at offset 10\b`, err.Error())
	}
}

// Rule 26: an error that is kept holds no more memory than it shows.
func TestAnErrorKeepsNoMoreThanItShows(t *testing.T) {
	const kept = 50
	detail := strings.Repeat("d", 50<<10)
	errs := make([]*routeauth.UnauthorizedError, 0, kept)
	before := heapInUse()
	for range kept {
		e := keyRejection(t, "abcdef", withBody(`{"detail": "`+detail+`"}`))
		require.Len(t, e.Body, 4<<10)
		require.Len(t, e.Detail, 4<<10)
		errs = append(errs, e)
	}
	perError := (heapInUse() - before) / kept
	assert.Less(t, perError, int64(16<<10), "bytes for each error")
	runtime.KeepAlive(errs)
}

func heapInUse() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

func TestAnEndpointErrorSaysWhatThereIsToSay(t *testing.T) {
	for want, err := range map[string]*routeauth.EndpointError{
		"token endpoint https://a.example/jwt: 503 Service Unavailable": {Endpoint: "https://a.example/jwt", StatusCode: 503},
		"token endpoint https://a.example/jwt: 599":                     {Endpoint: "https://a.example/jwt", StatusCode: 599},
		"token endpoint https://a.example/jwt: 599: closed":             {Endpoint: "https://a.example/jwt", StatusCode: 599, Detail: "closed"},
	} {
		assert.EqualError(t, err, want)
	}
}
