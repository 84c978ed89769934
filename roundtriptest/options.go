package roundtriptest

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Option tells [Test] about the wrapper under test, or what to hold it to. An
// option that makes no sense is a failure of the test, never silence.
type Option func(*config) error

// config is what [Test] is told.
type config struct {
	wrap       WrapFunc
	refusal    WrapFunc // nil unless WithRefusal was given
	url        *url.URL // of the first request
	bound      bool     // by WithURL
	credential string   // the header field's canonical name, or empty
	strict     bool
	skips      map[string]string // reasons by clause
}

// newConfig returns all mistakes at once.
func newConfig(wrap WrapFunc, opts ...Option) (config, error) {
	c := config{
		wrap:  wrap,
		url:   &url.URL{Scheme: "https", Host: "api.example.com", Path: "/"},
		skips: make(map[string]string),
	}
	var mistakes []error
	if wrap == nil {
		mistakes = append(mistakes, errors.New("roundtriptest: wrap is nil"))
	}
	for _, opt := range opts {
		if opt == nil {
			mistakes = append(mistakes, errors.New("roundtriptest: an option is nil"))
			continue
		}
		if err := opt(&c); err != nil {
			mistakes = append(mistakes, fmt.Errorf("roundtriptest: %w", err))
		}
	}
	return c, errors.Join(mistakes...)
}

// Strict adds the clauses of the theme advice: what good wrappers do, although
// net/http's documentation does not ask for it. A wrapper that breaks one of
// them fails the test; its output calls it advice.
func Strict() Option {
	return func(c *config) error {
		c.strict = true
		return nil
	}
}

// WithCredential says that the wrapper adds a credential to requests, in the
// header field of this name, and adds the clauses of the themes credential and
// redirect. Each is one promise, and says what net/http itself does in its
// place: a wrapper that is content with that skips the clause with [WithSkip].
// For a wrapper that adds several fields, run [Test] once for each.
func WithCredential(header string) Option {
	return func(c *config) error {
		switch {
		case header == "":
			return errors.New("WithCredential: the header name is empty")
		case c.credential != "":
			return errors.New("WithCredential is given twice: run Test once for each header field")
		}
		c.credential = http.CanonicalHeaderKey(header)
		return nil
	}
}

// WithRefusal gives body/closed-on-refusal a wrapper that refuses every
// request, which is to say that it returns an error without calling its base:
// the same kind of wrapper, but with a source of tokens that fails, say.
// Without this option the clause tries requests that some wrappers refuse, and
// is skipped if the wrapper refuses none of them.
func WithRefusal(wrap WrapFunc) Option {
	return func(c *config) error {
		switch {
		case wrap == nil:
			return errors.New("WithRefusal: wrap is nil")
		case c.refusal != nil:
			return errors.New("WithRefusal is given twice")
		}
		c.refusal = wrap
		return nil
	}
}

// WithURL names the URL that the first request of each clause goes to, for a
// wrapper that is bound to one host or base URL. The default is
// https://api.example.com/, and a few paths and queries below it. It is an
// absolute http or https URL with a host and without user info. Nothing is sent
// to that host.
func WithURL(rawURL string) Option {
	return func(c *config) error {
		u, err := url.Parse(rawURL)
		// The error of url.Parse holds the URL, and with it a password.
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
			return errors.New("WithURL: not an absolute http or https URL with a host and without user info")
		}
		c.url, c.bound = u, true
		return nil
	}
}

// WithSkip leaves clauses out that the wrapper breaks on purpose. Their subtests
// are reported as skipped, with the reason. An empty reason, no clause at all,
// an unknown clause and a clause that is skipped twice are failures of the test.
func WithSkip(reason string, clauses ...string) Option {
	return func(c *config) error {
		var mistakes []error
		if strings.TrimSpace(reason) == "" {
			mistakes = append(mistakes, fmt.Errorf("WithSkip: the reason for skipping %q is empty", clauses))
		}
		if len(clauses) == 0 {
			mistakes = append(mistakes, fmt.Errorf("WithSkip: no clause is named for the reason %q", reason))
		}
		names := clauseNames()
		for _, name := range clauses {
			if !slices.Contains(names, name) {
				mistakes = append(mistakes, fmt.Errorf("WithSkip: there is no clause %q; there are %s", name, strings.Join(names, ", ")))
				continue
			}
			if _, twice := c.skips[name]; twice {
				mistakes = append(mistakes, fmt.Errorf("WithSkip: %q is skipped twice", name))
			}
			c.skips[name] = reason
		}
		return errors.Join(mistakes...)
	}
}
