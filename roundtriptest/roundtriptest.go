package roundtriptest

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"
)

// Test puts a wrapping [http.RoundTripper] through the contract. Each clause is
// a subtest with its name; one that fails says what happened, what the contract
// wants and where it stands.
//
// wrap returns the wrapper under test over the base it is given. It is called
// several times, from the goroutine of the subtest, and must return a new
// wrapper each time: no clause sees what another one did. The bases keep the
// contract themselves, but for the one of response/missing.
//
// Most clauses send a GET without a body or a POST of a JSON object, to the URL
// of [WithURL], and want the request to reach the base. Where they need no
// particular status, the base answers 200. None of them needs a network;
// request/trailers and response/upgrade start a server on the loopback
// interface.
//
// A wrong option is a failure of t, and no clause is run.
func Test(t *testing.T, wrap func(base http.RoundTripper) http.RoundTripper, opts ...Option) {
	t.Helper()
	s, err := newSuite(wrap, opts...)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range s.clauses() {
		t.Run(c.name, func(t *testing.T) {
			if reason, skipped := s.skips[c.name]; skipped {
				t.Skip(reason)
			}
			err := s.verdict(c)
			var reason notApplicable
			switch {
			case errors.As(err, &reason):
				t.Skip(reason)
			case err != nil:
				t.Errorf("%v\nthe contract wants: %s\nwhere it stands: %s", err, c.wants, c.stands)
			}
		})
	}
}

// wrapFunc returns the wrapper under test over a base.
type wrapFunc = func(base http.RoundTripper) http.RoundTripper

// suite is a wrapper under test and what is to be known about it.
type suite struct {
	wrap       wrapFunc
	refusal    wrapFunc // nil unless WithRefusal was given
	url        *url.URL // of the first request
	credential string   // the header field's canonical name, or empty
	skips      map[string]string
	misuse     []error // what is wrong with the options
}

// patience is how long a check waits for what may come a little later. Only a
// check that fails waits that long.
const patience = 5 * time.Second

func newSuite(wrap wrapFunc, opts ...Option) (*suite, error) {
	s := &suite{
		wrap:  wrap,
		url:   &url.URL{Scheme: "https", Host: "api.example.com", Path: "/"},
		skips: make(map[string]string),
	}
	if wrap == nil {
		s.misusef("wrap is nil")
	}
	for _, opt := range opts {
		if opt == nil {
			s.misusef("an option is nil")
			continue
		}
		opt(s)
	}
	return s, errors.Join(s.misuse...)
}

func (s *suite) misusef(format string, args ...any) {
	s.misuse = append(s.misuse, fmt.Errorf("roundtriptest: "+format, args...))
}

// over returns a new wrapper under test over base.
func (s *suite) over(base http.RoundTripper) http.RoundTripper {
	return build(s.wrap, base)
}

// build makes a wrap that returns nil fail under its own name: the verdict on
// the clause catches the panic.
func build(wrap wrapFunc, base http.RoundTripper) http.RoundTripper {
	wrapper := wrap(base)
	if wrapper == nil {
		panic("wrap returned a nil http.RoundTripper")
	}
	return wrapper
}
