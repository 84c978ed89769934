package issuer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"unicode/utf8"

	"example.com/routeauth"
)

// maxBody is how much of a request's body is read.
const maxBody = 64 << 10

// readBody reads the body of a POST, as far as it may go.
func readBody(w http.ResponseWriter, req *http.Request) ([]byte, *refusal) {
	if req.Method != http.MethodPost || req.Body == nil {
		return nil, nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxBody))
	if errors.As(err, new(*http.MaxBytesError)) {
		return nil, &refusal{status: http.StatusRequestEntityTooLarge, detail: fmt.Sprintf("the body is larger than %d bytes", maxBody)}
	}
	if err != nil {
		return nil, badRequest("the body cannot be read")
	}
	return body, nil
}

// withBody returns a copy of req whose body was not read yet.
func withBody(req *http.Request, body []byte) *http.Request {
	req = req.WithContext(req.Context())
	req.GetBody = func() (io.ReadCloser, error) {
		if len(body) == 0 {
			return http.NoBody, nil
		}
		return io.NopCloser(bytes.NewReader(body)), nil
	}
	req.Body, _ = req.GetBody()
	return req
}

// paramsIn returns the params that req asks for: those of its query and those
// of its body, no name of which comes twice.
func paramsIn(req *http.Request, body []byte) (routeauth.Params, *refusal) {
	params, refused := queryParams(req.URL.RawQuery)
	if refused != nil {
		return nil, refused
	}
	names, refused := bodyNames(body)
	if refused != nil {
		return nil, refused
	}
	for _, name := range names {
		if _, twice := params[name]; twice {
			return nil, badRequest("the name %.64q comes in the query and in the body", name)
		}
	}
	all := slices.Concat(names, slices.Collect(maps.Keys(params)))
	slices.Sort(all)
	for _, name := range all {
		if isRegistered(name) {
			return nil, badRequest("the name %q is a registered claim's, which no caller sets", name)
		}
	}
	if first, second, found := sameName(all); found {
		return nil, badRequest("the names %.64q and %.64q differ only in case", first, second)
	}
	fields, err := routeauth.BodyParams(names...)(req)
	if err != nil {
		// The body is an object, and a small one: nothing else is left.
		return nil, badRequest("a name comes twice in the body")
	}
	maps.Copy(params, fields)
	return params, nil
}

// queryParams returns the params that a query holds.
func queryParams(query string) (routeauth.Params, *refusal) {
	fields, err := url.ParseQuery(query)
	if err != nil {
		return nil, badRequest("the query is malformed")
	}
	params := make(routeauth.Params, len(fields))
	for name, values := range fields {
		if len(values) > 1 {
			return nil, badRequest("the name %.64q comes twice in the query", name)
		}
		if !utf8.ValidString(name) || !utf8.ValidString(values[0]) {
			return nil, badRequest("the query is malformed: it is not UTF-8")
		}
		params[name] = values[0]
	}
	return params, nil
}

// bodyNames returns the names in a JSON object, each once and those with a null
// value among them.
func bodyNames(body []byte) ([]string, *refusal) {
	if len(body) == 0 {
		return nil, nil
	}
	var object map[string]json.RawMessage
	// encoding/json would take what is not UTF-8, and null for an object.
	if err := json.Unmarshal(body, &object); err != nil || object == nil || !utf8.Valid(body) {
		return nil, badRequest("the body is not a JSON object")
	}
	return slices.Sorted(maps.Keys(object)), nil
}
