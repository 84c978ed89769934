package routeauth

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"slices"
	"time"
)

// Trace is told what a transport decides, what its sources return and what a
// server rejects. Any field may be nil. None is ever shown a credential.
//
// The functions are called from many goroutines at once, in order for one
// request, and hold it up for as long as they run. A panic in one is not
// recovered: in a request it reaches the caller, in a fetch of a [TokenCache] it
// ends the program.
//
// Give a Trace to [New] with [WithTrace], to a [TokenCache] with
// [WithCacheTrace], or to one request with [ContextWithTrace]. One that is given
// in several of these ways is told once. It must not be changed after that.
type Trace struct {
	// Decided is called once for each request that goes through a Transport,
	// before anything is sent or any source is asked. It is not called for a
	// request without a URL, nor by a wrapper that is used alone.
	Decided func(ctx context.Context, d Decision)
	// TokenFetched is called after each call of a token source or a secret
	// source, and before any request has the result. A call of a TokenCache or a
	// look of a FileSecretSource is no fetch; the call of the cache's own source
	// is one, and so is the reading of the file.
	TokenFetched func(ctx context.Context, f TokenFetch)
	// Unauthorized is called for each 401 to a request with a credential. If
	// sentAgain is true, another credential was fetched and the request is about
	// to be sent once more with it. The error is the caller's, and must not be
	// changed.
	Unauthorized func(ctx context.Context, e *UnauthorizedError, sentAgain bool)
}

// Decision is what a [Transport] decided about a request.
type Decision struct {
	Match
	Method string // "GET" where it was empty
	URL    string // without user info, query or fragment
	// Scheme is that of the credential that goes out. It is empty where none
	// does, and where somebody else's transport sends one.
	Scheme Scheme
	// Redirected says that the request is a redirect hop whose chain left the
	// scope, so that it gets no credential whatever its route calls for.
	Redirected bool
}

// TokenFetch is one call of a source.
type TokenFetch struct {
	Scheme     Scheme        // of the credential; empty in a cache's own trace
	Took       time.Duration // the call
	Expiry     time.Time     // of the token; zero where it is not known
	Background bool          // nobody waits for it
	Err        error         // nil where the source returned a credential
}

// WithTrace tells t about each request of a [Transport], what its sources return
// and what the API rejects. A nil t is an error of the constructor.
func WithTrace(t *Trace) Option {
	return func(c *transportConfig) error {
		c.traces = withTrace(c.traces, t)
		return checkNotNil("trace", t)
	}
}

// WithCacheTrace tells t of each call of the cache's source, also of those in the
// background, whose failure no request sees. A nil t is an error of the
// constructor.
func WithCacheTrace(t *Trace) CacheOption {
	return func(c *cacheConfig) error {
		c.traces = withTrace(c.traces, t)
		return checkNotNil("trace", t)
	}
}

type traceKey struct{}

// ContextWithTrace returns a copy of ctx with which t is told about a request,
// beside the traces that ctx and the transport have already. A nil t changes
// nothing.
func ContextWithTrace(ctx context.Context, t *Trace) context.Context {
	if t == nil {
		return ctx
	}
	return context.WithValue(ctx, traceKey{}, withTrace(tracesIn(ctx), t))
}

// traces are the traces of a request, each once. They are never changed.
type traces []*Trace

func tracesIn(ctx context.Context) traces {
	all, _ := ctx.Value(traceKey{}).(traces)
	return all
}

func withTrace(all traces, t *Trace) traces {
	if t == nil || slices.Contains(all, t) {
		return all
	}
	return append(slices.Clip(all), t)
}

// tracesOf returns the traces of a request: the transport's and its own.
func (c *transportConfig) tracesOf(req *http.Request) traces {
	own := tracesIn(req.Context())
	if c == nil || len(c.traces) == 0 {
		return own
	}
	if len(own) == 0 {
		return c.traces
	}
	all := c.traces
	for _, t := range own {
		all = withTrace(all, t)
	}
	return all
}

func (all traces) fetched(ctx context.Context, f TokenFetch) {
	for _, t := range all {
		if t.TokenFetched != nil {
			t.TokenFetched(ctx, f)
		}
	}
}

func (all traces) unauthorized(ctx context.Context, e *UnauthorizedError, sentAgain bool) {
	for _, t := range all {
		if t.Unauthorized != nil {
			t.Unauthorized(ctx, e, sentAgain)
		}
	}
}

func (all traces) watchFetches() bool {
	return slices.ContainsFunc(all, func(t *Trace) bool { return t.TokenFetched != nil })
}

type fetchTraceKey struct{}

// fetchTrace is what a source finds in its context: who is told of its fetches.
type fetchTrace struct {
	traces traces
	scheme Scheme
}

// sourceContext returns the context for a source of credentials of this scheme.
func sourceContext(ctx context.Context, all traces, scheme Scheme) context.Context {
	if !all.watchFetches() {
		return ctx
	}
	return context.WithValue(ctx, fetchTraceKey{}, fetchTrace{all, scheme})
}

// tellFetch tells those in the context of a source about a call, and beside them
// those of a cache.
func tellFetch(ctx context.Context, f TokenFetch, cache traces) {
	above, _ := ctx.Value(fetchTraceKey{}).(fetchTrace)
	for _, t := range cache {
		if t.TokenFetched != nil && !slices.Contains(above.traces, t) {
			t.TokenFetched(ctx, f)
		}
	}
	f.Scheme = above.scheme
	above.traces.fetched(ctx, f)
}

// LogTrace returns a Trace that logs to l: each decision at level debug, and at
// level warn each fetch that failed and each 401.
// With nil it logs to [slog.Default] as it is at that time. No line has a
// credential, a query or a body.
func LogTrace(l *slog.Logger) *Trace {
	log := func(ctx context.Context, level slog.Level, message string, attrs ...slog.Attr) {
		logger := l
		if logger == nil {
			logger = slog.Default()
		}
		logger.LogAttrs(ctx, level, message, attrs...)
	}
	return &Trace{
		Decided: func(ctx context.Context, d Decision) {
			log(ctx, slog.LevelDebug, "request decided",
				slog.String("method", d.Method), slog.String("url", d.URL),
				slog.String("verdict", d.Verdict.String()), slog.String("requirement", d.Requirement.String()),
				slog.String("pattern", d.Pattern), slog.String("reason", d.Reason),
				slog.String("scheme", string(d.Scheme)), slog.Bool("redirected", d.Redirected))
		},
		TokenFetched: func(ctx context.Context, f TokenFetch) {
			if f.Err == nil {
				return
			}
			log(ctx, slog.LevelWarn, "credential not fetched",
				slog.String("scheme", string(f.Scheme)), slog.Duration("took", f.Took),
				slog.Bool("background", f.Background), slog.Any("error", f.Err))
		},
		Unauthorized: func(ctx context.Context, e *UnauthorizedError, sentAgain bool) {
			log(ctx, slog.LevelWarn, "credential rejected",
				slog.String("method", e.Method), slog.String("url", e.URL), slog.String("scheme", string(e.Scheme)),
				slog.String("detail", e.Detail), slog.String("request_id", e.RequestID), slog.Bool("sent_again", sentAgain))
		},
	}
}

// tellDecision tells of a decision. The carrier is the transport that adds a
// credential, or nil.
func (t *Transport) tellDecision(all traces, d *decision, to target, req *http.Request, carrier roundTripperTo, left bool) {
	var told Decision
	made := false
	for _, trace := range all {
		if trace.Decided == nil {
			continue
		}
		if !made {
			told, made = Decision{Match: d.match(t.policy, &to.url), Method: cmp.Or(to.method, http.MethodGet), URL: locationOf(&to.url), Redirected: left}, true
			if carrier != nil {
				told.Scheme = carrier.scheme()
			}
		}
		trace.Decided(req.Context(), told)
	}
}
