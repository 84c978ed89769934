package routeauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// Scheme names the kind of a credential in errors.
type Scheme string

// The schemes of the credentials that this package knows. A [HeaderTransport]
// takes any other.
const (
	SchemeJWT          Scheme = "jwt"
	SchemeSubscription Scheme = "subscription"
	SchemeAPIKey       Scheme = "api-key"
)

// ErrUnauthorized is what every [*UnauthorizedError] is, for [errors.Is].
var ErrUnauthorized = errors.New("routeauth: the server rejected the credential")

// UnauthorizedError reports that the server answered 401 to a request that
// carried a credential (RFC 9110, section 15.5.2). The server has not acted on
// the request. A 401 to a request that this package sent without a credential
// is no such error but an ordinary response.
//
// What the response said is kept, without the credential that this very request
// carried: where the server echoed it, in the body (also escaped as in JSON or a
// URL), in a header or in the URL of a redirect, REDACTED stands in its place. A
// subscription ID is an identifier and is left.
type UnauthorizedError struct {
	Scheme Scheme // of the rejected credential
	Method string // of the request; "GET" where it was empty
	URL    string // of the request, without user info, query or fragment

	// Header is the response's header.
	Header http.Header
	// Body is the first 4 KiB of the response's body. It is nil where the body
	// came with a Content-Encoding, in which no credential can be looked for.
	Body []byte
	// Detail is what the body says went wrong, as one line. It is empty where
	// Body is nil, and where the body is not a JSON object of at most 64 KiB
	// that says so in one of the usual forms: {"detail": "…"},
	// {"detail": [{"msg": "…"}]}, {"message": "…"},
	// {"error": "…", "error_description": "…"} (RFC 6749, section 5.2) or
	// problem details (RFC 9457). It is cut off at 4 KiB.
	Detail string
	// RequestID is the header X-Cloud-Trace-Context or, without one,
	// X-Request-Id: what a support desk asks for.
	RequestID string
}

// Error gives the method, the URL, the scheme and the detail.
func (e *UnauthorizedError) Error() string {
	text := fmt.Sprintf("routeauth: %s %s: 401: the server rejected the %s credential", e.Method, e.URL, e.Scheme)
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	return text
}

// Is reports whether target is [ErrUnauthorized].
func (e *UnauthorizedError) Is(target error) bool { return target == ErrUnauthorized }

// CredentialError reports that a request was not sent, because there was no
// credential to send it with. It unwraps to the reason. The request's body was
// closed.
type CredentialError struct {
	Scheme Scheme // of the missing credential; empty where none was chosen yet
	Method string // of the request; "GET" where it was empty
	URL    string // of the request, without user info, query or fragment
	Err    error  // why

	temporary bool
}

// Error gives the method, the URL, the scheme and the reason.
func (e *CredentialError) Error() string {
	credential := "credential"
	if e.Scheme != "" {
		credential = string(e.Scheme) + " credential"
	}
	return fmt.Sprintf("routeauth: %s %s: not sent, no %s: %v", e.Method, e.URL, credential, e.Err)
}

// Unwrap returns the reason.
func (e *CredentialError) Unwrap() error { return e.Err }

// Temporary reports whether the same request may succeed later: a
// [TokenSource] failed, did not say with a method Temporary() bool that its
// failure is final, and the request's own context had not ended. It is false
// for a token that is empty or ill-formed and for errors of params and bodies.
func (e *CredentialError) Temporary() bool { return e.temporary }

var errNoURL = errors.New("the request has no URL")

// refuse ends a request before it is sent: the body is closed, as the
// [http.RoundTripper] contract wants it on every path.
func refuse(scheme Scheme, req *http.Request, err error, temporary bool) error {
	closeBody(req)
	return &CredentialError{scheme, methodOf(req), locationOf(req), err, temporary}
}

// isTemporary judges the error of a token source by the rule that
// [CredentialError.Temporary] states.
func isTemporary(ctx context.Context, err error) bool {
	if ctx.Err() != nil && (errors.Is(err, ctx.Err()) || errors.Is(err, context.Cause(ctx))) {
		return false
	}
	var t interface{ Temporary() bool }
	return !errors.As(err, &t) || t.Temporary()
}

// permanentError is the error of a token source that asking again would not
// mend.
type permanentError struct{ error }

func (e permanentError) Unwrap() error   { return e.error }
func (e permanentError) Temporary() bool { return false }

// methodOf returns the method of a request as it goes on the wire.
func methodOf(req *http.Request) string {
	if req == nil || req.Method == "" {
		return http.MethodGet
	}
	return req.Method
}

// locationOf returns the request's URL without the parts in which secrets
// travel.
func locationOf(req *http.Request) string {
	if req == nil || req.URL == nil {
		return ""
	}
	u := req.URL
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}).String()
}

// invalid joins everything that is wrong with a constructor's arguments.
func invalid(errs ...error) error {
	var found []error
	for _, err := range errs {
		if err != nil {
			found = append(found, fmt.Errorf("routeauth: %w", err))
		}
	}
	return errors.Join(found...)
}
