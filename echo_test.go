package routeauth_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"example.com/routeauth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

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
	"JSON in JSON":             func(key string) string { return jsonText(jsonText(key, true), true) },
	`JSON, \\u twice`:          func(key string) string { return eachUnit(key, `\\u%04X`) },
	`JSON with \/ in JSON`:     func(key string) string { return jsonText(strings.ReplaceAll(key, "/", `\/`), false) },
	"URL twice":                func(key string) string { return strings.ReplaceAll(eachByte(key, "%%%02X"), "%", "%25") },
	"JSON in URL":              func(key string) string { return eachByte(eachUnit(key, `\u%04x`), "%%%02x") },
	"URL in JSON":              func(key string) string { return jsonText(url.QueryEscape(key), true) },
	"HTML":                     html.EscapeString,
	"HTML, decimal":            func(key string) string { return eachUnit(key, "&#%d;") },
	"HTML, hexadecimal":        func(key string) string { return eachUnit(key, "&#x%X;") },
	"HTML, no semicolon":       func(key string) string { return eachUnit(key, "&#%d") },
	"URL, %u":                  func(key string) string { return eachUnit(key, "%%u%04x") },
	"HTML in JSON":             func(key string) string { return jsonText(html.EscapeString(key), true) },
	"HTML twice":               func(key string) string { return html.EscapeString(eachUnit(key, "&#%d;")) },
	"%q":                       strconv.Quote,
	"%+q, in JSON":             func(key string) string { return jsonText(strconv.QuoteToASCII(key), false) },
	"%q, long":                 func(key string) string { return eachUnit(key, `\U%08x`) },
	"%q, bytes":                func(key string) string { return eachByte(key, `\x%02x`) },
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
	`"quo"ted`,
	`back\slash`,
	`two\\back\\\slashes\`,
	`a%25b%5Cc%2Fd`,
	`a\u005cb\u0025c`,
	`\u0041\/\"%41`,
	`%%%25%25%25`,
	`<b>&amp;'x'</b>`,
	`ababababababc`,
	"eyJhbGciOiJIUzI1NiJ9.eyJqdGkiOiIxIn0.c2lnbmF0dXJl",
	strings.Repeat(`\`, 40) + "x",
}

// Rule 26, in the body and in Detail, which is decoded out of it.
func TestAnEchoInTheBodyIsHidden(t *testing.T) {
	t.Parallel()
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

// Rule 26: a long key takes long to look for, so it is not tried in every form.
func TestAnEchoOfALongKeyIsHidden(t *testing.T) {
	t.Parallel()
	for _, key := range []string{strings.Repeat("0123456789abcdef", 100), strings.Repeat(`\`, 300) + "x"} {
		for _, form := range []string{"plain", "JSON", "URL, lower case hex", "HTML, decimal", "%q", "twice"} {
			echo := echoForms[form](key)
			e := keyRejection(t, key, func(resp *http.Response) {
				resp.Header = http.Header{"X-Request-Id": {"id-" + echo}}
				withBody("You sent " + echo + ", which we do not know.")(resp)
			})
			assertHides(t, e, key)
			assert.Contains(t, string(e.Body), "REDACTED", form)
			assert.Contains(t, e.RequestID, "REDACTED", form)
		}
	}
}

// Rule 26: where an echo can be read in more than one way, all that one of them
// takes is hidden.
func TestAnEchoIsHiddenWhereverItMayBegin(t *testing.T) {
	for _, c := range []struct{ key, body, want string }{
		{`\\key`, `<\\\\key>`, "<REDACTED>"}, // escaped, or plain behind two
		{`\\key`, `<\\\key>`, "<REDACTED>"},
		{`key\`, `<key\\>`, "<REDACTED>"},
		{"%25key", "<%2525key>", "<REDACTED>"},
		{"aba", "<ababa>", "<REDACTED>"},
		{"aba", "<abaaba>", "<REDACTEDREDACTED>"},
	} {
		e := keyRejection(t, c.key, withBody(c.body))
		assert.Equal(t, c.want, string(e.Body), "%s in %s", c.key, c.body)
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
	t.Parallel()
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

// Rule 26: the second ends anywhere in an echo. Three characters may be chance,
// four count as the credential's beginning.
func TestABodyThatStopsInsideAnEchoShowsNoBeginningOfIt(t *testing.T) {
	const key = `sk"live\4f9c/1e`
	for _, form := range []string{
		"plain", "JSON", "JSON, upper case hex", "URL, lower case hex", "JSON in JSON", `JSON, \\u twice`, "URL twice", "URL in JSON", "JSON in URL",
		"HTML", "HTML, decimal", "HTML, hexadecimal", "HTML in JSON", "URL, %u", "%q, long", "%q, bytes",
	} {
		require.Contains(t, echoForms, form)
		echo := echoForms[form](key)
		fourth := len(echoForms[form](key[:4]))
		if strings.HasPrefix(form, "HTML, ") {
			fourth-- // the semicolon may be missing
		}
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
	key := "sk-" + strings.Repeat("0123456789abcdef", 150) // 64 KiB are no multiple of it
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
	t.Parallel()
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
		"Digest a=bcd, e=fg": {"Digest a=bcd, e=fg", "a=bcd, e=fg", "a=bcd,%20e=fg", "a%3Dbcd%2C+e%3Dfg"},
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
			unauthorized, ok := err.(*routeauth.UnauthorizedError)
			require.True(t, ok, "%T, whose fields %%+v would not show", err)
			assertHides(t, unauthorized, inner)
			assertHides(t, unauthorized, outer)
			assert.Equal(t, in.scheme, unauthorized.Scheme)
			assert.Equal(t, "REDACTED,REDACTED", unauthorized.Detail)
			assert.NotContains(t, string(unauthorized.Body), outer[:4])
		}
	}
}

// Rule 26: what the wrapper below kept may end inside the credential of the
// wrapper above, where a text was cut off or broke off.
func TestAWrapperAboveHidesTheBeginningOfItsCredential(t *testing.T) {
	const outer = "zq17-0123456789abcdef"
	rejected := func(body io.Reader) *routeauth.UnauthorizedError {
		below, err := routeauth.NewAPIKeyTransport("below", denying(func(resp *http.Response) { resp.Body = io.NopCloser(body) }))
		require.NoError(t, err)
		above, err := routeauth.NewHeaderTransport("gateway", "X-Gateway", outer, below)
		require.NoError(t, err)
		_, err = above.RoundTrip(newRequest(t, "GET", errorsURL, ""))
		var unauthorized *routeauth.UnauthorizedError
		require.ErrorAs(t, err, &unauthorized)
		return unauthorized
	}
	limit := rejected(strings.NewReader(`{"detail": "` + strings.Repeat(".", 4096-18) + outer + `"}`))
	assert.Equal(t, "REDACTED", strings.TrimLeft(limit.Detail, "."), "Detail, cut off at its limit")

	broken := rejected(io.MultiReader(strings.NewReader("no "+outer[:18]), iotest.ErrReader(io.ErrUnexpectedEOF)))
	assert.Equal(t, "no REDACTED", string(broken.Body), "a body that broke off")
}

// Rules 2 and 26: a rejection below that has nothing to hide changes nothing.
func TestAnErrorAroundARejectionThatHidesNothingIsTheBasesOwn(t *testing.T) {
	for name, below := range map[string]*routeauth.UnauthorizedError{
		"nothing": {},
		"no body": {Header: http.Header{"Content-Encoding": {"gzip"}}},
		"whole":   {Header: http.Header{"X-Request-Id": {"1"}}, Body: []byte("no"), Detail: "no", RequestID: "1"},
		"nil":     nil,
	} {
		own := &silentError{below}
		above, err := routeauth.NewAPIKeyTransport("abcdef", roundTripFunc(func(*http.Request) (*http.Response, error) { return nil, own }))
		require.NoError(t, err)
		_, err = above.RoundTrip(newRequest(t, "GET", errorsURL, ""))
		assert.Same(t, own, err, name)
	}

	// One without a body has none above either.
	below, err := routeauth.NewAPIKeyTransport("abcdef", denying(func(resp *http.Response) {
		resp.Header.Set("Content-Encoding", "gzip")
	}))
	require.NoError(t, err)
	above, err := routeauth.NewHeaderTransport("gateway", "X-Gateway", "ghijkl", below)
	require.NoError(t, err)
	_, err = above.RoundTrip(newRequest(t, "GET", errorsURL, ""))
	var unauthorized *routeauth.UnauthorizedError
	require.ErrorAs(t, err, &unauthorized)
	assert.Nil(t, unauthorized.Body)
}

// Rule 26: what stands between two wrappers may wrap the rejection, as
// go-retryablehttp does, or join it with another error.
func TestAWrappedRejectionHidesBothCredentials(t *testing.T) {
	const inner, outer = "inner/credential", "outer/credential"
	for how, wrap := range map[string]func(error) error{
		"as it is": func(err error) error { return err },
		"wrapped":  func(err error) error { return fmt.Errorf("giving up: %w", err) },
		"joined":   func(err error) error { return errors.Join(io.ErrUnexpectedEOF, err) },
		"url":      func(err error) error { return &url.Error{Op: "Get", URL: errorsURL, Err: err} },
		"silent":   func(err error) error { return &silentError{err} },
	} {
		for _, echoed := range []string{outer, "nothing"} {
			below, err := routeauth.NewAPIKeyTransport(inner, denying(func(resp *http.Response) {
				resp.Header.Set("X-Echo", echoed+","+inner)
				resp.Body = io.NopCloser(strings.NewReader(`{"detail": "no ` + echoed + `"}`))
			}))
			require.NoError(t, err)
			stack, err := routeauth.NewHeaderTransport("gateway", "X-Gateway", outer, roundTripFunc(func(req *http.Request) (*http.Response, error) {
				_, err := below.RoundTrip(req)
				return nil, wrap(err)
			}))
			require.NoError(t, err)
			_, err = stack.RoundTrip(newRequest(t, "GET", errorsURL, ""))

			var unauthorized *routeauth.UnauthorizedError
			require.ErrorAs(t, err, &unauthorized, how)
			assert.ErrorIs(t, err, routeauth.ErrUnauthorized, how)
			for _, secret := range []string{inner, outer} {
				assertHides(t, unauthorized, secret)
				assert.NotContains(t, err.Error(), secret, how)
			}
			assert.Equal(t, routeauth.SchemeAPIKey, unauthorized.Scheme)
			assert.Contains(t, unauthorized.Detail, "no ", how)
			if how == "joined" {
				assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
			}
			if how == "silent" && echoed == "nothing" {
				assert.IsType(t, &silentError{}, err, "rule 2: it is the base's own")
			}
		}
	}
}

// silentError has a text of its own.
type silentError struct{ error }

func (*silentError) Error() string   { return "it failed" }
func (e *silentError) Unwrap() error { return e.error }

// Rules 24 and 26: the server has seen both tokens.
func TestBothTokensOfARequestThatWasSentTwiceAreHidden(t *testing.T) {
	var tokens []string
	cache, err := routeauth.NewTokenCache(tokenFunc(func(context.Context, routeauth.Params) (string, error) {
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
		if strings.Contains(strings.ToLower(name), strings.ToLower(secret)) {
			t.Errorf("%q is in the name %q", secret, name)
		}
		places["Header "+name] = strings.Join(values, "\n")
	}
	for place, text := range places { // many times: no assertion library
		for form, text := range unescapings(text) {
			if strings.Contains(text, secret) {
				t.Errorf("%q is in %s, %s: %q", secret, place, form, text)
			}
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

// Rule 26: net/http quotes values that are not ASCII with Go's %q.
func TestAnEchoThatGoQuotesIsHidden(t *testing.T) {
	for _, value := range []string{"caf\xe9-key", "tag \U000e0001-key", "na\u00efve-key", "zero\u200bwidth-key"} {
		transport, err := routeauth.NewHeaderTransport("gateway", "x-gateway", routeauth.Secret(value),
			roundTripFunc(func(req *http.Request) (*http.Response, error) {
				return nil, fmt.Errorf("malformed HTTP response %q, in full %+q", req.Header.Get("x-gateway"), req.Header.Get("x-gateway"))
			}))
		require.NoError(t, err)
		_, err = transport.RoundTrip(newRequest(t, "GET", errorsURL, ""))
		assert.EqualError(t, err, `malformed HTTP response "REDACTED", in full "REDACTED"`)
	}
}

// Rule 26: what takes too long to search is hidden whole. The work is bounded,
// not the time, so the same text is always treated the same way.
func TestATextThatTakesTooLongToSearchIsHiddenWhole(t *testing.T) {
	t.Parallel()
	aKiB := strings.Repeat("a", 1<<10)
	for name, test := range map[string]struct{ key, body, want string }{
		"many beginnings, and escapes":    {aKiB, "%41" + strings.Repeat("a", 60<<10), "REDACTED"},
		"many beginnings, and no escapes": {aKiB, "<" + strings.Repeat("a", 60<<10) + ">", "<REDACTED>"},
		"many escapes":                    {strings.Repeat(`\`, 2<<10), strings.Repeat(`\`, 60<<10), "REDACTED"},
		"escapes that are none":           {apiKey, strings.Repeat(`\u0`, 10<<10), strings.Repeat(`\u0`, 2<<10)[:4<<10]},
	} {
		for range 2 {
			e := keyRejection(t, test.key, withBody(test.body))
			assert.True(t, test.want == string(e.Body), "%s: %.100q", name, e.Body)
		}
	}
}
