// Package issuer is the backend's half of JWT authentication: it signs the
// tokens that an app's users need, and serves them over HTTP to those users
// whom the backend knows.
//
// An [Issuer] signs tokens with the secret that the API's owner gave to the
// backend, and which must never leave it. [NewHandler] puts it, or any other
// [routeauth.TokenSource], behind an endpoint that asks the backend for each
// token whether the caller may have it. A [routeauth.RemoteTokenSource] in the
// app is the endpoint's client.
package issuer
