package routeauth

import (
	"errors"
	"net/http"
	"slices"
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
//     caller had set under that name, and the caller's own body.
//   - A redirect hop carries no credential unless every hop of its chain had
//     the same scheme, host and port. A hop without one goes to the base as it
//     is, and what it is answered comes back as it is, a 401 as well. What the
//     caller had set by hand is the caller's, and goes where http.Client takes it.
//   - A 401 becomes a [*UnauthorizedError] with what the response said. This
//     departs from the [http.RoundTripper] contract, which wants a response
//     for every status, because a rejected credential is a failure of the
//     wrapper's own job. The response's body is drained, at most 64 KiB and
//     for at most a second, and closed.
//   - Any other response is the base's own, its body untouched. Its Request is
//     the caller's, which holds no credential.
//   - A request without a URL is a [*CredentialError]: its body is closed and
//     nothing is sent.
//   - Errors of the base come back as they are. Only where the text of one
//     quotes the credential, as net/http quotes what it cannot read of a
//     response, another stands in its place: errors.Is and errors.As find in it
//     what they would find in the base's own, whose text still quotes it. The
//     [*UnauthorizedError] of a wrapper below is found without the credential.
//     A base that returns neither a response nor an error makes an error that
//     says so.
//   - It is safe for concurrent use, and CloseIdleConnections reaches the base.
//   - The zero value sends nothing: each request is a [*CredentialError].
type HeaderTransport struct {
	field field
	value sealed[string]
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
		checkFieldValue("header value", string(value)))
}

// newHeaderTransport takes the verdict on the value from its caller, who knows
// what the value is and how strict to be.
func newHeaderTransport(scheme Scheme, name, value string, base http.RoundTripper, valueErr error) (*HeaderTransport, error) {
	field, fieldErrs := newField(scheme, name, base)
	if err := invalid(append(fieldErrs, valueErr)...); err != nil {
		return nil, err
	}
	return &HeaderTransport{field: field, value: seal(value)}, nil
}

// RoundTrip sends req with the credential. See [HeaderTransport] for what
// happens to req, its body and the response.
func (t *HeaderTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := t.field.refusal(req); err != nil {
		return nil, err
	}
	resp, rejection, err := t.field.send(req, t.value())
	if rejection != nil {
		return nil, rejection
	}
	return resp, err
}

// CloseIdleConnections closes the base's idle connections, if it can.
func (t *HeaderTransport) CloseIdleConnections() { closeIdleConnections(t.field.base) }

func (t *HeaderTransport) below() http.RoundTripper { return t.field.base.orZero() }

// field is a header field that carries a credential, and the base that it is
// sent with. It holds no credential itself.
type field struct {
	scheme Scheme
	name   string // in canonical form
	base   sealed[http.RoundTripper]
	public bool // the value is no secret
}

func newField(scheme Scheme, name string, base http.RoundTripper) (field, []error) {
	var schemeErr error
	if scheme == "" {
		schemeErr = errors.New("scheme is empty")
	}
	base, baseErr := baseOrDefault(base)
	return field{scheme: scheme, name: http.CanonicalHeaderKey(name), base: seal(base)},
		[]error{schemeErr, checkFieldName(name), baseErr}
}

// send is the one function through which every credential is sent: a request
// gets its header field here or nowhere. It returns the response, or how the
// server rejected the credential, or the error of the base.
func (f *field) send(req *http.Request, value string) (*http.Response, *UnauthorizedError, error) {
	if leftOrigin(req) {
		resp, err := f.base().RoundTrip(req)
		return resp, nil, err
	}
	resp, err := f.base().RoundTrip(authenticated(req, f.name, value))
	if err != nil {
		err = f.redactor(value).failure(err)
	}
	if resp == nil {
		if err == nil {
			err = errors.New("routeauth: the base returned neither a response nor an error")
		}
		return nil, nil, err
	}
	resp.Request = req
	if err == nil && resp.StatusCode == http.StatusUnauthorized {
		return nil, newUnauthorizedError(f.scheme, f.redactor(value), resp), nil
	}
	return resp, nil, err
}

func (f *field) redactor(value string) redactor {
	if f.public {
		return redactor{}
	}
	return newRedactor(value)
}

// refusal returns the error of a request that cannot be sent at all.
func (f *field) refusal(req *http.Request) error {
	switch {
	case f.base == nil:
		return f.refuse(req, errors.New("the transport was not made by its constructor"), false)
	case req == nil || req.URL == nil:
		return f.refuse(req, errNoURL, false)
	}
	return nil
}

// refuse ends a request before it is sent.
func (f *field) refuse(req *http.Request, err error, temporary bool) error {
	return refuse(f.scheme, req, err, temporary)
}

// authenticated returns a shallow copy of req, as Request.WithContext makes it,
// with a header of its own in which the field name has exactly one value. The
// header has no memory in common with the caller's: what the base writes into
// its values or appends to them, the caller does not see.
func authenticated(req *http.Request, name, value string) *http.Request {
	// One allocation holds the request and the values of a usual header.
	out := &struct {
		request http.Request
		values  [8]string
	}{request: *req}

	header := make(http.Header, len(req.Header)+1)
	values := slices.Grow(out.values[:0], len(req.Header)+1)
	for key, vv := range req.Header {
		if equalFoldASCII(key, name) {
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

	out.request.Header = header
	return &out.request
}
