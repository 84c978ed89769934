package roundtriptest

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// credentialClauses are those of a wrapper that adds a credential, but for where
// it may go.
var credentialClauses = []clause{{
	name:     "credential/sent",
	requires: "the credential arrives with the first request",
	reason:   "the option WithCredential says so (RFC 9110, section 11.6.2)",
	netHTTP:  "a Client sends only the credential that its caller sets, or that is in the URL's user info",
	check:    sendsCredential,
}, {
	name:     "credential/single",
	requires: "the field has one value on the wire",
	reason:   "a field that is no list has one line (RFC 9110, section 5.3); servers disagree which of two counts",
	netHTTP:  "a Transport sends as many lines as the header has values",
	check:    sendsOneValue,
}, {
	name:     "credential/replaces",
	requires: "the credential takes the place of what the caller had set in the field",
	reason:   "otherwise the code that fills in the caller's header decides who the request is from",
	netHTTP:  "a Client makes an Authorization field of the URL's user info only where the caller has set none",
	check:    replacesOwnValue,
}, {
	name:     "credential/other-case",
	requires: "nothing that the caller set under the field's name in another case goes out beside the credential",
	reason:   "names ignore case (RFC 9110, section 5.1): on the wire that is one field",
	netHTTP:  "a Transport sends each key of the header map, in canonical form or not",
	check:    replacesOtherCases,
}, {
	name:     "credential/request",
	requires: "the caller's request does not hold the credential, neither while the base runs nor after",
	quotes:   []sentence{noModifying},
	reason:   "requests are logged, and sent again elsewhere",
	check:    keepsCredentialFromRequest,
}, {
	name:     "credential/response",
	requires: "no request that the response leads back to holds the credential",
	reason:   "Response.Request is logged, and a credential is kept from others (RFC 6750, section 5.3)",
	netHTTP:  "Response.Request is the request that was sent, with all of its fields",
	check:    keepsCredentialFromResponse,
}}

// credentials returns the values of the credential's field, in any case of its
// name.
func (s *suite) credentials(h http.Header) []string { return valuesOf(h, s.credential) }

// sentCredential sends a GET with this header, and returns what arrives in the
// credential's field.
func (s *suite) sentCredential(header http.Header) (values []string, err error) {
	req := s.get()
	req.Header = header
	err = s.observe(req, func(sent *http.Request) { values = s.credentials(sent.Header) })
	return values, err
}

func sendsCredential(s *suite) error {
	values, err := s.sentCredential(s.get().Header)
	if err == nil && strings.Join(values, "") == "" {
		return fmt.Errorf("the first request has no value in %s", s.credential)
	}
	return err
}

func sendsOneValue(s *suite) error {
	values, err := s.sentCredential(s.get().Header)
	if err == nil && len(values) > 1 {
		return fmt.Errorf("the caller set nothing in %s, and the base got %d values", s.credential, len(values))
	}
	return err
}

// ownValue is what a caller has set in the credential's field.
const ownValue = "of the caller"

func replacesOwnValue(s *suite) error {
	return s.replaces([]owned{
		{s.credential, http.Header{s.credential: {ownValue}}},
		{s.credential + " twice", http.Header{s.credential: {ownValue, ownValue}}},
	})
}

func replacesOtherCases(s *suite) error {
	lower, upper := strings.ToLower(s.credential), strings.ToUpper(s.credential)
	return s.replaces([]owned{
		{lower, http.Header{lower: {ownValue}}},
		{upper, http.Header{upper: {ownValue}}},
	})
}

// owned is a header in which the caller has set the credential's field.
type owned struct {
	what   string
	header http.Header
}

func (s *suite) replaces(all []owned) error {
	if sendsCredential(s) != nil {
		return notApplicable("no credential is sent; see credential/sent")
	}
	var found findings
	for _, own := range all {
		values, err := s.sentCredential(own.header)
		switch {
		case err != nil:
			return err
		case slices.Contains(values, ownValue):
			found.addf("the caller set %s; the base got the caller's value", own.what)
		case strings.Contains(strings.Join(values, "\n"), ownValue):
			found.addf("the caller set %s; the caller's value is part of what the base got", own.what)
		}
	}
	return found.err()
}

func keepsCredentialFromRequest(s *suite) error {
	var found findings
	for _, own := range []owned{
		{"nothing", s.get().Header},
		{"a value", http.Header{s.credential: {ownValue}}},
	} {
		req := s.get()
		req.Header = own.header
		before := slices.Clone(s.credentials(own.header))
		compare := func(when string) {
			if !slices.Equal(before, s.credentials(own.header)) {
				found.addf("the caller set %s in %s; that changed %s", own.what, s.credential, when)
			}
		}
		if err := s.observe(req, func(*http.Request) { compare("while the base ran") }); err != nil {
			return err
		}
		compare("before RoundTrip returned")
	}
	return found.err()
}

func keepsCredentialFromResponse(s *suite) error {
	_, resp, err := s.follow(s.url)
	if err != nil {
		return err
	}
	if resp == nil {
		return errors.New("the client got no response")
	}
	var found findings
	for what := "response"; resp != nil && resp.Request != nil; resp = resp.Request.Response {
		if len(s.credentials(resp.Request.Header)) > 0 {
			found.addf("the Request of the %s holds %s", what, s.credential)
		}
		what = "redirect that led to it"
	}
	return found.err()
}
