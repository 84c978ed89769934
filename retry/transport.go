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
	"reflect"
	"time"

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
//     could not be made and nothing of the body was read, the answer was 429 (RFC
//     6585, section 4), or the error is a temporary [routeauth.CredentialError].
//
// It is never sent again after a [routeauth.UnauthorizedError], a 401 that
// [routeauth.UnauthorizedFrom] knows, or a CredentialError that is not temporary.
// The method that counts is the first one of a redirect chain, and the exceptions
// for other methods hold only where no redirect was followed.
//
// After the last attempt its response, or its error, comes back as it is. The
// responses before it are closed. Between attempts Retry-After is obeyed, as
// [retryablehttp.DefaultBackoff] does, and the request's context ends the wait.
//
// The body of each attempt is had with [http.Request.GetBody] when nobody reads
// the last one any more. A request whose body can be had only once is sent once.
type Transport struct {
	transport http.RoundTripper
	client    func() *retryablehttp.Client
}

// Option changes how a [Transport] retries.
type Option func(*config) error

type config struct{ client *retryablehttp.Client }

// WithClient takes RetryMax, RetryWaitMin, RetryWaitMax, Backoff, Logger and
// CheckRetry from a copy of c, as they are now. CheckRetry is narrowed as
// [Transport] says. The logger that [retryablehttp.NewClient] sets by itself
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
// means [http.DefaultTransport].
//
// The error joins everything that is wrong: a transport that is a nil pointer or
// function, an option that is nil or has a nil argument, a client with a negative
// RetryMax or wait, or with a RetryWaitMin over its RetryWaitMax.
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
	wrong(isNil(transport), "transport is a nil %T", transport)
	c := cfg.client
	wrong(c.RetryMax < 0, "RetryMax is %d: it must be 0 or more", c.RetryMax)
	wrong(c.RetryWaitMin < 0 || c.RetryWaitMax < c.RetryWaitMin, "waits from %v to %v make no sense", c.RetryWaitMin, c.RetryWaitMax)
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if transport == nil {
		transport = http.DefaultTransport
	}
	return &Transport{transport, copyOf(c, defaults.Logger)}, nil
}

// isNil reports whether transport is a nil pointer or function in an interface.
func isNil(transport http.RoundTripper) bool {
	v := reflect.ValueOf(transport)
	return (v.Kind() == reflect.Pointer || v.Kind() == reflect.Func) && v.IsNil()
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
			Backoff: func(min, max time.Duration, attempt int, resp *http.Response) time.Duration {
				return backoff(min, max, attempt, resp)
			},
			ErrorHandler: retryablehttp.PassthroughErrorHandler,
		}
	}
}

// RoundTrip sends req, and again where [Transport] says so.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	switch {
	case t == nil || t.client == nil:
		closeBody(req)
		return nil, errors.New("retry: the transport was not made by NewTransport")
	case req == nil || req.URL == nil:
		closeBody(req)
		return nil, errors.New("retry: the request has no URL")
	case canBeSentOnce(req):
		return t.transport.RoundTrip(req)
	}
	return newExchange(t.transport, req).run(t.client())
}

// CloseIdleConnections closes the idle connections of the transport below, if it
// can.
func (t *Transport) CloseIdleConnections() {
	if t == nil {
		return
	}
	if c, ok := t.transport.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

func closeBody(req *http.Request) {
	if req != nil && req.Body != nil {
		_ = req.Body.Close()
	}
}
