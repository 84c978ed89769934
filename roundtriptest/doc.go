// Package roundtriptest puts a wrapping [http.RoundTripper] through the
// documented contract of net/http.
//
// A wrapper is a RoundTripper that sends requests with another one, its base:
// it adds a header field, logs, measures, signs, retries. [Test] runs one subtest
// for each clause of the contract, over bases of its own:
//
//	func TestContract(t *testing.T) {
//		roundtriptest.Test(t, func(base http.RoundTripper) (http.RoundTripper, error) {
//			return &Transport{Base: base}, nil
//		})
//	}
//
// A clause that fails says what happened and quotes the sentence of net/http's
// documentation that the wrapper breaks. A wrapper that keeps every sentence has
// no finding. For a wrapper that forgets the caller's Host, sent/host says:
//
//	a small PATCH with another Host: the caller's host is "Virtual.Example.com", the base's "api.example.com"
//	the contract requires: the base gets the caller's host
//	net/http, RoundTripper: "RoundTrip executes a single HTTP transaction, returning a Response for the provided Request."
//	net/http, Request: "For client requests, Host optionally overrides the Host header to send."
//
// Run it with -race as well: transport/concurrent gives the race detector
// something to see.
//
// # The contract
//
// These clauses are always checked. Fields and values that a wrapper adds to a
// header are allowed.
//
//   - sent/once: one request in is one request out, for every response
//   - sent/once-on-error: a request whose transaction failed is not sent again
//   - sent/method: the base gets the caller's method
//   - sent/empty-method: a request with an empty method reaches the base, as a
//     GET
//   - sent/url: the base gets the caller's URL unchanged
//   - sent/host: the base gets the caller's host
//   - sent/header: the base gets every value of the caller's header; others may
//     be added
//   - sent/valueless-key: an idempotency key without a value reaches the base
//   - sent/content-length: the base gets the caller's ContentLength, so that a
//     length stays a length
//   - sent/transfer-encoding: the base gets the caller's TransferEncoding
//   - sent/close: the base gets the caller's Close
//   - sent/get-body: the base gets a GetBody where the caller set one, and it
//     returns the caller's bytes
//   - sent/trailer: the base gets the caller's trailers, also those that are
//     set while it reads the body
//   - sent/body: the base can read the bytes of the caller's body, all of them
//     and no others
//   - sent/broken-body: where reading the caller's body fails, the base does not
//     read a regular end
//   - sent/no-body: a request without a body, nil or http.NoBody, reaches the
//     base without one
//   - request/fields: no field of the caller's request changes before the
//     response's body is closed
//   - request/header: the caller's header map keeps its entries, neither more
//     nor fewer nor others
//   - body/closed: the caller's body is closed when the base has read and
//     closed what it got
//   - body/closed-on-error: the caller's body is closed when the base fails,
//     whether it has read it or not
//   - body/closed-on-refusal: a wrapper that does not call its base closes the
//     caller's body itself
//   - body/late-read: the body stays open for a base that still reads it when
//     RoundTrip has returned
//   - context/cancel: the base's request ends with the caller's context
//   - context/reading: the base's request ends with the caller's context also
//     while the response's body is being read
//   - context/lifetime: the base's context does not end before the response's
//     body has been read or closed
//   - context/values: the values of the caller's context, such as a trace,
//     reach the base
//   - context/wait: RoundTrip returns when the caller's context ends, also
//     while the wrapper itself waits
//   - context/timeout: where a deadline has passed, the error says that it is a
//     timeout
//   - context/cause: where the context was cancelled with a cause, errors.Is
//     finds it in the error (no sentence asks for it, but a Transport does so)
//   - response/101: a 101 comes back as a response
//   - response/2xx: a 2xx comes back as a response, with its status
//   - response/3xx: a 3xx comes back as a response, with its status, and is not
//     followed
//   - response/401: a 401 comes back as a response, as any other does, and its
//     request is not sent again
//   - response/4xx: a 4xx other than 401 comes back as a response, with its
//     status
//   - response/5xx: a 5xx, or a status beyond, comes back as a response, with
//     its status
//   - response/error: where the base fails, an error comes back, and no
//     response beside it
//   - response/status-line: Status, Proto, ProtoMajor and ProtoMinor come back
//     as the base gave them
//   - response/header: every value of the base's header comes back; others may
//     be added
//   - response/content-length: ContentLength comes back as the base gave it
//   - response/framing: TransferEncoding, Close and Uncompressed come back as
//     the base gave them
//   - response/trailer: the trailers come back: their names with the response,
//     their values when its body has been read
//   - response/tls: TLS comes back as the base gave it
//   - response/request: the response's Request is the request that was sent:
//     the caller's, or a copy with its method, URL and host
//   - response/body: the response has a body, and its bytes are those that the
//     base gave
//   - response/streamed: the response's body is neither read nor closed before
//     the caller has it
//   - response/read-error: where reading the base's body fails, reading the
//     caller's fails too
//   - response/closed: when the caller closes the response's body, read or
//     unread, the base's body is closed
//   - response/dropped: a response of the base that does not come back has its
//     body closed
//   - response/upgrade: the body of a 101 can be written to, and what is
//     written arrives
//   - response/cookies: a cookie that one response sets is not sent with the
//     next request
//   - transport/concurrent: requests that are sent at the same time are not
//     mixed up; run with -race
//
// # Credentials
//
// [WithCredential] adds those of a wrapper that sends a credential. Most of them
// ask for more than net/http does, and say what that is.
//
//   - credential/sent: the credential arrives with the first request
//   - credential/single: the field has one value on the wire
//   - credential/replaces: the credential takes the place of what the caller
//     had set in the field
//   - credential/other-case: nothing that the caller set under the field's name
//     in another case goes out beside the credential
//   - credential/request: the caller's request does not hold the credential,
//     neither while the base runs nor after
//   - credential/response: no request that the response leads back to holds the
//     credential
//   - redirect/other-host: no credential goes to another host that a redirect
//     leads to, not even to one whose name only looks similar
//   - redirect/further: no credential goes anywhere that another host redirects
//     to, including that host itself
//   - redirect/subdomain: no credential goes to a subdomain that a redirect
//     leads to
//   - redirect/port: no credential goes to another port that a redirect leads
//     to
//   - redirect/downgrade: no credential goes to where a redirect from https to
//     http leads
//   - redirect/return: no credential goes with a redirect chain that left the
//     host, or https, and comes back
//
// # Advice
//
// [Strict] adds what good wrappers do, although no sentence of net/http's
// documentation asks for it. What these find is called advice.
//
//   - advice/idle-connections: CloseIdleConnections reaches the base, if it has
//     the method
//   - advice/nil-header: a request without a header map makes no panic, its map
//     stays nil, and its body is closed
//   - advice/nil-url: a request without a URL makes no panic, and its body is
//     closed
//   - advice/header-values: what is written or appended to the values of the
//     base's header is not seen by the caller
//   - advice/redirect-chain: the request's Response, which leads back along a
//     redirect chain, reaches the base
//   - advice/cancel-channel: the base's request ends with the caller's Cancel
//   - advice/own-body: the request's body reaches the base as the caller's own
//     value
//   - advice/closed-once: the caller's body is closed exactly once
//   - advice/copies-closed: each body that the wrapper gets from GetBody is
//     closed
//   - advice/own-response-body: the response's body is the base's own value
//   - advice/base-error: the base's error comes back, so that errors.Is finds
//     it
//   - advice/broken-base: a base that breaks the contract makes no panic, and a
//     response that it returns together with an error is closed
//   - advice/location: where the base sent another URL than it was given, the
//     response's Request is what it sent
//   - advice/goroutines: a request leaves no goroutine behind once its
//     response's body is closed
//
// # What is left open
//
// A wrapper that departs from a clause on purpose says so with [WithSkip]: one
// that makes an error of a 401 skips response/401, one that retries skips
// sent/once and sent/once-on-error, one that signs bodies skips advice/own-body.
//
// There may be faults that no clause finds. A wrapper that waits is looked for
// where wrappers are known to: before they send, behind up to 32 other requests,
// behind an earlier answer, and before they send again. A wait of less than 80 ms
// goes unnoticed, and so does a change of the request that comes later than 50 ms
// after RoundTrip has returned.
package roundtriptest
