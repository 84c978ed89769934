package routeauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"example.com/routeauth/internal/fetch"
	"example.com/routeauth/internal/httpfield"
	"example.com/routeauth/internal/origin"
	"example.com/routeauth/internal/redact"
	"example.com/routeauth/internal/replay"
	"example.com/routeauth/internal/sound"
)

// headerSender sends requests with a credential in one header field. It holds
// no credential itself.
type headerSender struct {
	scheme  Scheme
	name    string // in canonical form
	base    hidden[http.RoundTripper]
	options *transportConfig // of the Transport that the base came from; nil for none
	public  bool             // the value is no secret
	prefix  string           // of the value, which is a secret without it too
	secret  hidden[string]   // that is in the value in a form of its own, or nil
}

func newHeaderSender(scheme Scheme, name string, base http.RoundTripper) (headerSender, []error) {
	var schemeErr error
	if scheme == "" {
		schemeErr = errors.New(`scheme is empty: name the kind of credential for errors and logs, such as "gateway-key"`)
	}
	s := headerSender{scheme: scheme, name: http.CanonicalHeaderKey(name)}
	if configured, ok := base.(*configuredBase); ok {
		base, s.options = configured.base(), configured.options
	}
	base, baseErr := baseOrDefault(base)
	s.base = hide(base)
	return s, []error{schemeErr, httpfield.CheckName(name), baseErr}
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

// credential is what a request is sent with.
type credential struct {
	value  string // of the header field
	secret Secret // as its source knows it
	// replaceable says that the source may have another one if this is rejected:
	// it was not fetched for this very request.
	replaceable bool
}

// credentialSource is where the credentials of a transport come from.
type credentialSource interface {
	credential(ctx context.Context, params Params) (credential, error)
	discard(ctx context.Context, params Params, rejected credential)
}

// exchange sends a request with a credential of source, and once more with
// another one where the first was rejected and that may help.
func (s *headerSender) exchange(to *target, req *http.Request, source credentialSource, f ParamsFunc) (*http.Response, error) {
	if origin.Left(&to.url, req) {
		return sound.RoundTrip("routeauth: the base", s.base(), req) // and no credential is asked for
	}
	ctx, cancel := contextOf(req)
	defer cancel()
	ctx = sourceContext(ctx, s.options.tracesOf(req), s.scheme)
	body := replay.Of(req)
	params, err := requestParams(f, req, body)
	if err != nil {
		return nil, newCredentialError(s.scheme, req, err, false)
	}
	c, err := source.credential(ctx, params)
	if err != nil {
		return nil, newSourceError(ctx, s.scheme, req, err)
	}
	maySendAgain := c.replaceable && replay.CanSendAgain(req)
	prepared, err := body.Prepare(req, maySendAgain)
	if err != nil {
		return nil, newCredentialError(s.scheme, req, fmt.Errorf("params: %w", sound.Error("routeauth: GetBody", err)), false)
	}
	resp, rejected, err := s.send(to, req, prepared, c.value, "")
	if rejected == nil {
		return resp, err
	}
	source.discard(ctx, params, c)
	if !maySendAgain {
		return rejected.final(s, req)
	}
	next, err := source.credential(ctx, params)
	if err != nil {
		return rejected.final(s, req)
	}
	if next.secret == c.secret {
		source.discard(ctx, params, next) // it was returned again
		return rejected.final(s, req)
	}
	rejected.close()
	again, err := body.Again(req)
	if err != nil {
		return rejected.final(s, req)
	}
	s.options.tracesOf(req).unauthorized(req.Context(), rejected.err, true)
	resp, rejected, err = s.send(to, req, again, next.value, c.value)
	if rejected == nil {
		return resp, err
	}
	source.discard(ctx, params, next)
	return rejected.final(s, req)
}

// send is the one function through which every credential is sent: a request
// gets its header field here or nowhere. The caller has asked origin.Left. The
// request is the caller's, or a copy of it with another body, and goes to the
// target that the decision was made for. The server may have seen another
// credential of this request, which is hidden too. send returns the response, or
// how the server rejected the credential, or the error of the base.
func (s *headerSender) send(to *target, caller, req *http.Request, value, seen string) (*http.Response, *rejection, error) {
	base, sent := s.base(), authenticated(to, req, s.name, value)
	fetch.RefuseRedirects(sent.Header, fetchBase(base))
	resp, err := sound.RoundTrip("routeauth: the base", base, sent)
	if err != nil {
		return nil, nil, hideIn(err, s.redactor(value, seen))
	}
	resp.Request = shownRequest(resp.Request, &to.url, caller, s.name)
	if resp.StatusCode == http.StatusUnauthorized {
		return nil, s.reject(s.redactor(value, seen), to, caller, resp), nil
	}
	return resp, nil, nil
}

// redactor returns what hides the values of the header field in the texts of one
// answer.
func (s *headerSender) redactor(values ...string) redact.Redactor {
	if s.public {
		return redact.Redactor{}
	}
	if s.prefix != "" {
		for _, value := range values {
			values = append(values, strings.TrimPrefix(value, s.prefix))
		}
	}
	return redact.FieldValues(append(values, s.secret.reveal())...)
}

// authenticated returns a shallow copy of req, as Request.WithContext makes it,
// with that method, a URL of its own and a header of its own in which the field
// name has exactly one value. The header has no memory in common with the
// caller's: what the base writes into its values or appends to them, the caller
// does not see.
func authenticated(to *target, req *http.Request, name, value string) *http.Request {
	// One allocation holds the request, its URL and the values of a usual header.
	// With an eighth value it would take the next larger class of sizes.
	out := &struct {
		request http.Request
		url     url.URL
		values  [7]string
	}{request: *req, url: to.url}

	header := make(http.Header, len(req.Header)+1)
	values := valueCopies{out.values[:]}
	if len(req.Header) >= len(out.values) {
		values.free = make([]string, len(req.Header)+1)
	}
	for key, vv := range req.Header {
		switch {
		case origin.EqualFoldASCII(key, name): // replaced below
		case vv == nil:
			header[key] = nil // net/http tells nil from empty
		default:
			header[key] = values.of(vv)
		}
	}
	header[name] = values.of([]string{value})

	out.request.Method, out.request.URL = to.method, &out.url
	out.request.Header = header
	return &out.request
}

// valueCopies makes copies of the values of a header in memory that was allocated
// for all of them together. Values that do not fit get memory of their own.
type valueCopies struct{ free []string }

func (c *valueCopies) of(values []string) []string {
	n := len(values)
	if n > len(c.free) {
		return slices.Clone(values)
	}
	own := c.free[:n:n]
	c.free = c.free[n:]
	if n == 1 {
		own[0] = values[0] // the usual case, without the cost of a copy
		return own
	}
	copy(own, values)
	return own
}

// shownRequest returns sent, the request of a response, as the caller may see it:
// without the credential. That is the caller's own request, unless the base sent
// another one.
func shownRequest(sent *http.Request, to *url.URL, caller *http.Request, field string) *http.Request {
	if isCallers(sent, to, caller) {
		return caller
	}
	return withoutCredential(sent, *to, caller, field)
}

// isCallers reports whether sent is the request that the base was given, or a copy
// of it.
func isCallers(sent *http.Request, to *url.URL, caller *http.Request) bool {
	return sent == nil || sent.URL == nil || sent.Response == caller.Response && sameURL(sent.URL, to)
}

// withoutCredential is for the request of a base that followed a redirect or
// rewrote the URL. Inlined, it would cost every other request an allocation.
//
//go:noinline
func withoutCredential(sent *http.Request, to url.URL, caller *http.Request, field string) *http.Request {
	trail := requestTrail{&to, caller, field}
	return trail.without(sent, 0)
}

// requestTrail is what a response says of the requests that led to it: its own,
// and those of the redirects that the base followed by itself.
type requestTrail struct {
	to     *url.URL      // where the request was sent
	caller *http.Request // that it was made from
	field  string        // that carried the credential
}

// without returns sent and those before it without the credential.
func (t *requestTrail) without(sent *http.Request, hops int) *http.Request {
	if isCallers(sent, t.to, t.caller) {
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
		if before := response.Request; before != nil && before.URL != nil { // else it stays unknown
			response.Request = t.without(before, hops+1)
		}
		shown.Response = &response
	}
	return &shown
}
