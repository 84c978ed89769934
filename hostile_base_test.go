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
	"strings"
	"testing"

	"example.com/routeauth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// brokenErrors are errors that cannot be read or searched.
func brokenErrors() map[string]error {
	return map[string]error{
		"a nil *url.Error":             (*url.Error)(nil),
		"a nil *net.OpError":           (*net.OpError)(nil),
		"a nil *UnauthorizedError":     (*routeauth.UnauthorizedError)(nil),
		"a nil *CredentialError":       (*routeauth.CredentialError)(nil),
		"an embedded error that is no": struct{ error }{nil},
		"a wrapped nil *url.Error":     fmt.Errorf("sdk: %w", (*url.Error)(nil)),
		"a joined nil *net.OpError":    errors.Join(errors.New("cut"), fmt.Errorf("%w", (*net.OpError)(nil))),
		"one whose Is panics":          panicsWhenAsked{},
	}
}

type panicsWhenAsked struct{}

func (panicsWhenAsked) Error() string { return "asks for trouble" }
func (panicsWhenAsked) Is(error) bool { panic("asked") }

// Rule 6: an error of the base that cannot be read is an error that can.
func TestABrokenErrorOfTheBaseMakesNoPanic(t *testing.T) {
	forEachWrapper(t, func(t *testing.T, w wrapper, over func(http.RoundTripper) http.RoundTripper) {
		for name, broken := range brokenErrors() {
			transport := over(roundTripFunc(func(*http.Request) (*http.Response, error) { return nil, broken }))
			resp, err := transport.RoundTrip(newRequest(t, "GET", w.url, ""))
			assert.Nil(t, resp, name)
			require.Error(t, err, name)
			assert.NotEmpty(t, err.Error(), name)
			assert.NotErrorIs(t, err, routeauth.ErrUnauthorized, name)
		}
	})
}

// Rules 6 and 18: so is that of a source, and nothing is sent.
func TestABrokenErrorOfASourceMakesNoPanic(t *testing.T) {
	for name, broken := range brokenErrors() {
		for _, cached := range []bool{false, true} {
			var source routeauth.TokenSource = tokenFunc(func(context.Context, routeauth.Params) (string, error) {
				return "token", broken
			})
			if cached {
				source = newCache(t, source)
			}
			b := &base{}
			_, err := newJWTTransport(t, source, b).RoundTrip(newRequest(t, "GET", endpoint, ""))
			e := credentialErrorOf(t, err)
			assert.NotEmpty(t, e.Error(), name)
			assert.True(t, e.Temporary(), name)
			assert.False(t, e.Timeout(), name)
			assert.Empty(t, b.sent(), name)
		}
	}
}

// netError is net.Error with its deprecated method.
type netError interface {
	error
	Timeout() bool
	Temporary() bool
}

// interrupted is an error of the network that quotes what was sent.
type interrupted struct{ timeout, temporary bool }

func (e interrupted) Error() string   { return "interrupted while writing " + planted }
func (e interrupted) Timeout() bool   { return e.timeout }
func (e interrupted) Temporary() bool { return e.temporary }

// Rule 18: an error that stands for another one answers as that one does.
func TestAnErrorWhoseTextIsHiddenStaysANetError(t *testing.T) {
	for _, want := range []interrupted{{}, {timeout: true}, {temporary: true}} {
		transport := newJWTTransport(t, handsOut(planted), roundTripFunc(func(*http.Request) (*http.Response, error) { return nil, want }))
		_, err := transport.RoundTrip(newRequest(t, "GET", endpoint, ""))
		require.Error(t, err)
		assert.NotContains(t, err.Error(), planted)
		var got netError
		require.ErrorAs(t, err, &got)
		assert.Equal(t, want, interrupted{got.Timeout(), got.Temporary()})
	}
}

// Rules 18 and 26: also where it stands deeper in the error.
func TestATimeoutInAnErrorWhoseTextIsHiddenIsFound(t *testing.T) {
	late := fmt.Errorf("proxy said %s: %w", planted, &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded})
	transport := newJWTTransport(t, handsOut(planted), roundTripFunc(func(*http.Request) (*http.Response, error) { return nil, late }))
	_, err := transport.RoundTrip(newRequest(t, "GET", endpoint, ""))
	assert.EqualError(t, err, "proxy said REDACTED: read: i/o timeout")
	var got netError
	require.ErrorAs(t, err, &got)
	assert.True(t, got.Timeout())
	assert.True(t, got.Temporary())
	assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
	var clean *net.OpError
	require.ErrorAs(t, err, &clean, "what has nothing to hide is found")
	assert.Equal(t, "read", clean.Op)
}

// Rule 26: no error in an error can be printed that holds the credential, however
// it is taken out, and whatever stands around it.
func TestNoErrorInsideAnErrorOfTheBaseHoldsTheCredential(t *testing.T) {
	quoting := &net.OpError{Op: "read", Err: errors.New("bad line " + planted)}
	failed := &routeauth.CredentialError{Scheme: "below", Err: quoting}
	clean := &os.PathError{Op: "open", Path: "/x", Err: os.ErrNotExist}
	for name, broken := range map[string]error{
		"wrapped":                          fmt.Errorf("outer: %w", quoting),
		"in a silent error":                &silentError{quoting},
		"in a permanent one":               routeauth.Permanent(&silentError{quoting}),
		"joined":                           errors.Join(clean, quoting),
		"joined, in a silent one":          &silentError{errors.Join(quoting, clean)},
		"in a credential error":            failed,
		"deep in another":                  &silentError{fmt.Errorf("below: %w", failed)},
		"that only As has":                 &onlyAs{failed},
		"a rejection that As has":          &onlyAs{&routeauth.UnauthorizedError{Detail: planted}},
		"in the URL of a credential error": &silentError{&routeauth.CredentialError{URL: planted, Err: clean}},
	} {
		transport := newJWTTransport(t, handsOut(planted), roundTripFunc(func(*http.Request) (*http.Response, error) { return nil, broken }))
		_, err := transport.RoundTrip(newRequest(t, "GET", endpoint, ""))
		require.Error(t, err, name)
		var walk func(err error)
		walk = func(err error) {
			assert.NotContains(t, fmt.Sprintf("%v %+v", err, err), planted, name)
			switch err := err.(type) {
			case interface{ Unwrap() error }:
				if inner := err.Unwrap(); inner != nil {
					walk(inner)
				}
			case interface{ Unwrap() []error }:
				for _, inner := range err.Unwrap() {
					walk(inner)
				}
			}
		}
		walk(err)
		var network *net.OpError
		assert.False(t, errors.As(err, &network), name)
		var path *os.PathError
		assert.Equal(t, errors.As(broken, &path), errors.As(err, &path), name)
		var credential, rawCredential *routeauth.CredentialError
		assert.Equal(t, errors.As(broken, &rawCredential), errors.As(err, &credential), name)
		if credential != nil {
			walk(credential)
			assert.Equal(t, rawCredential.Scheme, credential.Scheme, name)
		}
		var rejected *routeauth.UnauthorizedError
		if errors.As(err, &rejected) {
			assert.Equal(t, "REDACTED", rejected.Detail, name)
		}
	}
}

// onlyAs is an error that wraps nothing and is found by its method As.
type onlyAs struct{ err error }

func (*onlyAs) Error() string        { return "it failed" }
func (e *onlyAs) As(target any) bool { return errors.As(e.err, target) }

// Rule 6: methods of the package's errors take a nil receiver.
func TestNilErrorsOfThePackageMakeNoPanic(t *testing.T) {
	var unauthorized *routeauth.UnauthorizedError
	assert.NotEmpty(t, unauthorized.Error())
	assert.True(t, unauthorized.Is(routeauth.ErrUnauthorized))
	var credential *routeauth.CredentialError
	assert.NotEmpty(t, credential.Error())
	assert.NoError(t, credential.Unwrap())
	assert.False(t, credential.Temporary())
	assert.False(t, credential.Timeout())
}

// Rule 4: of a base that returns a response and an error, the error counts.
func TestAResponseThatComesWithAnErrorIsClosed(t *testing.T) {
	forEachWrapper(t, func(t *testing.T, w wrapper, over func(http.RoundTripper) http.RoundTripper) {
		for _, url := range []string{w.url, "https://other.example.com/"} {
			for _, status := range []int{200, 302, 401} {
				body, failure := newTrackedBody("both"), errors.New("too many redirects")
				transport := over(roundTripFunc(func(req *http.Request) (*http.Response, error) {
					resp := answer(req, status, "")
					resp.Body = body
					return resp, failure
				}))
				resp, err := transport.RoundTrip(newRequest(t, "GET", url, ""))
				assert.Nil(t, resp)
				assert.Equal(t, failure, err)
				assert.Equal(t, 1, body.closes())
			}
		}
	})
}

type panicsOnClose struct{ io.Reader }

func (panicsOnClose) Close() error { panic("closed") }

// Rule 6.
func TestA401WhoseBodyPanicsOnCloseIsAnUnauthorizedError(t *testing.T) {
	forEachWrapper(t, func(t *testing.T, w wrapper, over func(http.RoundTripper) http.RoundTripper) {
		for _, failure := range []error{nil, errors.New("cut")} {
			transport := over(roundTripFunc(func(req *http.Request) (*http.Response, error) {
				resp := answer(req, 401, "")
				resp.Body = panicsOnClose{strings.NewReader("no")}
				return resp, failure
			}))
			_, err := transport.RoundTrip(newRequest(t, "GET", w.url, ""))
			assert.Equal(t, failure == nil, errors.Is(err, routeauth.ErrUnauthorized))
		}
	})
}

// Rule 1: where the request goes is decided once.
func TestTheURLIsTheDecisionsOwn(t *testing.T) {
	forEachWrapper(t, func(t *testing.T, w wrapper, over func(http.RoundTripper) http.RoundTripper) {
		req := newRequest(t, "GET", w.url, "")
		b := roundTripFunc(func(sent *http.Request) (*http.Response, error) {
			assert.Equal(t, w.url, sent.URL.String())
			sent.URL.Host, sent.URL.Path = "written.example.com", "/by/the/base"
			return answer(sent, 200, ""), nil
		})
		_, err := over(b).RoundTrip(req)
		require.NoError(t, err)
		assert.Equal(t, w.url, req.URL.String())
	})

	// While a token is fetched, or while somebody else's transport is asked.
	for _, optional := range []bool{false, true} {
		policy, err := routeauth.NewPolicy(apiURL, routes)
		require.NoError(t, err)
		url := mandatoryURL
		if optional {
			url = optionalURL
		}
		req := newRequest(t, "GET", url, "")
		astray := func() { req.URL.Host, req.URL.Scheme, req.Method = "evil.example.com", "http", "POST" }
		source := tokenFunc(func(context.Context, routeauth.Params) (string, error) {
			astray()
			return token, nil
		})
		b := &base{}
		transport, err := routeauth.New(policy, authFunc(func(base http.RoundTripper) (mandatory, optional http.RoundTripper, err error) {
			jwt, err := routeauth.NewJWTTransport(source, base)
			return jwt, roundTripFunc(func(req *http.Request) (*http.Response, error) {
				astray()
				return jwt.RoundTrip(req)
			}), err
		}), b)
		require.NoError(t, err)
		resp, err := transport.RoundTrip(req)
		require.NoError(t, err)
		assert.Equal(t, url, b.only(t).URL.String())
		assert.Equal(t, http.MethodGet, b.only(t).Method)
		assert.Same(t, req, resp.Request)
	}
}

// Rule 3: so it is where an own Auth's transport adds its credential to a copy of
// the request, as most do.
func TestAResponseOfAnOwnAuthNamesTheCallersRequest(t *testing.T) {
	policy, err := routeauth.NewPolicy(apiURL, nil)
	require.NoError(t, err)
	transport, err := routeauth.New(policy, authFunc(func(base http.RoundTripper) (mandatory, optional http.RoundTripper, err error) {
		return roundTripFunc(func(req *http.Request) (*http.Response, error) {
			req = req.Clone(req.Context())
			req.Header.Set("Authorization", "Bearer "+token)
			return base.RoundTrip(req)
		}), nil, nil
	}), &base{})
	require.NoError(t, err)
	req := newRequest(t, "GET", mandatoryURL, "")
	resp, err := transport.RoundTrip(req)
	require.NoError(t, err)
	assert.Same(t, req, resp.Request)
}

// Rule 3: where the base sent another request, the response says which.
func TestAResponseNamesTheRequestThatTheBaseSent(t *testing.T) {
	forEachWrapper(t, func(t *testing.T, w wrapper, over func(http.RoundTripper) http.RoundTripper) {
		// As go-retryablehttp does below auth, if it is let.
		following := &http.Client{Transport: &site{status: 302, last: 302, next: map[string]string{
			w.url: "https://api.example.com/b/", "https://api.example.com/b/": "next",
		}}, CheckRedirect: func(_ *http.Request, via []*http.Request) error {
			if len(via) > 1 {
				return http.ErrUseLastResponse
			}
			return nil
		}}
		req := newRequest(t, "GET", w.url, "")
		req.Header.Set("X-Own", "kept")
		resp, err := over(roundTripFunc(following.Do)).RoundTrip(req)
		require.NoError(t, err)
		location, err := resp.Location()
		require.NoError(t, err)
		assert.Equal(t, "https://api.example.com/b/next", location.String())
		assert.Equal(t, []string{"kept"}, resp.Request.Header["X-Own"])

		hops := 0
		for got := resp; got != nil; got = got.Request.Response {
			hops++
			assert.NotContains(t, fmt.Sprint(got.Request.Header), w.value)
			if got.Request.Response == nil {
				assert.Same(t, req, got.Request)
			}
		}
		assert.Equal(t, 2, hops)
	})
}

// Rule 11: on a host that tenants share by path, a neighbour's redirect starts
// nothing with this credential.
func TestAHopFromOutOfScopeCarriesNoCredential(t *testing.T) {
	policy, err := routeauth.NewPolicy(apiURL, routes)
	require.NoError(t, err)
	for name, chain := range map[string][]string{
		"from a neighbour":      {"https://api.example.com/tenant-evil/x", mandatoryURL},
		"by way of a neighbour": {mandatoryURL, "https://api.example.com/tenant-evil/x", mandatoryURL + "/back"},
	} {
		s := &site{status: 307, last: 401, next: map[string]string{}}
		want := []hop{{chain[0], strings.HasPrefix(chain[0], apiURL)}}
		for i, next := range chain[1:] {
			s.next[chain[i]] = next
			want = append(want, hop{next, false})
		}
		transport, err := routeauth.New(policy, routeauth.APIKeyAuth{APIKey: apiKey}, s)
		require.NoError(t, err)
		resp, err := (&http.Client{Transport: transport}).Post(chain[0], "text/plain", strings.NewReader("a body"))
		require.NoError(t, err, name)
		assert.Equal(t, http.StatusUnauthorized, resp.StatusCode, "nobody's credential was rejected")
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, want, s.received, name)
	}
}
