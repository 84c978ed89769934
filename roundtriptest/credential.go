package roundtriptest

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// headerClauses are those of a wrapper that adds a credential, but for where it
// may go.
var headerClauses = []clause{{
	name:   "credential/sent",
	wants:  "the credential arrives with the first request",
	stands: "the WithCredential option; RFC 9110, section 11.6.2",
	check:  sendsCredential,
}, {
	name:   "credential/single",
	wants:  "the field has exactly one value on the wire, the credential, whatever the caller had set under that name in whatever case",
	stands: "RFC 9110, sections 5.1 (names ignore case) and 5.3 (one field line, unless the field is a list)",
	check:  sendsOneValue,
}, {
	name:   "credential/request",
	wants:  "the caller's request does not hold the credential, neither while the base runs nor after",
	stands: "net/http, RoundTripper: RoundTrip does not modify the request; RFC 6750, section 5.3",
	check:  keepsCredentialFromRequest,
}, {
	name:   "credential/response",
	wants:  "no request that the response leads back to holds the credential",
	stands: "RFC 6750, section 5.3: tokens are kept from others, such as whoever logs a response's Request",
	check:  keepsCredentialFromResponse,
}}

// credentials returns what stands in a header under the name of the credential,
// in whatever case.
func (s *suite) credentials(h http.Header) (values []string) {
	for name, vv := range h {
		if strings.EqualFold(name, s.credential) {
			values = append(values, vv...)
		}
	}
	return values
}

func sendsCredential(s *suite) error {
	var found findings
	found.add(s.observe(s.get(), func(sent *http.Request) {
		for _, value := range s.credentials(sent.Header) {
			if value != "" {
				return
			}
		}
		found.addf("the first request has no value in %s", s.credential)
	}))
	return found.err()
}

func sendsOneValue(s *suite) error {
	const own = "of the caller"
	if sendsCredential(s) != nil {
		return nil // credential/sent says so
	}
	canonical, lower, upper := s.credential, strings.ToLower(s.credential), strings.ToUpper(s.credential)
	var found findings
	for what, set := range map[string]http.Header{
		"nothing":                     {},
		canonical:                     {canonical: {own}},
		lower:                         {lower: {own}},
		upper:                         {upper: {own}},
		canonical + " twice":          {canonical: {own, own}},
		canonical + " and " + lower:   {canonical: {own}, lower: {own}},
		"an empty " + canonical:       {canonical: {}},
		"a " + canonical + " of \"\"": {canonical: {""}},
	} {
		req := s.get()
		req.Header = set
		found.add(s.observe(req, func(sent *http.Request) {
			switch values := s.credentials(sent.Header); {
			case len(values) != 1:
				found.addf("the caller set %s; on the wire the field has %d values", what, len(values))
			case slices.Contains(values, own):
				found.addf("the caller set %s; on the wire the field has the caller's value", what)
			}
		}))
	}
	return found.err()
}

func keepsCredentialFromRequest(s *suite) error {
	var found findings
	for what, set := range map[string][]string{"nothing": nil, "a value": {"of the caller"}} {
		req := s.get()
		if set != nil {
			req.Header[s.credential] = set
		}
		before := slices.Clone(set)
		compare := func(when string) {
			if !slices.Equal(before, s.credentials(req.Header)) {
				found.addf("the caller set %s in %s; that changed %s", what, s.credential, when)
			}
		}
		found.add(s.observe(req, func(*http.Request) { compare("while the base ran") }))
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
	hops := 0
	for ; resp != nil && resp.Request != nil; resp = resp.Request.Response {
		hops++
		if len(s.credentials(resp.Request.Header)) > 0 {
			return fmt.Errorf("%d requests back from the last response, Response.Request holds %s", hops, s.credential)
		}
	}
	return nil
}
