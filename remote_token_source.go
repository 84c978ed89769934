package routeauth

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"example.com/routeauth/internal/fetch"
	"example.com/routeauth/internal/origin"
	"example.com/routeauth/internal/problem"
	"example.com/routeauth/internal/redact"
)

const (
	remoteTimeout      = 10 * time.Second // of the client that a nil one means
	maxRemoteAnswer    = 64 << 10
	maxRemoteDetail    = 256
	maxRemoteRedirects = 10
)

// RemoteTokenSource is a [TokenSource] that asks the app's own backend, which
// decides whether its user may have a token. The backend's half is the package
// issuer, or anything that answers alike.
//
// Each token is one POST with the params as a JSON object, governed by the
// request's context. The backend answers 200 with {"type": "jwt", "token":
// "…"}, of which the type may be missing. Anything else is an error that names
// the status and, where the answer is JSON that says what went wrong, the
// reason. The answer is read up to 64 KiB. An error for a status from 400 to
// 499 but 408, 425 and 429 is [Permanent]. So is one for params that are not UTF-8, which JSON would change. A 401 of the
// backend is no [ErrUnauthorized]: the API was not asked. No error shows the
// endpoint's password, the name of a user without one, or the query; values in
// it of less than four bytes are hidden only with the rest of it.
//
// No credential of the API goes to the backend: the client is the backend's
// alone. Who is logged in is for the client's own transport to say, with a
// cookie or a header of the app's. A redirect is followed only if it keeps the
// POST and the backend's scheme, host and port, unless the client has a
// CheckRedirect of its own. With the browser's fetch (GOOS=js) none is followed.
//
// It is safe for concurrent use. It keeps no token; put a [TokenCache] over it.
// The zero value always fails.
type RemoteTokenSource struct {
	endpoint hidden[*url.URL] // may hold a password or an access key
	secrets  hidden[[]string] // of the endpoint
	client   hidden[*http.Client]
}

// RemoteOption changes what a [RemoteTokenSource] accepts.
type RemoteOption func(*remoteConfig) error

type remoteConfig struct{ allowPlaintext bool }

// AllowPlaintextEndpoint lets the endpoint be http:// on a host that is not
// loopback. Anyone on the network path can then read the token and the app's
// session.
func AllowPlaintextEndpoint() RemoteOption {
	return func(c *remoteConfig) error {
		c.allowPlaintext = true
		return nil
	}
}

// NewRemoteTokenSource returns a RemoteTokenSource that posts to endpoint with a
// copy of client, or for nil with a client of its own that gives up after 10
// seconds.
//
// The error joins everything that is wrong with the endpoint: it is malformed,
// relative, neither https nor http, or http on a host that is not loopback (see
// [AllowPlaintextEndpoint]), or it has an empty host, an invalid port or a
// fragment; or an option is nil. The error does not show the endpoint.
func NewRemoteTokenSource(endpoint string, client *http.Client, opts ...RemoteOption) (*RemoteTokenSource, error) {
	var config remoteConfig
	errs := apply(&config, "remote", opts)
	u, urlErrs := origin.Parse("token endpoint", endpoint, "https://backend.example.com/jwt")
	errs = append(errs, urlErrs...)
	if u != nil && origin.IsPlaintext(u) && !config.allowPlaintext {
		errs = append(errs, errors.New("token endpoint is plaintext HTTP: anyone on the network path could read the token: "+
			"use https, or allow it with AllowPlaintextEndpoint"))
	}
	if len(errs) > 0 {
		return nil, joinErrors(errs...)
	}
	if client == nil {
		client = &http.Client{Timeout: remoteTimeout}
	}
	own := *client
	if own.CheckRedirect == nil {
		own.CheckRedirect = stayAtOrigin
	}
	return &RemoteTokenSource{hide(u), hide(secretsOf(u)), hide(&own)}, nil
}

// stayAtOrigin keeps the params, and the app's session, where they were sent. A
// redirect that turns POST into GET would ask for a token bound to nothing.
func stayAtOrigin(req *http.Request, via []*http.Request) error {
	if req.Method != http.MethodPost || !origin.Same(req.URL, via[0].URL) || len(via) > maxRemoteRedirects {
		return http.ErrUseLastResponse
	}
	return nil
}

// Token asks the backend for a token.
func (s *RemoteTokenSource) Token(ctx context.Context, params Params) (Token, error) {
	if s == nil || s.endpoint == nil {
		return Token{}, errNotConstructed("token source", "NewRemoteTokenSource")
	}
	for name, value := range params {
		if !utf8.ValidString(name) || !utf8.ValidString(value) {
			// JSON would change it, and bind the token to something else.
			return Token{}, Permanent(fmt.Errorf("param %q is not UTF-8", name))
		}
	}
	if params == nil {
		params = Params{} // the backend expects an object, not null
	}
	body, err := json.Marshal(params)
	if err != nil {
		return Token{}, s.failure(0, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.endpoint().String(), bytes.NewReader(body))
	if err != nil {
		return Token{}, s.failure(0, errors.New("the request cannot be made"))
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	fetch.RefuseRedirects(req.Header, s.client().Transport)

	resp, err := s.client().Do(req)
	if err != nil {
		return Token{}, s.failure(0, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxRemoteAnswer+1))
	if err != nil {
		return Token{}, s.failure(resp.StatusCode, fmt.Errorf("reading the answer: %w", err))
	}
	token, err := s.tokenIn(resp.StatusCode, answer)
	if err != nil {
		return Token{}, s.failure(resp.StatusCode, err)
	}
	return Token{Value: Secret(token)}, nil
}

// tokenIn returns the token in a backend's answer.
func (s *RemoteTokenSource) tokenIn(status int, answer []byte) (string, error) {
	if status != http.StatusOK {
		secrets := s.redactor()
		detail := secrets.Text(problem.OneLine(secrets.Text(problem.Detail(answer)))) // before it is cut off
		if detail == "" {
			return "", errors.New("no token")
		}
		return "", errors.New(strings.ToValidUTF8(detail[:min(len(detail), maxRemoteDetail)], ""))
	}
	if len(answer) > maxRemoteAnswer {
		return "", fmt.Errorf("the answer is larger than %d bytes", maxRemoteAnswer)
	}
	var jwt struct {
		Type  string `json:"type"`
		Token string `json:"token"`
	}
	switch err := json.Unmarshal(answer, &jwt); {
	case len(answer) == 0:
		return "", errors.New("the answer is empty")
	case err != nil:
		return "", errors.New(`the answer is not a JSON object of the form {"type": "jwt", "token": "…"}`)
	case jwt.Type != "" && !strings.EqualFold(jwt.Type, "jwt"):
		return "", errors.New(`the answer's "type" is not "jwt"`)
	case jwt.Token == "":
		return "", errors.New(`the answer has no "token"`)
	}
	return jwt.Token, nil
}

// failure returns the error of a call that was answered with status, or not at
// all if that is 0. The client or the backend may have quoted the endpoint.
func (s *RemoteTokenSource) failure(status int, err error) error {
	var urlErr *url.Error
	if errors.As(err, &urlErr) {
		err = urlErr.Err
	}
	if errors.Is(err, ErrUnauthorized) { // the client's transport made an error of it
		status = http.StatusUnauthorized
	}
	failed := &remoteError{
		endpoint: locationOf(s.endpoint()),
		status:   status,
		reason:   s.redactor().Text(err.Error()),
		cause:    hide(err),
	}
	if failed.isFinal() && !holdsError(err, func(e *CredentialError) bool { return e.Temporary() }) {
		return Permanent(failed)
	}
	return failed
}

// redactor returns the redactor of one answer.
func (s *RemoteTokenSource) redactor() redact.Redactor { return redact.Secrets(s.secrets()...) }

// secretsOf returns what must not be shown of an endpoint: its user info and
// query. The name of a user who has a password stays, and so do values as short as a version number, without
// which an error could not be read.
func secretsOf(u *url.URL) []string {
	secrets := []string{u.RawQuery}
	user := u.User.Username()
	password, ok := u.User.Password()
	if ok {
		secrets = append(secrets, password)
	} else {
		secrets = append(secrets, user)
	}
	if u.User != nil { // as net/http sends it (RFC 7617, section 2)
		secrets = append(secrets, base64.StdEncoding.EncodeToString([]byte(user+":"+password)))
	}
	for _, values := range u.Query() {
		for _, value := range values {
			if len(value) >= redact.MinPartial {
				secrets = append(secrets, value)
			}
		}
	}
	return secrets
}

// remoteError is the error of a backend that was asked for a token.
type remoteError struct {
	endpoint string // without user info and query
	status   int    // 0 if there was no answer
	reason   string
	cause    hidden[error] // tells its kind, but its own words are not shown
}

func (e *remoteError) Error() string {
	if e.status == 0 {
		return fmt.Sprintf("token endpoint %s: %s", e.endpoint, e.reason)
	}
	return fmt.Sprintf("token endpoint %s: %d %s: %s", e.endpoint, e.status, http.StatusText(e.status), e.reason)
}

// Is reports whether the cause is target. That the backend, or a transport of
// this package on the way to it, rejected the app's session is no
// ErrUnauthorized: the API was not asked.
func (e *remoteError) Is(target error) bool {
	return target != ErrUnauthorized && errors.Is(e.cause(), target)
}

// As finds what is in the cause, with the exception that Is makes.
func (e *remoteError) As(target any) bool {
	if _, ok := target.(**UnauthorizedError); ok {
		return false
	}
	return errors.As(e.cause(), target)
}

// Timeout reports whether the call of the endpoint took too long.
func (e *remoteError) Timeout() bool { return isTimeout(e.cause()) }

// isFinal reports whether the backend refused for good: not with a status that
// asks for patience.
func (e *remoteError) isFinal() bool {
	switch e.status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return 400 <= e.status && e.status <= 499
}
