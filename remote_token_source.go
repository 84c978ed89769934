package routeauth

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

const (
	remoteTimeout      = 10 * time.Second // of the client that a nil one means
	maxRemoteAnswer    = 64 << 10
	maxRemoteDetail    = 256
	maxRemoteRedirects = 10
)

// RemoteTokenSource is a [TokenSource] that asks the app's own backend, which
// decides whether its user may have a token. The backend's half is the package
// issuer, or anything that answers like it or like an OAuth 2.0 token endpoint.
//
// Each token is one POST with the params as a JSON object, governed by the
// request's context. The answer is read up to 64 KiB. With status 200 it is a
// JSON object in one of two forms:
//
//   - {"type": "jwt", "token": "…"}, in which type is optional;
//   - {"access_token": "…", "token_type": "Bearer", "expires_in": 3600} (RFC
//     6749, section 5.1), in which only access_token is required.
//
// In both, expires_in is a number of seconds. The token's Expiry is that long
// after the request was made. Without it, Expiry is zero.
//
// Everything else is an error:
//
//   - Where the endpoint answered, the error is or wraps an [*EndpointError].
//     Its Detail is what a JSON object says went wrong, in one of the forms that
//     [UnauthorizedError] lists, such as {"error": "invalid_grant"} (RFC 6749,
//     section 5.2).
//   - It is [Permanent] for a status from 400 to 499 with a Detail, except 401,
//     408, 425 and 429. Without a Detail the answer may be a gateway's, which
//     does not speak for the backend. It is also permanent where a param is not
//     UTF-8, since JSON would change it, and where a transport of the client
//     failed for good.
//   - A 401 of the backend is not [ErrUnauthorized]: the API was not asked.
//   - A method Timeout() bool answers as that of the cause does.
//   - No error shows what the client sent to the backend: neither a cookie nor
//     the value of any field beyond those that describe the message, such as
//     Content-Type. Nor does it show a token, the endpoint's query and password,
//     or the name of a user without a password. A value shorter than four bytes
//     is hidden only as a part of a longer one.
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
// copy of client. A nil client means one that gives up after 10 seconds.
//
// The error joins everything that is wrong: an endpoint that is malformed,
// relative, neither https nor http, or http on a host that is not loopback (see
// [AllowPlaintextEndpoint]), or that has an empty host, an invalid port or a
// fragment; a client whose Transport is a nil pointer or function; an option
// that is nil. It does not show the endpoint.
func NewRemoteTokenSource(endpoint string, client *http.Client, opts ...RemoteOption) (*RemoteTokenSource, error) {
	var config remoteConfig
	errs := apply(&config, "remote", opts)
	u, urlErrs := parseURL("token endpoint", endpoint, "https://backend.example.com/jwt")
	errs = append(errs, urlErrs...)
	if u != nil && isPlaintext(u) && !config.allowPlaintext {
		errs = append(errs, errors.New("token endpoint is plaintext HTTP: anyone on the network path could read the token: "+
			"use https, or allow it with AllowPlaintextEndpoint"))
	}
	if client == nil {
		client = &http.Client{Timeout: remoteTimeout}
	}
	if client.Transport != nil {
		errs = append(errs, checkNotNil("the client's transport", client.Transport))
	}
	if err := joinErrors(errs...); err != nil {
		return nil, err
	}
	own := *client
	if own.CheckRedirect == nil {
		own.CheckRedirect = stayAtOrigin
	}
	return &RemoteTokenSource{hide(u), hide(&own)}, nil
}

// stayAtOrigin keeps the params, and the app's session, where they were sent. A
// redirect that turns POST into GET would ask for a token bound to nothing.
func stayAtOrigin(req *http.Request, via []*http.Request) error {
	if req.Method != http.MethodPost || !sameOrigin(req.URL, via[0].URL) || len(via) > maxRemoteRedirects {
		return http.ErrUseLastResponse
	}
	return nil
}

// Token asks the backend for a token. See [RemoteTokenSource] for its errors.
func (s *RemoteTokenSource) Token(ctx context.Context, params Params) (Token, error) {
	if s == nil || s.endpoint == nil {
		return Token{}, errNotConstructed("token source", "NewRemoteTokenSource")
	}
	body, err := remoteBody(params)
	if err != nil {
		return Token{}, err
	}
	client := *s.client()
	call := newRemoteCall(s.endpoint(), client.Transport)
	req, err := call.newRequest(ctx, body)
	if err != nil {
		return Token{}, call.failure("", err)
	}
	client.Transport = call

	began := time.Now()
	resp, err := client.Do(req)
	if err != nil {
		return Token{}, call.failure("", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxRemoteAnswer+1))
	if err != nil {
		return Token{}, call.failure("reading the answer: ", err)
	}
	if resp.StatusCode != http.StatusOK {
		return Token{}, call.refusal(resp.StatusCode, resp.Header, answer)
	}
	token, err := tokenIn(answer, began)
	if err != nil {
		return Token{}, call.noToken(resp.StatusCode, resp.Header, answer, err)
	}
	return token, nil
}

// remoteBody returns params as a JSON object.
func remoteBody(params Params) ([]byte, error) {
	for name, value := range params {
		if !utf8.ValidString(name) || !utf8.ValidString(value) {
			// JSON would change it, and bind the token to something else.
			return nil, Permanent(fmt.Errorf("param %q is not UTF-8", name))
		}
	}
	if params == nil {
		params = Params{} // the backend expects an object, not null
	}
	return json.Marshal(params)
}

// tokenIn returns the token in the answer to a request that was made at began.
// Its error quotes nothing of the answer.
func tokenIn(answer []byte, began time.Time) (Token, error) {
	if len(answer) > maxRemoteAnswer {
		return Token{}, fmt.Errorf("the answer is larger than %d bytes", maxRemoteAnswer)
	}
	var a struct {
		Type        string          `json:"type"`
		Token       string          `json:"token"`
		TokenType   string          `json:"token_type"`
		AccessToken string          `json:"access_token"`
		ExpiresIn   json.RawMessage `json:"expires_in"`
	}
	switch err := json.Unmarshal(answer, &a); {
	case len(answer) == 0:
		return Token{}, errors.New("the answer is empty")
	case err != nil:
		return Token{}, errors.New(`the answer is not a JSON object of the form {"type": "jwt", "token": "…"} or {"access_token": "…", "token_type": "Bearer"}`)
	case a.Token == "" && a.AccessToken == "":
		return Token{}, errors.New(`the answer has no "token" or "access_token"`)
	case a.Token != "" && a.AccessToken != "" && a.Token != a.AccessToken:
		return Token{}, errors.New(`the answer's "token" and "access_token" are two tokens`)
	case a.Token != "" && a.Type != "" && !strings.EqualFold(a.Type, "jwt"):
		return Token{}, errors.New(`the answer's "type" is not "jwt"`)
	case a.TokenType != "" && !strings.EqualFold(a.TokenType, "Bearer"):
		return Token{}, errors.New(`the answer's "token_type" is not "Bearer"`)
	}
	expiry, err := expiryIn(a.ExpiresIn, began)
	if err != nil {
		return Token{}, err
	}
	return Token{Value: Secret(cmp.Or(a.Token, a.AccessToken)), Expiry: expiry}, nil
}

// expiryIn returns when a token ends that lives for so many seconds, or zero
// where the answer does not say. Many a server writes the number as a string.
func expiryIn(seconds json.RawMessage, began time.Time) (time.Time, error) {
	var number json.Number
	if len(seconds) > 0 && json.Unmarshal(seconds, &number) != nil {
		return time.Time{}, errors.New(`the answer's "expires_in" is not a number of seconds`)
	}
	if number == "" {
		return time.Time{}, nil
	}
	life, _ := number.Float64() // an infinity where it is out of range
	return began.Add(durationOf(life)), nil
}

// durationOf returns the Duration that is nearest to so many seconds.
func durationOf(seconds float64) time.Duration {
	switch nanoseconds := seconds * float64(time.Second); {
	case nanoseconds >= math.MaxInt64:
		return math.MaxInt64
	case nanoseconds <= math.MinInt64:
		return math.MinInt64
	default:
		return time.Duration(nanoseconds)
	}
}

// retryAfter returns for how long an answer asks to be left alone (RFC 9110,
// section 10.2.3). A date is compared with the answer's own Date, where it has
// one, since the two clocks may differ.
func retryAfter(header http.Header, now time.Time) time.Duration {
	value := header.Get("Retry-After")
	if value != "" && strings.Trim(value, "0123456789") == "" {
		seconds, _ := strconv.ParseFloat(value, 64)
		return durationOf(seconds)
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	if sent, err := http.ParseTime(header.Get("Date")); err == nil {
		now = sent
	}
	return max(0, date.Sub(now))
}

// remoteCall is one call of the endpoint. It is the transport of that call, so
// that it learns what the client sends: no error may show that.
type remoteCall struct {
	endpoint *url.URL
	base     http.RoundTripper
	answered *http.Response // to the last request; nil where there was no answer

	mu      sync.Mutex // net/http calls the hooks of a trace from its own goroutines
	secrets []string
	begun   bool // the answer to the last request has begun
}

func newRemoteCall(endpoint *url.URL, base http.RoundTripper) *remoteCall {
	if base == nil {
		base = defaultTransport{}
	}
	return &remoteCall{endpoint: endpoint, base: base, secrets: secretsOf(endpoint)}
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
	refuseFetchRedirects(req.Header, c.base)
	return req.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteHeaderField:     func(name string, values []string) { c.addSecrets(secretsInField(name, values)) },
		GotFirstResponseByte: func() { c.setBegun(true) },
	})), nil
}

// RoundTrip sends a request of the client with the client's own transport.
func (c *remoteCall) RoundTrip(req *http.Request) (*http.Response, error) {
	c.answered = nil
	c.setBegun(false)
	c.addSecrets(secretsInRequest(req)) // the client has added its cookies
	resp, err := roundTrip(c.base, req)
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

func (c *remoteCall) setBegun(begun bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begun = begun
}

// failure returns the error of a call that ended with err.
func (c *remoteCall) failure(doing string, err error) error {
	err = sound("the client", err)
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
	detail = clean(oneLine(clean(detail))) // before it is cut off
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
	return c.cleaner(secrets)(detailOf(answer))
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
		text = redactor{secrets: secrets, work: newSearchWork()}.text(text)
		return jwtPattern.ReplaceAllString(text, redacted)
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
			text = quotedPattern.ReplaceAllLiteralString(text, strconv.Quote(redacted))
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
		for _, secret := range secretsIn(strings.TrimSpace(value)) {
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
	if len(secret) < minPartial {
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
		if text := sound("the client", err).Error(); e.clean(text) != text {
			return false
		}
	}
	reflect.ValueOf(target).Elem().Set(found.Elem())
	return true
}

// Timeout answers as the cause does.
func (e *remoteError) Timeout() bool { return isTimeout(e.cause.reveal()) }
