package routeauth_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"example.com/routeauth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const paramsURL = "https://api.example.com/v1/operations"

// bodyRequest returns a request whose Body must be left alone: only what
// GetBody returns may be read.
func bodyRequest(t testing.TB, body string) *http.Request {
	t.Helper()
	req := newRequest(t, "POST", paramsURL, "")
	req.Body = untouchable{}
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(body)), nil }
	return req
}

type untouchable struct{}

func (untouchable) Read([]byte) (int, error) { panic("the request's Body was read") }
func (untouchable) Close() error             { panic("the request's Body was closed") }

// Rule 15.
func TestBodyParamsTakesNamedFields(t *testing.T) {
	for body, want := range map[string]routeauth.Params{
		// strings as they are
		`{"a": "x", "b": "y"}`:                  {"a": "x", "b": "y"},
		`{"a": ""}`:                             {"a": ""},
		`{"a": " x,y \"z\" "}`:                  {"a": ` x,y "z" `},
		`{"a": "\u0073\u00fc\ud83d\udd11\n\/"}`: {"a": "sü🔑\n/"},
		`{"a": "null"}`:                         {"a": "null"},
		`{"a": "\ud800.", "b": "\udfff"}`:       {"a": "\ufffd.", "b": "\ufffd"},

		// lists of strings, joined
		`{"a": ["x", "y"]}`:          {"a": "x,y"},
		`{"a": [ "x" ,"y" ]}`:        {"a": "x,y"},
		`{"a": ["x"]}`:               {"a": "x"},
		`{"a": []}`:                  {"a": ""},
		`{"a": [""]}`:                {"a": ""},
		`{"a": ["", ""]}`:            {"a": ","},
		`{"a": ["x,y", "z"]}`:        {"a": "x,y,z"},
		`{"a": ["\u0078", "\"y\""]}`: {"a": `x,"y"`},

		// any other value as the text that stands in the body
		`{"a": 17}`:                        {"a": "17"},
		`{"a": 1e3}`:                       {"a": "1e3"},
		`{"a": 1.0}`:                       {"a": "1.0"},
		`{"a": -0.10E+2}`:                  {"a": "-0.10E+2"},
		`{"a": 12345678901234567890.123}`:  {"a": "12345678901234567890.123"},
		`{"a": true, "b": false}`:          {"a": "true", "b": "false"},
		`{"a": {"x" : [1,  null ]}}`:       {"a": `{"x" : [1,  null ]}`},
		`{"a": {"\u0061": "\u00fc"}}`:      {"a": `{"\u0061": "\u00fc"}`},
		`{"a": {}}`:                        {"a": "{}"},
		`{"a": [1, 2]}`:                    {"a": "[1, 2]"},
		`{"a": ["x", 1]}`:                  {"a": `["x", 1]`},
		`{"a": ["x", null]}`:               {"a": `["x", null]`},
		`{"a": [null]}`:                    {"a": "[null]"},
		`{"a": ["x", ["y"]]}`:              {"a": `["x", ["y"]]`},
		`{"a": [["x"]]}`:                   {"a": `[["x"]]`},
		`{"a": [{}]}`:                      {"a": "[{}]"},
		"{\"a\" :\n\t[\n1 , true\n]\n }\n": {"a": "[\n1 , true\n]"},

		// absent and null
		`{}`:                     {},
		`{"c": "z"}`:             {},
		`{"a": null, "b": "y"}`:  {"b": "y"},
		`{"a": null, "b": null}`: {},

		// names: exactly as they are asked for, at the top level
		`{"A": "x", "a ": "y"}`:              {},
		`{"\u0061": "x"}`:                    {"a": "x"},
		`{"c": {"a": "x"}, "d": [{"b": 1}]}`: {},
		`{"c": {"a": 1}, "a": 2}`:            {"a": "2"},

		// twice, but not a field that is asked for
		`{"c": 1, "c": 2, "a": "x"}`: {"a": "x"},
		`{"a": {"x": 1, "x": 2}}`:    {"a": `{"x": 1, "x": 2}`},

		" \r\n\t{\"a\": \"x\"} \n": {"a": "x"},
	} {
		params, err := routeauth.BodyParams("a", "b")(bodyRequest(t, body))
		assert.NoError(t, err, body)
		assert.Equal(t, len(want), len(params), body)
		for name, value := range want {
			assert.Equal(t, value, params[name], body)
		}
	}
}

// Rule 15.
func TestAListAndItsTextGiveTheSameParam(t *testing.T) {
	list, err := routeauth.BodyParams("ids")(bodyRequest(t, `{"ids": ["a","b"]}`))
	require.NoError(t, err)
	text, err := routeauth.BodyParams("ids")(bodyRequest(t, `{"ids": "a,b"}`))
	require.NoError(t, err)
	assert.Equal(t, list, text)
	assert.Equal(t, routeauth.Params{"ids": "a,b"}, text)
}

func TestBodyParamsTakesAFieldOnceHoweverOftenItIsNamed(t *testing.T) {
	params, err := routeauth.BodyParams("a", "a")(bodyRequest(t, `{"a": 1}`))
	assert.NoError(t, err)
	assert.Equal(t, routeauth.Params{"a": "1"}, params)
}

func TestBodyParamsWithoutFieldsReadsNoBody(t *testing.T) {
	req := bodyRequest(t, "")
	req.GetBody = nil
	params, err := routeauth.BodyParams()(req)
	assert.NoError(t, err)
	assert.Empty(t, params)
}

func TestBodyParamsKeepsItsFieldsAndIsSafeForConcurrentUse(t *testing.T) {
	fields := []string{"a"}
	take := routeauth.BodyParams(fields...)
	fields[0] = "b"
	var wait sync.WaitGroup
	for range 10 {
		wait.Go(func() {
			params, err := take(bodyRequest(t, `{"a": "x", "b": "y"}`))
			assert.NoError(t, err)
			assert.Equal(t, routeauth.Params{"a": "x"}, params)
			params["a"] = "the caller's own"
		})
	}
	wait.Wait()
}

// Rule 15: nil and http.NoBody, with or without a GetBody.
func TestARequestWithoutBodyHasNoBodyParams(t *testing.T) {
	for name, body := range map[string]io.ReadCloser{"nil": nil, "http.NoBody": http.NoBody} {
		for _, getBody := range []func() (io.ReadCloser, error){
			nil,
			func() (io.ReadCloser, error) { return http.NoBody, nil },
			func() (io.ReadCloser, error) { return nil, errors.New("no body") },
		} {
			to, asked := &base{}, routeauth.Params{"never": "asked"}
			source := tokenFunc(func(_ context.Context, params routeauth.Params) (string, error) {
				asked = params
				return "abc", nil
			})
			transport, err := routeauth.NewJWTTransport(source, to, routeauth.WithParams(routeauth.BodyParams("a")))
			require.NoError(t, err)
			req := newRequest(t, "POST", paramsURL, "")
			req.Body, req.GetBody = body, getBody
			_, err = transport.RoundTrip(req)
			assert.NoError(t, err, name)
			assert.Empty(t, asked, name)
			to.only(t)
		}
	}
}

// badBodies are those whose params cannot be had, and why.
var badBodies = map[string]struct{ body, want string }{
	"empty":                       {"", "not a JSON object"},
	"blank":                       {" \n", "not a JSON object"},
	"null":                        {"null", "not a JSON object"},
	"a list":                      {`[{"a": 1}]`, "not a JSON object"},
	"a list of names and values":  {`["a", "zq17"]`, "not a JSON object"},
	"a string":                    {`"zq17"`, "not a JSON object"},
	"a number":                    {"17", "not a JSON object"},
	"a form":                      {"a=zq17", "not a JSON object"},
	"cut off":                     {`{"a": "zq17"`, "not a JSON object"},
	"cut off in a value":          {`{"a": "zq17`, "not a JSON object"},
	"cut off after a name":        {`{"a"`, "not a JSON object"},
	"cut off after a comma":       {`{"a": 1,`, "not a JSON object"},
	"a comma too many":            {`{"a": 1,}`, "not a JSON object"},
	"a comma too few":             {`{"a": 1 "b": 2}`, "not a JSON object"},
	"a colon too few":             {`{"a" 1}`, "not a JSON object"},
	"a leading comma":             {`{,"a": 1}`, "not a JSON object"},
	"another bracket":             {`{"a": 1]`, "not a JSON object"},
	"a name that is no string":    {`{1: 2}`, "not a JSON object"},
	"a value that is none":        {`{"a": zq17}`, "not a JSON object"},
	"a comment":                   {`{"a": 1} // zq17`, "not a JSON object"},
	"two objects":                 {`{"a": 1} {"a": 2}`, "not a JSON object"},
	"something after it":          {`{"a": "zq17"} x`, "not a JSON object"},
	"a brace after it":            {`{"a": 1}}`, "not a JSON object"},
	"a byte order mark":           {"\ufeff" + `{"a": 1}`, "not a JSON object"},
	"faulty beyond the fields":    {`{"a": 1, "zq17": tru}`, "not a JSON object"},
	"a control character":         {"{\"a\": \"zq17\n\"}", "not a JSON object"},
	"no UTF-8 in a value":         {"{\"a\": \"zq17\xff\"}", "not a JSON object in UTF-8"},
	"no UTF-8 beyond the fields":  {"{\"a\": 1, \"\xff\": 2}", "not a JSON object in UTF-8"},
	"Latin-1":                     {"{\"a\": \"zq17\xfc\"}", "not a JSON object in UTF-8"},
	"a field twice":               {`{"a": "zq17", "a": "9vk4"}`, `"a" twice`},
	"a field twice, the same":     {`{"a": 1, "a": 1}`, `"a" twice`},
	"a field twice, null first":   {`{"a": null, "a": "zq17"}`, `"a" twice`},
	"a field twice, null second":  {`{"a": "zq17", "a": null}`, `"a" twice`},
	"a field twice, once escaped": {`{"a": 1, "x": 2, "\u0061": "zq17"}`, `"a" twice`},
	"larger than 1 MiB":           {`{"a": "zq17` + strings.Repeat("x", 1<<20-12) + `"}`, "larger than 1048576 bytes"},
	"white space beyond 1 MiB":    {`{"a": 1}` + strings.Repeat(" ", 1<<20), "larger than 1048576 bytes"},
}

// Rules 15 and 18: a CredentialError that is not temporary, nothing sent, no
// token asked for, the body closed once.
func TestABodyWhoseParamsCannotBeHadIsNotSent(t *testing.T) {
	for name, test := range badBodies {
		err := refusedForParams(t, name, func(req *http.Request) {
			req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(test.body)), nil }
		})
		assert.ErrorContains(t, err, test.want, name)
		assert.ErrorContains(t, err, "params", name)
		assert.NotContains(t, err.Error(), "zq17", name)
	}
}

// Rule 15.
func TestABodyThatCannotBeReadTwiceIsNotSent(t *testing.T) {
	failure := errors.New("the file is gone")
	err := refusedForParams(t, "no GetBody", func(req *http.Request) { req.GetBody = nil })
	assert.ErrorContains(t, err, "GetBody")

	err = refusedForParams(t, "GetBody fails", func(req *http.Request) {
		req.GetBody = func() (io.ReadCloser, error) { return nil, failure }
	})
	assert.ErrorIs(t, err, failure)

	err = refusedForParams(t, "GetBody returns nothing", func(req *http.Request) {
		req.GetBody = func() (io.ReadCloser, error) { return nil, nil }
	})
	assert.ErrorContains(t, err, "GetBody")

	err = refusedForParams(t, "reading fails", func(req *http.Request) {
		req.GetBody = func() (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(strings.NewReader(`{"a": `), iotest.ErrReader(failure))), nil
		}
	})
	assert.ErrorIs(t, err, failure)
}

// refusedForParams sends a request that is to be refused and returns the error.
func refusedForParams(t *testing.T, name string, change func(req *http.Request)) error {
	t.Helper()
	to := &base{}
	source := &countingSource{next: func(context.Context, routeauth.Params, int) (string, error) { return "abc", nil }}
	transport, err := routeauth.NewJWTTransport(source, to, routeauth.WithParams(routeauth.BodyParams("a", "b")))
	require.NoError(t, err)
	body := newTrackedBody("the body that is sent")
	req := newRequest(t, "POST", paramsURL, "")
	req.Body = body
	change(req)

	resp, err := transport.RoundTrip(req)
	assert.Nil(t, resp, name)
	assert.Equal(t, []string{"CredentialError"}, matched(err), name)
	var credential *routeauth.CredentialError
	require.ErrorAs(t, err, &credential, name)
	assert.False(t, credential.Temporary(), name)
	assert.Equal(t, routeauth.SchemeJWT, credential.Scheme, name)
	assert.Empty(t, to.sent(), name)
	assert.Zero(t, source.count(), name)
	assert.Equal(t, 1, body.closes(), name)
	rest, _ := io.ReadAll(body)
	assert.Equal(t, "the body that is sent", string(rest), "%s: it was read", name)
	return err
}

// Rule 15: 1 MiB and not a byte more, of which no more is read.
func TestBodyParamsReadsUpToOneMiB(t *testing.T) {
	t.Parallel()
	const frame = `{"a": ""}`
	value := strings.Repeat("x", 1<<20-len(frame))
	params, err := routeauth.BodyParams("a")(bodyRequest(t, `{"a": "`+value+`"}`))
	require.NoError(t, err)
	assert.Equal(t, value, params["a"])

	_, err = routeauth.BodyParams("a")(bodyRequest(t, `{"a": "`+value+`x"}`))
	assert.ErrorContains(t, err, "larger")

	endless := &endlessBody{atOnce: 1 << 30}
	req := bodyRequest(t, "")
	req.GetBody = func() (io.ReadCloser, error) { return endless, nil }
	_, err = routeauth.BodyParams("a")(req)
	assert.ErrorContains(t, err, "larger")
	assert.LessOrEqual(t, endless.read, 1<<20+1)
	assert.Equal(t, 1, endless.closed)
}

// Rule 15: what GetBody returned is closed, whatever it held.
func TestBodyParamsClosesTheBodyThatItReads(t *testing.T) {
	readers := map[string]io.Reader{
		"an object":     strings.NewReader(`{"a": 1}`),
		"reading fails": iotest.ErrReader(io.ErrUnexpectedEOF),
		"bytes":         iotest.OneByteReader(strings.NewReader(`{"a": 1}`)),
	}
	for name, test := range badBodies {
		readers[name] = strings.NewReader(test.body)
	}
	for name, reader := range readers {
		body := newTrackedBody("")
		body.Reader = reader
		req := bodyRequest(t, "")
		req.GetBody = func() (io.ReadCloser, error) { return body, nil }
		_, _ = routeauth.BodyParams("a")(req)
		assert.Equal(t, 1, body.closes(), name)
	}
}

// Rules 2 and 15: the body is sent whole, and the caller's own is closed.
func TestTheBodyIsSentAfterItsParamsWereTaken(t *testing.T) {
	const text = `{"a": ["x", "y"], "c": null}`
	to := &base{}
	var asked routeauth.Params
	source := tokenFunc(func(_ context.Context, params routeauth.Params) (string, error) {
		asked = params
		return "abc", nil
	})
	transport, err := routeauth.NewJWTTransport(source, to, routeauth.WithParams(routeauth.BodyParams("a", "c")))
	require.NoError(t, err)
	req := newRequest(t, "POST", paramsURL, text)
	body := newTrackedBody(text)
	req.Body = body
	_, err = transport.RoundTrip(req)
	require.NoError(t, err)
	assert.Equal(t, routeauth.Params{"a": "x,y"}, asked)
	assert.Equal(t, text, to.only(t).Body)
	assert.Equal(t, 1, body.closes())
}

// Rule 15.
func TestTheParamsOfTheContextOverlayThoseOfTheRequest(t *testing.T) {
	for name, test := range map[string]struct {
		take    routeauth.ParamsFunc
		context routeauth.Params
		want    routeauth.Params
	}{
		"both": {routeauth.BodyParams("a", "b"), routeauth.Params{"b": "context", "c": "context"},
			routeauth.Params{"a": "body", "b": "context", "c": "context"}},
		"the body's alone":                   {routeauth.BodyParams("a", "b"), nil, routeauth.Params{"a": "body", "b": "body"}},
		"the context's alone":                {nil, routeauth.Params{"c": "context"}, routeauth.Params{"c": "context"}},
		"the context's over a func with nil": {func(*http.Request) (routeauth.Params, error) { return nil, nil }, routeauth.Params{"c": "context"}, routeauth.Params{"c": "context"}},
		"an empty value overlays too":        {routeauth.BodyParams("a", "b"), routeauth.Params{"a": ""}, routeauth.Params{"a": "", "b": "body"}},
		"none":                               {nil, nil, nil},
	} {
		for _, cached := range []bool{false, true} {
			var asked []routeauth.Params
			var source routeauth.TokenSource = tokenFunc(func(_ context.Context, params routeauth.Params) (string, error) {
				asked = append(asked, params)
				return "abc", nil
			})
			if cached {
				cache, err := routeauth.NewTokenCache(source)
				require.NoError(t, err)
				source = cache
			}
			var opts []routeauth.JWTOption
			if test.take != nil {
				opts = append(opts, routeauth.WithParams(test.take))
			}
			transport, err := routeauth.NewJWTTransport(source, &base{}, opts...)
			require.NoError(t, err)
			req := newRequest(t, "POST", paramsURL, `{"a": "body", "b": "body"}`)
			req = req.WithContext(routeauth.ContextWithParams(req.Context(), test.context))
			_, err = transport.RoundTrip(req)
			require.NoError(t, err)
			require.Len(t, asked, 1)
			if len(test.want) == 0 {
				assert.Empty(t, asked[0], name)
			} else {
				assert.Equal(t, test.want, asked[0], name)
			}
			assert.Equal(t, len(test.context), len(routeauth.ParamsFromContext(req.Context())), name)
		}
	}
}

// Rule 15: the source gets a copy, whosever the params are.
func TestTheSourcesParamsAreItsOwn(t *testing.T) {
	shared := routeauth.Params{"a": "shared"}
	take := func(*http.Request) (routeauth.Params, error) { return shared, nil }
	greedy := tokenFunc(func(_ context.Context, params routeauth.Params) (string, error) {
		for name := range params {
			params[name] = "changed"
		}
		if params != nil {
			params["more"] = "changed"
		}
		return "abc", nil
	})
	cache, err := routeauth.NewTokenCache(greedy)
	require.NoError(t, err)
	for _, source := range []routeauth.TokenSource{greedy, cache} {
		for _, opts := range [][]routeauth.JWTOption{nil, {routeauth.WithParams(take)}} {
			for _, overlay := range []routeauth.Params{nil, {"b": "context"}} {
				transport, err := routeauth.NewJWTTransport(source, &base{}, opts...)
				require.NoError(t, err)
				ctx := routeauth.ContextWithParams(t.Context(), overlay)
				_, err = transport.RoundTrip(newRequest(t, "GET", paramsURL, "").WithContext(ctx))
				require.NoError(t, err)
				assert.Equal(t, routeauth.Params{"a": "shared"}, shared)
				assert.Equal(t, overlay, routeauth.ParamsFromContext(ctx))
			}
		}
	}
}

func TestContextWithParamsHoldsACopy(t *testing.T) {
	params := routeauth.Params{"a": "x"}
	ctx := routeauth.ContextWithParams(t.Context(), params)
	params["a"] = "changed"
	params["b"] = "added"
	got := routeauth.ParamsFromContext(ctx)
	assert.Equal(t, routeauth.Params{"a": "x"}, got)

	got["a"] = "changed"
	assert.Equal(t, routeauth.Params{"a": "x"}, routeauth.ParamsFromContext(ctx), "what is returned is a copy too")
}

func TestContextWithParamsTakesThePlaceOfOtherParams(t *testing.T) {
	outer := routeauth.ContextWithParams(t.Context(), routeauth.Params{"a": "outer", "b": "outer"})
	inner := routeauth.ContextWithParams(outer, routeauth.Params{"a": "inner"})
	assert.Equal(t, routeauth.Params{"a": "inner"}, routeauth.ParamsFromContext(inner))
	assert.Equal(t, routeauth.Params{"a": "outer", "b": "outer"}, routeauth.ParamsFromContext(outer))
	assert.Empty(t, routeauth.ParamsFromContext(routeauth.ContextWithParams(outer, nil)))
}

func TestAContextWithoutParamsHasNone(t *testing.T) {
	assert.Nil(t, routeauth.ParamsFromContext(t.Context()))
}
