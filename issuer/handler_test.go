package issuer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/issuer"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// silent keeps what tests provoke out of their output.
var silent = issuer.WithLogger(slog.New(slog.DiscardHandler))

const maxBody = 64 << 10 // Rule 30.

// Rule 30, with the values of rule 15.
func TestQueryAndBodyBecomeTheParams(t *testing.T) {
	for name, test := range map[string]struct {
		method, target, body string
		want                 routeauth.Params
	}{
		"GET":                      {"GET", "/jwt", "", routeauth.Params{}},
		"GET with a query":         {"GET", "/jwt?sku_id=4&uploaded_image_id=a%2Fb+c", "", routeauth.Params{"sku_id": "4", "uploaded_image_id": "a/b c"}},
		"GET with empty values":    {"GET", "/jwt?a&b=&=c", "", routeauth.Params{"a": "", "b": "", "": "c"}},
		"GET with a body":          {"GET", "/jwt?a=1", `{"b":"2"}`, routeauth.Params{"a": "1"}},
		"POST without a body":      {"POST", "/jwt", "", routeauth.Params{}},
		"POST with an empty body":  {"POST", "/jwt", "{}", routeauth.Params{}},
		"POST with a query":        {"POST", "/jwt?a=1", "", routeauth.Params{"a": "1"}},
		"POST with both":           {"POST", "/jwt?a=1", `{"b":"2"}`, routeauth.Params{"a": "1", "b": "2"}},
		"a string":                 {"POST", "/jwt", `{"a":"\u00fc<\"\n"}`, routeauth.Params{"a": "ü<\"\n"}},
		"an empty string":          {"POST", "/jwt", `{"a":""}`, routeauth.Params{"a": ""}},
		"a list of strings":        {"POST", "/jwt", `{"a":["x", "y"]}`, routeauth.Params{"a": "x,y"}},
		"an empty list":            {"POST", "/jwt", `{"a":[]}`, routeauth.Params{"a": ""}},
		"a list of other things":   {"POST", "/jwt", `{"a":["x", 1]}`, routeauth.Params{"a": `["x", 1]`}},
		"a number, as it stands":   {"POST", "/jwt", `{"a":1.50e1}`, routeauth.Params{"a": "1.50e1"}},
		"an object, as it stands":  {"POST", "/jwt", `{"a":{"b" : 1}}`, routeauth.Params{"a": `{"b" : 1}`}},
		"true":                     {"POST", "/jwt", `{"a":true}`, routeauth.Params{"a": "true"}},
		"null is left out":         {"POST", "/jwt", `{"a":null,"b":"2"}`, routeauth.Params{"b": "2"}},
		"an escaped name":          {"POST", "/jwt", `{"\u0061":"1"}`, routeauth.Params{"a": "1"}},
		"white space around":       {"POST", "/jwt", " {\n\"a\" : \"1\" }\n ", routeauth.Params{"a": "1"}},
		"names of another case":    {"POST", "/jwt?SKU=1", `{"ſku_id":"2"}`, routeauth.Params{"SKU": "1", "ſku_id": "2"}},
		"names like registered":    {"POST", "/jwt?issuer=1", `{"exp_":"2"}`, routeauth.Params{"issuer": "1", "exp_": "2"}},
		"a registered name within": {"POST", "/jwt", `{"a":{"exp":1}}`, routeauth.Params{"a": `{"exp":1}`}},
	} {
		t.Run(name, func(t *testing.T) {
			var g gate
			w := serve(newHandler(t, newIssuer(t), &g), test.method, test.target, test.body)
			assert.Equal(t, test.want, paramsOf(t, tokenIn(t, w)))
			assert.Equal(t, []routeauth.Params{test.want}, g.asked, "authorize sees the same")
		})
	}
}

// Rule 30.
func TestTheAnswerIsTypeAndToken(t *testing.T) {
	w := serve(newHandler(t, &recordingSource{token: "a.b.c"}, &gate{}), "POST", "/jwt", "")
	assert.Equal(t, http.StatusOK, w.Code)
	assert.Equal(t, `{"type":"jwt","token":"a.b.c"}`, w.Body.String())
	assertHeaders(t, w)
}

// Rule 30: what is malformed is refused before anybody is asked.
func TestAMalformedRequestIs400AndNobodyIsAsked(t *testing.T) {
	tests := map[string]struct{ method, target, body string }{
		"bad JSON":                         {"POST", "/jwt", `{"a":`},
		"JSON with a tail":                 {"POST", "/jwt", `{"a":"1"} {}`},
		"JSON with a trailing comma":       {"POST", "/jwt", `{"a":"1",}`},
		"white space alone":                {"POST", "/jwt", " "},
		"null":                             {"POST", "/jwt", "null"},
		"list":                             {"POST", "/jwt", `["a"]`},
		"string":                           {"POST", "/jwt", `"a"`},
		"number":                           {"POST", "/jwt", "1"},
		"form":                             {"POST", "/jwt", "a=1"},
		"value that is not UTF-8":          {"POST", "/jwt", "{\"a\":\"\xff\"}"},
		"inner value that is not UTF-8":    {"POST", "/jwt", "{\"a\":{\"b\":\"\xff\"}}"},
		"name that is not UTF-8":           {"POST", "/jwt", "{\"\xff\":\"a\"}"},
		"twice in the query":               {"GET", "/jwt?a=1&b=2&a=1", ""},
		"twice in the query of a POST":     {"POST", "/jwt?a=1&%61=2", "{}"},
		"twice in the body":                {"POST", "/jwt", `{"a":"1","a":"1"}`},
		"twice in the body, escaped":       {"POST", "/jwt", `{"a":"1","\u0061":"2"}`},
		"twice in the body, once null":     {"POST", "/jwt", `{"a":null,"a":"2"}`},
		"in query and body":                {"POST", "/jwt?a=1", `{"a":"1"}`},
		"in query and body, there null":    {"POST", "/jwt?a=1", `{"a":null}`},
		"bad escape in the query":          {"GET", "/jwt?a=%zz", ""},
		"semicolon in the query":           {"GET", "/jwt?a=1;b=2", ""},
		"value of query that is not UTF-8": {"GET", "/jwt?a=%ff", ""},
		"name of query that is not UTF-8":  {"GET", "/jwt?%ff=a", ""},
		"registered in another case":       {"GET", "/jwt?Exp=1", ""},
		"registered but for folding":       {"POST", "/jwt", `{"i\u017fs":"mallory"}`},
		"two of another case":              {"POST", "/jwt", `{"sku_id":"1","SKU_ID":"2"}`},
		"two of another case, in a query":  {"GET", "/jwt?sku_id=1&Sku_Id=2", ""},
		"another case in query and body":   {"POST", "/jwt?SKU_ID=1", `{"sku_id":"2"}`},
		"another case, there null":         {"POST", "/jwt?SKU_ID=1", `{"sku_id":null}`},
		"two but for folding":              {"POST", "/jwt", `{"sku_id":"mine","\u017fku_id":"victims"}`},
		"two but for the Kelvin sign":      {"POST", "/jwt", `{"key":"mine","\u212aey":"victims"}`},
		"two but for the capital sharp s":  {"GET", "/jwt?stra%C3%9Fe=1&STRA%E1%BA%9EE=2", ""},
	}
	for _, name := range registered {
		tests[name+" in a GET's query"] = struct{ method, target, body string }{"GET", "/jwt?" + name + "=1", ""}
		tests[name+" in a POST's query"] = struct{ method, target, body string }{"POST", "/jwt?a=1&" + name, `{"b":"2"}`}
		tests[name+" in a body"] = struct{ method, target, body string }{"POST", "/jwt", `{"b":"2","` + name + `":"1"}`}
		tests[name+" in a body, null"] = struct{ method, target, body string }{"POST", "/jwt", `{"` + name + `":null}`}
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var g gate
			source := &recordingSource{token: "a.b.c"}
			var log bytes.Buffer
			handler := newHandler(t, source, &g, issuer.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
			w := serve(handler, test.method, test.target, test.body)

			assert.Equal(t, http.StatusBadRequest, w.Code)
			detailIn(t, w)
			assert.Empty(t, g.asked, "authorize was asked")
			assert.Empty(t, source.asked, "the source was asked")
			assert.Empty(t, log.String(), "the client knows the reason")
		})
	}
}

// Rule 30.
func TestTheDetailNamesTheMistake(t *testing.T) {
	handler := newHandler(t, newIssuer(t), &gate{})
	for _, test := range []struct{ method, target, body, want string }{
		{"GET", "/jwt?a=1&a=2", "", `the name "a" comes twice in the query`},
		{"POST", "/jwt?a=1", `{"a":"2"}`, `the name "a" comes in the query and in the body`},
		{"POST", "/jwt", `{"a":"1","a":"2"}`, "a name comes twice in the body"},
		{"GET", "/jwt?exp=1", "", `the name "exp" is a registered claim's, which no caller sets`},
		{"GET", "/jwt?a=%zz", "", "the query is malformed"},
		{"GET", "/jwt?a=%ff", "", "the query is malformed: it is not UTF-8"},
		{"POST", "/jwt", "null", "the body is not a JSON object"},
		{"POST", "/jwt", `{"sku_id":"1","ſku_id":"2"}`, `the names "sku_id" and "ſku_id" differ only in case`},
		{"PUT", "/jwt", "", "use GET with a query or POST with a JSON object"},
	} {
		assert.Equal(t, test.want, detailIn(t, serve(handler, test.method, test.target, test.body)))
	}
	for range 20 { // a map has no order
		w := serve(handler, "GET", "/jwt?sku_id=1&SKU_ID=2&sku_ID=3", "")
		assert.Equal(t, `the names "SKU_ID" and "sku_ID" differ only in case`, detailIn(t, w))
	}
	long := strings.Repeat("n", 1000)
	for _, query := range []string{long + "=1&" + long + "=2", long + "=1&N" + long[1:] + "=2"} {
		w := serve(handler, "GET", "/jwt?"+query, "")
		assert.Less(t, len(detailIn(t, w)), 200, "a name of any length is not sent back whole")
	}
}

// Rule 30.
func TestAnyOtherMethodIs405(t *testing.T) {
	for _, method := range []string{"HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get", "BREW"} {
		t.Run(method, func(t *testing.T) {
			var g gate
			w := serve(newHandler(t, newIssuer(t), &g), method, "/jwt?a=1", "")
			assert.Equal(t, http.StatusMethodNotAllowed, w.Code)
			assert.Equal(t, []string{"GET, POST"}, w.Result().Header["Allow"])
			detailIn(t, w)
			assert.Empty(t, g.asked)
		})
	}
}

// countingReader counts what is read of an endless body.
type countingReader struct{ read int }

func (r *countingReader) Read(p []byte) (int, error) {
	r.read += len(p)
	return copy(p, bytes.Repeat([]byte(" "), len(p))), nil
}

// Rule 30.
func TestABodyOver64KiBIs413AndNotReadToItsEnd(t *testing.T) {
	padded := func(size int) string { return "{" + strings.Repeat(" ", size-2) + "}" }
	handler := newHandler(t, newIssuer(t), &gate{})
	tokenIn(t, serve(handler, "POST", "/jwt", padded(maxBody)))

	var g gate
	handler = newHandler(t, newIssuer(t), &g)
	w := serve(handler, "POST", "/jwt", padded(maxBody+1))
	assert.Equal(t, http.StatusRequestEntityTooLarge, w.Code)
	assert.Equal(t, "the body is larger than 65536 bytes", detailIn(t, w))

	var endless countingReader
	w = httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest("POST", "/jwt", &endless))
	assert.Equal(t, http.StatusRequestEntityTooLarge, w.Code)
	assert.LessOrEqual(t, endless.read, maxBody+1)
	assert.Empty(t, g.asked)
}

// Rule 30: the rest of a body that is too large is not taken from the
// connection either.
func TestA413ClosesTheConnection(t *testing.T) {
	server := httptest.NewServer(newHandler(t, newIssuer(t), &gate{}))
	defer server.Close()
	resp, err := server.Client().Post(server.URL, "application/json", strings.NewReader(strings.Repeat(" ", maxBody+1)))
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, http.StatusRequestEntityTooLarge, resp.StatusCode)
	assert.True(t, resp.Close)
}

// Rule 30.
func TestABodyThatBreaksOffIs400(t *testing.T) {
	var g gate
	w := httptest.NewRecorder()
	newHandler(t, newIssuer(t), &g).ServeHTTP(w, httptest.NewRequest("POST", "/jwt",
		io.MultiReader(strings.NewReader(`{"a":"1"}`), iotest.ErrReader(errors.New("reset by 192.0.2.1")))))
	assert.Equal(t, http.StatusBadRequest, w.Code)
	assert.Equal(t, "the body cannot be read", detailIn(t, w))
	assert.Empty(t, g.asked)
}

// Rule 30: a request that no server made.
func TestANilBodyIsNoBody(t *testing.T) {
	req, err := http.NewRequestWithContext(t.Context(), "POST", "/jwt?a=1", nil)
	require.NoError(t, err)
	w := httptest.NewRecorder()
	newHandler(t, newIssuer(t), &gate{}).ServeHTTP(w, req)
	assert.Equal(t, routeauth.Params{"a": "1"}, paramsOf(t, tokenIn(t, w)))
}

// Rule 30.
func TestARefusalIs403AndItsReasonIsLoggedOnly(t *testing.T) {
	g := gate{err: errors.New("mallory is banned")}
	source := &recordingSource{token: "a.b.c"}
	line, w := logged(t, source, &g)

	assert.Equal(t, http.StatusForbidden, w.Code)
	assert.Equal(t, "this caller may not have this token", detailIn(t, w))
	assert.NotContains(t, w.Body.String(), "mallory")
	assert.Empty(t, source.asked, "no token is made for nobody")
	assert.Equal(t, map[string]any{
		"level": "WARN", "msg": "no token issued", "status": 403.0, "method": "POST",
		"path": "/jwt", "remote": "192.0.2.1:1234", "error": "mallory is banned",
	}, line)
}

// Rule 30.
func TestASourceThatFailsIs502AndItsReasonIsLoggedOnly(t *testing.T) {
	for name, test := range map[string]struct {
		source recordingSource
		reason string
	}{
		"error":           {recordingSource{err: errors.New("vault is sealed")}, "vault is sealed"},
		"error and token": {recordingSource{token: "a.b.c", err: errors.New("vault is sealed")}, "vault is sealed"},
		"empty token":     {recordingSource{}, "routeauth: token is empty"},
		"two words":       {recordingSource{token: "vault 17"}, "routeauth: token: byte 0x20 at offset 5 is not printable ASCII without spaces"},
		"no UTF-8":        {recordingSource{token: "vault\xff"}, "routeauth: token: byte 0xff at offset 5 is not printable ASCII without spaces"},
	} {
		t.Run(name, func(t *testing.T) {
			line, w := logged(t, &test.source, &gate{})

			assert.Equal(t, http.StatusBadGateway, w.Code)
			assert.Equal(t, "no token is available at the moment", detailIn(t, w))
			assert.NotContains(t, w.Body.String(), "vault")
			assert.Equal(t, map[string]any{
				"level": "ERROR", "msg": "no token issued", "status": 502.0, "method": "POST",
				"path": "/jwt", "remote": "192.0.2.1:1234", "error": test.reason,
			}, line)
		})
	}
}

// logged sends a request with params in query and body, and returns the one
// line that it makes in the log. No param is in it.
func logged(t *testing.T, source routeauth.TokenSource, g *gate) (map[string]any, *httptest.ResponseRecorder) {
	t.Helper()
	var log bytes.Buffer
	handler := newHandler(t, source, g, issuer.WithLogger(slog.New(slog.NewJSONHandler(&log, nil))))
	w := serve(handler, "POST", "/jwt?sku_id=param-of-query", `{"image":"param-of-body"}`)
	assert.NotContains(t, log.String(), "param-of")
	var line map[string]any
	require.NoError(t, json.Unmarshal(log.Bytes(), &line), log.String())
	delete(line, "time")
	return line, w
}

// refusing is an error of authorize that says what it is.
type refusing struct {
	status int
	after  time.Duration
}

func (*refusing) Error() string               { return "mallory asks too often" }
func (e *refusing) StatusCode() int           { return e.status }
func (e *refusing) RetryAfter() time.Duration { return e.after }

// status is an error that says less, and after one that says the other half.
type (
	status int
	after  time.Duration
)

func (status) Error() string              { return "mallory asks too often" }
func (e status) StatusCode() int          { return int(e) }
func (after) Error() string               { return "mallory asks too often" }
func (e after) RetryAfter() time.Duration { return time.Duration(e) }

// Rule 30.
func TestARefusalIsWhatItsErrorSays(t *testing.T) {
	const second = time.Second
	for name, test := range map[string]struct {
		err        error
		status     int
		retryAfter string
	}{
		"401":                          {&refusing{status: 401}, 401, ""},
		"401 and a time":               {&refusing{401, 30 * second}, 401, "30"},
		"429":                          {&refusing{status: 429}, 429, ""},
		"429 and a time":               {&refusing{429, 30 * second}, 429, "30"},
		"429 and a little more":        {&refusing{429, 30*second + 1}, 429, "31"},
		"429 and a little less":        {&refusing{429, 30*second - 1}, 429, "30"},
		"429 and a moment":             {&refusing{429, 1}, 429, "1"},
		"429 and a moment of the past": {&refusing{429, -second}, 429, ""},
		"429 and for ever":             {&refusing{429, math.MaxInt64}, 429, "9223372037"},
		"429, wrapped":                 {fmt.Errorf("limit: %w", &refusing{429, second}), 429, "1"},
		"429, joined with a time":      {errors.Join(errors.New("limit"), status(429), after(second)), 429, "1"},
		"401 without a method more":    {status(401), 401, ""},
		"a time alone":                 {after(second), 403, ""},
		"403 and a time":               {&refusing{403, second}, 403, ""},
		"200":                          {&refusing{200, second}, 403, ""},
		"404":                          {&refusing{404, second}, 403, ""},
		"503":                          {&refusing{503, second}, 403, ""},
		"0":                            {&refusing{}, 403, ""},
		"429 and a nil pointer":        {errors.Join(status(429), (*refusing)(nil)), 429, ""},
		"a nil pointer":                {(*refusing)(nil), 403, ""},
	} {
		t.Run(name, func(t *testing.T) {
			source := &recordingSource{token: "a.b.c"}
			line, w := logged(t, source, &gate{err: test.err})
			assert.Equal(t, test.status, w.Code)
			assert.Equal(t, test.retryAfter, w.Header().Get("Retry-After"))
			assert.NotContains(t, detailIn(t, w), "mallory")
			assert.Empty(t, source.asked, "no token is made for nobody")
			assert.Equal(t, "WARN", line["level"])
			assert.EqualValues(t, test.status, line["status"])
		})
	}
}

// Rule 30: a handler around this one may say how to log in.
func TestWhatIsSetAroundTheHandlerStays(t *testing.T) {
	w := httptest.NewRecorder()
	w.Header().Set("WWW-Authenticate", `Bearer realm="app"`)
	newHandler(t, newIssuer(t), &gate{err: status(401)}).ServeHTTP(w, httptest.NewRequest("GET", "/jwt", nil))
	assert.Equal(t, `Bearer realm="app"`, w.Header().Get("WWW-Authenticate"))
	detailIn(t, w)
}

// Rule 30: what a browser sends for a page of another site comes with the user's
// cookies, but not from the user.
func TestACrossSiteRequestIs403AndNobodyIsAsked(t *testing.T) {
	for name, test := range map[string]struct {
		header  map[string]string
		refused bool
	}{
		"no browser":                       {nil, false},
		"a page of this origin":            {map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": "https://app.example.com"}, false},
		"an address typed in":              {map[string]string{"Sec-Fetch-Site": "none"}, false},
		"a form of another site":           {map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, true},
		"a link or an image":               {map[string]string{"Sec-Fetch-Site": "cross-site"}, true},
		"a page of a sibling domain":       {map[string]string{"Sec-Fetch-Site": "same-site"}, true},
		"an old browser's page":            {map[string]string{"Origin": "https://app.example.com"}, false},
		"an old browser's page of another": {map[string]string{"Origin": "https://evil.example"}, true},
		"a page that has no origin":        {map[string]string{"Origin": "null"}, true},
		"a page of another port":           {map[string]string{"Origin": "https://app.example.com:8443"}, true},
	} {
		for _, method := range []string{"GET", "POST"} {
			t.Run(name+" "+method, func(t *testing.T) {
				var g gate
				source := &recordingSource{token: "a.b.c"}
				var log bytes.Buffer
				handler := newHandler(t, source, &g, issuer.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
				req := httptest.NewRequest(method, "https://app.example.com/jwt?a=1", nil)
				for field, value := range test.header {
					req.Header.Set(field, value)
				}
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, req)
				assert.Equal(t, method, req.Method, "the server's request is left alone")
				if !test.refused {
					assert.Equal(t, "a.b.c", tokenIn(t, w))
					return
				}
				assert.Equal(t, http.StatusForbidden, w.Code)
				assert.Equal(t, "a page of another site gets no token", detailIn(t, w))
				assert.Empty(t, g.asked, "authorize was asked")
				assert.Empty(t, source.asked, "the source was asked")
				assert.Contains(t, log.String(), "level=WARN")
				assert.Contains(t, log.String(), "cross-origin request")
			})
		}
	}

	// The method comes first: it is the answer to a preflight.
	req := httptest.NewRequest("OPTIONS", "/jwt", nil)
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	w := httptest.NewRecorder()
	newHandler(t, newIssuer(t), &gate{}).ServeHTTP(w, req)
	assert.Equal(t, http.StatusMethodNotAllowed, w.Code)
}

// Rule 30: without WithLogger the reason is not lost.
func TestTheDefaultLoggerIsThatOfTheRequestsTime(t *testing.T) {
	handler, err := issuer.NewHandler(newIssuer(t), (&gate{err: errors.New("mallory is banned")}).authorize)
	require.NoError(t, err)
	var log bytes.Buffer
	before := slog.Default()
	defer slog.SetDefault(before)
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	serve(handler, "GET", "/jwt", "")
	assert.Contains(t, log.String(), "mallory is banned")
}

// Rule 30: a token that was handed out is nobody's news.
func TestATokenIsNotLogged(t *testing.T) {
	var log bytes.Buffer
	handler := newHandler(t, newIssuer(t), &gate{},
		issuer.WithLogger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug - 4}))))
	tokenIn(t, serve(handler, "GET", "/jwt", ""))
	assert.Empty(t, log.String())
}

// Rule 30.
func TestAuthorizeCanReadTheRequest(t *testing.T) {
	const body = `{"a":"1"}`
	for method, want := range map[string]string{"POST": body, "GET": ""} {
		t.Run(method, func(t *testing.T) {
			var asked *http.Request
			g := gate{does: func(req *http.Request, _ routeauth.Params) {
				asked = req
				for range 2 {
					read, err := io.ReadAll(req.Body)
					assert.NoError(t, err)
					assert.Equal(t, want, string(read))
					req.Body, err = req.GetBody()
					assert.NoError(t, err)
				}
			}}
			sent := httptest.NewRequest(method, "/jwt?b=2", strings.NewReader(body))
			sent.Header.Set("X-Session", "17")
			sent.SetPathValue("tenant", "acme")
			was := sent.Body
			newHandler(t, newIssuer(t), &g).ServeHTTP(httptest.NewRecorder(), sent)

			require.NotNil(t, asked)
			assert.NotSame(t, sent, asked)
			assert.True(t, was == sent.Body, "the server's request is left alone")
			assert.Nil(t, sent.GetBody)
			assert.Equal(t, "17", asked.Header.Get("X-Session"))
			assert.Equal(t, "acme", asked.PathValue("tenant"))
			assert.Equal(t, "b=2", asked.URL.RawQuery)
		})
	}
}

// Rule 30.
func TestWhatAuthorizeChangesHasNoEffectOnTheToken(t *testing.T) {
	g := gate{does: func(req *http.Request, params routeauth.Params) {
		params["a"] = "changed"
		params["admin"] = "true"
		delete(params, "b")
		req.URL.RawQuery = "a=changed"
		req.Body = io.NopCloser(strings.NewReader(`{"b":"changed"}`))
	}}
	w := serve(newHandler(t, newIssuer(t), &g), "POST", "/jwt?a=1", `{"b":"2"}`)
	assert.Equal(t, routeauth.Params{"a": "1", "b": "2"}, paramsOf(t, tokenIn(t, w)))
}

// Rule 30.
func TestTheSourceGetsTheContextOfTheRequest(t *testing.T) {
	type key struct{}
	g := gate{does: func(req *http.Request, _ routeauth.Params) {
		*req = *req.WithContext(context.WithValue(req.Context(), key{}, "authorize's own"))
	}}
	source := recordingSource{token: "a.b.c"}
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "the request's"))
	cancel()
	newHandler(t, &source, &g).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/jwt?a=1", nil).WithContext(ctx))

	require.Len(t, source.contexts, 1)
	assert.Equal(t, "the request's", source.contexts[0].Value(key{}))
	assert.ErrorIs(t, source.contexts[0].Err(), context.Canceled)
	assert.Equal(t, []routeauth.Params{{"a": "1"}}, source.asked)
}

// Rule 30: nothing of the handler outlives a request.
func TestParamsOfOneRequestDoNotReachTheNext(t *testing.T) {
	handler := newHandler(t, newIssuer(t), &gate{})
	tokenIn(t, serve(handler, "POST", "/jwt?a=1", `{"b":"2"}`))
	assert.Empty(t, paramsOf(t, tokenIn(t, serve(handler, "GET", "/jwt", ""))))
}

// Rule 30.
func TestAPanicOfAuthorizeIsLeftToTheServer(t *testing.T) {
	g := gate{does: func(*http.Request, routeauth.Params) { panic(http.ErrAbortHandler) }}
	handler := newHandler(t, newIssuer(t), &g)
	assert.PanicsWithError(t, http.ErrAbortHandler.Error(), func() { serve(handler, "GET", "/jwt", "") })
}

// Rules 6, 30 and 31.
func TestNewHandlerRefusesWhatMakesNoSense(t *testing.T) {
	authorize := (&gate{}).authorize
	for name, test := range map[string]struct {
		source    routeauth.TokenSource
		authorize func(*http.Request, routeauth.Params) error
		opts      []issuer.HandlerOption
		want      string
	}{
		"nil source":         {nil, authorize, nil, "token source is nil"},
		"nil pointer":        {(*issuer.Issuer)(nil), authorize, nil, "token source is nil"},
		"nil function":       {routeauth.TokenSourceFunc(nil), authorize, nil, "token source is nil"},
		"nil authorize":      {newIssuer(t), nil, nil, "authorize is nil"},
		"nil option":         {newIssuer(t), authorize, []issuer.HandlerOption{nil}, "option is nil"},
		"nil logger":         {newIssuer(t), authorize, []issuer.HandlerOption{issuer.WithLogger(nil)}, "logger is nil"},
		"everything at once": {nil, nil, []issuer.HandlerOption{nil, issuer.WithLogger(nil)}, "logger is nil"},
	} {
		t.Run(name, func(t *testing.T) {
			handler, err := issuer.NewHandler(test.source, test.authorize, test.opts...)
			assert.Nil(t, handler)
			require.ErrorContains(t, err, test.want)
			want := 1
			if test.authorize == nil && test.source == nil {
				want = 4
			}
			assert.Equal(t, want, strings.Count(err.Error(), "issuer: "))
		})
	}
}

// Rule 30: a source of any kind will do.
func TestAnySourceWillDo(t *testing.T) {
	static, err := routeauth.NewStaticTokenSource("a.b.c")
	require.NoError(t, err)
	assert.Equal(t, "a.b.c", tokenIn(t, serve(newHandler(t, static, &gate{}), "POST", "/jwt", `{"a":"1"}`)))

	type embedding struct{ routeauth.TokenSource }
	assert.Equal(t, "a.b.c", tokenIn(t, serve(newHandler(t, embedding{static}, &gate{}), "POST", "/jwt", `{"a":"1"}`)))

	cache, err := routeauth.NewTokenCache(newIssuer(t))
	require.NoError(t, err)
	token := tokenIn(t, serve(newHandler(t, cache, &gate{}), "POST", "/jwt", `{"a":"1"}`))
	assert.Equal(t, routeauth.Params{"a": "1"}, paramsOf(t, token))
}
