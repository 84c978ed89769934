package aiutatest

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"

	"example.com/routeauth"
	"example.com/routeauth/aiuta"
)

// The paths of the APIs' base URLs, and that of the images' content.
const (
	digitalTryOnPath = "/digital-try-on/v1"
	studioPath       = "/studio/v1"
	unifiedPath      = "/v1"
	storagePath      = "/storage"
)

// handlerFunc answers a request, or returns the error to answer it with.
type handlerFunc func(w http.ResponseWriter, req *http.Request) *apiError

// endpoints are the handlers of an API, by the patterns of its routes.
type endpoints map[string]handlerFunc

// handler is a whole server but for its listener.
type handler struct {
	credentials *credentials
	failures    failures
	generator   *generator
	log         requestLog
	apis        []api
	mux         *http.ServeMux // every handler in it is an *endpoint
}

// newHandler returns the handler of a server that listens at url.
func newHandler(cfg Config, url string) *handler {
	images := newImageStore(url + storagePath + "/")
	h := &handler{
		credentials: newCredentials(cfg),
		generator:   &generator{images: images, statusCalls: cfg.StatusCalls},
		mux:         http.NewServeMux(),
	}
	h.mount(api{path: digitalTryOnPath}, aiuta.DigitalTryOnRoutes(), digitalTryOnEndpoints(h.generator))
	h.mount(api{path: studioPath}, aiuta.StudioRoutes(), studioEndpoints(h.generator))
	h.mount(api{path: unifiedPath, unified: true}, aiuta.UnifiedRoutes(), unifiedEndpoints(h.generator))
	h.handle(api{}, "GET "+storagePath+"/{image_id}", routeauth.Optional, images.download)
	return h
}

// mount puts an API under its path. Its table of routes says what each endpoint
// demands.
func (h *handler) mount(a api, routes routeauth.Routes, handlers endpoints) {
	h.apis = append(h.apis, a)
	for pattern, serve := range handlers {
		method, path, _ := strings.Cut(pattern, " ")
		h.handle(a, method+" "+a.path+path, routes[pattern], serve)
	}
}

func (h *handler) handle(a api, pattern string, r routeauth.Requirement, serve handlerFunc) {
	h.mux.Handle(pattern, &endpoint{a, r, serve})
}

// ServeHTTP lets a request through to its endpoint if it carries what that
// demands.
func (h *handler) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	record := Request{
		Method:            req.Method,
		Path:              req.URL.EscapedPath(),
		CredentialHeaders: credentialHeaders(req.Header),
		RequestID:         newRequestID(),
	}
	w.Header().Set("X-Cloud-Trace-Context", record.RequestID)

	e, found := h.endpoint(req)
	record.API, record.Requirement = e.api.path, e.requirement
	var rejected *rejection
	var failure *apiError
	if record.API != "" {
		failure = h.failures.next()
	}
	if record.API != "" && failure == nil {
		record.Scheme, rejected = h.credentials.check(req, record.Requirement)
	}
	w = h.log.add(record, w)
	switch {
	case failure != nil:
		e.api.writeError(w, failure)
	case rejected != nil:
		rejected.write(w)
	case found:
		h.mux.ServeHTTP(w, req) // again, since this sets the path values
	default:
		e.ServeHTTP(w, req)
	}
}

// endpoint returns what a request is for. Where the mux has no endpoint, it is
// one that says so.
func (h *handler) endpoint(req *http.Request) (e *endpoint, found bool) {
	registered, _ := h.mux.Handler(req)
	if e, found = registered.(*endpoint); found {
		return e, true
	}
	e = &endpoint{serve: h.notFound}
	for _, a := range h.apis {
		if req.URL.Path == a.path || strings.HasPrefix(req.URL.Path, a.path+"/") {
			e.api = a
		}
	}
	return e, false
}

// notFound answers for a path that has no endpoint, or none for the method.
func (h *handler) notFound(w http.ResponseWriter, req *http.Request) *apiError {
	var allowed []string
	for _, method := range []string{http.MethodDelete, http.MethodGet, http.MethodPatch, http.MethodPost} {
		registered, _ := h.mux.Handler(&http.Request{Method: method, URL: req.URL})
		if _, found := registered.(*endpoint); found {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		return notFound("path")
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	return &apiError{status: http.StatusMethodNotAllowed, code: "method_not_allowed", message: "the path does not take this method"}
}

// endpoint is the handler of one operation of an API.
type endpoint struct {
	api         api
	requirement routeauth.Requirement
	serve       handlerFunc
}

// ServeHTTP answers a request whose credential was accepted.
func (e *endpoint) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if err := e.serve(w, req); err != nil {
		e.api.writeError(w, err)
	}
}

// newRequestID returns an ID of the form in which the API's gateway makes them:
// a trace and a span of it.
func newRequestID() string {
	var trace [16]byte
	_, _ = rand.Read(trace[:]) // never fails, by its documentation
	return fmt.Sprintf("%x/1", trace)
}
