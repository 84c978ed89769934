// Package fleet runs many real processes behind one real Redis, troubles both on
// purpose, and counts what must not happen.
//
// Each process is a program as a user writes it: an http.Client over a
// JWTTransport, a TokenCache and a redistokens.Source, which calls an API for
// several users. The issuer and the API are servers of the process that runs the
// fleet. They know every token: who asked for it, for whom, and whether it was
// revoked. Between the processes and Redis stands a proxy. Processes are killed
// and frozen at random moments and take each other's places; Redis is killed,
// started again, wiped and frozen; the proxy stalls and cuts; tokens are revoked;
// the issuer limits its rate.
//
// What comes out is a [Report]: what happened, and the [Violations], all of which
// must be zero.
//
// The moments are drawn from a seed, but what each process is doing at that
// moment is not: a seed brings the same troubles, not the same run.
package fleet
