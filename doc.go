// Package routeauth provides a [net/http.RoundTripper] that sends the right
// credential to the right endpoint of an HTTP API: to that API and to nobody
// else.
//
// On many APIs some endpoints demand a credential, and others take a weaker one:
// starting an image generation costs money, reading its status does not. A
// [Policy] marks each endpoint as mandatory or optional, and an [Auth] says what
// to send:
//
//	configured with   mandatory                     optional
//	JWTAuth           Authorization: Bearer <JWT>   x-user-id: <subscription ID>
//	APIKeyAuth        x-api-key: <API key>          x-api-key: <API key>
//
// [New] makes a [Transport] of both, which goes into any [net/http.Client].
// [JWTTransport], [SubscriptionTransport], [APIKeyTransport] and
// [HeaderTransport] are its parts, each usable alone, but then without a scope.
//
// # Where a credential goes
//
// A request gets a credential only if it lies in the policy's scope, which is
// the base URL's scheme, host, port and path prefix in every reading of the path
// that [Policy] names, and only if no hop of its redirect chain had another
// scheme, host or port. Everything else is sent as it is. The caller's request
// is never changed, and no response leads back to a request that holds a
// credential.
//
// # What a 401 becomes
//
// A 401 to a request with a credential is an [*UnauthorizedError], for which
// errors.Is(err, ErrUnauthorized) is true. This departs from the
// [net/http.RoundTripper] contract on purpose: a rejected credential is told
// apart from every other failure. A request for which no credential can be had
// is not sent, and its error is a [*CredentialError].
//
// # Tokens
//
// A JWT comes from a [TokenSource]: [RemoteTokenSource] asks the app's own
// backend, [TokenCache] keeps tokens over another source for as long as they
// live, [NewStaticTokenSource] and [TokenSourceFunc] are the simple kinds. A
// token may be bound to the params of the one request it is for: see
// [BodyParams] and [ContextWithParams]. The package issuer is the backend's
// half.
//
// # Retries
//
// Put a retrying transport above this one, so that each attempt is
// authenticated afresh, and narrow its policy with [CheckRetry]: a rejected
// credential is not tried again, and a POST that may have been acted on is not
// sent twice.
//
// # Secrets
//
// No error of this package shows a credential that the server echoed, and no
// value of it shows one when it is formatted, marshalled or logged. See [Secret]
// and SECURITY.md for what is out of reach.
package routeauth
