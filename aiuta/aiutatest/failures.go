package aiutatest

import (
	"net/http"
	"sync"
)

// failures are answers that a test has asked for.
type failures struct {
	mu     sync.Mutex
	left   int
	status int
}

func (f *failures) set(n, status int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left, f.status = n, status
}

// next returns the error to answer a request with, or nil.
func (f *failures) next() *apiError {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left <= 0 {
		return nil
	}
	f.left--
	e := &apiError{status: f.status, code: "failure", message: "a test asked for it: " + http.StatusText(f.status)}
	if f.status == http.StatusUnprocessableEntity {
		e.invalid = []invalidField{{[]any{"body"}, e.message, "failure"}}
	}
	return e
}
