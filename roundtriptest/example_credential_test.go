package roundtriptest_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"example.com/routeauth/roundtriptest"
)

// sessionHeader is the field of the credential.
const sessionHeader = "X-Session"

// session is a wrapper that adds a credential, once it has one.
type session struct {
	id   string
	base http.RoundTripper
}

func (t *session) RoundTrip(req *http.Request) (*http.Response, error) {
	if leftOrigin(req) {
		return t.base.RoundTrip(req)
	}
	if t.id == "" {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, errors.New("there is no session")
	}
	sent := req.WithContext(req.Context())
	sent.Header = http.Header{sessionHeader: {t.id}}
	for name, values := range req.Header {
		if !strings.EqualFold(name, sessionHeader) {
			sent.Header[name] = append([]string(nil), values...)
		}
	}
	resp, err := t.base.RoundTrip(sent)
	if resp != nil {
		resp.Request = req // without the credential
	}
	return resp, err
}

// leftOrigin reports whether a redirect chain had another origin on its way.
func leftOrigin(req *http.Request) bool {
	origin := func(u *url.URL) string { return u.Scheme + "://" + u.Host }
	for ; req.Response != nil; req = req.Response.Request {
		if origin(req.URL) != origin(req.Response.Request.URL) {
			return true
		}
	}
	return false
}

func (t *session) CloseIdleConnections() {
	(&http.Client{Transport: t.base}).CloseIdleConnections()
}

// The name of the header field adds the clauses of a credential. In a test file,
// this is the body of
//
//	func TestSessionKeepsTheContract(t *testing.T)
func ExampleWithCredential() {
	var t *testing.T // the argument of the test
	roundtriptest.Test(t,
		func(base http.RoundTripper) http.RoundTripper { return &session{"0123", base} },
		roundtriptest.WithCredential(sessionHeader),
		roundtriptest.WithRefusal(func(base http.RoundTripper) http.RoundTripper { return &session{"", base} }),
		roundtriptest.WithSkip("body/none", "why this wrapper departs from the clause"),
	)
}
