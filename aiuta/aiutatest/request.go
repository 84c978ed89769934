package aiutatest

import (
	"net/http"
	"slices"
	"sync"

	"example.com/routeauth"
)

// Request is what a [Server] remembers of a request. It never holds a
// credential, only where one was.
type Request struct {
	Method string
	Path   string // escaped as it was sent, without the query

	// API is the path of the base URL of the API that was asked, such as
	// "/digital-try-on/v1". It is empty outside of the APIs, as at the storage,
	// where no credential is asked for.
	API string

	// Requirement is that of the endpoint. It means nothing where API is empty.
	Requirement routeauth.Requirement

	// CredentialHeaders are the names of the header fields that may carry a
	// credential, in their canonical form, once for each value that was sent:
	// routeauth.HeaderAuthorization, HeaderAPIKey and HeaderUserID, in this
	// order. They are listed whether or not the server looked at them.
	CredentialHeaders []string

	// Scheme is that of the credential that was accepted. It is empty where none
	// was, or none was asked for.
	Scheme routeauth.Scheme

	// Status is that of the answer. It is 0 while there is none.
	Status int

	// RequestID is the x-cloud-trace-context of the answer.
	RequestID string
}

// credentialHeaders returns which credential fields h holds, once for each
// value.
func credentialHeaders(h http.Header) []string {
	var found []string
	for _, name := range []string{routeauth.HeaderAuthorization, routeauth.HeaderAPIKey, routeauth.HeaderUserID} {
		found = append(found, slices.Repeat([]string{name}, len(h.Values(name)))...)
	}
	return found
}

// requestLog remembers requests.
type requestLog struct {
	mu       sync.Mutex
	requests []Request
}

// add remembers a request and returns a writer for its answer, by which the log
// learns the status before the client does.
func (l *requestLog) add(r Request, w http.ResponseWriter) http.ResponseWriter {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests = append(l.requests, r)
	return &loggedResponse{w, l, len(l.requests) - 1}
}

func (l *requestLog) setStatus(i, status int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests[i].Status = status
}

// snapshot returns a copy that shares nothing with the log.
func (l *requestLog) snapshot() []Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	requests := slices.Clone(l.requests)
	for i := range requests {
		requests[i].CredentialHeaders = slices.Clone(requests[i].CredentialHeaders)
	}
	return requests
}

// loggedResponse tells the log the status. All answers of this package call
// WriteHeader before Write.
type loggedResponse struct {
	http.ResponseWriter
	log *requestLog
	i   int
}

func (w *loggedResponse) WriteHeader(status int) {
	w.log.setStatus(w.i, status)
	w.ResponseWriter.WriteHeader(status)
}
