package roundtriptest

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
)

// statusClauses ask whether a response comes back as a response.
var statusClauses = []clause{{
	name:     "response/101",
	requires: "a 101 comes back as a response",
	quotes:   []sentence{noErrorForStatus},
	check:    returnsStatus(func(status int) bool { return status == http.StatusSwitchingProtocols }),
}, {
	name:     "response/2xx",
	requires: "a 2xx comes back as a response, with its status",
	quotes:   []sentence{noErrorForStatus},
	check:    returnsStatus(func(status int) bool { return status/100 == 2 }),
}, {
	name:     "response/3xx",
	requires: "a 3xx comes back as a response, with its status, and is not followed",
	quotes:   []sentence{noErrorForStatus, noHigherLevel},
	check:    returnsRedirects,
}, {
	name:     "response/401",
	requires: "a 401 comes back as a response, as any other does, and its request is not sent again",
	quotes:   []sentence{noErrorForStatus, noHigherLevel},
	check:    returnsUnauthorized,
}, {
	name:     "response/4xx",
	requires: "a 4xx other than 401 comes back as a response, with its status",
	quotes:   []sentence{noErrorForStatus, statusCodes},
	check: returnsStatus(func(status int) bool {
		return status/100 == 4 && status != http.StatusUnauthorized
	}),
}, {
	name:     "response/5xx",
	requires: "a 5xx, or a status beyond, comes back as a response, with its status",
	quotes:   []sentence{noErrorForStatus, statusCodes},
	check:    returnsStatus(func(status int) bool { return status >= 500 }),
}, {
	name:     "response/error",
	requires: "where the base fails, an error comes back, and no response beside it",
	quotes:   []sentence{errorForFailure, responseWithError},
	check:    returnsError,
}}

// responseClauses compare the response that came back with what the base gave.
var responseClauses = []clause{{
	name:     "response/status-line",
	requires: "Status, Proto, ProtoMajor and ProtoMinor come back as the base gave them",
	quotes:   []sentence{executes},
	check:    compareResponses(statusLineDiffers),
}, {
	name:     "response/header",
	requires: "every value of the base's header comes back; others may be added",
	quotes:   []sentence{executes, responseHeader},
	check:    compareResponses(responseHeaderDiffers),
}, {
	name:     "response/content-length",
	requires: "ContentLength comes back as the base gave it",
	quotes:   []sentence{executes, lengthRecorded},
	check:    compareResponses(responseLengthDiffers),
}, {
	name:     "response/framing",
	requires: "TransferEncoding, Close and Uncompressed come back as the base gave them",
	quotes:   []sentence{executes, uncompressed},
	check:    compareResponses(framingDiffers),
}, {
	name:     "response/trailer",
	requires: "the trailers come back: their names with the response, their values when its body has been read",
	quotes:   []sentence{executes, trailersAtEnd},
	check:    compareResponses(responseTrailerDiffers),
}, {
	name:     "response/tls",
	requires: "TLS comes back as the base gave it",
	quotes:   []sentence{executes, tlsConnection},
	check:    compareResponses(tlsDiffers),
}, {
	name:     "response/request",
	requires: "the response's Request is the request that was sent: the caller's, or a copy with its method, URL and host",
	quotes:   []sentence{requestSent},
	check:    compareResponses(responseRequestDiffers),
}, {
	name:     "response/body",
	requires: "the response has a body, and its bytes are those that the base gave",
	quotes:   []sentence{executes, bodyNonNil},
	check:    compareResponses(responseBodyDiffers),
}}

// unreturned says what is wrong with how the base's response came back, or nil
// if it can be compared.
func (t *trip) unreturned() error {
	err := cameBack(t.resp, t.err)
	switch {
	case t.stuck:
		return errors.New("it did not come back within " + patience.String())
	case err != nil:
		return err
	case t.resp.StatusCode != t.form.status:
		return fmt.Errorf("it came back with StatusCode %d", t.resp.StatusCode)
	}
	return nil
}

// returnsStatus returns the check of a clause about some statuses.
func returnsStatus(of func(status int) bool) func(s *suite) error {
	return func(s *suite) error {
		var found findings
		for _, t := range s.exchanges() {
			if t.form == nil || !of(t.form.status) {
				continue
			}
			if err := t.unreturned(); err != nil {
				found.about(t.what, err)
			}
		}
		return found.err()
	}
}

func returnsRedirects(s *suite) error {
	var found findings
	for _, t := range s.exchanges() {
		if t.form == nil || t.form.status/100 != 3 {
			continue
		}
		if t.calls > 1 {
			found.addf("%s was acted on: the base got %d requests", t.what, t.calls)
		} else if err := t.unreturned(); err != nil {
			found.about(t.what, err)
		}
	}
	return found.err()
}

// returnsUnauthorized holds a 401 to all that other responses have clauses for,
// so that a wrapper with an idea of its own about it skips one clause.
func returnsUnauthorized(s *suite) error {
	var found findings
	for _, t := range s.exchanges() {
		if t.form == nil || t.form.status != http.StatusUnauthorized {
			continue
		}
		if t.calls > 1 {
			found.addf("%s was acted on: the base got %d requests", t.what, t.calls)
		}
		if err := t.unreturned(); err != nil {
			found.about(t.what, err)
			continue
		}
		want, _ := s.answer(*t.form, nil)
		for _, differs := range []func(want *http.Response, t *trip) string{
			statusLineDiffers, responseHeaderDiffers, responseLengthDiffers, framingDiffers,
			responseTrailerDiffers, tlsDiffers, responseRequestDiffers, responseBodyDiffers,
		} {
			if how := differs(want, t); how != "" {
				found.addf("%s: %s", t.what, how)
			}
		}
	}
	if err := s.sendsAfterUnauthorized(&found); err != nil {
		return err
	}
	return found.err()
}

// compareResponses returns the check of a clause that compares the responses
// that came back with what the base gave.
func compareResponses(differs func(want *http.Response, t *trip) string) func(s *suite) error {
	return func(s *suite) error {
		var found findings
		compared := 0
		for _, t := range s.exchanges() {
			if t.form == nil || t.form.status == http.StatusUnauthorized || t.unreturned() != nil {
				continue // the clauses about statuses say so
			}
			compared++
			want, _ := s.answer(*t.form, nil)
			if how := differs(want, t); how != "" {
				found.addf("%s: %s", t.what, how)
			}
		}
		if compared == 0 {
			return notApplicable("no response came back; see response/2xx")
		}
		return found.err()
	}
}

func statusLineDiffers(want *http.Response, t *trip) string {
	type line struct {
		status, proto string
		major, minor  int
	}
	of := func(resp *http.Response) line { return line{resp.Status, resp.Proto, resp.ProtoMajor, resp.ProtoMinor} }
	if want, got := of(want), of(t.resp); got != want {
		return fmt.Sprintf("%+v became %+v", want, got)
	}
	return ""
}

func responseHeaderDiffers(want *http.Response, t *trip) string {
	return headersDiffer(want.Header, t.resp.Header, "")
}

func responseLengthDiffers(want *http.Response, t *trip) string {
	if got := t.resp.ContentLength; got != want.ContentLength {
		return fmt.Sprintf("ContentLength %d became %d", want.ContentLength, got)
	}
	return ""
}

func framingDiffers(want *http.Response, t *trip) string {
	switch got := t.resp; {
	case !slices.Equal(got.TransferEncoding, want.TransferEncoding):
		return fmt.Sprintf("TransferEncoding %q became %q", want.TransferEncoding, got.TransferEncoding)
	case got.Close != want.Close:
		return fmt.Sprintf("Close %t became %t", want.Close, got.Close)
	case got.Uncompressed != want.Uncompressed:
		return fmt.Sprintf("Uncompressed %t became %t", want.Uncompressed, got.Uncompressed)
	}
	return ""
}

func responseTrailerDiffers(want *http.Response, t *trip) string {
	if want.Trailer == nil {
		return ""
	}
	const name, value = "X-Checksum", "of the answer"
	switch values := t.trailer[name]; {
	case t.announced == nil:
		return "the names of the trailers are missing from Trailer"
	case !slices.Equal(values, []string{value}):
		return fmt.Sprintf("when the body has been read, Trailer has %q in the place of %q", values, value)
	}
	return ""
}

func tlsDiffers(want *http.Response, t *trip) string {
	switch got := t.resp.TLS; {
	case got == nil:
		return "TLS is nil"
	case got != want.TLS && !reflect.DeepEqual(got, want.TLS):
		return "TLS is another connection's"
	}
	return ""
}

func responseRequestDiffers(_ *http.Response, t *trip) string {
	got, sent := t.resp.Request, &t.before.fields
	switch {
	case got == nil:
		return "Request is nil"
	case got == t.req, got == t.sent:
		return ""
	case got.URL == nil || got.URL.String() != t.before.url.String():
		return "Request has another URL than the one that was sent"
	case got.Method != sent.Method && (got.Method != "" || sent.Method != http.MethodGet):
		return fmt.Sprintf("Request has the method %q, a %s was sent", got.Method, sent.Method)
	case got.Host != sent.Host && got.Host != "":
		return fmt.Sprintf("Request has the host %q, %q was sent", got.Host, sent.Host)
	}
	return ""
}

func responseBodyDiffers(want *http.Response, t *trip) string {
	text := ""
	if want.Body != http.NoBody && t.form.status != http.StatusSwitchingProtocols {
		text = t.form.body()
	}
	if t.resp.Body == nil {
		return "Body is nil"
	}
	if how := t.content.differs(text); how != "" {
		return "Body: " + how
	}
	return ""
}

func returnsError(s *suite) error {
	var found findings
	for _, t := range s.failures() {
		switch {
		case t.stuck:
			found.addf("%s: RoundTrip did not return within %v", t.what, patience)
		case t.err == nil && t.resp == nil:
			found.addf("%s: RoundTrip returned neither a response nor an error", t.what)
		case t.err == nil:
			found.addf("%s: RoundTrip returned a %d and no error", t.what, t.resp.StatusCode)
		case t.resp != nil:
			found.addf("%s: RoundTrip returned a %d together with the error", t.what, t.resp.StatusCode)
		}
	}
	for _, w := range s.waits() {
		// In the base such a request ends with an error; elsewhere nobody has answered.
		if w.ended && w.err == nil && w.status > 0 && (w.held || !w.called) {
			found.addf("%s: the caller's context ended, and RoundTrip returned a %d and no error", w.what, w.status)
		}
	}
	if err := s.failsAfterAnAnswer(&found); err != nil {
		return err
	}
	return found.err()
}
