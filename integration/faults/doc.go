// Package faults runs the whole stack against servers that misbehave on
// purpose, and counts what must not happen.
//
// The stack is what a program builds: [http.Client], go-retryablehttp,
// routeauth with a policy, a token cache over a remote token source, and real
// connections over loopback, HTTP/1.1 and HTTP/2 over TLS. Retries stand above
// auth in some clients and below it in others. Many goroutines make a bounded
// number of calls. The API cuts connections at every stage of an answer, is
// slow, hangs, fails, and rejects good tokens; the token endpoint and the
// source in front of it hang, fail, panic and answer nonsense; dialing fails;
// and redirects lead away from the API and back.
//
// What comes out is a [Report]: how much traffic and how many faults it took,
// and the [Violations], all of which must be zero.
//
// The faults are drawn from a seed. Those of the API are decided by the call and
// by how often that call was sent, so that a seed brings the same ones to the
// same calls. Those of dialing, of the token endpoint and of the source depend
// also on the order in which callers come.
package faults
