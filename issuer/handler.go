package issuer

import (
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"reflect"

	"example.com/routeauth"
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

// NewHandler returns a handler that hands out tokens of source, such as an
// [Issuer], to the callers whom authorize lets pass. Mount it where the app's
// [routeauth.RemoteTokenSource] looks for it, behind TLS.
//
// It takes GET with a query, and POST with a JSON object and a query. Both are
// merged, and their values become params as [routeauth.BodyParams] makes them;
// no body is an empty object. The body of a GET is not read.
//
// The handler itself checks only the form of a request. Who the caller is, and
// whether that user may have a token with these params, is for authorize to
// say: an error refuses. It gets a copy of the request whose body can be read,
// as if nobody had read it before (GetBody returns it anew), and a copy of the
// params, so that nothing that it changes has an effect on the token. It must
// be safe for concurrent use. It is not asked about a request that is
// malformed. The source is asked with the request's context.
//
// Every answer is JSON with Cache-Control: no-store. With a token it is
// 200 {"type": "jwt", "token": "…"}, and else {"detail": "…"} with one of
//
//	400  the query is malformed, the body is no JSON object, a name comes twice
//	     or is a registered claim's, in whatever case (RFC 7519, section 4.1)
//	403  authorize refused
//	405  the method is another one; Allow says which there are
//	413  the body is larger than 64 KiB
//	502  the source failed, or its token is empty or ill-formed
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
	if isNil(source) {
		errs = append(errs, errors.New("issuer: token source is nil"))
	}
	if authorize == nil {
		errs = append(errs, errors.New("issuer: authorize is nil: say who may have a token"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return &handler{config, source, authorize}, nil
}

// isNil reports whether calling source would panic for want of one.
func isNil(source routeauth.TokenSource) bool {
	switch v := reflect.ValueOf(source); v.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Pointer, reflect.Func, reflect.Map, reflect.Slice, reflect.Chan:
		return v.IsNil()
	}
	return false
}

type handler struct {
	handlerConfig
	source    routeauth.TokenSource
	authorize func(*http.Request, routeauth.Params) error
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
		return "", &refusal{http.StatusMethodNotAllowed, "use GET with a query or POST with a JSON object", nil}
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
		return "", &refusal{http.StatusForbidden, "this caller may not have this token", err}
	}
	token, err := h.source.Token(ctx, params)
	if err == nil {
		_, err = routeauth.NewStaticTokenSource(token.Value) // checks it
	}
	if err != nil {
		return "", &refusal{http.StatusBadGateway, "no token can be had at the moment", err}
	}
	return string(token.Value), nil
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
	if refused.status == http.StatusForbidden {
		level = slog.LevelWarn // as it should be, unless there are many
	}
	logger.LogAttrs(req.Context(), level, "no token handed out",
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
	w.WriteHeader(status)
	body, _ := json.Marshal(v) // structs of strings, which cannot fail
	_, _ = w.Write(body)
}
