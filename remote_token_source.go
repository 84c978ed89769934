package routeauth

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"example.com/routeauth/internal/origin"
	"example.com/routeauth/internal/tokencache"
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
	u, urlErrs := origin.Parse("token endpoint", endpoint, "https://backend.example.com/jwt")
	errs = append(errs, urlErrs...)
	if u != nil && origin.IsPlaintext(u) && !config.allowPlaintext {
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
	if req.Method != http.MethodPost || !origin.Same(req.URL, via[0].URL) || len(via) > maxRemoteRedirects {
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
	if ctx != nil { // else the request cannot be made, which is the error
		if ctx.Value(remoteCallOf{s}) != nil {
			return Token{}, Permanent(tokencache.ErrOwnFetch)
		}
		ctx = context.WithValue(ctx, remoteCallOf{s}, true)
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
	if strings.Trim(value, "0123456789") == "" { // 0 for an empty one
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

// remoteCallOf is in the context of a call's request. Where that comes back for a
// token, the client authenticates with what it is to fetch, without end.
type remoteCallOf struct{ source *RemoteTokenSource }
