package issuer_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"example.com/routeauth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Rule 30: whatever is sent, the answer is one of those that are documented; a
// token is handed out only to whom authorize let pass, and its claims are what
// authorize saw and the request held.
func FuzzHandler(f *testing.F) {
	for _, seed := range []struct{ method, query, body string }{
		{"GET", "", ""},
		{"GET", "a=1&b=2", ""},
		{"GET", "a=1&a=2", ""},
		{"GET", "exp=1", ""},
		{"GET", "a=%zz", ""},
		{"GET", "a=%ff", ""},
		{"GET", "a=1;b=2", ""},
		{"POST", "", ""},
		{"POST", "", "{}"},
		{"POST", "", "null"},
		{"POST", "", `["a"]`},
		{"POST", "", `{"a":`},
		{"POST", "", `{"a":"1"}{}`},
		{"POST", "a=1", `{"b":"2"}`},
		{"POST", "a=1", `{"a":"2"}`},
		{"POST", "a=1", `{"a":null}`},
		{"POST", "", `{"a":"1","\u0061":null}`},
		{"POST", "", `{"a":["x","y"],"b":[1],"c":{"exp":1},"d":1.50e1,"e":null,"f":true}`},
		{"POST", "", `{"iss":"mallory"}`},
		{"POST", "", `{"i\u017fs":"mallory"}`},
		{"POST", "", `{"jti":null}`},
		{"POST", "", "{\"a\":{\"b\":\"\xff\"}}"},
		{"POST", "", `{"\ud800":"\udfff"}`},
		{"HEAD", "a=1", ""},
		{"PUT", "a=1", "{}"},
	} {
		f.Add(seed.method, seed.query, seed.body, uint(0), true)
		f.Add(seed.method, seed.query, seed.body, uint(0), false)
		f.Add(seed.method, seed.query, seed.body, uint(maxBody), true)
	}
	f.Fuzz(func(t *testing.T, method, query, body string, padding uint, passes bool) {
		body += strings.Repeat(" ", int(padding%(2*maxBody)))
		g := gate{err: errors.New("not for you")}
		if passes {
			g.err = nil
		}
		reader := strings.NewReader(body)
		req := &http.Request{
			Method: method,
			URL:    &url.URL{Path: "/jwt", RawQuery: query},
			Header: http.Header{},
			Body:   io.NopCloser(reader),
		}
		w := httptest.NewRecorder()
		newHandler(t, newIssuer(t), &g).ServeHTTP(w, req)

		assert.LessOrEqual(t, len(body)-reader.Len(), maxBody+1, "read of the body")
		switch w.Code {
		case http.StatusOK:
			require.True(t, passes)
			params := paramsOf(t, tokenIn(t, w))
			require.Equal(t, []routeauth.Params{params}, g.asked)
			assertSent(t, params, method, query, body)
		case http.StatusForbidden:
			require.False(t, passes)
			require.Len(t, g.asked, 1)
			detailIn(t, w)
		case http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusRequestEntityTooLarge:
			require.Empty(t, g.asked)
			detailIn(t, w)
		default:
			require.Fail(t, "status", "%d", w.Code)
		}
	})
}

// assertSent checks params against what a second reading of the request finds.
func assertSent(t *testing.T, params routeauth.Params, method, query, body string) {
	t.Helper()
	want := map[string]bool{}
	fields, err := url.ParseQuery(query)
	require.NoError(t, err)
	for name := range fields {
		want[name] = true
		require.Equal(t, fields.Get(name), params[name])
	}
	if method == http.MethodPost && body != "" {
		var object map[string]any
		decoder := json.NewDecoder(strings.NewReader(body))
		decoder.UseNumber() // there are numbers that no type of Go holds
		require.NoError(t, decoder.Decode(&object))
		require.NotNil(t, object)
		for name, value := range object {
			require.False(t, want[name], "%q came twice", name)
			if text, isText := value.(string); isText {
				require.Equal(t, text, params[name])
			}
			if value != nil {
				want[name] = true
			}
		}
	}
	require.Len(t, params, len(want))
	for name := range params {
		require.True(t, want[name], "%q was sent", name)
		require.False(t, slices.ContainsFunc(registered, func(claim string) bool { return strings.EqualFold(claim, name) }))
	}
}
