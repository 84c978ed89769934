package routeauth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"example.com/routeauth/internal/replay"
)

// BodyParams returns a [ParamsFunc] that takes the named top-level fields of a
// request's JSON body:
//
//   - a string as it is, where half of a surrogate pair becomes U+FFFD;
//   - a list of strings joined by commas, so that ["a","b"] and "a,b" give the
//     same param;
//   - any other value as the JSON text that stands in the body;
//   - a field that is absent or null gives no param.
//
// The body is read through [http.Request.GetBody]; the request's Body is left
// alone. A transport of this package sends the very bytes that were read. A
// request without a body has no params. It is an error if the body cannot be read
// twice (GetBody is nil), is larger than 1 MiB, is no JSON object in UTF-8 (RFC
// 8259), or has a named field twice, since servers differ in which one they read.
// The error never quotes the body.
func BodyParams(fields ...string) ParamsFunc {
	wanted := make(map[string]bool, len(fields))
	for _, name := range fields {
		wanted[name] = true
	}
	return func(req *http.Request) (Params, error) {
		if req.Body == nil || req.Body == http.NoBody || len(wanted) == 0 {
			return nil, nil
		}
		body, err := readAgain(req)
		if err != nil {
			return nil, err
		}
		return objectParams(body, wanted)
	}
}

// readAgain returns the body of a request without taking it away.
func readAgain(req *http.Request) ([]byte, error) {
	if req.GetBody == nil {
		return nil, errors.New("params: the body cannot be read twice: set the request's GetBody")
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, fmt.Errorf("params: GetBody: %w", err)
	}
	if body == nil {
		return nil, errors.New("params: GetBody returned no body")
	}
	defer body.Close()
	data, err := io.ReadAll(io.LimitReader(body, replay.MaxParamsBody+1))
	if err != nil {
		return nil, fmt.Errorf("params: reading the body: %w", err)
	}
	if len(data) > replay.MaxParamsBody {
		return nil, fmt.Errorf("params: the body is larger than %d bytes", replay.MaxParamsBody)
	}
	return data, nil
}

var errNoObject = errors.New("params: the body is not a JSON object in UTF-8")

// objectParams returns the params that the named fields of a JSON object are.
func objectParams(object []byte, wanted map[string]bool) (Params, error) {
	if !utf8.Valid(object) {
		// What stands for bytes that are no text differs between readers.
		return nil, errNoObject
	}
	decoder := json.NewDecoder(bytes.NewReader(object))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return nil, errNoObject
	}
	params := make(Params)
	seen := make(map[string]bool)
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, errNoObject
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, errNoObject
		}
		name, _ := token.(string)
		if !wanted[name] {
			continue
		}
		if seen[name] {
			return nil, fmt.Errorf("params: the body has the field %q twice", name)
		}
		seen[name] = true
		if param, present := paramOf(value); present {
			params[name] = param
		}
	}
	if _, err := decoder.Token(); err != nil { // the closing brace
		return nil, errNoObject
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errNoObject
	}
	return params, nil
}

// paramOf returns the param that a JSON value is, if it is one.
func paramOf(value json.RawMessage) (param string, present bool) {
	switch value[0] {
	case 'n':
		return "", false
	case '"':
		_ = json.Unmarshal(value, &param) // it was decoded once already
		return param, true
	case '[':
		// Pointers tell null, which is no string, from "".
		var list []*string
		if json.Unmarshal(value, &list) == nil && !slices.Contains(list, nil) {
			texts := make([]string, len(list))
			for i, text := range list {
				texts[i] = *text
			}
			return strings.Join(texts, ","), true
		}
	}
	return string(value), true
}
