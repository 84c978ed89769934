// Package roundtriptest puts a wrapping [http.RoundTripper] through the
// contract: what net/http asks of every RoundTripper, and what the RFCs ask of
// one that sends a credential.
//
// A wrapper is a RoundTripper that sends requests with another one, its base:
// it adds a header field, logs, measures, signs. [Test] runs one subtest for
// each clause of the contract, over bases of its own:
//
//	func TestContract(t *testing.T) {
//		roundtriptest.Test(t, func(base http.RoundTripper) http.RoundTripper {
//			return &Transport{Base: base}
//		}, roundtriptest.WithCredential("Authorization"))
//	}
//
// Run it with -race as well: transport/concurrent shows the race detector what
// to look at.
//
// # Clauses
//
// Each clause checks one promise.
//
//   - request/fields: no field of the caller's request changes, neither while
//     the base runs nor after
//   - request/header: the caller's header map keeps its entries, neither more
//     nor fewer nor others
//   - request/header-values: a header that is copied is copied whole: what is
//     written or appended to its values is not seen by the caller
//   - request/nil-header: a request with a nil header map is sent or refused,
//     without a panic, and keeps its nil map
//   - request/empty-method: a request with an empty method is sent as a GET, and
//     keeps its empty method
//   - request/trailers: trailers that the caller sets while the body is read
//     arrive at the server
//   - body/whole: the body reaches the base readable and whole
//   - body/none: a request without a body, nil or http.NoBody, reaches the base
//     without one
//   - body/closed: the body is closed exactly once when the base succeeds, by
//     the base
//   - body/closed-on-error: the body is closed exactly once when the base fails,
//     by the base
//   - body/closed-on-refusal: a wrapper that does not call its base closes the
//     body itself, exactly once
//   - body/late-read: the body stays open for a base that still reads it when
//     RoundTrip has returned
//   - body/copies-closed: each body that the wrapper gets from GetBody is closed
//     exactly once
//   - context/cancel: the base's request ends with the caller's context
//   - context/values: the values of the caller's context reach the base
//   - context/response: the base's context lives until the response's body has
//     been read or closed
//   - response/status: whatever its status, a response comes back as a response,
//     and is not acted on
//   - response/body: the response's body is the base's own value
//   - response/unread: the response's body is neither read nor closed before the
//     caller has it, so that it can be a stream
//   - response/upgrade: the body of a 101 can be written to, and what is written
//     arrives
//   - response/error: the base's error comes back, so that errors.Is finds it
//   - response/missing: a base that returns neither a response nor an error, or
//     a response with a nil body, makes no panic
//   - transport/idle-connections: CloseIdleConnections reaches the base, if it
//     has the method
//   - transport/concurrent: requests that are sent at the same time are not
//     mixed up; run with -race
//   - transport/goroutines: a request leaves no goroutine behind once its
//     response's body is closed
//
// [WithCredential] adds those of a wrapper that sends a credential:
//
//   - credential/sent: the credential arrives with the first request
//   - credential/single: the field has exactly one value on the wire, the
//     credential, whatever the caller had set under that name in whatever case
//   - credential/request: the caller's request does not hold the credential,
//     neither while the base runs nor after
//   - credential/response: no request that the response leads back to holds the
//     credential
//   - redirect/cross-origin: no credential goes to another host, a subdomain or
//     another port that a redirect leads to, nor any further from there
//   - redirect/downgrade: no credential goes to where a redirect from https to
//     http leads
//   - redirect/return: no credential goes with a redirect chain that left the
//     origin, or https, and comes back: somebody else chose where it goes
//
// # Departures
//
// Not every clause is the letter of the contract. The contract lets a wrapper
// assume a header map, does not speak of goroutines, and allows wrapping a
// response's body, which response/body does not. A wrapper that departs from a
// clause on purpose says so with [WithSkip].
//
// No clause asks what becomes of a 401: a wrapper that sends a credential may
// make an error of it. A wrapper that retries, or that sends requests of its own
// while it handles one, may have to skip clauses, such as transport/goroutines
// if the connections that it opens stay open.
package roundtriptest
