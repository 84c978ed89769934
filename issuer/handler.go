package issuer

import (
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"

	"example.com/routeauth"
	"example.com/routeauth/internal/sound"
)

// HandlerOption changes what the handler of [NewHandler] does.
type HandlerOption func(*handlerConfig) error

type handlerConfig struct{ logger *slog.Logger }

// WithLogger sets where the reasons go that the client does not see: what
// authorize and the source said. The default is [slog.Default] as it is at the
// time of the request. A nil logger is an error of the constructor.
func WithLogger(l *slog.Logger) HandlerOption {
	return func(c *handlerConfig) error {
		c.logger = l
		if l == nil {
			return errors.New("issuer: logger is nil")
		}
		return nil
	}
}

// NewHandler returns a handler that gives tokens of source, such as an [Issuer],
// to the callers whom authorize lets pass. Mount it where the app's
// [routeauth.RemoteTokenSource] looks for it, behind TLS.
//
// It takes GET with a query, and POST with a JSON object and a query. Both are
// merged, and their values become params as [routeauth.BodyParams] makes them;
// no body is an empty object. The body of a GET is not read.
//
// The handler itself checks only the form of a request, and that no page of
// another site made it (see below). Who the caller is, and whether that user may
// have a token with these params, is for authorize to say: an error refuses. It
// gets a copy of the request whose body can be read, as if nobody had read it
// before (GetBody returns it anew), and a copy of the params, so that nothing
// that it changes has an effect on the token. It must be safe for concurrent
// use. It is not asked about a request that is malformed. The source is asked
// with the request's context.
//
// Every answer is JSON, with Cache-Control: no-store and X-Content-Type-Options:
// nosniff. With a token it is 200 {"type": "jwt", "token": "…"}, and else
// {"detail": "…"} with one of
//
//	400  the query is malformed, the body is not a JSON object, a name comes
//	     twice or is that of a registered claim (RFC 7519, section 4.1); case
//	     makes no difference to names, as Unicode folds it
//	401  authorize refused, and its error says so
//	403  authorize refused, or the request is cross-site
//	405  the method is another one; Allow says which there are
//	413  the body is larger than 64 KiB
//	429  authorize refused, and its error says so
//	502  the source failed, or its token is empty or ill-formed
//
// The error of authorize says that it is a 401 or a 429 with a method
// StatusCode() int, its own or that of an error in it. A method RetryAfter()
// time.Duration then makes a Retry-After of it, rounded up to seconds. The
// caller's session decides what belongs into a WWW-Authenticate, so the handler
// sets none: wrap it where a 401 needs one (RFC 9110, section 15.5.2).
//
// A cross-site request is what [http.CrossOriginProtection] takes for one, a GET
// as if it were a POST. A browser would send it with the user's cookies. An app
// whose pages come from another origin than this handler, a sibling domain
// included, therefore gets no token. Clients other than browsers, which send
// neither Sec-Fetch-Site nor Origin, are not affected.
//
// What authorize and the source said is logged, with the request's method, path
// and remote address, and never shown to the client. Neither params nor tokens
// are logged. A panic of either is left to [http.Server].
//
// The error joins everything that is wrong: a source that is nil or a nil
// pointer or function, a nil authorize (tokens for everybody are nobody's
// wish), an option that is nil or has a nil argument.
func NewHandler(source routeauth.TokenSource, authorize func(req *http.Request, params routeauth.Params) error, opts ...HandlerOption) (http.Handler, error) {
	var config handlerConfig
	errs := apply(&config, opts)
	if source == nil || sound.IsTypedNil(source) {
		errs = append(errs, errors.New("issuer: token source is nil"))
	}
	if authorize == nil {
		errs = append(errs, errors.New("issuer: authorize is nil: say who may have a token"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return &handler{handlerConfig: config, source: source, authorize: authorize}, nil
}

type handler struct {
	handlerConfig
	source    routeauth.TokenSource
	authorize func(*http.Request, routeauth.Params) error
	sites     http.CrossOriginProtection
}

// ServeHTTP answers with a token or says why there is none.
func (h *handler) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	token, refused := h.token(w, req)
	if refused != nil {
		h.log(req, refused)
		refused.write(w)
		return
	}
	writeJSON(w, http.StatusOK, struct {
		Type  string `json:"type"`
		Token string `json:"token"`
	}{"jwt", token})
}

// token returns the token that req asks for.
func (h *handler) token(w http.ResponseWriter, req *http.Request) (string, *refusal) {
	if req.Method != http.MethodGet && req.Method != http.MethodPost {
		w.Header().Set("Allow", "GET, POST") // RFC 9110, section 15.5.6
		return "", &refusal{status: http.StatusMethodNotAllowed, detail: "use GET with a query or POST with a JSON object"}
	}
	if err := h.checkSite(req); err != nil {
		return "", &refusal{status: http.StatusForbidden, detail: "a page of another site gets no token", reason: err}
	}
	body, refused := readBody(w, req)
	if refused != nil {
		return "", refused
	}
	req = withBody(req, body)
	params, refused := paramsIn(req, body)
	if refused != nil {
		return "", refused
	}
	ctx := req.Context() // authorize has no part in it
	if err := h.authorize(req, maps.Clone(params)); err != nil {
		return "", forbidden(err)
	}
	token, err := h.source.Token(ctx, params)
	if err == nil {
		_, err = routeauth.NewStaticTokenSource(token.Value) // checks it
	}
	if err != nil {
		return "", &refusal{status: http.StatusBadGateway, detail: "no token is available at the moment", reason: err}
	}
	return string(token.Value), nil
}

// checkSite returns an error if a browser made the request for a page of another
// site. A GET is no safer than a POST here: both make a token.
func (h *handler) checkSite(req *http.Request) error {
	req = req.WithContext(req.Context())
	req.Method = http.MethodPost
	return h.sites.Check(req)
}

// log keeps the reason of a refusal that the client does not see.
func (h *handler) log(req *http.Request, refused *refusal) {
	if refused.reason == nil {
		return
	}
	logger, level := h.logger, slog.LevelError
	if logger == nil {
		logger = slog.Default()
	}
	if refused.status < http.StatusInternalServerError {
		level = slog.LevelWarn // as it should be, unless there are many
	}
	logger.LogAttrs(req.Context(), level, "no token issued",
		slog.Int("status", refused.status),
		slog.String("method", req.Method),
		slog.String("path", req.URL.Path), // the query holds params
		slog.String("remote", req.RemoteAddr),
		slog.Any("error", refused.reason))
}

// writeJSON answers with v. Where that fails the client is gone.
func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	body, _ := json.Marshal(v) // structs of strings, which cannot fail
	_, _ = w.Write(body)
}
