package aiutatest

import (
	"net/http"
	"strconv"
)

// query reads the query of a request and collects what is wrong with it.
type query struct {
	req     *http.Request
	invalid []invalidField
}

// number returns a whole number within limits.
func (q *query) number(name string, byDefault, least, most int) int {
	text := q.req.URL.Query().Get(name)
	if text == "" {
		return byDefault
	}
	value, err := strconv.Atoi(text)
	if err != nil || value < least || value > most {
		q.invalid = append(q.invalid, invalidField{[]any{"query", name}, "is no whole number within the limits", "value_error"})
	}
	return value
}
