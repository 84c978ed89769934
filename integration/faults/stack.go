package faults

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/retry"
	"github.com/hashicorp/go-retryablehttp"
)

// recipe is how a stack is put together where it matters, and what the API does
// to it. Tests of this package leave an ingredient out to see that it is missed.
type recipe struct {
	checkRetry    func(routeauth.CheckRetryFunc) routeauth.CheckRetryFunc
	checkRedirect func(*http.Request, []*http.Request) error
	overAuth      func(http.RoundTripper) http.RoundTripper
	underAuth     func(http.RoundTripper) http.RoundTripper
	answers       []weight[answerFault] // of the API
	settleTime    time.Duration         // that whatever is open after the calls has to close
}

// recommended is the recipe that routeauth's documentation gives.
var recommended = recipe{
	checkRetry:    routeauth.CheckRetry,
	checkRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	overAuth:      as,
	underAuth:     as,
	answers:       answerFaults,
	settleTime:    15 * time.Second, // a late source needs less than one, on a machine that is not busy
}

func as(t http.RoundTripper) http.RoundTripper { return t }

// kind is what tells one stack from another.
type kind struct {
	auth    string
	cached  bool // the tokens
	http2   bool
	retries retries
}

// retries are what sends again, and where it stands.
type retries string

const (
	clientBelow  retries = "go-retryablehttp below auth"
	clientAbove  retries = "go-retryablehttp above auth"
	packageRetry retries = "package retry above auth"
)

// kinds are all stacks.
func kinds() (all []kind) {
	for _, http2 := range []bool{false, true} {
		for _, retries := range []retries{clientBelow, clientAbove, packageRetry} {
			all = append(all,
				kind{authJWT, true, http2, retries},
				kind{authJWT, false, http2, retries},
				kind{authAPIKey, false, http2, retries})
		}
	}
	return all
}

// stack is an HTTP client as a program builds it.
type stack struct {
	auth                 string
	name                 string
	client               *http.Client
	closeIdleConnections func()
}

// newStack puts a client together, from the network upwards.
func (r *run) newStack(k kind) (*stack, error) {
	network := r.newNetwork(k.http2)
	base := r.recipe.underAuth(r.watch.requestBodies(r.watch.ownReplays(r.watch.responseBodies(r.unreliable(network)))))
	auth, err := r.newAuth(k)
	if err != nil {
		return nil, err
	}
	if k.retries == clientBelow {
		base = r.withRetries(base)
	} else {
		base = r.contradictory(base)
	}
	transport, err := routeauth.New(r.policy, auth, base)
	if err != nil {
		return nil, err
	}
	outermost := r.recipe.overAuth(transport)
	switch k.retries {
	case clientAbove:
		outermost = r.withRetries(r.watch.requestBodies(outermost))
	case packageRetry:
		if outermost, err = r.withPackageRetry(r.watch.requestBodies(outermost)); err != nil {
			return nil, err
		}
	}
	return &stack{k.auth, fmt.Sprintf("%+v", k), &http.Client{Transport: outermost}, network.CloseIdleConnections}, nil
}

// contradictory answers some requests with both a response and an error. It
// stands right below routeauth, since http.Client leaves such a response open.
func (r *run) contradictory(base http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		what := "contradiction " + req.Header.Get(headerCall)
		resp, err := base.RoundTrip(req)
		if err != nil || !hasCredentialField(req) || draw(r.seed, what, r.ledger.attempt(what)).IntN(30) > 0 {
			return resp, err
		}
		r.ledger.fault("base: a response and an error")
		return resp, errFromBase
	})
}

// newRetryClient returns a client that waits for no longer than a test does.
func newRetryClient() *retryablehttp.Client {
	client := retryablehttp.NewClient()
	client.Logger = nil
	client.RetryWaitMin, client.RetryWaitMax, client.RetryMax = time.Millisecond, 10*time.Millisecond, 3
	return client
}

func (r *run) withPackageRetry(base http.RoundTripper) (http.RoundTripper, error) {
	return retry.NewTransport(base, retry.WithClient(newRetryClient()))
}

func (r *run) withRetries(base http.RoundTripper) http.RoundTripper {
	retrying := newRetryClient()
	retrying.CheckRetry = r.recipe.checkRetry(retryablehttp.DefaultRetryPolicy)
	retrying.HTTPClient = &http.Client{Transport: base, CheckRedirect: r.recipe.checkRedirect}
	return &retryablehttp.RoundTripper{Client: retrying}
}

func (r *run) newAuth(k kind) (routeauth.Auth, error) {
	if k.auth == authAPIKey {
		return routeauth.APIKeyAuth{APIKey: apiKey}, nil
	}
	remote, err := routeauth.NewRemoteTokenSource(r.backend.URL, &http.Client{
		Transport: r.watch.responseBodies(r.tokenNetwork),
		Timeout:   callTimeout,
	})
	if err != nil {
		return nil, err
	}
	jwt := routeauth.JWTAuth{
		SubscriptionID: subscriptionID,
		Source:         remote,
		Params:         routeauth.BodyParams("image"),
	}
	if k.cached {
		jwt.Source, err = routeauth.NewTokenCache(&troubledSource{r.seed, r.ledger, remote},
			routeauth.WithFetchTimeout(fetchTimeout), routeauth.WithMaxTokens(8))
	}
	return jwt, err
}

// newNetwork returns a transport of one protocol's connections.
func (r *run) newNetwork(http2 bool) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!http2)
	protocols.SetHTTP2(http2)
	trusting := r.api.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	return &http.Transport{
		Protocols:           protocols,
		TLSClientConfig:     &tls.Config{RootCAs: trusting, ClientSessionCache: tls.NewLRUClientSessionCache(0)},
		MaxIdleConnsPerHost: 8,
		DialContext:         r.dial,
	}
}

// dial fails now and then.
func (r *run) dial(ctx context.Context, network, address string) (net.Conn, error) {
	nth := int(r.dials.Add(1))
	if draw(r.seed, "dial", nth).IntN(30) == 0 {
		r.ledger.fault("network: connection refused")
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	}
	return r.watch.dial(ctx, network, address)
}

// unreliable is a base that does now and then what a base must not do, or fails
// without a request on the network.
func (r *run) unreliable(base http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		what := "base " + req.Header.Get(headerCall)
		n := draw(r.seed, what, r.ledger.attempt(what)).IntN(100)
		if n < 3 && req.Body != nil {
			_ = req.Body.Close()
		}
		switch n {
		case 0:
			r.ledger.fault("base: neither response nor error")
			return nil, nil
		case 1:
			r.ledger.fault("base: fails")
			return nil, fmt.Errorf("on %s: %w", req.Method, errFromBase)
		case 2:
			r.ledger.fault("base: 401 without a body")
			return &http.Response{StatusCode: http.StatusUnauthorized, Header: http.Header{}, Request: req}, nil
		}
		return base.RoundTrip(req)
	})
}

var errFromBase = errors.New("a fault of the base")
