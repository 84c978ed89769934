package roundtriptest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Option tells [Test] about the wrapper under test. An option that makes no
// sense is a failure of the test, never silence.
type Option func(*suite)

// WithURL names the URL that the first request of each clause goes to, for a
// wrapper that is bound to one host or base URL. The default is
// https://api.example.com/. It is an absolute http or https URL with a host and
// without user info. Nothing is sent to that host: every base is in-process or
// on the loopback interface.
func WithURL(rawURL string) Option {
	return func(s *suite) {
		u, err := url.Parse(rawURL)
		// The error of url.Parse holds the URL, and with it a password.
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
			s.misusef("WithURL: not an absolute http or https URL with a host and without user info")
			return
		}
		s.url = u
	}
}

// WithCredential says that the wrapper adds a credential to requests, in the
// header field of this name, and adds the clauses of the themes credential and
// redirect. For a wrapper that adds several fields, run [Test] once for each.
func WithCredential(header string) Option {
	return func(s *suite) {
		switch {
		case header == "":
			s.misusef("WithCredential: the header name is empty")
		case s.credential != "":
			s.misusef("WithCredential is given twice: run Test once for each header field")
		}
		s.credential = http.CanonicalHeaderKey(header)
	}
}

// WithRefusal gives body/closed-on-refusal a wrapper that refuses every
// request, which is to say that it returns an error without calling its base:
// the same kind of wrapper, but with a source of tokens that fails, say.
// Without this option the clause tries a request whose context has ended and
// one without a URL, and is skipped if the wrapper refuses neither.
func WithRefusal(wrap func(base http.RoundTripper) http.RoundTripper) Option {
	return func(s *suite) {
		if wrap == nil {
			s.misusef("WithRefusal: wrap is nil")
		}
		s.refusal = wrap
	}
}

// WithSkip leaves a clause out that the wrapper breaks on purpose. The subtest
// is reported as skipped, with the reason. An unknown clause, an empty reason
// and a clause that is skipped twice are failures of the test.
func WithSkip(clause, reason string) Option {
	return func(s *suite) {
		if names := clauseNames(); !slices.Contains(names, clause) {
			s.misusef("WithSkip: there is no clause %q; there are %s", clause, strings.Join(names, ", "))
		}
		if strings.TrimSpace(reason) == "" {
			s.misusef("WithSkip: the reason for skipping %q is empty", clause)
		}
		if _, twice := s.skips[clause]; twice {
			s.misusef("WithSkip: %q is skipped twice", clause)
		}
		s.skips[clause] = reason
	}
}
