package routeauth

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"example.com/routeauth/internal/fetch"
	"example.com/routeauth/internal/httpfield"
	"example.com/routeauth/internal/origin"
	"example.com/routeauth/internal/redact"
)

// Names of the header fields that carry a credential.
const (
	HeaderAuthorization = "Authorization"
	HeaderUserID        = "X-User-Id"
	HeaderAPIKey        = "X-Api-Key"
)

// HeaderTransport is an [http.RoundTripper] that sends each request with one
// header field of a fixed value. [APIKeyTransport] and [SubscriptionTransport]
// are made of it; use it for an API whose field has another name or form.
//
// Used alone it has no scope: it sends the field to whatever host the caller's
// first request names. [New] binds credentials to one API.
//
// What holds for every wrapper of this package:
//
//   - The caller's request is not changed. The base gets a shallow copy with a
//     header of its own, in which the field has exactly one value whatever the
//     caller had set under that name, and the caller's own body. Where the
//     request goes is decided by its URL as it was when RoundTrip was called.
//   - A redirect hop carries no credential unless every hop of its chain had
//     the same scheme, host and port. A hop without one goes to the base as it
//     is, and what it is answered comes back as it is, a 401 as well. What the
//     caller had set by hand is the caller's, and goes where http.Client takes it.
//   - With GOOS=js, [http.DefaultTransport] sends with the browser's fetch, which
//     follows redirects by itself and takes every field but Authorization to the
//     next host. There a request with a credential says that it wants none: any
//     redirect is an error. A base that sends a request more than once, such as
//     a retrying transport, loses this after the first attempt: put it above.
//   - A 401 becomes a [*UnauthorizedError] with what the response said. This
//     departs from the [http.RoundTripper] contract, which wants a response
//     for every status, because a rejected credential is a failure of the
//     wrapper's own job. The response's body is drained, at most 64 KiB and
//     for at most a second, and closed.
//   - Any other response is the base's own, its body untouched. Its Request is
//     the caller's, which holds no credential. Where the base sent another one,
//     because it followed a redirect by itself or rewrote the URL, it is a copy of
//     that one without the credential.
//   - A request without a URL is a [*CredentialError]: its body is closed and
//     nothing is sent.
//   - Errors of the base come back as they are. Only where the text of one
//     quotes the credential, as net/http quotes what it cannot read of a
//     response, another stands in its place: errors.Is and errors.As find in it
//     what they would find in the base's own, whose text still quotes it. The
//     [*UnauthorizedError] of a wrapper below is found without the credential.
//     A base that returns neither a response nor an error makes an error that
//     says so, and of one that returns both the error counts.
//   - It is safe for concurrent use, and CloseIdleConnections reaches the base.
//   - The zero value sends nothing: each request is a [*CredentialError].
type HeaderTransport struct {
	sender headerSender
	value  hidden[string]
}

// NewHeaderTransport returns a HeaderTransport that sets the header field name
// to value on each request and sends it with base, or with
// [http.DefaultTransport] as it is at the time of the request if base is nil.
// The scheme is what errors call the credential.
//
// The error joins everything that is wrong: an empty scheme; a name that is no
// field name (RFC 9110, section 5.1) or one that net/http manages itself (Host,
// Content-Length, Transfer-Encoding, Trailer, Connection); a value that is
// empty, no field value (RFC 9110, section 5.5; spaces inside are allowed) or
// the literal REDACTED, also after a space; a base that is a nil pointer or
// function.
func NewHeaderTransport(scheme Scheme, name string, value Secret, base http.RoundTripper) (*HeaderTransport, error) {
	return newHeaderTransport(scheme, name, string(value), base,
		httpfield.CheckValue("header value", string(value)))
}

// newHeaderTransport takes the verdict on the value from its caller, who knows
// what the value is and how strict to be.
func newHeaderTransport(scheme Scheme, name, value string, base http.RoundTripper, valueErr error) (*HeaderTransport, error) {
	sender, senderErrs := newHeaderSender(scheme, name, base)
	if err := joinErrors(append(senderErrs, valueErr)...); err != nil {
		return nil, err
	}
	return &HeaderTransport{sender: sender, value: hide(value)}, nil
}

// RoundTrip sends req with the credential. See [HeaderTransport] for what
// happens to req, its body and the response.
func (t *HeaderTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := t.sender.check(req); err != nil {
		return nil, err
	}
	return t.roundTripTo(*req.URL, req)
}

func (t *HeaderTransport) roundTripTo(to url.URL, req *http.Request) (*http.Response, error) {
	if origin.Left(&to, req) {
		return roundTrip(t.sender.base(), req)
	}
	resp, unauthorized, err := t.sender.send(to, req, t.value())
	if unauthorized != nil {
		return nil, unauthorized
	}
	return resp, err
}

// CloseIdleConnections closes the base's idle connections, if it can.
func (t *HeaderTransport) CloseIdleConnections() { closeIdleConnections(t.sender.base.reveal()) }

func (t *HeaderTransport) unwrap() http.RoundTripper { return t.sender.base.reveal() }

// headerSender sends requests with a credential in one header field. It holds
// no credential itself.
type headerSender struct {
	scheme Scheme
	name   string // in canonical form
	base   hidden[http.RoundTripper]
	public bool // the value is no secret
}

func newHeaderSender(scheme Scheme, name string, base http.RoundTripper) (headerSender, []error) {
	var schemeErr error
	if scheme == "" {
		schemeErr = errors.New("scheme is empty")
	}
	base, baseErr := baseOrDefault(base)
	return headerSender{scheme: scheme, name: http.CanonicalHeaderKey(name), base: hide(base)},
		[]error{schemeErr, httpfield.CheckName(name), baseErr}
}

// check returns the error of a request that cannot be sent at all.
func (s *headerSender) check(req *http.Request) error {
	switch {
	case s.base == nil:
		return newCredentialError(s.scheme, req, errors.New("the transport was not made by its constructor"), false)
	case req == nil || req.URL == nil:
		return newCredentialError(s.scheme, req, errNoURL, false)
	}
	return nil
}

// send is the one function through which every credential is sent: a request
// gets its header field here or nowhere. The caller has asked leftOrigin. The
// request goes to the URL to, which is the caller's copy of the one that the
// decision was made for. send returns the response, or how the server rejected
// the credential, or the error of the base.
func (s *headerSender) send(to url.URL, req *http.Request, value string) (*http.Response, *UnauthorizedError, error) {
	base, sent := s.base(), authenticated(to, req, s.name, value)
	fetch.RefuseRedirects(sent.Header, fetchBase(base))
	resp, err := roundTrip(base, sent)
	if err != nil {
		return nil, nil, hideIn(err, s.redactor(value))
	}
	if resp.StatusCode == http.StatusUnauthorized {
		return nil, newUnauthorizedError(s.scheme, s.redactor(value), &to, req, resp), nil
	}
	trail := requestTrail{to: &to, caller: req, field: s.name}
	resp.Request = trail.without(resp.Request)
	return resp, nil, nil
}

func (s *headerSender) redactor(value string) redact.Redactor {
	if s.public {
		return redact.Redactor{}
	}
	return redact.FieldValue(value)
}

// authenticated returns a shallow copy of req, as Request.WithContext makes it,
// with a URL of its own and a header of its own in which the field name has
// exactly one value. The header has no memory in common with the caller's: what
// the base writes into its values or appends to them, the caller does not see.
func authenticated(to url.URL, req *http.Request, name, value string) *http.Request {
	// One allocation holds the request, its URL and the values of a usual header.
	out := &struct {
		request http.Request
		url     url.URL
		values  [8]string
	}{request: *req, url: to}

	header := make(http.Header, len(req.Header)+1)
	values := slices.Grow(out.values[:0], len(req.Header)+1)
	for key, vv := range req.Header {
		if origin.EqualFoldASCII(key, name) {
			continue
		}
		if vv == nil {
			header[key] = nil // net/http tells nil from empty
			continue
		}
		start := len(values)
		values = append(values, vv...)
		header[key] = values[start:len(values):len(values)]
	}
	start := len(values)
	values = append(values, value)
	header[name] = values[start:len(values):len(values)]

	out.request.URL = &out.url
	out.request.Header = header
	return &out.request
}

// requestTrail is what a response says of the requests that led to it: its own,
// and those of the redirects that the base followed by itself.
type requestTrail struct {
	to     *url.URL      // where the request was sent
	caller *http.Request // that it was made from
	field  string        // that carried the credential
}

// without returns sent, the request of a response, as the caller may see it:
// without the credential. That is the caller's own request, unless the base
// sent another one.
func (t *requestTrail) without(sent *http.Request) *http.Request { return t.withoutAfter(sent, 0) }

func (t *requestTrail) withoutAfter(sent *http.Request, hops int) *http.Request {
	if sent == nil || sent.URL == nil || sent.Response == t.caller.Response && sameURL(sent.URL, t.to) {
		return t.caller
	}
	shown := *sent
	shown.Header = make(http.Header, len(sent.Header))
	for key, values := range sent.Header {
		if !origin.EqualFoldASCII(key, t.field) {
			shown.Header[key] = values
		}
	}
	switch {
	case sent.Response == nil || sent.Response == t.caller.Response:
	case hops == origin.MaxHops:
		shown.Response = &http.Response{} // which counts as another origin
	default:
		response := *sent.Response
		response.Request = t.withoutAfter(response.Request, hops+1)
		shown.Response = &response
	}
	return &shown
}
