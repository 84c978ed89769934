// Package routeauth provides a [net/http.RoundTripper] that sends the right
// credential to the right endpoint of an HTTP API: to that API and to nobody
// else.
//
//	policy, err := routeauth.NewPolicy("https://api.example.com/v1", routeauth.Routes{
//		"GET /operations/{id}": routeauth.Optional,
//		"GET /status":          routeauth.Public,
//	})
//	if err != nil {
//		log.Fatal(err)
//	}
//	transport, err := routeauth.New(policy, routeauth.APIKeyAuth{APIKey: key}, nil)
//	if err != nil {
//		log.Fatal(err)
//	}
//	client := &http.Client{Transport: transport}
//
// On many APIs some endpoints demand a credential, others take a weaker one, and
// a few must get none: starting an image generation costs money, reading its
// status does not. A [Policy] marks each endpoint as mandatory, optional or
// public, and what it does not name is mandatory. An [Auth] says what to send:
//
//	configured with                    mandatory                      optional
//	JWTAuth                            Authorization: Bearer <JWT>    x-user-id: <subscription ID>
//	APIKeyAuth                         x-api-key: <API key>           x-api-key: <API key>
//	BearerAuth, BasicAuth, HeaderAuth  their one field                the same
//	SplitAuth                          what its first half sends      what its second half sends
//
// [New] makes a [Transport] of both, which goes into any [net/http.Client].
// [JWTTransport], [SubscriptionTransport], [APIKeyTransport] and
// [HeaderTransport] are its parts, each usable alone, but then without a scope.
//
// # What every transport promises
//
//   - The caller's request is not changed. The base gets a shallow copy with a
//     header of its own, in which the credential's field has exactly one value
//     whatever the caller had set under that name. Where the request goes is
//     decided by its URL as it was when RoundTrip was called.
//   - The base gets the caller's own body, unless its params were read from it or
//     it may have to be sent again. Then what is sent is certainly the caller's
//     bytes, whatever [net/http.Request.GetBody] does to the first reader. A body
//     that does not reach the base is closed.
//   - A redirect hop carries no credential unless every hop of its chain had the
//     same scheme, host and port and, in a Transport, was in the policy's scope.
//     A hop without one goes to the base as the same request, and its response,
//     even a 401, is returned unchanged. What the caller had set by hand is the
//     caller's, and goes where http.Client takes it.
//   - With GOOS=js, [net/http.DefaultTransport] sends with the browser's fetch,
//     which follows redirects by itself and takes every field but Authorization
//     to the next host. There a request with a credential says that it wants
//     none: any redirect is an error. A base that sends a request more than once,
//     such as a retrying transport, loses this after the first attempt: put it
//     above.
//   - A 401 becomes an [*UnauthorizedError] with what the response said, unless
//     [KeepUnauthorized] is given. This departs from the [net/http.RoundTripper]
//     contract, which wants a response for every status, because a rejected
//     credential is a failure of the transport's own job. The response's body is
//     drained, at most 64 KiB and for at most a second, and closed.
//   - Any other response is the base's own, its body untouched. Its Request is the
//     caller's, which holds no credential. Where the base sent another one,
//     because it followed a redirect by itself or rewrote the URL, it is a copy of
//     that one without the credential.
//   - A request for which no credential is available, or that has no URL, is not
//     sent: its error is a [*CredentialError], and its body is closed.
//   - Errors of the base come back unchanged. If an error's text contains the
//     credential (net/http quotes malformed responses), it is replaced by one
//     whose text does not. In that, errors.Is finds what it would find in the
//     base's own, and errors.As each error whose own text shows nothing. A base
//     that returns neither a response nor an error makes an error that says so,
//     and of one that returns both the error counts.
//   - A nil base means [net/http.DefaultTransport] as it is at the time of each
//     request. CloseIdleConnections reaches the base.
//   - It is safe for concurrent use, and leaves no goroutine behind. The zero
//     value sends nothing.
//
// # Tokens and keys
//
// A token comes from a [TokenSource]: [RemoteTokenSource] asks the app's own
// backend, [TokenCache] keeps tokens over another source for as long as they
// live, [NewStaticTokenSource] and [TokenSourceFunc] are the simple kinds. A
// token may be bound to the params of the one request it is for: see
// [BodyParams] and [ContextWithParams]. [ContextWithIdentity] says whose token it
// is. The package issuer is the backend's half. A key that changes while the
// program runs comes from a [SecretSource], such as a [FileSecretSource].
//
// # Why is no credential sent?
//
// [Policy.Match] says what a policy decides about a request, and why. A [Trace]
// is told of each decision, of each call of a source and of each 401, and
// [LogTrace] writes them to a log. [RefuseOutOfScope] makes an error of a request
// that is not the API's.
//
// # Retries
//
// Put retries above this transport, so that each attempt is authenticated afresh.
// The package retry does it in one call. With a retrying client of your own,
// narrow its policy with [CheckRetry]: a rejected credential is not tried again,
// and a POST that may have been acted on is not sent twice.
//
// # Secrets
//
// No error of this package shows a credential that the server echoed, and no
// value of it shows one when it is formatted, marshalled or logged. See [Secret]
// and SECURITY.md for what is out of reach.
package routeauth
