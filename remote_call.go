package routeauth

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"example.com/routeauth/internal/fallback"
	"example.com/routeauth/internal/fetch"
	"example.com/routeauth/internal/problem"
	"example.com/routeauth/internal/redact"
	"example.com/routeauth/internal/sound"
)

// remoteCall is one call of the endpoint. It is the transport of that call, so
// that it learns what the client sends: no error may show that.
type remoteCall struct {
	endpoint *url.URL
	base     http.RoundTripper
	answered *http.Response // to the last request; nil where there was no answer

	mu      sync.Mutex // net/http calls the hooks of a trace from its own goroutines
	secrets []string
	begun   bool // an answer has
}

func newRemoteCall(endpoint *url.URL, base http.RoundTripper) *remoteCall {
	if base == nil {
		base = fallback.Transport{}
	}
	return &remoteCall{endpoint: endpoint, base: base}
}

// newRequest returns the request of the call. Its trace sees the fields that a
// transport of the client adds to a copy of the request.
func (c *remoteCall) newRequest(ctx context.Context, body []byte) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint.String(), bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("the request cannot be made")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	fetch.RefuseRedirects(req.Header, fetchBase(c.base))
	return req.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteHeaderField:     func(name string, values []string) { c.addSecrets(secretsInField(name, values)) },
		GotFirstResponseByte: c.setBegun,
	})), nil
}

// RoundTrip sends a request of the client with the client's own transport.
func (c *remoteCall) RoundTrip(req *http.Request) (*http.Response, error) {
	c.answered = nil
	c.addSecrets(secretsInRequest(req)) // the client has added its cookies
	resp, err := sound.RoundTrip("routeauth: the base", c.base, req)
	if err != nil {
		return nil, err
	}
	c.answered = resp
	for sent, hops := resp.Request, 0; sent != nil && hops <= maxRemoteRedirects; hops++ {
		c.addSecrets(secretsInRequest(sent)) // its transport has added what it adds
		if sent.Response == nil {
			break
		}
		sent = sent.Response.Request
	}
	return resp, nil
}

func (c *remoteCall) addSecrets(secrets []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.secrets = append(c.secrets, secrets...)
}

func (c *remoteCall) setBegun() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begun = true
}

// failure returns the error of a call that ended with err.
func (c *remoteCall) failure(doing string, err error) error {
	err = sound.Error("routeauth: the client", err)
	if urlErr, ok := err.(*url.Error); ok { // it repeats the endpoint, with the query
		err = urlErr.Err
	}
	noCredential := holdsError(err, func(*CredentialError) bool { return true })
	var rejected *UnauthorizedError
	if errors.As(err, &rejected) && rejected != nil && !noCredential { // a transport of the client made it of the answer
		return c.endpointError(http.StatusUnauthorized, rejected.Header, rejected.Detail)
	}

	clean := c.errorCleaner()
	failed := &remoteError{text: "token endpoint " + locationOf(c.endpoint), cause: hide(err), clean: clean}
	if c.answered != nil {
		failed.answer = c.endpointError(c.answered.StatusCode, c.answered.Header, "")
		failed.text = failed.answer.Error()
	}
	failed.text += ": " + doing + clean(err.Error())

	lastsForGood := holdsError(err, func(*permanentError) bool { return true }) ||
		holdsError(err, func(e *CredentialError) bool { return !e.Temporary() && !endedEarly(e) })
	if lastsForGood {
		return Permanent(failed)
	}
	return failed
}

// endedEarly reports whether an error only says that there was no more time.
func endedEarly(err error) bool {
	return isTimeout(err) || errors.Is(err, context.Canceled)
}

// refusal returns the error of an answer that is not a 200.
func (c *remoteCall) refusal(status int, header http.Header, answer []byte) error {
	refused := c.endpointError(status, header, c.detailIn(answer))
	switch {
	case isFinal(status) && refused.Detail != "":
		return Permanent(refused)
	case 300 <= status && status <= 399 && header.Get("Location") != "":
		return &remoteError{answer: refused, text: refused.Error() + ": the redirect is not followed"}
	}
	return refused
}

// noToken returns the error of a 200 in which there is no token.
func (c *remoteCall) noToken(status int, header http.Header, answer []byte, reason error) error {
	failed := c.endpointError(status, header, c.detailIn(answer))
	return &remoteError{answer: failed, text: failed.Error() + ": " + reason.Error()}
}

// isFinal reports whether a status refuses for good. A 401 does not: the app's
// session may be renewed.
func isFinal(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return 400 <= status && status <= 499
}

// endpointError returns the error of an answer. Its detail may still hold
// anything.
func (c *remoteCall) endpointError(status int, header http.Header, detail string) *EndpointError {
	clean := c.cleaner(nil)
	detail = clean(problem.OneLine(clean(detail))) // before it is cut off
	return &EndpointError{
		Endpoint:   locationOf(c.endpoint),
		StatusCode: status,
		Detail:     strings.Clone(strings.ToValidUTF8(detail[:min(len(detail), maxRemoteDetail)], "")),
		RetryAfter: retryAfter(header, time.Now()),
	}
}

// detailIn returns what an answer says went wrong, without the tokens in it.
func (c *remoteCall) detailIn(answer []byte) string {
	var tokens struct {
		Token        json.RawMessage `json:"token"`
		AccessToken  json.RawMessage `json:"access_token"`
		RefreshToken json.RawMessage `json:"refresh_token"`
		IDToken      json.RawMessage `json:"id_token"`
	}
	_ = json.Unmarshal(answer, &tokens)
	var secrets []string
	for _, value := range []json.RawMessage{tokens.Token, tokens.AccessToken, tokens.RefreshToken, tokens.IDToken} {
		var token string
		_ = json.Unmarshal(value, &token)
		secrets = append(secrets, token)
	}
	return c.cleaner(secrets)(problem.Detail(answer))
}

// jwtPattern matches what begins as a JWT does: with the base64 of {" in it (RFC
// 7515, section 3.3).
var jwtPattern = regexp.MustCompile(`\beyJ[\w.~+/%=-]*`)

// cleaner returns a function that hides the call's secrets, some more, and
// anything that looks like a JWT.
func (c *remoteCall) cleaner(more []string) func(string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	secrets := append(more[:len(more):len(more)], c.secrets...)
	return func(text string) string {
		text = redact.Secrets(secrets...).Text(text)
		return jwtPattern.ReplaceAllString(text, redact.Marker)
	}
}

// quotedPattern matches what fmt writes for %q.
var quotedPattern = regexp.MustCompile(`"(?:[^"\\]|\\.)*"?`)

// errorCleaner returns the cleaner of the text of an error. Once the answer has
// begun, net/http quotes what it cannot read of it, and that may be a token.
func (c *remoteCall) errorCleaner() func(string) string {
	clean := c.cleaner(nil)
	c.mu.Lock()
	defer c.mu.Unlock()
	begun := c.begun || c.answered != nil
	return func(text string) string {
		if begun || strings.Contains(text, "malformed ") {
			text = quotedPattern.ReplaceAllLiteralString(text, strconv.Quote(redact.Marker))
		}
		return clean(text)
	}
}

// secretsInRequest returns what must not be shown of a request.
func secretsInRequest(req *http.Request) []string {
	var secrets []string
	if req.URL != nil {
		secrets = secretsOf(req.URL)
	}
	if user, password, ok := req.BasicAuth(); ok {
		secrets = append(secrets, secretsOf(&url.URL{User: url.UserPassword(user, password)})...)
	}
	for name, values := range req.Header {
		secrets = append(secrets, secretsInField(name, values)...)
	}
	return secrets
}

// secretsInField returns what must not be shown of a header field: everything
// but the values of fields that describe the message, and values as short as a
// version number, without which an error could not be read.
func secretsInField(name string, values []string) (secrets []string) {
	switch http.CanonicalHeaderKey(name) {
	case "Accept", "Accept-Encoding", "Connection", "Content-Length", "Content-Type", "Host", "Transfer-Encoding":
		return nil
	}
	if strings.Contains(name, ":") { // of HTTP/2, or an option for fetch
		return nil
	}
	for _, value := range values {
		for _, secret := range redact.Forms(strings.TrimSpace(value)) {
			secrets = appendLong(secrets, secret)
		}
		if http.CanonicalHeaderKey(name) != "Cookie" {
			continue
		}
		for _, pair := range strings.Split(value, ";") {
			_, cookie, _ := strings.Cut(pair, "=")
			secrets = appendLong(secrets, strings.Trim(cookie, ` "`))
		}
	}
	return secrets
}

func appendLong(secrets []string, secret string) []string {
	if len(secret) < redact.MinPartial {
		return secrets
	}
	return append(secrets, secret)
}

// secretsOf returns what must not be shown of a URL: its user info and query.
// The name of a user who has a password stays, and so do values as short as a
// version number.
func secretsOf(u *url.URL) []string {
	secrets := []string{u.RawQuery}
	user := u.User.Username()
	password, _ := u.User.Password()
	secrets = append(secrets, cmp.Or(password, user))
	if u.User != nil { // as net/http sends it (RFC 7617, section 2)
		secrets = append(secrets, base64.StdEncoding.EncodeToString([]byte(user+":"+password)))
	}
	for _, values := range u.Query() {
		for _, value := range values {
			secrets = appendLong(secrets, value)
		}
	}
	return secrets
}

// remoteError is the error of a call where an EndpointError does not say it all,
// or where there is none because the endpoint did not answer.
type remoteError struct {
	answer *EndpointError // nil where there was no answer
	text   string
	cause  hidden[error]       // tells its kind, but its own words are not shown
	clean  func(string) string // hides what must not be shown of the cause
}

func (e *remoteError) Error() string { return e.text }

// Unwrap returns what the endpoint answered.
func (e *remoteError) Unwrap() error {
	if e.answer == nil {
		return nil
	}
	return e.answer
}

// Is reports whether the cause is target. That the backend, or a transport of
// this package on the way to it, rejected the app's session is not
// ErrUnauthorized: the API was not asked.
func (e *remoteError) Is(target error) bool {
	return target != ErrUnauthorized && errors.Is(e.cause.reveal(), target)
}

// As finds what is in the cause, except what says something of the app's own
// session, and except an error whose text must not be shown.
func (e *remoteError) As(target any) bool {
	switch target.(type) {
	case **UnauthorizedError, **CredentialError:
		return false
	}
	found := reflect.New(reflect.TypeOf(target).Elem())
	if !errors.As(e.cause.reveal(), found.Interface()) {
		return false
	}
	if err, ok := found.Elem().Interface().(error); ok {
		if text := sound.Error("routeauth: the client", err).Error(); e.clean(text) != text {
			return false
		}
	}
	reflect.ValueOf(target).Elem().Set(found.Elem())
	return true
}

// Timeout answers as the cause does.
func (e *remoteError) Timeout() bool { return isTimeout(e.cause.reveal()) }
