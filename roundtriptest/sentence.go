package roundtriptest

// sentence is a sentence of net/http's documentation, word for word but without
// the brackets of its links.
type sentence struct {
	of   string // what it documents: a type, a method, or the package itself
	text string
}

func (s sentence) String() string { return "net/http, " + s.of + `: "` + s.text + `"` }

// What net/http asks of every RoundTripper.
var (
	executes = sentence{"RoundTripper",
		"RoundTrip executes a single HTTP transaction, returning a Response for the provided Request."}
	noInterpreting = sentence{"RoundTripper",
		"RoundTrip should not attempt to interpret the response."}
	noErrorForStatus = sentence{"RoundTripper",
		"In particular, RoundTrip must return err == nil if it obtained a response, regardless of the response's HTTP status code."}
	errorForFailure = sentence{"RoundTripper",
		"A non-nil err should be reserved for failure to obtain a response."}
	noHigherLevel = sentence{"RoundTripper",
		"Similarly, RoundTrip should not attempt to handle higher-level protocol details such as redirects, authentication, or cookies."}
	noModifying = sentence{"RoundTripper",
		"RoundTrip should not modify the request, except for consuming and closing the Request's Body."}
	closesBody = sentence{"RoundTripper",
		"RoundTrip must always close the body, including on errors, but depending on the implementation may do so in a separate goroutine even after RoundTrip returns."}
	safeForConcurrentUse = sentence{"RoundTripper",
		"A RoundTripper must be safe for concurrent use by multiple goroutines."}
)

// What it says of a request.
var (
	emptyMethod = sentence{"Request",
		"For client requests, an empty string means GET."}
	urlToAccess = sentence{"Request",
		"URL specifies either the URI being requested (for server requests) or the URL to access (for client requests)."}
	hostOverrides = sentence{"Request",
		"For client requests, Host optionally overrides the Host header to send."}
	headerFields = sentence{"Request",
		"Header contains the request header fields either received by the server or to be sent by the client."}
	valuelessKey = sentence{"Transport",
		"If the idempotency key value is a zero-length slice, the request is treated as idempotent but the header is not sent on the wire."}
	zeroLength = sentence{"Request",
		"For client requests, a value of 0 with a non-nil Body is also treated as unknown."}
	transferEncodings = sentence{"Request",
		"TransferEncoding lists the transfer encodings from outermost to innermost."}
	closePreventsReuse = sentence{"Request",
		"For client requests, setting this field prevents re-use of TCP connections between requests to the same hosts, as if Transport.DisableKeepAlives were set."}
	getBodyCopies = sentence{"Request",
		"GetBody defines an optional func to return a new copy of Body."}
	nilBody = sentence{"Request",
		"For client requests, a nil body means the request has no body, such as a GET request."}
	trailersAfterBody = sentence{"Request",
		"Trailer specifies additional headers that are sent after the request body."}
	trailersSetLate = sentence{"Request",
		"After the HTTP request is sent the map values can be updated while the request body is read."}
	contextOfRequest = sentence{"Request.Context",
		"Context returns the request's context."}
	contextCancels = sentence{"Request.Context",
		"For outgoing client requests, the context controls cancellation."}
	contextLifetime = sentence{"NewRequestWithContext",
		"For an outgoing client request, the context controls the entire lifetime of a request and its response: " +
			"obtaining a connection, sending the request, and reading the response headers and body."}
	traceHooks = sentence{"httptrace.WithClientTrace",
		"HTTP client requests made with the returned context will use the provided trace hooks, in addition to any previous hooks registered with ctx."}
	errorTellsTimeout = sentence{"Client.Do",
		"The url.Error value's Timeout method will report true if the request timed out."}
)

// What it says of a response.
var (
	responseWithError = sentence{"Client.Do",
		"A non-nil Response with a non-nil error only occurs when CheckRedirect fails, and even then the returned Response.Body is already closed."}
	statusCodes = sentence{"Client.Do",
		"A non-2xx status code doesn't cause an error."}
	responseHeader = sentence{"Response",
		"Header maps header keys to values."}
	lengthRecorded = sentence{"Response",
		`Unless Request.Method is "HEAD", values >= 0 indicate that the given number of bytes may be read from Body.`}
	uncompressed = sentence{"Response",
		"Uncompressed reports whether the response was sent compressed but was decompressed by the http package."}
	trailersAtEnd = sentence{"Response",
		"After Body.Read has returned io.EOF, Trailer will contain any trailer values sent by the server."}
	tlsConnection = sentence{"Response",
		"TLS contains information about the TLS connection on which the response was received."}
	requestSent = sentence{"Response",
		"Request is the request that was sent to obtain this Response."}
	bodyNonNil = sentence{"Response",
		"The http Client and Transport guarantee that Body is always non-nil, even on responses without a body or responses with a zero-length body."}
	bodyStreamed = sentence{"Response",
		"The response body is streamed on demand as the Body field is read."}
	readErrors = sentence{"Response",
		"If the network connection fails or the server terminates the response, Body.Read calls return an error."}
	callerCloses = sentence{"Response",
		"It is the caller's responsibility to close Body."}
	upgradedBody = sentence{"Response",
		`As of Go 1.12, the Body will also implement io.Writer on a successful "101 Switching Protocols" response, ` +
			`as used by WebSockets and HTTP/2's "h2c" mode.`}
	mustClose = sentence{"package comment",
		"The caller must close the response body when finished with it:"}
)
