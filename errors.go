package routeauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"example.com/routeauth/internal/problem"
	"example.com/routeauth/internal/sound"
)

// Scheme names the kind of a credential in errors.
type Scheme string

// The schemes of the credentials that this package knows. A [HeaderTransport]
// takes any other.
const (
	SchemeJWT          Scheme = "jwt"
	SchemeSubscription Scheme = "subscription"
	SchemeAPIKey       Scheme = "api-key"
	SchemeBearer       Scheme = "bearer"
	SchemeBasic        Scheme = "basic"
)

// ErrUnauthorized is what every [*UnauthorizedError] is, for [errors.Is].
var ErrUnauthorized = errors.New("routeauth: the server rejected the credential")

// UnauthorizedError reports that the server answered 401 to a request that
// carried a credential (RFC 9110, section 15.5.2). The server has not acted on
// the request. A 401 to a request that this package sent without a credential
// is no such error but an ordinary response.
//
// What the response said is kept, without the credential that this very request
// carried: where the server echoed it, in the body, in a header or in the URL of
// a redirect, REDACTED stands in its place. So it does where the echo is escaped,
// up to three times, as in JSON, a URL (also with %uXXXX), HTML or Go's %q. A
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

// Error gives the method, the URL, the scheme, the detail and the request ID.
func (e *UnauthorizedError) Error() string {
	if e == nil {
		return "routeauth: no error"
	}
	text := fmt.Sprintf("routeauth: %s %s: 401: the server rejected the %s credential", e.Method, e.URL, e.Scheme)
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	if e.RequestID != "" {
		text += " (request ID " + problem.OneLine(e.RequestID) + ")"
	}
	return text
}

// Is reports whether target is [ErrUnauthorized].
func (e *UnauthorizedError) Is(target error) bool { return target == ErrUnauthorized }

// ErrRefusedPath is in the [*CredentialError] of a request that a [Policy]
// refuses: see there.
var ErrRefusedPath = errors.New("the path may be read in more than one way")

// CredentialError reports that a request was not sent, because there was no
// credential to send it with or because it may go astray ([ErrRefusedPath]). It
// unwraps to the reason. The request's body was closed.
//
// The reason may be a 401 of somebody else's, such as that of an identity
// provider which a [TokenSource] asks. Then [errors.Is] finds [ErrUnauthorized]
// and errors.As finds an [*UnauthorizedError] in it, although the API was not
// asked. So ask for a CredentialError first.
type CredentialError struct {
	Scheme Scheme // of the missing credential; empty where none was chosen
	Method string // of the request; "GET" where it was empty
	URL    string // of the request, without user info, query or fragment
	Err    error  // why

	temporary bool
	timeout   bool // a deadline passed, whatever Err says
}

// Error gives the method, the URL, the scheme and the reason.
func (e *CredentialError) Error() string {
	if e == nil {
		return "routeauth: no error"
	}
	if e.Scheme == "" {
		return fmt.Sprintf("routeauth: %s %s: not sent: %v", e.Method, e.URL, e.Err)
	}
	return fmt.Sprintf("routeauth: %s %s: not sent, no %s credential: %v", e.Method, e.URL, e.Scheme, e.Err)
}

// Unwrap returns the reason.
func (e *CredentialError) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Err
}

// Temporary reports whether the same request may succeed later: a
// [TokenSource] failed, its error holds nothing that [Permanent] made and no
// CredentialError that is not temporary, and it is not that of the request's own
// context. It is false for a token that is empty or ill-formed and for errors of
// params and bodies.
//
// A method Temporary of another error plays no part: that of [*url.Error] says
// no to a refused connection, which may well be accepted later.
func (e *CredentialError) Temporary() bool { return e != nil && e.temporary }

// Timeout reports whether a deadline passed while the credential was asked for,
// or an error in Err says so with a method Timeout() bool. With it, net.Error and
// os.IsTimeout answer as for any request. Where http.Client.Timeout fires,
// net/http may put a plain text in the place of this error: use a context.
func (e *CredentialError) Timeout() bool {
	if e != nil && e.timeout {
		return true
	}
	return e != nil && isTimeout(e.Err)
}

// EndpointError reports that the endpoint of a [RemoteTokenSource] answered, but
// with no token. The source's error is one or wraps one, which errors.As finds,
// also through the [CredentialError] of a request that needed the token. Without
// an EndpointError in it, the endpoint did not answer.
//
// It shows nothing that the source's client sent, no query and no password of
// the endpoint, and no token: where the answer repeated them, REDACTED stands in
// their place.
type EndpointError struct {
	Endpoint   string // as it was given, without user info and query
	StatusCode int    // of the answer; 200 where there was no token in it
	// Detail is what the answer says went wrong, as one line of at most 256
	// bytes, if its body is JSON in a form that UnauthorizedError lists. It is
	// empty otherwise, as for a gateway's HTML page.
	Detail string
	// RetryAfter is how long the endpoint asks to be left alone, in seconds or
	// until a date (RFC 9110, section 10.2.3). It is 0 where it does not ask, and
	// never negative. A TokenCache obeys it for up to a minute.
	RetryAfter time.Duration
}

// Error gives the endpoint, the status and the detail.
func (e *EndpointError) Error() string {
	if e == nil {
		return "routeauth: no error"
	}
	text := fmt.Sprintf("token endpoint %s: %d", e.Endpoint, e.StatusCode)
	if name := http.StatusText(e.StatusCode); name != "" {
		text += " " + name
	}
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	return text
}

// newCredentialError ends a request before it is sent: the body is closed, as
// the [http.RoundTripper] contract requires on every path.
func newCredentialError(scheme Scheme, req *http.Request, err error, temporary bool) *CredentialError {
	sound.CloseBody(req)
	var u *url.URL
	if req != nil {
		u = req.URL
	}
	return &CredentialError{scheme, methodOf(req), locationOf(u), err, temporary, false}
}

// newSourceError is newCredentialError for the error of a source.
func newSourceError(ctx context.Context, scheme Scheme, req *http.Request, err error) error {
	e := newCredentialError(scheme, req, err, isTemporary(ctx, err))
	e.timeout = isLate(ctx, err)
	return e
}

// isLate reports whether a credential was not there in time. The error need not
// say so: it may be one of the source's own, or the cause of the context. But a
// deadline is not why a request fails that would fail at any time.
func isLate(ctx context.Context, err error) bool {
	return errors.Is(ctx.Err(), context.DeadlineExceeded) && !holdsError(err, func(*permanentError) bool { return true })
}

// isTemporary judges the error of a token source by the rule that
// [CredentialError.Temporary] states.
func isTemporary(ctx context.Context, err error) bool {
	if ctx.Err() != nil && (errors.Is(err, ctx.Err()) || errors.Is(err, context.Cause(ctx))) {
		return false
	}
	return !holdsError(err, func(*permanentError) bool { return true }) &&
		!holdsError(err, func(e *CredentialError) bool { return !e.Temporary() })
}

// Permanent wraps the error of a [TokenSource] to say that asking again does
// not help: the [CredentialError] that is made of it is not temporary. The
// text of the error stays the same, and errors.Is and errors.As find what they
// find in err. Permanent of nil is nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

// holdsError reports whether match holds for err or for any error in it. Unlike
// errors.As, which stops at the first error of a type, it looks at all that were
// joined.
func holdsError[E error](err error, match func(E) bool) bool {
	if err == nil || sound.IsTypedNil(err) {
		return false
	}
	if e, ok := err.(E); ok && match(e) {
		return true
	}
	var e E
	if as, ok := err.(interface{ As(any) bool }); ok && as.As(&e) && match(e) {
		return true
	}
	return slices.ContainsFunc(unwrap(err), func(err error) bool { return holdsError(err, match) })
}

// isTimeout reports whether err says that a deadline passed, as net.Error and
// os.IsTimeout ask.
func isTimeout(err error) bool {
	return holdsError(err, func(e interface {
		error
		Timeout() bool
	}) bool {
		return e.Timeout()
	})
}

// joinErrors joins everything that is wrong with a constructor's arguments.
func joinErrors(errs ...error) error {
	var found []error
	for _, err := range errs {
		if err != nil {
			found = append(found, fmt.Errorf("routeauth: %w", err))
		}
	}
	return errors.Join(found...)
}
