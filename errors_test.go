package routeauth_test

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
	"unicode"

	"example.com/routeauth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	errorsURL = "https://api.example.com/v1/operations"
	echoedKey = `sk-live/4f"9\c1+e7=`
)

// carrier makes a wrapper that sends a secret.
type carrier struct {
	name   string
	scheme routeauth.Scheme
	over   func(base http.RoundTripper) (http.RoundTripper, error)
}

// carriersOf returns each kind of wrapper that carries a secret, with this one.
func carriersOf(secret string) []carrier {
	return []carrier{
		{"API key", routeauth.SchemeAPIKey, func(base http.RoundTripper) (http.RoundTripper, error) {
			return routeauth.NewAPIKeyTransport(routeauth.Secret(secret), base)
		}},
		{"JWT", routeauth.SchemeJWT, func(base http.RoundTripper) (http.RoundTripper, error) {
			return routeauth.NewJWTTransport(handsOut(secret), base)
		}},
		{"JWT out of a cache", routeauth.SchemeJWT, func(base http.RoundTripper) (http.RoundTripper, error) {
			cache, err := routeauth.NewTokenCache(handsOut(secret))
			if err != nil {
				return nil, err
			}
			return routeauth.NewJWTTransport(cache, base)
		}},
		{"header value", "tenant", func(base http.RoundTripper) (http.RoundTripper, error) {
			return routeauth.NewHeaderTransport("tenant", "X-Tenant", routeauth.Secret(secret), base)
		}},
		{"header value with a scheme", "token", func(base http.RoundTripper) (http.RoundTripper, error) {
			return routeauth.NewHeaderTransport("token", "Authorization", routeauth.Secret("Token "+secret), base)
		}},
	}
}

// everyCarrierOf returns each kind of wrapper for one key, and one kind for
// each other key: which wrapper it is and what the key is are independent.
func everyCarrierOf(key string) []carrier {
	if key == echoedKey {
		return carriersOf(key)
	}
	return carriersOf(key)[:1]
}

func handsOut(token string) routeauth.TokenSource {
	return routeauth.TokenSourceFunc(func(context.Context, routeauth.Params) (string, error) { return token, nil })
}

// denying is a base that answers 401 with whatever change makes of it.
func denying(change func(resp *http.Response)) http.RoundTripper {
	return roundTripFunc(func(req *http.Request) (*http.Response, error) {
		resp := answer(req, http.StatusUnauthorized, "")
		if change != nil {
			change(resp)
		}
		return resp, nil
	})
}

func withBody(body string) func(resp *http.Response) {
	return func(resp *http.Response) { resp.Body = io.NopCloser(strings.NewReader(body)) }
}

// rejection sends a request and returns the error that it is to end with.
func rejection(t testing.TB, c carrier, change func(resp *http.Response)) *routeauth.UnauthorizedError {
	t.Helper()
	transport, err := c.over(denying(change))
	require.NoError(t, err)
	resp, err := transport.RoundTrip(newRequest(t, "POST", errorsURL, ""))
	require.Nil(t, resp)
	var unauthorized *routeauth.UnauthorizedError
	require.ErrorAs(t, err, &unauthorized)
	return unauthorized
}

func keyRejection(t testing.TB, key string, change func(resp *http.Response)) *routeauth.UnauthorizedError {
	t.Helper()
	return rejection(t, carriersOf(key)[0], change)
}

// assertHides fails where any part of the error, printed in any way, holds the
// secret, as it is or escaped.
func assertHides(t testing.TB, e *routeauth.UnauthorizedError, secret string) {
	t.Helper()
	marshalled, err := json.Marshal(e)
	require.NoError(t, err)
	places := map[string]string{
		"Error()": e.Error(), "%#v": fmt.Sprintf("%#v", e), "JSON": string(marshalled),
		"URL": e.URL, "Detail": e.Detail, "RequestID": e.RequestID, "Body": string(e.Body),
	}
	for name, values := range e.Header {
		assert.NotContains(t, strings.ToLower(name), strings.ToLower(secret), "name in Header")
		for _, value := range values {
			places["Header "+name] = value
		}
	}
	for place, text := range places {
		for form, text := range unescapings(text) {
			assert.NotContains(t, text, secret, "%s, %s", place, form)
		}
	}
}

// unescapings returns what a reader may make of a text.
func unescapings(text string) map[string]string {
	forms := map[string]string{"as it is": text}
	if unescaped, err := url.PathUnescape(text); err == nil {
		forms["out of a URL"] = unescaped
	}
	var unquoted string
	if json.Unmarshal([]byte(`"`+text+`"`), &unquoted) == nil {
		forms["out of a JSON string"] = unquoted
	}
	var object map[string]any
	if json.Unmarshal([]byte(text), &object) == nil {
		forms["out of a JSON object"] = fmt.Sprint(object)
	}
	return forms
}

// matched returns which of the package's sentinels and types an error is.
func matched(err error) (names []string) {
	var unauthorized *routeauth.UnauthorizedError
	var credential *routeauth.CredentialError
	for _, m := range []struct {
		name string
		is   bool
	}{
		{"ErrUnauthorized", errors.Is(err, routeauth.ErrUnauthorized)},
		{"UnauthorizedError", errors.As(err, &unauthorized)},
		{"CredentialError", errors.As(err, &credential)},
	} {
		if m.is {
			names = append(names, m.name)
		}
	}
	return names
}

func TestAnUnauthorizedErrorSaysWhatTheResponseSaid(t *testing.T) {
	for _, c := range carriersOf("abcdef") {
		transport, err := c.over(denying(func(resp *http.Response) {
			resp.Header.Add("Www-Authenticate", `Bearer error="invalid_token"`)
			resp.Header.Add("Www-Authenticate", "Basic")
			resp.Header.Set("X-Cloud-Trace-Context", "105445aa7843bc8b/1")
			resp.Body = io.NopCloser(strings.NewReader(`{"detail": "The key was revoked."}`))
		}))
		require.NoError(t, err)
		_, err = transport.RoundTrip(newRequest(t, "POST",
			"https://user:password@api.example.com/v1/a%2Fb%20c?access=granted#fragment", "{}"))

		assert.Equal(t, &routeauth.UnauthorizedError{
			Scheme: c.scheme,
			Method: "POST",
			URL:    "https://api.example.com/v1/a%2Fb%20c",
			Header: http.Header{
				"Www-Authenticate":      {`Bearer error="invalid_token"`, "Basic"},
				"X-Cloud-Trace-Context": {"105445aa7843bc8b/1"},
			},
			Body:      []byte(`{"detail": "The key was revoked."}`),
			Detail:    "The key was revoked.",
			RequestID: "105445aa7843bc8b/1",
		}, err, c.name)
	}
}

// Rule 26: method, URL, 401, scheme and Detail.
func TestTheTextOfAnUnauthorizedErrorNamesTheCall(t *testing.T) {
	e := &routeauth.UnauthorizedError{Scheme: "tenant", Method: "PUT", URL: "https://api.example.com/x", Detail: "No such tenant."}
	assert.Equal(t, "routeauth: PUT https://api.example.com/x: 401: the server rejected the tenant credential: No such tenant.", e.Error())
	e.Detail = ""
	assert.Equal(t, "routeauth: PUT https://api.example.com/x: 401: the server rejected the tenant credential", e.Error())
}

// Rule 6.
func TestErrorsOfARequestWithoutMethodSayGET(t *testing.T) {
	transport, err := routeauth.NewAPIKeyTransport("abcdef", denying(nil))
	require.NoError(t, err)
	req := newRequest(t, "", errorsURL, "")
	req.Method = ""
	_, err = transport.RoundTrip(req)
	var unauthorized *routeauth.UnauthorizedError
	require.ErrorAs(t, err, &unauthorized)
	assert.Equal(t, "GET", unauthorized.Method)

	req.URL = nil
	_, err = transport.RoundTrip(req)
	var credential *routeauth.CredentialError
	require.ErrorAs(t, err, &credential)
	assert.Equal(t, "GET", credential.Method)
}

func TestTheRequestIDIsTheCloudTraceContextOrElseXRequestID(t *testing.T) {
	for _, test := range []struct{ trace, id, want string }{
		{"trace", "id", "trace"},
		{"trace", "", "trace"},
		{"", "id", "id"},
		{"", "", ""},
	} {
		e := keyRejection(t, "abcdef", func(resp *http.Response) {
			resp.Header.Set("X-Cloud-Trace-Context", test.trace)
			resp.Header.Set("X-Request-Id", test.id)
		})
		assert.Equal(t, test.want, e.RequestID, "%+v", test)
	}
}

func TestA401WithoutBodyOrHeaderIsAnUnauthorizedErrorToo(t *testing.T) {
	e := keyRejection(t, "abcdef", func(resp *http.Response) { resp.Body, resp.Header = nil, nil })
	assert.Empty(t, e.Body)
	assert.Empty(t, e.Header)
	assert.Empty(t, e.Detail)
	assert.Empty(t, e.RequestID)
}

func TestTheErrorsBodyIsTheFirst4KiB(t *testing.T) {
	letters := strings.Repeat("abcdefghijklmnopqrstuvwxyz", 1000)
	for _, size := range []int{0, 1, 4095, 4096, 4097, 20000} {
		e := keyRejection(t, "0123456789", withBody(letters[:size]))
		assert.Equal(t, letters[:min(size, 4096)], string(e.Body), "%d bytes", size)
	}
}

func TestABodyWithAContentEncodingIsNotKept(t *testing.T) {
	for _, test := range []struct {
		coding []string
		kept   bool
	}{
		{nil, true},
		{[]string{""}, true},
		{[]string{"identity"}, true},
		{[]string{"Identity"}, true},
		{[]string{"gzip"}, false},
		{[]string{"br"}, false},
		{[]string{"identity, gzip"}, false},
		{[]string{"identity", "gzip"}, false},
	} {
		e := keyRejection(t, "abcdef", func(resp *http.Response) {
			resp.Header["Content-Encoding"] = test.coding
			resp.Header.Set("X-Request-Id", "17")
			resp.Body = io.NopCloser(strings.NewReader(`{"detail": "no"}`))
		})
		assert.Equal(t, "17", e.RequestID)
		if test.kept {
			assert.Equal(t, `{"detail": "no"}`, string(e.Body), "%q", test.coding)
			assert.Equal(t, "no", e.Detail, "%q", test.coding)
		} else {
			assert.Nil(t, e.Body, "%q", test.coding)
			assert.Empty(t, e.Detail, "%q", test.coding)
		}
	}
}

// Rule 26.
func TestDetailIsWhatTheBodySaysWentWrong(t *testing.T) {
	for body, want := range map[string]string{
		// the five forms
		`{"detail": "Token expired."}`:                                                              "Token expired.",
		`{"detail": [{"loc": ["a"], "msg": "field required", "type": "x"}]}`:                        "field required",
		`{"detail": [{"msg": "first"}, {"msg": "second"}]}`:                                         "first; second",
		`{"code": "unauthorized", "message": "No key.", "details": {}}`:                             "No key.",
		`{"error": "invalid_token", "error_description": "It has expired."}`:                        "invalid_token: It has expired.",
		`{"error": "invalid_token"}`:                                                                "invalid_token",
		`{"error_description": "It has expired."}`:                                                  "It has expired.",
		`{"type": "about:blank", "title": "Unauthorized", "status": 401, "detail": "No such key."}`: "No such key.",
		`{"type": "about:blank", "title": "Unauthorized", "status": 401}`:                           "Unauthorized",

		// precedence
		`{"title": "t", "error": "e", "error_description": "d", "message": "m", "detail": "D"}`:            "D",
		`{"title": "t", "error": "e", "error_description": "d", "message": "m", "detail": [{"msg": "D"}]}`: "D",
		`{"title": "t", "error": "e", "error_description": "d", "message": "m"}`:                           "m",
		`{"title": "t", "error": "e", "error_description": "d"}`:                                           "e: d",

		// wrong types give way to what is readable
		`{"detail": 17, "message": "m"}`:                             "m",
		`{"detail": null, "message": "m"}`:                           "m",
		`{"detail": {"msg": "x"}, "message": "m"}`:                   "m",
		`{"detail": ["a", "b"], "message": "m"}`:                     "m",
		`{"detail": [], "message": "m"}`:                             "m",
		`{"detail": "", "message": "m"}`:                             "m",
		`{"detail": " \n\t", "message": "m"}`:                        "m",
		`{"detail": "\u200b\u202e", "message": "m"}`:                 "m",
		`{"detail": [{"msg": 1}, {"msg": "b"}, null, {"loc": []}]}`:  "b",
		`{"message": {"text": "x"}, "error": "e"}`:                   "e",
		`{"error": {"message": "x"}, "error_description": "d"}`:      "d",
		`{"error": {"message": "x"}, "title": "t"}`:                  "t",
		`{"error": true, "error_description": ["x"], "title": "t"}`:  "t",
		`{"detail": false, "message": 1, "error": [], "title": 2.5}`: "",

		// no object that says something
		``:                          "",
		`{}`:                        "",
		`null`:                      "",
		`"detail"`:                  "",
		`["detail"]`:                "",
		`17`:                        "",
		`{"detail": "x"`:            "",
		`{"detail": "x"} trailer`:   "",
		`<html>Unauthorized</html>`: "",
		"\xff\xfe":                  "",
	} {
		assert.Equal(t, want, keyRejection(t, "0123456789", withBody(body)).Detail, body)
	}
}

// Rule 26: a line of a log stays a line.
func TestDetailIsOneLineOfWhatPrints(t *testing.T) {
	for text, want := range map[string]string{
		"a\nb":                       "a b",
		"a\r\n\r\nb":                 "a b",
		"  a \t b  ":                 "a b",
		"a\u2028b\u2029c\u0085d":     "a b c d",               // line and paragraph separators
		"a\x00b\x1b[31mc\x7fd":       "a b [31mc d",           // a terminal's escapes
		"a\u202eb\u2066c\u200fd":     "a b c d",               // directions of writing
		"a\u200bb\ufeffc\u00add":     "a b c d",               // of no width
		"a\u00a0b\u3000c":            "a b c",                 // spaces that are none
		"schlüssel, 鍵, ключ, 🔑":      "schlüssel, 鍵, ключ, 🔑", // what prints is left
		"ERROR forged=1\nERROR real": "ERROR forged=1 ERROR real",
	} {
		body, err := json.Marshal(map[string]string{"detail": text})
		require.NoError(t, err)
		e := keyRejection(t, "0123456789", withBody(string(body)))
		assert.Equal(t, want, e.Detail, "%q", text)
		assertOnePrintableLine(t, e.Error())
	}
	e := keyRejection(t, "0123456789", withBody("{\"detail\": \"a\xffb\"}")) // no UTF-8
	assert.Equal(t, "a\ufffdb", e.Detail)
}

func assertOnePrintableLine(t testing.TB, text string) {
	t.Helper()
	for _, r := range text {
		if !unicode.IsPrint(r) {
			assert.Fail(t, "not one line of printable characters", "%q in %q", r, text)
			return
		}
	}
}

// A server does not decide how long a line of a log is.
func TestDetailIsAtMost4KiB(t *testing.T) {
	for _, letter := range []string{"x", "鍵"} {
		e := keyRejection(t, "0123456789", withBody(`{"detail": "`+strings.Repeat(letter, 30_000/len(letter))+`"}`))
		assert.LessOrEqual(t, len(e.Detail), 4<<10)
		assert.Greater(t, len(e.Detail), 4<<10-4)
		assert.Empty(t, strings.Trim(e.Detail, letter), "cut off inside a character")
	}
}

// The forms in which a server may write a key.
var echoForms = map[string]func(key string) string{
	"plain":                    func(key string) string { return key },
	"JSON":                     func(key string) string { return jsonText(key, false) },
	"JSON with escaped HTML":   func(key string) string { return jsonText(key, true) },
	`JSON with \/`:             func(key string) string { return strings.ReplaceAll(jsonText(key, false), "/", `\/`) },
	"JSON, lower case hex":     func(key string) string { return eachUnit(key, `\u%04x`) },
	"JSON, upper case hex":     func(key string) string { return eachUnit(key, `\u%04X`) },
	"URL path":                 url.PathEscape,
	"URL query":                url.QueryEscape,
	"URL, lower case hex":      func(key string) string { return eachByte(key, "%%%02x") },
	"URL, upper case hex":      func(key string) string { return eachByte(key, "%%%02X") },
	"every other one, JSON":    func(key string) string { return everyOther(key, `\u%04x`) },
	"every other one, URL":     func(key string) string { return everyOther(key, "%%%02X") },
	"twice":                    func(key string) string { return key + key },
	"twice, JSON":              func(key string) string { return jsonText(key+key, false) },
	"after a beginning":        func(key string) string { return key[:len(key)-1] + " " + key },
	"after a beginning, JSON":  func(key string) string { return jsonText(key[:len(key)-1]+" "+key, false) },
	"Bearer":                   func(key string) string { return "Bearer " + key },
	"Bearer, JSON lower case":  func(key string) string { return eachUnit("Bearer "+key, `\u%04x`) },
	"Token":                    func(key string) string { return "Token " + key },
	"after backslash":          func(key string) string { return `\` + key },
	"after percent":            func(key string) string { return "%" + key },
	"after half an escape":     func(key string) string { return `\u00` + key },
	"in quotes":                func(key string) string { return `"` + key + `"` },
	"in a header field's line": func(key string) string { return "x-api-key: " + key + "\r\n" },
}

func jsonText(text string, escapeHTML bool) string {
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(escapeHTML)
	_ = encoder.Encode(text)
	return strings.TrimSuffix(strings.TrimPrefix(out.String(), `"`), "\"\n")
}

func eachUnit(text, format string) (out string) {
	for _, r := range text {
		out += fmt.Sprintf(format, r)
	}
	return out
}

func eachByte(text, format string) (out string) {
	for i := range len(text) {
		out += fmt.Sprintf(format, text[i])
	}
	return out
}

func everyOther(text, format string) (out string) {
	for i := range len(text) {
		if i%2 == 0 {
			out += fmt.Sprintf(format, text[i])
		} else {
			out += text[i : i+1]
		}
	}
	return out
}

// Keys that are hard to find: full of what JSON, URLs and regular expressions
// give a meaning to.
var awkwardKeys = []string{
	echoedKey,
	`.*+?()[]{}^$|`,
	`"quoted"`,
	`back\slash`,
	`two\\back\\\slashes\`,
	`a%25b%5Cc%2Fd`,
	`a\u005cb\u0025c`,
	`\u0041\/\"%41`,
	`%%%25%25%25`,
	`<b>&amp;'x'</b>`,
	`ababababababc`,
	"eyJhbGciOiJIUzI1NiJ9.eyJqdGkiOiIxIn0.c2lnbmF0dXJl",
	strings.Repeat("0123456789abcdef", 100),
}

// Rule 26, in the body and in Detail, which is decoded out of it.
func TestAnEchoInTheBodyIsHidden(t *testing.T) {
	for _, key := range awkwardKeys {
		for _, c := range everyCarrierOf(key) {
			for form, write := range echoForms {
				e := rejection(t, c, withBody("You sent "+write(key)+", which we do not know."))
				assertHides(t, e, key)
				assert.Contains(t, string(e.Body), "REDACTED", "%s, %s, %s", c.name, key, form)
				assert.True(t, strings.HasPrefix(string(e.Body), "You sent "), "%s, %s, %s: %s", c.name, key, form, e.Body)

				body, err := json.Marshal(map[string]string{"detail": "You sent " + write(key) + "."})
				require.NoError(t, err)
				e = rejection(t, c, withBody(string(body)))
				assertHides(t, e, key)
				assert.Contains(t, e.Detail, "You sent ", "%s, %s, %s", c.name, key, form)
				assert.Contains(t, e.Detail, "REDACTED", "%s, %s, %s", c.name, key, form)
				if t.Failed() {
					return
				}
			}
		}
	}
}

// What is no echo is left as it is, down to the byte.
func TestWhatIsNoEchoIsLeft(t *testing.T) {
	for _, body := range []string{
		`{"a": "\u0073k-other", "b": "%73k-other", "c": "\\", "d": "100%"}`,
		"SK-LIVE/4F\"9\\C1+E7=",
		echoedKey[:len(echoedKey)-1],
		echoedKey[1:],
		`\`, `%`, `\u`, `\u00`, `%4`, "\xff\xfe", "Bearer",
	} {
		assert.Equal(t, body, string(keyRejection(t, echoedKey, withBody(body)).Body))
	}
}

// Rule 26, in every form that Detail is taken from.
func TestAnEchoInDetailIsHidden(t *testing.T) {
	quoted := jsonText("«"+echoedKey+"»", false)
	for body, want := range map[string]string{
		`{"detail": "` + quoted + `"}`:                                       "«REDACTED»",
		`{"detail": [{"msg": "` + quoted + `"}, {"msg": "` + quoted + `"}]}`: "«REDACTED»; «REDACTED»",
		`{"message": "` + quoted + `"}`:                                      "«REDACTED»",
		`{"error": "` + quoted + `", "error_description": "` + quoted + `"}`: "«REDACTED»: «REDACTED»",
		`{"title": "` + quoted + `"}`:                                        "«REDACTED»",
	} {
		e := keyRejection(t, echoedKey, withBody(body))
		assert.Equal(t, want, e.Detail)
		assert.Contains(t, e.Error(), want)
		assertHides(t, e, echoedKey)
	}
}

// Rule 26: making one line of the text puts together what stood on two.
func TestAnEchoThatIsSplitAcrossLinesIsHiddenInDetail(t *testing.T) {
	transport, err := routeauth.NewHeaderTransport("passphrase", "X-Passphrase", "Token correct horse battery", denying(
		withBody(`{"detail": "You sent Token\ncorrect\u2028horse\u0000\r\n battery."}`)))
	require.NoError(t, err)
	_, err = transport.RoundTrip(newRequest(t, "GET", errorsURL, ""))
	var unauthorized *routeauth.UnauthorizedError
	require.ErrorAs(t, err, &unauthorized)
	assert.Equal(t, "You sent REDACTED.", unauthorized.Detail)
}

// Rule 26: wherever the 4 KiB end, inside an echo or beside it.
func TestAnEchoAcrossTheLimitIsHidden(t *testing.T) {
	for _, form := range []string{"plain", "JSON", "JSON, upper case hex", "URL, lower case hex"} {
		echo := echoForms[form](echoedKey)
		for start := 4096 - len(echo) - 10; start <= 4096+1; start++ {
			e := keyRejection(t, echoedKey, withBody(strings.Repeat(".", start)+echo+strings.Repeat(".", 100)))
			assertHides(t, e, echoedKey)
			assert.Equal(t, (strings.Repeat(".", start) + "REDACTED" + strings.Repeat(".", 100))[:min(start+8+100, 4096)], string(e.Body), "%s at %d", form, start)
			if t.Failed() {
				return
			}
		}
	}
}

// Rule 26.
func TestAnEchoAcrossReadsIsHidden(t *testing.T) {
	for form, write := range echoForms {
		for name, split := range map[string]func(io.Reader) io.Reader{
			"one byte each":           iotest.OneByteReader,
			"half of what is wanted":  iotest.HalfReader,
			"the end with the data":   iotest.DataErrReader,
			"behind 4 KiB, at a seam": func(r io.Reader) io.Reader { return io.MultiReader(strings.NewReader(strings.Repeat(".", 4000)), r) },
		} {
			e := keyRejection(t, echoedKey, func(resp *http.Response) {
				resp.Body = io.NopCloser(split(strings.NewReader("<" + write(echoedKey) + ">")))
			})
			assertHides(t, e, echoedKey)
			assert.Contains(t, string(e.Body), "REDACTED", "%s, %s", form, name)
		}
	}
}

// stallingBody gives text and then nothing, until it is closed.
type stallingBody struct {
	io.Reader
	released chan struct{}
	deaf     bool // to Close
	closed   int
}

func newStallingBody(text string) *stallingBody {
	return &stallingBody{Reader: strings.NewReader(text), released: make(chan struct{})}
}

func (b *stallingBody) Read(p []byte) (int, error) {
	if n, err := b.Reader.Read(p); err == nil {
		return n, nil
	}
	<-b.released
	return 0, net.ErrClosed
}

func (b *stallingBody) Close() error {
	if b.closed++; b.closed == 1 && !b.deaf {
		close(b.released)
	}
	return nil
}

// Rule 26: the second ends anywhere in an echo. Three characters may be chance,
// four count as the credential's beginning.
func TestABodyThatStopsInsideAnEchoShowsNoBeginningOfIt(t *testing.T) {
	const key = `sk"live\4f9c/1e`
	for _, form := range []string{"plain", "JSON", "JSON, upper case hex", "URL, lower case hex"} {
		echo := echoForms[form](key)
		fourth := len(echoForms[form](key[:4]))
		for cut := range len(echo) {
			want := "<REDACTED"
			if cut < fourth {
				want = "<" + echo[:cut]
			}
			synctest.Test(t, func(t *testing.T) {
				e := keyRejection(t, key, func(resp *http.Response) { resp.Body = newStallingBody("<" + echo[:cut]) })
				assert.Equal(t, want, string(e.Body), "%s, cut at %d", form, cut)
			})
		}
	}
}

// Rule 26: where a long credential is echoed so often that its 64 KiB become
// less than the 4 KiB that are kept.
func TestABodyThatIsTooLongShowsNoBeginningOfAnEcho(t *testing.T) {
	key := strings.Repeat("0123456789abcdef", 150) // and 64 KiB are no multiple of it
	e := keyRejection(t, key, withBody(strings.Repeat(key, 100)))
	assert.Equal(t, strings.Repeat("REDACTED", 64<<10/len(key)+1), string(e.Body))
}

func TestABodyThatBreaksOffInsideAnEchoShowsNoBeginningOfIt(t *testing.T) {
	for name, failing := range map[string]io.Reader{
		"an error": iotest.ErrReader(io.ErrUnexpectedEOF),
		"a panic":  panickingReader{},
	} {
		e := keyRejection(t, echoedKey, func(resp *http.Response) {
			resp.Body = io.NopCloser(io.MultiReader(strings.NewReader("<"+echoedKey[:10]), failing))
		})
		assert.Equal(t, "<REDACTED", string(e.Body), name)
	}
}

type panickingReader struct{}

func (panickingReader) Read([]byte) (int, error) { panic("the body has a fault") }

// Rule 26.
func TestAnEchoInTheHeaderIsHidden(t *testing.T) {
	for _, key := range awkwardKeys {
		for _, c := range everyCarrierOf(key) {
			for form, write := range echoForms {
				if strings.ContainsAny(write(key), "\r\n") {
					continue // no base hands out such a value
				}
				e := rejection(t, c, func(resp *http.Response) {
					resp.Header = http.Header{
						"Www-Authenticate": {"Bearer", `Bearer error_description="` + write(key) + `"`},
						"X-Request-Id":     {"id-" + write(key)},
						write(key):         {"x"},
						"X-" + write(key):  {"y"},
					}
				})
				assertHides(t, e, key)
				assert.Equal(t, "Bearer", e.Header.Get("Www-Authenticate"))
				assert.Contains(t, e.Header.Values("Www-Authenticate")[1], `Bearer error_description="`)
				assert.Contains(t, e.Header.Values("Www-Authenticate")[1], "REDACTED")
				assert.Contains(t, e.RequestID, "id-")
				assert.Contains(t, e.RequestID, "REDACTED", form)
				assert.ElementsMatch(t, []string{"x", "y"}, fieldValues(e.Header, "REDACTED"), "%s, %s, %s", c.name, key, form)
				if t.Failed() {
					return
				}
			}
		}
	}
}

// Rule 26: net/http writes the names of header fields with capitals of its own.
func TestAnEchoAsTheNameOfAHeaderFieldIsHiddenInWhateverCase(t *testing.T) {
	const key = "sk-live-4F9c1E7a"
	for _, http2 := range []bool{false, true} {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			w.Header().Set(req.Header.Get("x-api-key"), "known")
			w.Header().Set("X-Seen-"+req.Header.Get("x-api-key")+"-Key", "known")
			w.WriteHeader(http.StatusUnauthorized)
		}))
		server.EnableHTTP2 = http2
		server.StartTLS()
		t.Cleanup(server.Close)

		transport, err := routeauth.NewAPIKeyTransport(key, server.Client().Transport)
		require.NoError(t, err)
		_, err = transport.RoundTrip(newRequest(t, "GET", server.URL, ""))
		var unauthorized *routeauth.UnauthorizedError
		require.ErrorAs(t, err, &unauthorized)
		assertHides(t, unauthorized, key)
		assert.Equal(t, []string{"known", "known"}, fieldValues(unauthorized.Header, "REDACTED"))
	}
}

// The names that the request ID is found under are no echo of a short key.
func TestTheRequestIDIsFoundWhateverTheKeyIs(t *testing.T) {
	for _, key := range []string{"X", "x", "id", "Trace", "request"} {
		e := keyRejection(t, key, func(resp *http.Response) { resp.Header.Set("X-Cloud-Trace-Context", "0/1") })
		assert.Equal(t, "0/1", e.RequestID, key)
		e = keyRejection(t, key, func(resp *http.Response) { resp.Header.Set("X-Request-Id", "0-1") })
		assert.Equal(t, "0-1", e.RequestID, key)
	}
}

// Rule 26: a redirect within the API's origin carries the credential, and the
// server chose where to.
func TestAnEchoInTheURLOfARedirectIsHidden(t *testing.T) {
	for _, key := range awkwardKeys {
		for _, c := range everyCarrierOf(key) {
			transport, err := c.over(roundTripFunc(func(req *http.Request) (*http.Response, error) {
				if req.Response != nil {
					return answer(req, http.StatusUnauthorized, ""), nil
				}
				resp := answer(req, http.StatusTemporaryRedirect, "")
				resp.Header.Set("Location", "/login/"+url.PathEscape(key)+"/x?key="+url.QueryEscape(key)+"#"+url.PathEscape(key))
				return resp, nil
			}))
			require.NoError(t, err)
			client := &http.Client{Transport: transport}
			_, err = client.Do(newRequest(t, "GET", errorsURL, ""))
			var unauthorized *routeauth.UnauthorizedError
			require.ErrorAs(t, err, &unauthorized)
			assertHides(t, unauthorized, key)
			assert.Equal(t, "https://api.example.com/login/REDACTED/x", unauthorized.URL, "%s, %s", c.name, key)
		}
	}
}

// Rule 26: the part after the first space is what was to be kept secret.
func TestAnEchoOfTheCredentialWithoutItsSchemeIsHidden(t *testing.T) {
	for value, echoes := range map[string][]string{
		"Token abcdef":       {"Token abcdef", "abcdef", "token abcdef", "Token%20abcdef", "Token+abcdef", "Token  abcdef"},
		"Basic dXNlcjpwYXNz": {"Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"},
		"Key  abcdef":        {"Key  abcdef", "abcdef"},
		"Digest a=bcd, e=fg": {"Digest a=bcd, e=fg", "a=bcd, e=fg", "a=bcd,%20e=fg"},
	} {
		for _, echo := range echoes {
			transport, err := routeauth.NewHeaderTransport("token", "X-Token", routeauth.Secret(value), denying(func(resp *http.Response) {
				resp.Header.Set("X-Echo", "<"+echo+">")
				resp.Body = io.NopCloser(strings.NewReader(`{"detail": "<` + echo + `>"}`))
			}))
			require.NoError(t, err)
			_, err = transport.RoundTrip(newRequest(t, "GET", errorsURL, ""))
			var unauthorized *routeauth.UnauthorizedError
			require.ErrorAs(t, err, &unauthorized)
			for _, secret := range echoes[:2] {
				assertHides(t, unauthorized, secret)
			}
			for _, text := range []string{unauthorized.Detail, string(unauthorized.Body), unauthorized.Header.Get("X-Echo")} {
				assert.Contains(t, text, "REDACTED>", echo)
			}
		}
	}
}

// Rule 26. What is sent in a field may be any bytes, and servers differ in how
// they read those beyond ASCII.
func TestAnEchoOfAValueBeyondASCIIIsHidden(t *testing.T) {
	for value, echoes := range map[string][]string{
		"schlüssel-鍵":       {"schlüssel-鍵", `schl\u00fcssel-\u9375`, `schl\u00FCssel-\u9375`, "schl%C3%BCssel-%e9%8d%b5", "schl\u00c3\u00bcssel-\u00e9\u008d\u00b5", `schl\u00c3\u00bcssel-\u00e9\u008d\u00b5`},
		"llave-🔑-x":         {"llave-🔑-x", `llave-\ud83d\udd11-x`, `llave-\uD83D\uDD11-x`, "llave-%F0%9F%94%91-x"},
		"cl\xe9-secr\xe8te": {"cl\xe9-secr\xe8te", "clé-secrète", `cl\u00e9-secr\u00e8te`, "cl%E9-secr%E8te"},
		"tab\tbed":          {"tab\tbed", `tab\tbed`, `tab\u0009bed`, "tab%09bed"},
	} {
		for _, echo := range echoes {
			for _, prefix := range []string{"", "Token "} {
				transport, err := routeauth.NewHeaderTransport("token", "X-Token", routeauth.Secret(prefix+value), denying(func(resp *http.Response) {
					resp.Header.Set("X-Echo", "<"+echo+">")
					resp.Body = io.NopCloser(strings.NewReader(`{"detail": "<` + echo + `>"}`))
				}))
				require.NoError(t, err)
				_, err = transport.RoundTrip(newRequest(t, "GET", errorsURL, ""))
				var unauthorized *routeauth.UnauthorizedError
				require.ErrorAs(t, err, &unauthorized)
				assert.Equal(t, `{"detail": "<REDACTED>"}`, string(unauthorized.Body), echo)
				assert.Equal(t, "<REDACTED>", unauthorized.Header.Get("X-Echo"), echo)
				if json.Valid([]byte(`"` + echo + `"`)) {
					assert.Equal(t, "<REDACTED>", unauthorized.Detail, echo)
				}
			}
		}
	}
}

// Rule 26: a key is hidden however short it is.
func TestAnEchoOfAVeryShortKeyIsHidden(t *testing.T) {
	for key, echoes := range map[string][]string{
		"7":  {"7", `\u0037`, "%37"},
		"%":  {"%", `\u0025`, "%25"},
		`\`:  {`\`, `\u005C`, "%5c"},
		`"`:  {`"`, `\"`, "%22"},
		"k9": {"k9", `\u006b9`, "k%39"},
		"k=": {"k=", "k%3D"},
	} {
		for _, echo := range echoes {
			e := keyRejection(t, key, func(resp *http.Response) {
				resp.Header.Set("X-Echo", echo)
				resp.Body = io.NopCloser(strings.NewReader("<" + echo + ">"))
			})
			assert.Equal(t, "<REDACTED>", string(e.Body), echo)
			assert.Equal(t, "REDACTED", e.Header.Get("X-Echo"), echo)
		}
	}
}

// Rule 26: a subscription ID is an identifier.
func TestASubscriptionIDIsLeft(t *testing.T) {
	const id = "66ec1726e728c1405e5ebca2"
	transport, err := routeauth.NewSubscriptionTransport(id, denying(func(resp *http.Response) {
		resp.Header.Set("X-Request-Id", "for-"+id)
		resp.Body = io.NopCloser(strings.NewReader(`{"detail": "no subscription ` + id + `"}`))
	}))
	require.NoError(t, err)
	_, err = transport.RoundTrip(newRequest(t, "GET", errorsURL, ""))
	var unauthorized *routeauth.UnauthorizedError
	require.ErrorAs(t, err, &unauthorized)
	assert.Equal(t, routeauth.SchemeSubscription, unauthorized.Scheme)
	assert.Equal(t, "no subscription "+id, unauthorized.Detail)
	assert.Equal(t, `{"detail": "no subscription `+id+`"}`, string(unauthorized.Body))
	assert.Equal(t, "for-"+id, unauthorized.RequestID)
	assert.Equal(t, "for-"+id, unauthorized.Header.Get("X-Request-Id"))
}

// Rule 26: the scheme is what errors call the credential. Some APIs call a
// secret a subscription key.
func TestASecretIsHiddenWhateverItsSchemeIsCalled(t *testing.T) {
	for _, scheme := range []routeauth.Scheme{routeauth.SchemeSubscription, routeauth.SchemeAPIKey, routeauth.SchemeJWT, "?"} {
		transport, err := routeauth.NewHeaderTransport(scheme, "X-Subscription-Key", echoedKey, denying(withBody(echoedKey)))
		require.NoError(t, err)
		_, err = transport.RoundTrip(newRequest(t, "GET", errorsURL, ""))
		var unauthorized *routeauth.UnauthorizedError
		require.ErrorAs(t, err, &unauthorized)
		assert.Equal(t, "REDACTED", string(unauthorized.Body), scheme)
	}
}

// Rule 26: a request can carry two credentials, each from a wrapper of its own.
func TestWrappersOnTopOfEachOtherHideEachOthersCredential(t *testing.T) {
	const inner, outer = "inner/credential", "outer/credential"
	for _, in := range carriersOf(inner) {
		for _, out := range carriersOf(outer) {
			both := url.PathEscape(inner) + "," + outer
			below, err := in.over(denying(func(resp *http.Response) {
				resp.Header.Set("X-Request-Id", both)
				resp.Header.Set("X-"+inner, outer)
				resp.Header.Set("X-"+outer, inner)
				resp.Body = io.NopCloser(strings.NewReader(`{"detail": "` + both + `", "x": "` + strings.Repeat(".", 4096-len(both)-40) + both + `"}`))
			}))
			require.NoError(t, err)
			stack, err := out.over(below)
			require.NoError(t, err)
			_, err = stack.RoundTrip(newRequest(t, "GET", "https://api.example.com/v1/"+both, ""))
			var unauthorized *routeauth.UnauthorizedError
			require.ErrorAs(t, err, &unauthorized)
			assertHides(t, unauthorized, inner)
			assertHides(t, unauthorized, outer)
			assert.Equal(t, in.scheme, unauthorized.Scheme)
			assert.Equal(t, "REDACTED,REDACTED", unauthorized.Detail)
			assert.NotContains(t, string(unauthorized.Body), outer[:4])
		}
	}
}

// Rules 24 and 26: the server has seen both tokens.
func TestBothTokensOfARequestThatWasSentTwiceAreHidden(t *testing.T) {
	var tokens []string
	cache, err := routeauth.NewTokenCache(routeauth.TokenSourceFunc(func(context.Context, routeauth.Params) (string, error) {
		tokens = append(tokens, mint(t, fmt.Sprint(len(tokens)), time.Now().Add(-time.Second), time.Now().Add(time.Hour)))
		return tokens[len(tokens)-1], nil
	}))
	require.NoError(t, err)
	_, err = cache.Token(t.Context(), nil)
	require.NoError(t, err)
	transport, err := routeauth.NewJWTTransport(cache, denying(func(resp *http.Response) {
		resp.Header.Set("X-Seen", strings.Join(tokens, " "))
		resp.Body = io.NopCloser(strings.NewReader(`{"detail": "` + strings.Join(tokens, " ") + `"}`))
	}))
	require.NoError(t, err)
	_, err = transport.RoundTrip(newRequest(t, "POST", errorsURL, "{}"))
	var unauthorized *routeauth.UnauthorizedError
	require.ErrorAs(t, err, &unauthorized)
	require.Len(t, tokens, 2)
	require.NotEqual(t, tokens[0], tokens[1])
	for _, token := range tokens {
		assertHides(t, unauthorized, token)
	}
	assert.Equal(t, "REDACTED REDACTED", unauthorized.Detail)
}

// Rule 26: net/http quotes what it cannot read of a response.
func TestAnEchoInWhatIsNoResponseIsHidden(t *testing.T) {
	for _, format := range []string{
		"%s\r\n\r\n",
		"HTTP/1.1 %s\r\n\r\n",
		"HTTP/1.1 401 Unauthorized\r\nContent-Length: %s\r\n\r\n",
		"HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: %s\r\n\r\n",
		"HTTP/1.1 401 Unauthorized\r\n%s\r\n\r\n",
	} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		t.Cleanup(func() { _ = listener.Close() })
		go func() {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			if req, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				fmt.Fprintf(conn, format, req.Header.Get("x-api-key"))
			}
		}()
		transport, err := routeauth.NewAPIKeyTransport("sk-live-4f9c1e", &http.Transport{DisableKeepAlives: true})
		require.NoError(t, err)
		_, err = (&http.Client{Transport: transport}).Get("http://" + listener.Addr().String())
		require.Error(t, err)
		assert.Contains(t, err.Error(), "REDACTED", "%q", format)
		assert.NotContains(t, err.Error(), "sk-live", "%q", format)
		assert.Empty(t, matched(err))
	}
}

// Rule 2: what the error is stays to be found.
func TestAnErrorOfTheBaseThatQuotesTheCredentialIsStillFound(t *testing.T) {
	transport, err := routeauth.NewAPIKeyTransport("sk-live-4f9c1e", roundTripFunc(func(req *http.Request) (*http.Response, error) {
		return nil, fmt.Errorf("sending %q: %w", req.Header, io.ErrUnexpectedEOF)
	}))
	require.NoError(t, err)
	_, err = transport.RoundTrip(newRequest(t, "GET", errorsURL, ""))
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.NotContains(t, err.Error(), "sk-live")
}

// Rule 26: the 4 KiB of the wrapper below may end inside the credential of the
// one above, and are no more once that is hidden.
func TestTheBodyStaysWithinItsLimitUnderSeveralWrappers(t *testing.T) {
	for _, body := range []string{
		strings.Repeat(".", 4090) + "outer/credential",
		strings.Repeat(".", 4070) + "outer/credential" + strings.Repeat(".", 100),
		strings.Repeat("o-", 3000),
		`{"detail": "` + strings.Repeat("o-", 3000) + `"}`,
	} {
		for _, outer := range []string{"outer/credential", "o-"} {
			below, err := routeauth.NewHeaderTransport("tenant", "X-Tenant", "inner", denying(withBody(body)))
			require.NoError(t, err)
			stack, err := routeauth.NewAPIKeyTransport(routeauth.Secret(outer), below)
			require.NoError(t, err)
			_, err = stack.RoundTrip(newRequest(t, "GET", errorsURL, ""))
			var unauthorized *routeauth.UnauthorizedError
			require.ErrorAs(t, err, &unauthorized)
			assert.LessOrEqual(t, len(unauthorized.Body), 4<<10)
			assert.LessOrEqual(t, len(unauthorized.Detail), 4<<10)
			assertHides(t, unauthorized, outer)
			assert.NotContains(t, string(unauthorized.Body), outer[:min(len(outer), 6)])
		}
	}
}

// Rule 25: what is read of a 401 that never ends.
func TestA401IsReadUpTo64KiB(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, atOnce := range []int{1, 1000, 4096, 1 << 20} {
			body := &endlessBody{atOnce: atOnce}
			start := time.Now()
			e := keyRejection(t, "abcdef", func(resp *http.Response) { resp.Body = body })
			assert.Zero(t, time.Since(start))
			assert.Equal(t, 64<<10, body.read, "%d bytes at once", atOnce)
			assert.Equal(t, 1, body.closed)
			assert.Equal(t, strings.Repeat("x", 4096), string(e.Body))
		}
	})
}

// endlessBody is read as fast as it can be.
type endlessBody struct{ atOnce, read, closed int }

func (b *endlessBody) Read(p []byte) (int, error) {
	n := copy(p[:min(len(p), b.atOnce)], strings.Repeat("x", min(len(p), b.atOnce)))
	b.read += n
	return n, nil
}

func (b *endlessBody) Close() error {
	b.closed++
	return nil
}

// Rule 25: a 401 of less than 64 KiB is read to its end, which is what lets its
// connection be used again.
func TestA401IsReadToItsEnd(t *testing.T) {
	for _, size := range []int{0, 1, 4096, 64<<10 - 1} {
		body := newTrackedBody(strings.Repeat("x", size))
		atEOF := false
		reader := body.Reader
		body.Reader = readFunc(func(p []byte) (int, error) {
			n, err := reader.Read(p)
			atEOF = atEOF || err == io.EOF
			return n, err
		})
		keyRejection(t, "abcdef", func(resp *http.Response) { resp.Body = body })
		assert.True(t, atEOF, "%d bytes", size)
		assert.Equal(t, 1, body.closes(), "%d bytes", size)
	}
}

type readFunc func(p []byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

// Rule 25: a second, also where the body does not heed Close.
func TestA401IsWaitedForOneSecond(t *testing.T) {
	for _, deaf := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			body := newStallingBody(`{"detail": "no"}`)
			body.deaf = deaf
			if deaf {
				defer close(body.released)
			}
			start := time.Now()
			e := keyRejection(t, "abcdef", func(resp *http.Response) { resp.Body = body })
			assert.Equal(t, time.Second, time.Since(start))
			assert.Equal(t, 1, body.closed)
			assert.Equal(t, `{"detail": "no"}`, string(e.Body), "what had come is kept")
			assert.Equal(t, "no", e.Detail)
		})
	}
}

// Rule 25: a second in all, not for each piece.
func TestA401ThatDripsIsWaitedForOneSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := newTrackedBody("")
		body.Reader = readFunc(func(p []byte) (int, error) {
			<-time.After(300 * time.Millisecond)
			return copy(p, "drip "), nil
		})
		start := time.Now()
		e := keyRejection(t, "abcdef", func(resp *http.Response) { resp.Body = body })
		assert.Equal(t, time.Second, time.Since(start))
		assert.Equal(t, 1, body.closes())
		assert.Equal(t, "drip drip drip ", string(e.Body))
		<-time.After(300 * time.Millisecond) // rule 8: the read that was left behind was the last
	})
}

// Rule 25.
func TestTheEndOfTheContextEndsTheReadingOfA401(t *testing.T) {
	for _, deaf := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			body := newStallingBody(`{"detail": "no"}`)
			body.deaf = deaf
			if deaf {
				defer close(body.released)
			}
			transport, err := routeauth.NewAPIKeyTransport("abcdef", denying(func(resp *http.Response) { resp.Body = body }))
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			start := time.Now()
			_, err = transport.RoundTrip(newRequest(t, "GET", errorsURL, "").WithContext(ctx))
			assert.Equal(t, 200*time.Millisecond, time.Since(start))
			assert.Equal(t, 1, body.closed)
			assert.ErrorIs(t, err, routeauth.ErrUnauthorized, "the answer was there")
			var unauthorized *routeauth.UnauthorizedError
			require.ErrorAs(t, err, &unauthorized)
			assert.Equal(t, "no", unauthorized.Detail)
		})
	}
}

// Rules 6 and 25: a body that fails makes no panic and is not waited for.
func TestA401WhoseBodyFailsIsAnUnauthorizedErrorAtOnce(t *testing.T) {
	for name, read := range map[string]readFunc{
		"an error":          func([]byte) (int, error) { return 0, errors.New("connection reset") },
		"data and an error": func(p []byte) (int, error) { return copy(p, "x"), errors.New("connection reset") },
		"a panic":           func([]byte) (int, error) { panic("the body has a fault") },
		"a panic with nil":  func([]byte) (int, error) { panic(nil) },
	} {
		synctest.Test(t, func(t *testing.T) {
			body := newTrackedBody("")
			body.Reader = read
			start := time.Now()
			e := keyRejection(t, "abcdef", func(resp *http.Response) { resp.Body = body })
			assert.Zero(t, time.Since(start), name)
			assert.Equal(t, 1, body.closes(), name)
			assert.Empty(t, e.Detail, name)
		})
	}
}

// Rule 6: a body that says it has read what cannot be makes no panic, and
// nobody waits for it.
func TestA401WhoseBodyMiscountsIsAnUnauthorizedError(t *testing.T) {
	for name, read := range map[string]readFunc{
		"more than was asked for": func(p []byte) (int, error) { return len(p) + 1, nil },
		"far more":                func([]byte) (int, error) { return 1 << 40, nil },
		"less than nothing":       func([]byte) (int, error) { return -1, nil },
	} {
		body := newTrackedBody("")
		body.Reader = read
		transport, err := routeauth.NewAPIKeyTransport("abcdef", denying(func(resp *http.Response) { resp.Body = body }))
		require.NoError(t, err)
		req := newRequest(t, "GET", errorsURL, "")
		ended := make(chan error, 1)
		go func() {
			_, err := transport.RoundTrip(req)
			ended <- err
		}()
		select {
		case err := <-ended:
			assert.ErrorIs(t, err, routeauth.ErrUnauthorized, name)
			assert.Equal(t, 1, body.closes(), name)
		case <-time.After(10 * time.Second):
			require.Fail(t, "the transport hangs", name)
		}
	}
}

// Rule 25: a body that gives nothing and does not end costs no second of a
// processor.
func TestA401ThatGivesNothingForEverIsGivenUp(t *testing.T) {
	body := newTrackedBody("")
	reads := 0
	body.Reader = readFunc(func([]byte) (int, error) {
		reads++
		return 0, nil
	})
	keyRejection(t, "abcdef", func(resp *http.Response) { resp.Body = body })
	assert.Equal(t, 1, body.closes())
	assert.Less(t, reads, 10_000)
}

// Rule 25: fewer empty reads than that are no fault.
func TestA401WithEmptyReadsInBetweenIsReadToItsEnd(t *testing.T) {
	text := strings.NewReader(strings.Repeat("x", 300))
	reads := 0
	e := keyRejection(t, "abcdef", func(resp *http.Response) {
		resp.Body = io.NopCloser(readFunc(func(p []byte) (int, error) {
			if reads++; reads%3 != 0 {
				return 0, nil
			}
			return text.Read(p[:1])
		}))
	})
	assert.Len(t, e.Body, 300)
}

// Rule 25: 20 requests, 1 connection.
func TestTheConnectionOfA401IsUsedAgain(t *testing.T) {
	for i, c := range carriersOf("abcdef") {
		sizes := []int{0, 20, 5000, 60_000}
		if i > 0 {
			sizes = sizes[1:2]
		}
		for _, size := range sizes {
			// On a machine that is very busy net/http gives up a connection
			// whose writer has not reported in 50 ms; so a second try is fair.
			// Without draining every try takes 20 connections.
			var connections int
			for range 3 {
				if connections = connectionsOf20Rejections(t, c, size); connections == 1 {
					break
				}
			}
			assert.Equal(t, 1, connections, "%s, bodies of %d bytes", c.name, size)
		}
	}
}

func connectionsOf20Rejections(t *testing.T, c carrier, size int) int {
	t.Helper()
	var connections atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, strings.Repeat("x", size))
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	defer server.Close()

	transport, err := c.over(server.Client().Transport)
	require.NoError(t, err)
	for range 20 {
		_, err = transport.RoundTrip(newRequest(t, "POST", server.URL, `{"x": 1}`))
		require.ErrorIs(t, err, routeauth.ErrUnauthorized)
	}
	return int(connections.Load())
}

func TestErrorsAreFoundThroughAClient(t *testing.T) {
	transport, err := routeauth.NewAPIKeyTransport("abcdef", denying(withBody(`{"detail": "no"}`)))
	require.NoError(t, err)
	client := &http.Client{Transport: transport}
	_, err = client.Get(errorsURL + "?page=2")

	var urlErr *url.Error
	require.ErrorAs(t, err, &urlErr, "net/http's own, around ours")
	require.ErrorIs(t, err, routeauth.ErrUnauthorized)
	var unauthorized *routeauth.UnauthorizedError
	require.ErrorAs(t, err, &unauthorized)
	assert.Equal(t, "no", unauthorized.Detail)
	assert.Equal(t, errorsURL, unauthorized.URL)

	assert.NotErrorIs(t, unauthorized, io.EOF)
	assert.NotErrorIs(t, io.EOF, routeauth.ErrUnauthorized)
}

// Each failure is exactly one of the package's errors, or none.
func TestEachFailureIsOneKindOfError(t *testing.T) {
	jwtWith := func(source routeauth.TokenSource, base http.RoundTripper, opts ...routeauth.JWTOption) http.RoundTripper {
		transport, err := routeauth.NewJWTTransport(source, base, opts...)
		require.NoError(t, err)
		return transport
	}
	keyOver := func(base http.RoundTripper) http.RoundTripper {
		transport, err := routeauth.NewAPIKeyTransport("abcdef", base)
		require.NoError(t, err)
		return transport
	}
	subscription, err := routeauth.NewSubscriptionTransport("66ec1726", denying(nil))
	require.NoError(t, err)
	answers := func(status int) http.RoundTripper {
		return roundTripFunc(func(req *http.Request) (*http.Response, error) { return answer(req, status, ""), nil })
	}
	failing := roundTripFunc(func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF })
	sourceError := routeauth.TokenSourceFunc(func(context.Context, routeauth.Params) (string, error) {
		return "", errors.New("backend is down")
	})
	paramsError := routeauth.WithParams(func(*http.Request) (routeauth.Params, error) { return nil, errors.New("no params") })

	unauthorized := []string{"ErrUnauthorized", "UnauthorizedError"}
	credential := []string{"CredentialError"}
	for name, test := range map[string]struct {
		transport http.RoundTripper
		want      []string
	}{
		"401 to an API key":               {keyOver(denying(nil)), unauthorized},
		"401 to a token":                  {jwtWith(handsOut("abc"), denying(nil)), unauthorized},
		"401 to a subscription ID":        {subscription, unauthorized},
		"403":                             {keyOver(answers(403)), nil},
		"407":                             {keyOver(answers(407)), nil},
		"500":                             {keyOver(answers(500)), nil},
		"the base failed":                 {keyOver(failing), nil},
		"the base answered nothing":       {keyOver(roundTripFunc(func(*http.Request) (*http.Response, error) { return nil, nil })), nil},
		"the source failed":               {jwtWith(sourceError, denying(nil)), credential},
		"an empty token":                  {jwtWith(handsOut(""), denying(nil)), credential},
		"an ill-formed token":             {jwtWith(handsOut("a b"), denying(nil)), credential},
		"params failed":                   {jwtWith(handsOut("abc"), denying(nil), paramsError), credential},
		"a transport without constructor": {&routeauth.Transport{}, credential},
	} {
		resp, direct := test.transport.RoundTrip(newRequest(t, "GET", errorsURL, ""))
		if resp != nil {
			assert.NoError(t, direct, name)
		}
		assert.Equal(t, test.want, matched(direct), name)

		_, throughClient := (&http.Client{Transport: test.transport}).Do(newRequest(t, "GET", errorsURL, ""))
		assert.Equal(t, test.want, matched(throughClient), "%s, through a client", name)
	}
}

// Rule 18.
func TestACredentialErrorSaysWhatWasNotSentAndWhy(t *testing.T) {
	down := errors.New("backend is down")
	source := routeauth.TokenSourceFunc(func(context.Context, routeauth.Params) (string, error) {
		return "", fmt.Errorf("asking: %w", down)
	})
	to := &base{}
	transport, err := routeauth.NewJWTTransport(source, to)
	require.NoError(t, err)
	body := newTrackedBody("{}")
	req := newRequest(t, "POST", "https://user:password@api.example.com/v1/a%2Fb?access=granted#fragment", "")
	req.Body = body

	_, err = (&http.Client{Transport: transport}).Do(req)
	var credential *routeauth.CredentialError
	require.ErrorAs(t, err, &credential)
	assert.Equal(t, routeauth.SchemeJWT, credential.Scheme)
	assert.Equal(t, "POST", credential.Method)
	assert.Equal(t, "https://api.example.com/v1/a%2Fb", credential.URL)
	assert.EqualError(t, credential.Err, "asking: backend is down")
	assert.Equal(t, credential.Err, errors.Unwrap(credential))
	assert.ErrorIs(t, err, down)
	assert.EqualError(t, credential,
		"routeauth: POST https://api.example.com/v1/a%2Fb: not sent, no jwt credential: asking: backend is down")
	assert.Empty(t, to.sent(), "requests that reached the base")
	assert.Equal(t, 1, body.closes())
}

func TestTheTextOfACredentialErrorWithoutScheme(t *testing.T) {
	e := &routeauth.CredentialError{Method: "GET", URL: "https://api.example.com/x", Err: io.EOF}
	assert.EqualError(t, e, "routeauth: GET https://api.example.com/x: not sent, no credential: EOF")
	assert.False(t, e.Temporary())
}

// sourceVerdict is a source's error with an opinion on whether it will last.
type sourceVerdict bool

func (sourceVerdict) Error() string     { return "the backend refused" }
func (v sourceVerdict) Temporary() bool { return bool(v) }

var errGaveUp = errors.New("the user gave up")

// Rule 18.
func TestACredentialErrorIsTemporaryWhereTheSourceFailedAndDidNotSayOtherwise(t *testing.T) {
	fails := func(err error) routeauth.TokenSource {
		return routeauth.TokenSourceFunc(func(context.Context, routeauth.Params) (string, error) { return "", err })
	}
	// endsWith ends the request's context, and then fails with what that says.
	endsWith := func(reason func(ctx context.Context) error) routeauth.TokenSource {
		return routeauth.TokenSourceFunc(func(ctx context.Context, _ routeauth.Params) (string, error) {
			ctx.Value(cancelKey{}).(context.CancelCauseFunc)(errGaveUp)
			return "", reason(ctx)
		})
	}
	params := func(err error) routeauth.JWTOption {
		return routeauth.WithParams(func(*http.Request) (routeauth.Params, error) { return nil, err })
	}
	for name, test := range map[string]struct {
		source routeauth.TokenSource
		opts   []routeauth.JWTOption
		want   bool
	}{
		"an error":                                   {fails(io.ErrUnexpectedEOF), nil, true},
		"one that says temporary":                    {fails(sourceVerdict(true)), nil, true},
		"one that says permanent":                    {fails(sourceVerdict(false)), nil, false},
		"one that wraps a permanent one":             {fails(fmt.Errorf("asking: %w", sourceVerdict(false))), nil, false},
		"one that joins a permanent one":             {fails(errors.Join(io.EOF, sourceVerdict(false))), nil, false},
		"somebody else's context":                    {fails(context.Canceled), nil, true},
		"somebody else's deadline":                   {fails(context.DeadlineExceeded), nil, true},
		"the request's context":                      {endsWith(context.Context.Err), nil, false},
		"the request's context, wrapped":             {endsWith(func(ctx context.Context) error { return fmt.Errorf("asking: %w", ctx.Err()) }), nil, false},
		"the cause of the request's context":         {endsWith(context.Cause), nil, false},
		"another error while the request was ending": {endsWith(func(context.Context) error { return io.ErrUnexpectedEOF }), nil, true},
		"an empty token":                             {handsOut(""), nil, false},
		"an ill-formed token":                        {handsOut("a\nb"), nil, false},
		"the placeholder":                            {handsOut("REDACTED"), nil, false},
		"params":                                     {handsOut("abc"), []routeauth.JWTOption{params(io.ErrUnexpectedEOF)}, false},
		"params that say temporary":                  {handsOut("abc"), []routeauth.JWTOption{params(sourceVerdict(true))}, false},
	} {
		for _, cached := range []bool{false, true} {
			source := test.source
			if cached && strings.Contains(name, "the request") {
				continue // a fetch does not end with the request's context
			}
			if cached {
				cache, err := routeauth.NewTokenCache(source)
				require.NoError(t, err)
				source = cache
			}
			to := &base{}
			transport, err := routeauth.NewJWTTransport(source, to, test.opts...)
			require.NoError(t, err)
			ctx, cancel := context.WithCancelCause(t.Context())
			ctx = context.WithValue(ctx, cancelKey{}, cancel)
			_, err = transport.RoundTrip(newRequest(t, "GET", errorsURL, "").WithContext(ctx))
			cancel(nil)

			var credential *routeauth.CredentialError
			require.ErrorAs(t, err, &credential, name)
			assert.Equal(t, test.want, credential.Temporary(), "%s, cached: %t", name, cached)
			assert.Empty(t, to.sent(), name)
		}
	}
}

type cancelKey struct{}

// Rules 17 and 18: what the source handed out is not shown.
func TestACredentialErrorDoesNotShowAnIllFormedToken(t *testing.T) {
	for _, c := range carriersOf("eyJhbGciOi\x7fJIUzI1NiJ9") {
		if c.scheme != routeauth.SchemeJWT {
			continue
		}
		transport, err := c.over(&base{})
		require.NoError(t, err)
		_, err = transport.RoundTrip(newRequest(t, "GET", errorsURL, ""))
		var credential *routeauth.CredentialError
		require.ErrorAs(t, err, &credential)
		for _, verb := range []string{"%v", "%+v", "%#v", "%q"} {
			assert.NotContains(t, cmp.Or(fmt.Sprintf(verb, err), "?"), "eyJhbGci", c.name)
		}
		assert.Regexp(t, `byte 0x7f at offset 10\b`, err.Error())
	}
}
