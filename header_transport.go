package routeauth

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"example.com/routeauth/internal/fallback"
	"example.com/routeauth/internal/httpfield"
	"example.com/routeauth/internal/origin"
	"example.com/routeauth/internal/sound"
)

// Names of the header fields that carry a credential.
const (
	HeaderAuthorization = "Authorization"
	HeaderUserID        = "X-User-Id"
	HeaderAPIKey        = "X-Api-Key"
)

// HeaderTransport is an [http.RoundTripper] that sends each request with one
// header field. [APIKeyTransport] and [SubscriptionTransport] are made of it; use
// it for an API whose field has another name or form. It keeps what the package
// comment promises of every transport.
//
// Used alone it has no scope: it sends the field to whatever host the caller's
// first request names. [New] binds credentials to one API.
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
// part of a field value, or empty. A scheme alone, such as "Bearer" without its
// space, is no prefix of Authorization, and a credential that begins with the
// prefix once more is refused.
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
	errs = append(errs, checkNotNil("secret source", source), checkPrefix(sender.name, prefix))
	if err := joinErrors(errs...); err != nil {
		return nil, err
	}
	return &HeaderTransport{sender: sender, source: hide(secretSource{source, prefix, check})}, nil
}

// checkPrefix checks what stands before the credential in the field with this
// name.
func checkPrefix(name, prefix string) error {
	switch {
	case prefix == "":
		return nil
	case (name == HeaderAuthorization || name == "Proxy-Authorization") && !strings.ContainsAny(prefix, " ="):
		return fmt.Errorf("header prefix: %s needs a space between the scheme and the credential (RFC 9110, section 11.4), such as %q", name, "Bearer ")
	}
	return httpfield.CheckValue("header prefix", strings.TrimSuffix(prefix, " "))
}

// checkPrefixed checks a value that is sent behind prefix.
func checkPrefixed(what, value, prefix string) error {
	if strings.HasSuffix(prefix, " ") && httpfield.HasPrefixFold(value, prefix) {
		return fmt.Errorf("%s begins with the prefix, which the transport adds by itself", what)
	}
	return nil
}

// RoundTrip sends req with the credential. The package comment says what happens
// to req, its body and the response.
func (t *HeaderTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := t.sender.check(req); err != nil {
		return nil, err
	}
	return t.roundTripTo(targetOf(req), req)
}

func (t *HeaderTransport) roundTripTo(to target, req *http.Request) (*http.Response, error) {
	if t.source != nil {
		source := t.source()
		return t.sender.exchange(&to, req, &source, nil)
	}
	if origin.Left(&to.url, req) {
		return sound.RoundTrip("routeauth: the base", t.sender.base(), req)
	}
	resp, rejected, err := t.sender.send(&to, req, req, t.value(), "")
	if rejected != nil {
		return rejected.final(&t.sender, req)
	}
	return resp, err
}

func (t *HeaderTransport) scheme() Scheme { return t.sender.scheme }

// CloseIdleConnections closes the base's idle connections, if it can.
func (t *HeaderTransport) CloseIdleConnections() {
	fallback.CloseIdleConnections(t.sender.base.reveal())
}

func (t *HeaderTransport) unwrap() http.RoundTripper { return t.sender.base.reveal() }

// secretSource is a [SecretSource] as a credentialSource.
type secretSource struct {
	SecretSource
	prefix string
	check  func(what, value string) error
}

func (s *secretSource) credential(ctx context.Context, _ Params) (credential, error) {
	secret, err := secretOf(ctx, s.SecretSource, s.checkSecret)
	if err != nil {
		return credential{}, err
	}
	_, isDiscarder := s.SecretSource.(SecretDiscarder)
	return credential{value: s.prefix + string(secret), secret: secret, replaceable: isDiscarder}, nil
}

func (s *secretSource) checkSecret(secret Secret) error {
	err := errors.Join(s.check("secret", string(secret)), checkPrefixed("secret", string(secret), s.prefix))
	if err == nil {
		return nil
	}
	return Permanent(fmt.Errorf("the secret source returned an invalid secret: %w", err))
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
			errors.Join(httpfield.CheckValue("header value", string(a.Value)),
				checkPrefixed("header value", string(a.Value), a.Prefix), checkPrefix(http.CanonicalHeaderKey(a.Name), a.Prefix)))
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
// REDACTED too where it is the secret. It implements [encoding.TextMarshaler],
// which encoding/json, encoding/xml and log/slog follow.
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
