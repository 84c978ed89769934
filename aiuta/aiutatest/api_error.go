package aiutatest

import (
	"encoding/json"
	"net/http"
)

// api is one of the APIs. The zero value is what lies outside of them.
type api struct {
	path    string
	unified bool // its errors have a form of their own
}

// apiError is an answer that is not a success.
type apiError struct {
	status  int
	code    string // the Unified API's
	message string
	invalid []invalidField // with 422, instead of the two
}

// invalidField says where in a request what is wrong.
type invalidField struct {
	Loc  []any  `json:"loc"` // such as "body", "sku_ids", 0
	Msg  string `json:"msg"`
	Type string `json:"type"`
}

func notFound(what string) *apiError {
	return &apiError{status: http.StatusNotFound, code: "not_found", message: "there is no such " + what}
}

func conflict(message string) *apiError {
	return &apiError{status: http.StatusConflict, code: "conflict", message: message}
}

// unprocessable returns a 422, or nil if nothing is invalid.
func unprocessable(invalid ...invalidField) *apiError {
	if len(invalid) == 0 {
		return nil
	}
	return &apiError{status: http.StatusUnprocessableEntity, invalid: invalid}
}

// writeError answers with e in the form that the API has for it.
func (a api) writeError(w http.ResponseWriter, e *apiError) {
	switch {
	case e.status == http.StatusUnauthorized:
		reject("%s", e.message).write(w)
	case e.invalid != nil:
		writeJSON(w, e.status, map[string]any{"detail": e.invalid})
	case a.unified:
		writeJSON(w, e.status, map[string]any{"code": e.code, "message": e.message, "details": nil})
	default:
		writeJSON(w, e.status, map[string]any{"detail": e.message})
	}
}

// writeJSON answers with v. Where that fails the client is gone.
func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil { // a raw value that is no JSON, which no body can hold
		status, body = http.StatusInternalServerError, []byte(`{"detail": "the answer cannot be encoded"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
