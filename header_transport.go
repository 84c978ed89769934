package routeauth

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"example.com/routeauth/internal/httpfield"
	"example.com/routeauth/internal/origin"
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
	value  hidden[string]       // fixed, or
	source hidden[secretSource] // asked at each request
}

// NewHeaderTransport returns a HeaderTransport that sets the header field name
// to value on each request and sends it with base. A nil base means
// [http.DefaultTransport]. The scheme is what errors call the credential.
//
// The error joins everything that is wrong: an empty scheme; a name that is not a
// field name (RFC 9110, section 5.1) or one that net/http manages itself (Host,
// Content-Length, Transfer-Encoding, Trailer, Connection); a value that is
// empty, not a field value (RFC 9110, section 5.5; spaces inside are allowed) or
// the literal REDACTED, also after a space; a base that is a nil pointer or
// function.
func NewHeaderTransport(scheme Scheme, name string, value Secret, base http.RoundTripper) (*HeaderTransport, error) {
	return newHeaderTransport(scheme, name, string(value), base,
		httpfield.CheckValue("header value", string(value)))
}

// NewHeaderSourceTransport returns a HeaderTransport that asks source for the
// credential at each request and sends prefix and credential as the value of the
// header field name. If source is a [SecretDiscarder], a 401 is answered as
// [JWTTransport] answers it: the source is told and asked again, and if it has
// another value by then, the request is sent once more.
//
// A source that fails, or returns what is not a field value, makes a
// [*CredentialError], and nothing is sent. The error of the constructor joins
// everything that is wrong, as that of NewHeaderTransport does; prefix must be a
// part of a field value, or empty.
func NewHeaderSourceTransport(scheme Scheme, name, prefix string, source SecretSource, base http.RoundTripper) (*HeaderTransport, error) {
	return newHeaderSourceTransport(scheme, name, prefix, source, base, httpfield.CheckValue)
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

func newHeaderSourceTransport(scheme Scheme, name, prefix string, source SecretSource, base http.RoundTripper, check func(what, value string) error) (*HeaderTransport, error) {
	sender, errs := newHeaderSender(scheme, name, base)
	sender.prefix = prefix
	errs = append(errs, checkNotNil("secret source", source), checkPrefix(prefix))
	if err := joinErrors(errs...); err != nil {
		return nil, err
	}
	return &HeaderTransport{sender: sender, source: hide(secretSource{source, prefix, check})}, nil
}

func checkPrefix(prefix string) error {
	if prefix == "" {
		return nil
	}
	return httpfield.CheckValue("header prefix", strings.TrimSuffix(prefix, " "))
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
	if t.source != nil {
		source := t.source()
		return t.sender.exchange(to, req, &source, nil)
	}
	if origin.Left(&to, req) {
		return roundTrip(t.sender.base(), req)
	}
	resp, rejected, err := t.sender.send(to, req, t.value(), "")
	if rejected != nil {
		return rejected.final(&t.sender, req)
	}
	return resp, err
}

func (t *HeaderTransport) scheme() Scheme { return t.sender.scheme }

// CloseIdleConnections closes the base's idle connections, if it can.
func (t *HeaderTransport) CloseIdleConnections() { closeIdleConnections(t.sender.base.reveal()) }

func (t *HeaderTransport) unwrap() http.RoundTripper { return t.sender.base.reveal() }

// secretSource is a [SecretSource] as a credentialSource.
type secretSource struct {
	SecretSource
	prefix string
	check  func(what, value string) error
}

func (s *secretSource) credential(ctx context.Context, _ Params) (credential, error) {
	secret, err := secretOf(ctx, s.SecretSource)
	if err != nil {
		return credential{}, err
	}
	if err := s.check("secret", string(secret)); err != nil {
		return credential{}, Permanent(fmt.Errorf("the secret source returned an invalid secret: %w", err))
	}
	_, isDiscarder := s.SecretSource.(SecretDiscarder)
	return credential{value: s.prefix + string(secret), secret: secret, replaceable: isDiscarder}, nil
}

func (s *secretSource) discard(ctx context.Context, _ Params, rejected credential) {
	if discarder, ok := s.SecretSource.(SecretDiscarder); ok {
		discarder.Discard(ctx, rejected.secret)
	}
}

// HeaderAuth authenticates every request of an API, mandatory or optional, with
// one header field, for an API whose field has another name or form than those of
// the other kinds. Exactly one of Value and Source must be set.
//
// A bearer token that is kept in a file is a HeaderAuth with the name
// Authorization, the prefix "Bearer " and a [FileSecretSource].
//
// Do not keep it in an unexported field of a struct that is printed: see
// [Secret]. Keep the [Transport] that [New] makes of it.
type HeaderAuth struct {
	Scheme Scheme       // what errors call the credential
	Name   string       // of the header field
	Prefix string       // before the credential, such as "Token "; may be empty
	Value  Secret       // the credential, or
	Source SecretSource // where the current one comes from
}

// Format formats a without its Value: see [APIKeyAuth.Format].
func (a HeaderAuth) Format(f fmt.State, verb rune) {
	formatFields(f, verb, "routeauth.HeaderAuth", []field{
		{"Scheme", string(a.Scheme)}, {"Name", a.Name}, {"Prefix", a.Prefix}, {"Value", a.Value}, {"Source", typeOf(a.Source)},
	})
}

// RoundTrippers returns one [HeaderTransport] for both kinds of endpoints. The
// error is that of [NewHeaderTransport] or [NewHeaderSourceTransport], or says
// that not exactly one of Value and Source is set.
func (a HeaderAuth) RoundTrippers(base http.RoundTripper) (mandatory, optional http.RoundTripper, err error) {
	if err := checkOneOf("header value", "Value", a.Value != "", "Source", a.Source != nil); err != nil {
		return nil, nil, joinErrors(err)
	}
	var t *HeaderTransport
	if a.Source != nil {
		t, err = NewHeaderSourceTransport(a.Scheme, a.Name, a.Prefix, a.Source, base)
	} else {
		t, err = newHeaderTransport(a.Scheme, a.Name, a.Prefix+string(a.Value), base,
			errors.Join(httpfield.CheckValue("header value", string(a.Value)), checkPrefix(a.Prefix)))
	}
	if err != nil {
		return nil, nil, err
	}
	t.sender.prefix = a.Prefix
	return t, t, nil
}

// checkOneOf returns an error unless exactly one of two fields is set that say
// what a credential is.
func checkOneOf(what, a string, aSet bool, b string, bSet bool) error {
	switch {
	case aSet && bSet:
		return fmt.Errorf("%s: both %s and %s are set: choose one", what, a, b)
	case !aSet && !bSet:
		return fmt.Errorf("%s is empty: set %s or %s", what, a, b)
	}
	return nil
}

// BasicAuth authenticates every request of an API with a user name and a password
// (RFC 7617). One of the two may be empty; with an empty password the user name
// is the secret, as with Stripe's keys. Errors hide the password, or the user
// name in its place, and the base64 of both.
//
// Do not keep it in an unexported field of a struct that is printed: see
// [Secret]. Keep the [Transport] that [New] makes of it.
type BasicAuth struct {
	Username string
	Password Secret
}

// Format formats a without its Password, and without its Username where that is
// the secret: see [APIKeyAuth.Format].
func (a BasicAuth) Format(f fmt.State, verb rune) {
	formatFields(f, verb, "routeauth.BasicAuth", []field{{"Username", a.shownUsername()}, {"Password", a.Password}})
}

// MarshalText returns the user name, a colon and REDACTED; the user name is
// REDACTED too where it is the secret. It implements [encoding.TextMarshaler], which encoding/json,
// encoding/xml and log/slog follow.
func (a BasicAuth) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%v:%v", a.shownUsername(), a.Password), nil
}

func (a BasicAuth) shownUsername() any {
	if a.Password == "" {
		return Secret(a.Username)
	}
	return a.Username
}

// RoundTrippers returns one [HeaderTransport] for both kinds of endpoints. The
// error joins everything that is wrong: a user name with a colon, either with a
// control character or the literal REDACTED, both empty, a base that is a nil
// pointer or function.
func (a BasicAuth) RoundTrippers(base http.RoundTripper) (mandatory, optional http.RoundTripper, err error) {
	secret := cmp.Or(string(a.Password), a.Username)
	errs := []error{httpfield.CheckBasic("user name", a.Username), httpfield.CheckBasic("password", string(a.Password))}
	if secret == "" {
		errs = append(errs, errors.New("user name and password are empty"))
	}
	if strings.Contains(a.Username, ":") {
		errs = append(errs, errors.New("user name has a colon, which would end it (RFC 7617, section 2)"))
	}
	value := "Basic " + base64.StdEncoding.EncodeToString([]byte(a.Username+":"+string(a.Password)))
	t, err := newHeaderTransport(SchemeBasic, HeaderAuthorization, value, base, errors.Join(errs...))
	if err != nil {
		return nil, nil, err
	}
	t.sender.secret = hide(secret)
	return t, t, nil
}
