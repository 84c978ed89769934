package issuer_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/routeauth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Rule 30: whatever is sent, the answer is one of those that are documented; a
// token goes only to whom authorize let pass and who does not come from another
// site, and its claims are what authorize saw and the request held.
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
		{"POST", "", `{"sku_id":"mine","\u017fku_id":"victims"}`},
		{"GET", "a=1&A=2", ""},
		{"HEAD", "a=1", ""},
		{"PUT", "a=1", "{}"},
	} {
		f.Add(seed.method, seed.query, seed.body, uint(0), 0, "")
		f.Add(seed.method, seed.query, seed.body, uint(0), 403, "same-origin")
		f.Add(seed.method, seed.query, seed.body, uint(0), 429, "none")
		f.Add(seed.method, seed.query, seed.body, uint(0), 0, "cross-site")
		f.Add(seed.method, seed.query, seed.body, uint(maxBody), 0, "")
	}
	// refusal is the status that the error of authorize says, or 0 if it lets pass.
	f.Fuzz(func(t *testing.T, method, query, body string, padding uint, refusal int, site string) {
		body += strings.Repeat(" ", int(padding%(2*maxBody)))
		var g gate
		if refusal != 0 {
			g.err = &refusing{refusal, time.Second}
		}
		sameSite := slices.Contains([]string{"", "same-origin", "none"}, site)
		reader := strings.NewReader(body)
		req := &http.Request{
			Method: method,
			URL:    &url.URL{Path: "/jwt", RawQuery: query},
			Header: http.Header{"Sec-Fetch-Site": {site}},
			Body:   io.NopCloser(reader),
		}
		w := httptest.NewRecorder()
		newHandler(t, newIssuer(t), &g).ServeHTTP(w, req)

		assert.LessOrEqual(t, len(body)-reader.Len(), maxBody+1, "read of the body")
		switch w.Code {
		case http.StatusOK:
			require.Zero(t, refusal)
			require.True(t, sameSite)
			params := paramsOf(t, tokenIn(t, w))
			require.Equal(t, []routeauth.Params{params}, g.asked)
			assertSent(t, params, method, query, body)
		case http.StatusUnauthorized, http.StatusTooManyRequests:
			require.Equal(t, refusal, w.Code)
			require.Equal(t, "1", w.Header().Get("Retry-After"))
			require.Len(t, g.asked, 1)
			detailIn(t, w)
		case http.StatusForbidden:
			require.True(t, !sameSite || refusal != 0)
			require.Len(t, g.asked, map[bool]int{true: 1, false: 0}[sameSite])
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
		for other := range params {
			if other != name && strings.EqualFold(other, name) {
				require.Fail(t, "two names", "%q and %q", name, other)
			}
		}
	}
}
