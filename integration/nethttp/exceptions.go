package main

import (
	"example.com/routeauth/integration/nethttp/wrapped"
)

// exception is some tests that cannot pass with a wrapper in place, and the
// reason. They run nevertheless: one that passes does not belong here.
type exception struct {
	reason string
	with   func(wrapped.Wrapper) bool
	above  []string // the tests that fail with the wrapper above
	below  []string // and below

	// wants401 is set where KeepUnauthorized is all that is missing. A wrapper that
	// New makes must pass with it.
	wants401 bool
	// sometimes is set where the test passes at other times.
	sometimes bool
}

var exceptions = []exception{{
	reason: "It wants a 401 as a response, and gets an *UnauthorizedError.",
	with:   ofRouteauth,
	above: []string{
		"net/http.TestIssue3595",
	},
	below: []string{
		"net/http.TestIssue3595",
		"net/http.TestNoSniffExpectRequestBody",
	},
	wants401: true,
}, {
	reason: "It compares all that is sent with a text in which no credential stands.",
	with:   ofRouteauth,
	above: []string{
		"net/http.TestRetryRequestsOnError",
		"net/http/httputil.ExampleDumpRequest",
	},
	below: []string{
		"net/http.TestRetryRequestsOnError",
		"net/http.TestTransportFlushesBodyChunks",
		"net/http/httputil.ExampleDumpRequest",
		"net/http/httputil.ExampleDumpRequestOut",
		"net/http/httputil.TestDumpRequest",
	},
}, {
	reason: "It sends an Authorization field of its own. A bearer token takes its place.",
	with:   sendsAuthorization,
	above: []string{
		"net/http.TestBasicAuth",
		"net/http.TestBasicAuthHeadersPreserved",
		"net/http.TestEmptyPasswordAuth",
	},
	below: []string{
		"net/http.TestEmptyPasswordAuth",
	},
}, {
	reason: "It cancels with Transport.CancelRequest, which is deprecated and knows a request by its address. What the " +
		"Transport has is a copy with the credential: no RoundTripper may change the caller's request.",
	with: ofRouteauth,
	above: []string{
		"net/http.TestTransportCancelRequest/h1/TransportCancel",
		"net/http.TestTransportCancelRequestInDial/h1/TransportCancel",
		"net/http.TestTransportCancelRequestWithBody/h1/TransportCancel",
		"net/http/httputil.TestReverseProxyCancellation",
	},
	below: []string{
		"net/http.TestTransportCancelRequest/h1/TransportCancel",
		"net/http.TestTransportCancelRequestBeforeResponseHeaders/h1/TransportCancel",
		"net/http.TestTransportCancelRequestInDial/h1/TransportCancel",
		"net/http.TestTransportCancelRequestWithBody/h1/TransportCancel",
		"net/http/httputil.TestReverseProxyCancellation",
	},
}, {
	reason: "It cancels with Transport.CancelRequest too, and tries several delays: with some of them it passes.",
	with:   ofRouteauth,
	above: []string{
		"net/http.TestTransportAndServerSharedBodyRace/h1",
	},
	below: []string{
		"net/http.TestTransportAndServerSharedBodyRace/h1",
	},
	sometimes: true,
}, {
	reason: "It asks for a path with a dot segment, or has an opaque URL. A policy refuses such a request: a server may " +
		"read the path as another one than the policy did.",
	with:  madeByNew,
	above: refused,
	below: refused,
}, {
	reason: "It sends a request without a URL, to see what a Transport sets up before it refuses one. Such a request ends " +
		"in the wrapper.",
	with: ofRouteauth,
	below: []string{
		"net/http.TestTransportAutomaticHTTP2",
		"net/http.TestTransportAutomaticHTTP2_DialerAndTLSConfigSupportsHTTP2AndTLSConfig",
		"net/http.TestTransportAutomaticHTTP2_ExpectContinueTimeout",
	},
}, {
	reason: "It wants Client.Timeout named in an error. A Client over a RoundTripper that is not net/http's own sets a timer " +
		"and a deadline, and does not name it if the deadline comes first. The control fails as often.",
	with: every,
	above: []string{
		"net/http.TestClientTimeout",
		"net/http.TestClientTimeout_Headers",
	},
	sometimes: true,
}}

var refused = []string{
	"net/http.TestFileServerNamesEscape",
	"net/http.TestStatus",
	"net/http.TestTransportCONNECTBidi",
}

func every(wrapped.Wrapper) bool { return true }

func ofRouteauth(w wrapped.Wrapper) bool { return w.Name != wrapped.Control }

func madeByNew(w wrapped.Wrapper) bool { return w.ByNew }

func sendsAuthorization(w wrapped.Wrapper) bool { return w.Credential == "Authorization" }

// excepted is one test on the list.
type excepted struct {
	*exception
	test testName
}

// exceptionsOf returns what is on the list for a choice.
func exceptionsOf(c wrapped.Choice) []excepted {
	var all []excepted
	for i := range exceptions {
		e := &exceptions[i]
		tests := e.above
		if c.Place == wrapped.Below {
			tests = e.below
		}
		if !e.with(c.Wrapper) {
			tests = nil
		}
		for _, test := range tests {
			all = append(all, excepted{e, parseTestName(test)})
		}
	}
	return all
}

// covers reports whether n is the test or one of its subtests.
func (e excepted) covers(n testName) bool { return n.within(e.test) }

// mayFail reports whether the test is excused with w. One that KeepUnauthorized
// helps is not, where w can have it.
func (e excepted) mayFail(w wrapped.Wrapper) bool { return !(e.wants401 && w.ByNew) }
