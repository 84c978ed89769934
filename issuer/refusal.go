package issuer

import (
	"fmt"
	"net/http"
)

// refusal is an answer without a token.
type refusal struct {
	status int
	detail string // for the client; a text of this package
	reason error  // for the logger; nil where detail says it all
}

func badRequest(format string, args ...any) *refusal {
	return &refusal{http.StatusBadRequest, fmt.Sprintf(format, args...), nil}
}

func (r *refusal) write(w http.ResponseWriter) {
	writeJSON(w, r.status, struct {
		Detail string `json:"detail"`
	}{r.detail})
}
