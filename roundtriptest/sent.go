package roundtriptest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
)

// sentClauses compare what reaches the base with what the caller sent.
var sentClauses = []clause{{
	name:     "sent/once",
	requires: "one request in is one request out, for every response",
	quotes:   []sentence{executes},
	check:    sendsOnce,
}, {
	name:     "sent/once-on-error",
	requires: "a request whose transaction failed is not sent again",
	quotes:   []sentence{executes},
	check:    sendsOnceOnError,
}, {
	name:     "sent/method",
	requires: "the base gets the caller's method",
	quotes:   []sentence{executes},
	check:    compareSent(methodDiffers),
}, {
	name:     "sent/empty-method",
	requires: "a request with an empty method reaches the base, as a GET",
	quotes:   []sentence{emptyMethod},
	check:    sendsEmptyMethod,
}, {
	name:     "sent/url",
	requires: "the base gets the caller's URL unchanged",
	quotes:   []sentence{executes, urlToAccess},
	check:    compareSent(urlDiffers),
}, {
	name:     "sent/host",
	requires: "the base gets the caller's host",
	quotes:   []sentence{executes, hostOverrides},
	check:    compareSent(hostDiffers),
}, {
	name:     "sent/header",
	requires: "the base gets every value of the caller's header; others may be added",
	quotes:   []sentence{executes, headerFields},
	check:    compareSent(headerDiffers),
}, {
	name:     "sent/valueless-key",
	requires: "an idempotency key without a value reaches the base",
	quotes:   []sentence{valuelessKey},
	check:    compareSent(valuelessKeyDiffers),
}, {
	name:     "sent/content-length",
	requires: "the base gets the caller's ContentLength, so that a length stays a length",
	quotes:   []sentence{executes, zeroLength},
	check:    compareSent(contentLengthDiffers),
}, {
	name:     "sent/transfer-encoding",
	requires: "the base gets the caller's TransferEncoding",
	quotes:   []sentence{executes, transferEncodings},
	check:    compareSent(transferEncodingDiffers),
}, {
	name:     "sent/close",
	requires: "the base gets the caller's Close",
	quotes:   []sentence{executes, closePreventsReuse},
	check:    compareSent(closeDiffers),
}, {
	name:     "sent/get-body",
	requires: "the base gets a GetBody where the caller set one, and it returns the caller's bytes",
	quotes:   []sentence{executes, getBodyCopies},
	check:    compareSent(getBodyDiffers),
}, {
	name:     "sent/trailer",
	requires: "the base gets the caller's trailers, also those that are set while it reads the body",
	quotes:   []sentence{executes, trailersAfterBody, trailersSetLate},
	check:    compareSent(trailerDiffers),
}, {
	name:     "sent/body",
	requires: "the base can read the bytes of the caller's body, all of them and no others",
	quotes:   []sentence{executes},
	check:    compareSent(bodyDiffers),
}, {
	name:     "sent/broken-body",
	requires: "where reading the caller's body fails, the base does not read a regular end",
	quotes:   []sentence{executes},
	check:    breaksOff,
}, {
	name:     "sent/no-body",
	requires: "a request without a body, nil or http.NoBody, reaches the base without one",
	quotes:   []sentence{nilBody, zeroLength},
	check:    compareSent(noBodyDiffers),
}}

// compareSent returns the check of a clause that compares what reached the base
// with what the caller sent. Nothing but sent/once asks whether it did.
func compareSent(differs func(s *suite, t *trip, a *arrival) string) func(s *suite) error {
	return func(s *suite) error {
		var found findings
		compared := 0
		for _, t := range s.exchanges() {
			if t.arrived == nil {
				continue
			}
			compared++
			if how := differs(s, t, t.arrived); how != "" {
				found.addf("%s: %s", t.request(), how)
			}
		}
		if compared == 0 {
			return notApplicable("no request reached the base; see sent/once")
		}
		return found.err()
	}
}

// request names the trip's request.
func (t *trip) request() string {
	if t.form != nil {
		return fmt.Sprintf("a %s that is answered %d%s", t.req.Method, t.form.status, t.form.with)
	}
	return t.what
}

func sendsOnce(s *suite) error {
	var found findings
	for _, t := range s.exchanges() {
		switch {
		case t.form != nil && (t.form.status == http.StatusUnauthorized || t.form.status/100 == 3):
			// response/401 and response/3xx ask what becomes of these.
		case t.stuck && t.form == nil:
			found.addf("%s: RoundTrip did not return within %v", t.what, patience)
		case t.calls == 0:
			if _, crash := crashed(t.err); crash {
				found.about(t.request(), t.err)
			} else {
				found.about(t.request(), notArrived(t.err))
			}
		case t.calls > 1:
			found.addf("%s reached the base %d times", t.request(), t.calls)
		}
	}
	for _, more := range []func(found *findings) error{s.sendsIdentical, s.sendsCacheable, s.sendsAfterFailures} {
		if err := more(&found); err != nil {
			return err
		}
	}
	return found.err()
}

func sendsOnceOnError(s *suite) error {
	var found findings
	for _, t := range s.failures() {
		if t.calls > 1 {
			found.addf("%s: the base failed, and got the request %d times", t.what, t.calls)
		}
	}
	return found.err()
}

func methodDiffers(_ *suite, t *trip, a *arrival) string {
	if a.Method == t.req.Method || a.Method == "" && t.req.Method == http.MethodGet {
		return ""
	}
	return fmt.Sprintf("the base got the method %q", a.Method)
}

func sendsEmptyMethod(s *suite) error {
	req := s.get()
	req.Method = ""
	var method atomic.Value
	if err := s.observe(req, func(sent *http.Request) { method.Store(sent.Method) }); err != nil {
		return err
	}
	var found findings
	if got := method.Load(); got != "" && got != http.MethodGet {
		found.addf("the base got the method %q", got)
	}
	if req.Method != "" {
		found.addf("the empty method of the caller's request was replaced by %q", req.Method)
	}
	return found.err()
}

func urlDiffers(_ *suite, t *trip, a *arrival) string {
	if a.URL == nil {
		return "the base got no URL"
	}
	// The fragment is not sent, and what another value of RawPath can change is
	// in EscapedPath.
	sent, got := t.before.url, *a.URL
	parts := func(u url.URL) [6]string {
		return [6]string{u.Scheme, u.Opaque, u.User.String(), u.Host, u.EscapedPath(), fmt.Sprint(u.ForceQuery, u.RawQuery)}
	}
	if parts(sent) != parts(got) {
		how := fmt.Sprintf("the caller's URL is %s, the base's %s", sent.Redacted(), got.Redacted())
		if sent.Opaque != got.Opaque {
			how += fmt.Sprintf("; Opaque %q became %q", sent.Opaque, got.Opaque)
		}
		return how
	}
	return ""
}

func hostDiffers(_ *suite, t *trip, a *arrival) string {
	host := func(req *http.Request) string {
		if req.Host == "" && req.URL != nil {
			return req.URL.Host
		}
		return req.Host
	}
	// A URL that differs is a finding of sent/url.
	if want := host(&t.before.fields); a.Host != want && (a.Host != "" || t.before.fields.Host != t.before.url.Host) {
		return fmt.Sprintf("the caller's host is %q, the base's %q", want, host(&a.Request))
	}
	return ""
}

func headerDiffers(s *suite, t *trip, a *arrival) string {
	return headersDiffer(t.before.header, a.Header, s.credential)
}

// headersDiffer says which values of a header are not in another one, in their
// order. Values may have been added, also such as were there before. A field
// that is excepted is not looked at.
func headersDiffer(from, to http.Header, except string) string {
	for _, name := range sortedNames(from) {
		want := from[name]
		if strings.EqualFold(name, except) || len(want) == 0 {
			continue
		}
		left := want
		for _, value := range valuesOf(to, name) {
			if len(left) > 0 && value == left[0] {
				left = left[1:]
			}
		}
		if len(left) > 0 {
			return fmt.Sprintf("%s: %q became %q", name, want, valuesOf(to, name))
		}
	}
	return ""
}

func valuelessKeyDiffers(s *suite, t *trip, a *arrival) string {
	for _, name := range sortedNames(t.before.header) {
		if _, there := a.Header[name]; !there && len(t.before.header[name]) == 0 {
			return name + " has no value in the caller's header, and is not in the base's"
		}
	}
	return ""
}

func contentLengthDiffers(_ *suite, t *trip, a *arrival) string {
	if want := t.before.fields.ContentLength; a.ContentLength != want {
		return fmt.Sprintf("the caller's ContentLength is %d, the base's %d", want, a.ContentLength)
	}
	return ""
}

func transferEncodingDiffers(_ *suite, t *trip, a *arrival) string {
	if !slices.Equal(a.TransferEncoding, t.before.encodings) {
		return fmt.Sprintf("the caller's TransferEncoding is %q, the base's %q", t.before.encodings, a.TransferEncoding)
	}
	return ""
}

func closeDiffers(_ *suite, t *trip, a *arrival) string {
	if want := t.before.fields.Close; a.Close != want {
		return fmt.Sprintf("the caller's Close is %t, the base's %t", want, a.Close)
	}
	return ""
}

func getBodyDiffers(_ *suite, t *trip, a *arrival) string {
	switch {
	case t.body == nil, t.noCopies:
		return ""
	case a.GetBody == nil:
		return "the caller set GetBody, and the base has none"
	}
	for call, copied := range a.copies {
		if how := copied.differs(t.text); how != "" {
			return fmt.Sprintf("what the base's GetBody returns when it is called for the %s time: %s",
				[]string{"first", "second"}[call], how)
		}
	}
	return ""
}

func trailerDiffers(_ *suite, t *trip, a *arrival) string {
	for _, name := range t.before.trailers {
		if _, there := a.announced[name]; !there {
			return fmt.Sprintf("the trailer %s is not in the base's request", name)
		}
	}
	return headersDiffer(t.req.Trailer, a.trailer, "")
}

func bodyDiffers(_ *suite, t *trip, a *arrival) string {
	switch {
	case t.body == nil:
		return ""
	case a.content.none:
		return "the base got no body"
	}
	if how := a.content.differs(t.text); how != "" {
		return "the base's body: " + how
	}
	return ""
}

func noBodyDiffers(_ *suite, t *trip, a *arrival) string {
	if t.body == nil && !a.content.none {
		return fmt.Sprintf("the caller's body is %s, the base's a %T", noBodyName(t.req), a.Body)
	}
	return ""
}

func noBodyName(req *http.Request) string {
	if req.Body == nil {
		return "nil"
	}
	return "http.NoBody"
}
