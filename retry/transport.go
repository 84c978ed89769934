// Package retry puts go-retryablehttp over a transport, so that a request is sent
// again where that is safe and may help, and nowhere else.
//
// Put it above authentication, so that each attempt is authenticated afresh:
//
//	auth, err := routeauth.New(policy, credentials, nil)
//	...
//	transport, err := retry.NewTransport(auth)
//	...
//	client := &http.Client{Transport: transport}
//
// It differs from go-retryablehttp by itself in what it does not do. It sends no
// rejected credential again, and no POST that may have been acted on. It follows
// no redirect, which is the outermost client's business. It writes no URLs to a
// log that nobody asked for, and it does not read a body into memory.
package retry

import (
	"errors"
	"fmt"
	"net/http"

	"example.com/routeauth/internal/fallback"
	"example.com/routeauth/internal/replay"
	"example.com/routeauth/internal/sound"
	"github.com/hashicorp/go-retryablehttp"
)

// Transport is an [http.RoundTripper] that sends a request again after a failure.
// It is safe for concurrent use. The zero value fails each request.
//
// Of the failures that the retry policy would try again, a request is sent again
//
//   - if its method is idempotent (RFC 9110, section 9.2.2), or it has the header
//     field Idempotency-Key or X-Idempotency-Key, with which its caller declares it
//     idempotent;
//   - with any other method, if the server cannot have acted on it: the connection
//     could not be made and nobody had begun to send the body, the answer was 429
//     (RFC 6585, section 4), or the error is a temporary
//     [routeauth.CredentialError]. A body that routeauth read for a token's params
//     was not sent by that.
//
// It is never sent again after a [routeauth.UnauthorizedError], a 401 that
// [routeauth.UnauthorizedFrom] knows, or a CredentialError that is not temporary.
// The method that counts is the first one of a redirect chain, and the exceptions
// for other methods hold only where no redirect was followed. So the transport must
// not follow any by itself: a request without a body that it sent before such a hop
// could not be dialed looks unsent.
//
// After the last attempt its response, or its error, comes back as it is, also
// where the context has ended meanwhile. Only a policy that ends the attempts with
// an error of its own has that error returned, and the response closed. The
// responses before the last are read for a second at most, and closed.
//
// Between attempts the wait is what the client's Backoff says, and at least what
// the server asks for: with Retry-After in a 429 or a 503, read as
// [retryablehttp.DefaultBackoff] reads it, or in an error that has a
// [routeauth.EndpointError] or a method RetryAfter() time.Duration in it. As in
// DefaultBackoff, RetryWaitMax does not limit that. The request's context does: it
// ends each wait.
//
// The body of the next attempt is had with [http.Request.GetBody] when nobody
// reads the last one any more, which is waited for a second, and before the last
// response is closed. Where there is none, that response or error comes back. A
// request whose body can be had only once is sent once.
type Transport struct {
	transport http.RoundTripper
	client    func() *retryablehttp.Client
}

// Option changes how a [Transport] retries.
type Option func(*config) error

type config struct{ client *retryablehttp.Client }

// WithClient takes RetryMax, RetryWaitMin, RetryWaitMax, Backoff, Logger and
// CheckRetry from a copy of c, as they are now. CheckRetry is narrowed as
// [Transport] says. It and Backoff see the response itself, or the error as an
// http.Client would wrap it. The logger that [retryablehttp.NewClient] sets by itself
// counts as none, since it writes URLs with their queries to standard error. The
// rest of c, its HTTPClient too, is ignored. Without this option the values are
// those of retryablehttp.NewClient. A nil c is an error of the constructor.
func WithClient(c *retryablehttp.Client) Option {
	return func(cfg *config) error {
		if c == nil {
			return errors.New("client is nil")
		}
		cfg.client = c
		return nil
	}
}

// NewTransport returns a Transport that retries above transport. A nil transport
// means [http.DefaultTransport], looked up at each request.
//
// The error joins everything that is wrong: a transport that is a typed nil, an
// option that is nil or has a nil argument, a client with a negative RetryMax or
// wait, with a RetryWaitMin over its RetryWaitMax, or with a Logger that is neither
// a [retryablehttp.Logger] nor a [retryablehttp.LeveledLogger], or a typed nil.
func NewTransport(transport http.RoundTripper, opts ...Option) (*Transport, error) {
	defaults := retryablehttp.NewClient()
	cfg := config{client: defaults}
	var errs []error
	wrong := func(is bool, format string, args ...any) {
		if is {
			errs = append(errs, fmt.Errorf("retry: "+format, args...))
		}
	}
	for _, opt := range opts {
		if opt == nil {
			wrong(true, "option is nil")
			continue
		}
		err := opt(&cfg)
		wrong(err != nil, "%w", err)
	}
	wrong(sound.IsTypedNil(transport), "transport is a nil %T", transport)
	c := cfg.client
	wrong(c.RetryMax < 0, "RetryMax is %d: it must be 0 or more", c.RetryMax)
	wrong(c.RetryWaitMin < 0 || c.RetryWaitMax < c.RetryWaitMin, "waits from %v to %v make no sense", c.RetryWaitMin, c.RetryWaitMax)
	wrong(sound.IsTypedNil(c.Logger), "Logger is a nil %T", c.Logger)
	switch c.Logger.(type) {
	case nil, retryablehttp.Logger, retryablehttp.LeveledLogger:
	default:
		wrong(true, "Logger is a %T: it must be a retryablehttp.Logger or LeveledLogger", c.Logger)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if transport == nil {
		transport = fallback.Transport{}
	}
	return &Transport{transport, copyOf(c, defaults.Logger)}, nil
}

// copyOf returns what makes a client with the settings that c has now. One client
// cannot serve several requests, since its policy does not see which it is about.
func copyOf(c *retryablehttp.Client, unwanted any) func() *retryablehttp.Client {
	var (
		max                 = c.RetryMax
		waitMin, waitMax    = c.RetryWaitMin, c.RetryWaitMax
		backoff, checkRetry = c.Backoff, c.CheckRetry
		logger              = c.Logger
	)
	if logger == unwanted {
		logger = nil
	}
	if backoff == nil {
		backoff = retryablehttp.DefaultBackoff
	}
	if checkRetry == nil {
		checkRetry = retryablehttp.DefaultRetryPolicy
	}
	return func() *retryablehttp.Client {
		return &retryablehttp.Client{
			Logger:       logger,
			RetryWaitMin: waitMin,
			RetryWaitMax: waitMax,
			RetryMax:     max,
			CheckRetry:   checkRetry,
			Backoff:      backoff,
			ErrorHandler: retryablehttp.PassthroughErrorHandler,
		}
	}
}

// RoundTrip sends req, and again where [Transport] says so.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	switch {
	case t == nil || t.client == nil:
		sound.CloseBody(req)
		return nil, errors.New("retry: the transport was not made by NewTransport")
	case req == nil || req.URL == nil:
		sound.CloseBody(req)
		return nil, errors.New("retry: the request has no URL")
	case !replay.CanSendAgain(req):
		return sound.RoundTrip("retry: the transport", t.transport, req)
	}
	return newExchange(t.transport, req, t.client()).run()
}

// CloseIdleConnections closes the idle connections of the transport below, if it
// can.
func (t *Transport) CloseIdleConnections() {
	if t == nil {
		return
	}
	fallback.CloseIdleConnections(t.transport)
}

func init() {
	fallback.RegisterUnwrap(func(transport http.RoundTripper) http.RoundTripper {
		if t, ok := transport.(*Transport); ok && t != nil {
			return t.transport
		}
		return nil
	})
}
