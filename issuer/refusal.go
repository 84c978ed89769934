package issuer

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"example.com/routeauth/internal/sound"
)

// refusal is an answer without a token.
type refusal struct {
	status     int
	detail     string        // for the client; a text of this package
	reason     error         // for the logger; nil where detail says it all
	retryAfter time.Duration // 0 for none
}

func badRequest(format string, args ...any) *refusal {
	return &refusal{status: http.StatusBadRequest, detail: fmt.Sprintf(format, args...)}
}

// details are what the client learns of a refusal of authorize, by status.
var details = map[int]string{
	http.StatusUnauthorized:    "this caller is not known, or no longer",
	http.StatusForbidden:       "this caller may not have this token",
	http.StatusTooManyRequests: "this caller asks for tokens too often",
}

// forbidden returns what becomes of an error of authorize. The error itself
// says whether it is a 401 or a 429, and for how long.
func forbidden(err error) *refusal {
	refused := &refusal{status: http.StatusForbidden, reason: err}
	var says interface{ StatusCode() int }
	if errors.As(err, &says) && !sound.IsTypedNil(says) && details[says.StatusCode()] != "" {
		refused.status = says.StatusCode()
	}
	var asks interface{ RetryAfter() time.Duration }
	if errors.As(err, &asks) && !sound.IsTypedNil(asks) && refused.status != http.StatusForbidden {
		refused.retryAfter = asks.RetryAfter()
	}
	refused.detail = details[refused.status]
	return refused
}

// write answers with the refusal.
func (r *refusal) write(w http.ResponseWriter) {
	if r.retryAfter > 0 {
		seconds := int64(r.retryAfter / time.Second) // whole ones (RFC 9110, section 10.2.3)
		if r.retryAfter%time.Second != 0 {
			seconds++ // or the client comes back too early
		}
		w.Header().Set("Retry-After", strconv.FormatInt(seconds, 10))
	}
	writeJSON(w, r.status, struct {
		Detail string `json:"detail"`
	}{r.detail})
}
