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

func newSession(id string, base http.RoundTripper) (*session, error) {
	if strings.Contains(id, "\n") {
		return nil, errors.New("the session ID has a line break")
	}
	return &session{id, base}, nil
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
			sent.Header[name] = append([]string{}, values...)
		}
	}
	resp, err := t.base.RoundTrip(sent)
	if resp != nil && resp.Request == sent {
		resp.Request = req // without the credential
	}
	return resp, err
}

// leftOrigin reports whether a redirect chain had another origin on its way.
func leftOrigin(req *http.Request) bool {
	origin := func(u *url.URL) string { return u.Scheme + "://" + u.Host }
	for ; req.Response != nil; req = req.Response.Request {
		if req.Response.Request == nil || origin(req.URL) != origin(req.Response.Request.URL) {
			return true
		}
	}
	return false
}

// The name of the header field adds the clauses of a credential. In a test file,
// this is the body of
//
//	func TestSessionKeepsTheContract(t *testing.T)
func ExampleWithCredential() {
	var t *testing.T // the argument of the test
	roundtriptest.Test(t,
		func(base http.RoundTripper) (http.RoundTripper, error) { return newSession("0123", base) },
		roundtriptest.WithCredential(sessionHeader),
	)
}

// A wrapper that can be made to refuse every request shows what becomes of the
// body then.
func ExampleWithRefusal() {
	var t *testing.T // the argument of the test
	roundtriptest.Test(t,
		func(base http.RoundTripper) (http.RoundTripper, error) { return newSession("0123", base) },
		roundtriptest.WithRefusal(func(base http.RoundTripper) (http.RoundTripper, error) { return newSession("", base) }),
	)
}

// What a wrapper does differently on purpose is skipped, with the reason.
func ExampleWithSkip() {
	var t *testing.T // the argument of the test
	roundtriptest.Test(t,
		func(base http.RoundTripper) (http.RoundTripper, error) { return newSession("0123", base) },
		roundtriptest.WithCredential(sessionHeader),
		roundtriptest.WithSkip("the session's servers are all subdomains of one", "redirect/subdomain"),
		roundtriptest.WithSkip("a 401 is an error here", "response/401"),
	)
}

// A wrapper that sends its credential to one base URL only is tested with a URL
// below it.
func ExampleWithURL() {
	var t *testing.T // the argument of the test
	roundtriptest.Test(t,
		func(base http.RoundTripper) (http.RoundTripper, error) { return newSession("0123", base) },
		roundtriptest.WithURL("https://shop.example.com/v2/orders?page=1"),
	)
}
