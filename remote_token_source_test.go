package routeauth_test

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"math"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/textproto"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/routeauth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// backend is an app's own backend over a real connection.
func backend(t testing.TB, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

// answering is a backend that always gives the same answer.
func answering(t testing.TB, status int, body string) *httptest.Server {
	return backend(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

// answersWith returns a client that always gets the same answer, without a
// connection.
func answersWith(status int, body string) *http.Client {
	return &http.Client{Transport: roundTripFunc(func(req *http.Request) (*http.Response, error) {
		return answer(req, status, body), nil
	})}
}

func newRemote(t testing.TB, endpoint string, client *http.Client) *routeauth.RemoteTokenSource {
	t.Helper()
	source, err := routeauth.NewRemoteTokenSource(endpoint, client)
	require.NoError(t, err)
	return source
}

// isTemporary tells what a caller learns of a source's error.
func isTemporary(t testing.TB, err error) bool {
	t.Helper()
	return credentialErrorOf(t, credentialError(t, err)).Temporary()
}

// Rule 30: one POST with the params as a JSON object.
func TestARemoteSourcePostsTheParams(t *testing.T) {
	tests := []struct {
		params routeauth.Params
		want   string
	}{
		{nil, `{}`},
		{routeauth.Params{}, `{}`},
		{routeauth.Params{"sku": "1", "user": "u2"}, `{"sku":"1","user":"u2"}`},
		{routeauth.Params{"a\"b": "<é\n&\u2028>", "empty": ""}, `{"a\"b":"<é\n&\u2028>","empty":""}`},
	}
	for _, test := range tests {
		calls := 0
		server := backend(t, func(w http.ResponseWriter, req *http.Request) {
			calls++
			body, err := io.ReadAll(req.Body)
			assert.NoError(t, err)
			assert.JSONEq(t, test.want, string(body))
			assert.EqualValues(t, len(body), req.ContentLength)
			assert.Equal(t, http.MethodPost, req.Method)
			assert.Equal(t, "/jwt?app=1", req.RequestURI)
			assert.Equal(t, "application/json", req.Header.Get("Content-Type"))
			assert.Equal(t, "application/json", req.Header.Get("Accept"))
			_, _ = io.WriteString(w, `{"type":"jwt","token":"abc"}`)
		})
		token, err := text(newRemote(t, server.URL+"/jwt?app=1", nil).Token(t.Context(), test.params))
		require.NoError(t, err)
		assert.Equal(t, "abc", token)
		assert.Equal(t, 1, calls)
	}
}

// Rule 30: what counts as a token, and how long it lives.
func TestARemoteSourceUnderstandsTheAnswer(t *testing.T) {
	large := `{"type":"jwt","token":"abc","rest":"` + strings.Repeat("x", 60<<10) + `"}`
	for body, life := range map[string]time.Duration{
		// As package issuer answers.
		`{"type":"jwt","token":"abc"}`:                             0,
		"\n {\"token\": \"abc\", \"type\": \"jwt\"}\r\n":           0,
		`{"token":"abc"}`:                                          0,
		`{"type":"JWT","token":"abc","expires_in":60}`:             time.Minute,
		`{"type":"jwt","token":"\u0061bc","nested":{"token":"x"}}`: 0,
		large: 0,
		// RFC 6749, section 5.1.
		`{"access_token":"abc","token_type":"Bearer","expires_in":3600,"refresh_token":"r","scope":"s"}`: time.Hour,
		`{"access_token":"abc","token_type":"bearer","expires_in":3600}`:                                 time.Hour,
		`{"access_token":"abc","token_type":"BEARER"}`:                                                   0,
		`{"access_token":"abc","expires_in":null}`:                                                       0,
		`{"access_token":"abc","token_type":"Bearer","type":"opaque"}`:                                   0,
		// Seconds as many a server writes them.
		`{"access_token":"abc","expires_in":"3600"}`:               time.Hour,
		`{"access_token":"abc","expires_in":3599.5}`:               time.Hour - time.Second/2,
		`{"access_token":"abc","expires_in":3.6e3}`:                time.Hour,
		`{"access_token":"abc","expires_in":1e400}`:                math.MaxInt64,
		`{"access_token":"abc","expires_in":99999999999999999999}`: math.MaxInt64,
		// Both names, as a registry of containers answers.
		`{"token":"abc","access_token":"abc","expires_in":300}`: 5 * time.Minute,
	} {
		synctest.Test(t, func(t *testing.T) {
			client := &http.Client{Transport: roundTripFunc(func(req *http.Request) (*http.Response, error) {
				<-time.After(time.Second) // the life of a token is counted from before
				return answer(req, http.StatusOK, body), nil
			})}
			began := time.Now()
			token, err := newRemote(t, "https://backend.example.com", client).Token(t.Context(), nil)
			assert.NoError(t, err, "%.100s", body)
			assert.Equal(t, routeauth.Secret("abc"), token.Value)
			want := time.Time{}
			if life > 0 {
				want = began.Add(life)
			}
			assert.True(t, want.Equal(token.Expiry), "%.100s: %v", body, token.Expiry)
		})
	}
}

// Rule 30: a 200 without a token is an EndpointError that says 200.
func TestA200WithoutATokenIsAnEndpointError(t *testing.T) {
	endless := `{"type":"jwt","token":"hunter2","rest":"` + strings.Repeat("x", 64<<10) + `"}`
	for body, want := range map[string]string{
		"":                                      "the answer is empty",
		"hunter2":                               "not a JSON object",
		`"hunter2"`:                             "not a JSON object",
		`["hunter2"]`:                           "not a JSON object",
		`{"type":"jwt","token":"hunter2"`:       "not a JSON object",
		`{"token":"hunter2"}{"token":"hunter"}`: "not a JSON object",
		`{"token":["hunter2"]}`:                 "not a JSON object",
		`{"type":1,"token":"hunter2"}`:          "not a JSON object",
		`{"token":123}`:                         "not a JSON object",
		`{"access_token":123}`:                  "not a JSON object",
		`<html>hunter2</html>`:                  "not a JSON object",
		`null`:                                  `no "token" or "access_token"`,
		`{}`:                                    `no "token" or "access_token"`,
		`{"type":"jwt","token":""}`:             `no "token" or "access_token"`,
		`{"type":"jwt","token":null}`:           `no "token" or "access_token"`,
		`{"access_token":""}`:                   `no "token" or "access_token"`,
		`{"type":"jwt","jwt":"hunter2"}`:        `no "token" or "access_token"`,
		`{"type":"opaque","token":"hunter2"}`:   `"type" is not "jwt"`,
		`{"access_token":"hunter2","token_type":"mac"}`:         `"token_type" is not "Bearer"`,
		`{"access_token":"hunter2","token_type":"DPoP"}`:        `"token_type" is not "Bearer"`,
		`{"token":"hunter2","token_type":"N_A"}`:                `"token_type" is not "Bearer"`,
		`{"access_token":"hunter2","token":"hunter3"}`:          `are two tokens`,
		`{"access_token":"hunter2","expires_in":"soon"}`:        `"expires_in" is not a number of seconds`,
		`{"access_token":"hunter2","expires_in":{"seconds":1}}`: `"expires_in" is not a number of seconds`,
		endless: "larger than 65536 bytes",
	} {
		const backend = "https://backend.example.com/jwt"
		token, err := newRemote(t, backend, answersWith(http.StatusOK, body)).Token(t.Context(), nil)
		assert.Empty(t, token)
		assert.ErrorContains(t, err, "token endpoint "+backend+": 200 OK: ", "%.100s", body)
		assert.ErrorContains(t, err, want, "%.100s", body)
		assert.NotContains(t, err.Error(), "hunter")
		assert.Equal(t, &routeauth.EndpointError{Endpoint: backend, StatusCode: 200}, endpointErrorOf(t, err))
		assert.True(t, isTemporary(t, err), "%.100s", body)
	}

	// There are servers that answer 200 and say in the body that it is an error.
	server := answering(t, http.StatusOK, `{"error":"bad_verification_code","error_description":"It has expired."}`)
	_, err := newRemote(t, server.URL, nil).Token(t.Context(), nil)
	assert.Equal(t, "bad_verification_code: It has expired.", endpointErrorOf(t, err).Detail)
	assert.ErrorContains(t, err, `bad_verification_code: It has expired.: the answer has no "token"`)
}

// endpointErrorOf returns the EndpointError in err.
func endpointErrorOf(t testing.TB, err error) *routeauth.EndpointError {
	t.Helper()
	var answered *routeauth.EndpointError
	require.ErrorAs(t, err, &answered)
	return answered
}

// Rule 30: a refusal is permanent where JSON says why, but for the statuses that
// ask for patience or for a new session. What is not JSON may be a gateway's.
func TestARemoteSourceTellsRefusalsFromFailures(t *testing.T) {
	for status, temporary := range map[int]bool{
		400: false, 401: true, 403: false, 404: false, 405: false, 408: true, 409: false, 410: false, 413: false,
		415: false, 422: false, 425: true, 429: true, 451: false, 499: false,
		500: true, 501: true, 502: true, 503: true, 504: true, 599: true,
	} {
		for body, detail := range map[string]string{
			"":                    "",
			"<html>denied</html>": "",
			`"denied"`:            "",
			`["denied"]`:          "",
			`{}`:                  "",
			`{"detail":""}`:       "",
			`{"token":"hunter2"}`: "",
			`{"detail":"not this`: "",
			`{"detail":"denied","rest":"` + strings.Repeat("x", 64<<10) + `"}`: "",

			`{"detail":"not this user"}`:                             "not this user",
			`{"detail":[{"msg":"not this user"}]}`:                   "not this user",
			`{"message":"not\nthis user "}`:                          "not this user",
			`{"error":"denied","error_description":"not this user"}`: "denied: not this user",
			`{"error":"invalid_grant"}`:                              "invalid_grant",
			`{"title":"not this user","status":403}`:                 "not this user",
			`{"detail":"` + strings.Repeat("é", 1000) + `"}`:         strings.Repeat("é", 128),
			`{"detail":"x` + strings.Repeat("é", 1000) + `"}`:        "x" + strings.Repeat("é", 127),
		} {
			const backend = "https://backend.example.com"
			token, err := newRemote(t, backend, answersWith(status, body)).Token(t.Context(), nil)
			assert.Empty(t, token)
			want := &routeauth.EndpointError{Endpoint: backend, StatusCode: status, Detail: detail}
			require.EqualError(t, err, want.Error())
			assert.Equal(t, want, endpointErrorOf(t, err))
			assert.Equal(t, temporary || detail == "", isTemporary(t, err), "%d %.100s", status, body)
		}
	}
}

// Rule 30: a token counts only in an answer of 200.
func TestARemoteSourceTakesATokenFromA200Only(t *testing.T) {
	for _, status := range []int{201, 202, 203, 206, 300, 400, 500} {
		token, err := text(newRemote(t, answering(t, status, `{"type":"jwt","token":"hunter2"}`).URL, nil).Token(t.Context(), nil))
		assert.Empty(t, token)
		assert.Error(t, err, "%d", status)
		assert.NotContains(t, err.Error(), "hunter2")
	}
	server := backend(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	_, err := newRemote(t, server.URL, nil).Token(t.Context(), nil)
	assert.ErrorContains(t, err, "204 No Content")
}

// Rules 18 and 30: what a JWTTransport makes of the answers.
func TestARefusalOfTheBackendIsPermanent(t *testing.T) {
	const says = `{"detail":"no"}`
	for _, test := range []struct {
		status    int
		body      string
		temporary bool
	}{{403, says, false}, {403, "<html>", true}, {401, says, true}, {429, says, true}, {503, says, true}} {
		b := &base{}
		transport := newJWTTransport(t, newCache(t, newRemote(t, answering(t, test.status, test.body).URL, nil)), b)
		_, err := transport.RoundTrip(newRequest(t, http.MethodPost, endpoint, "body"))
		assert.Equal(t, test.temporary, credentialErrorOf(t, err).Temporary(), "%d %s", test.status, test.body)
		assert.Equal(t, test.status, endpointErrorOf(t, err).StatusCode)
		assert.Empty(t, b.sent())
	}
	transport := newJWTTransport(t, newRemote(t, answering(t, 200, `{"token":"two words"}`).URL, nil), &base{})
	_, err := transport.RoundTrip(newRequest(t, http.MethodPost, endpoint, "body"))
	assert.False(t, credentialErrorOf(t, err).Temporary(), "an ill-formed token")
	assert.ErrorContains(t, err, "byte 0x20 at offset 3")
}

// An answer that does not end is cut off, whatever its status.
func TestARemoteSourceReadsNoEndlessAnswer(t *testing.T) {
	for _, status := range []int{200, 403, 500} {
		gone := make(chan struct{})
		server := backend(t, func(w http.ResponseWriter, _ *http.Request) {
			defer close(gone)
			w.WriteHeader(status)
			for chunk := strings.Repeat(" ", 32<<10); ; {
				if _, err := io.WriteString(w, chunk); err != nil {
					return
				}
			}
		})
		_, err := newRemote(t, server.URL, nil).Token(t.Context(), nil)
		assert.ErrorContains(t, err, http.StatusText(status))
		<-gone
	}
}

// The answer's body is closed, whatever it says and whether it is read to its
// end or not.
func TestARemoteSourceClosesTheAnswer(t *testing.T) {
	for status, text := range map[int]string{
		200: `{"token":"abc"}`, 201: "", 202: strings.Repeat(" ", 1<<20), 302: "", 403: `{"detail":"no"}`, 500: "",
	} {
		body := newTrackedBody(text)
		client := &http.Client{Transport: roundTripFunc(func(req *http.Request) (*http.Response, error) {
			resp := answer(req, status, "")
			resp.Body = body
			return resp, nil
		})}
		_, _ = newRemote(t, "https://backend.example.com", client).Token(t.Context(), nil)
		assert.Equal(t, 1, body.closes(), "%d", status)
	}
}

// An answer that breaks off is no answer, also where what came is a whole one.
func TestARemoteSourceTakesNoHalfAnswer(t *testing.T) {
	server := backend(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, `{"type":"jwt","token":"hunter2"}`)
	})
	token, err := text(newRemote(t, server.URL, nil).Token(t.Context(), nil))
	assert.Empty(t, token)
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.ErrorContains(t, err, ": 200 OK: reading the answer: unexpected EOF")
	assert.Equal(t, &routeauth.EndpointError{Endpoint: server.URL, StatusCode: 200}, endpointErrorOf(t, err))
	assert.True(t, isTemporary(t, err))

	refusing := backend(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"detail":"no"}`)
	})
	_, err = newRemote(t, refusing.URL, nil).Token(t.Context(), nil)
	assert.Equal(t, 403, endpointErrorOf(t, err).StatusCode)
	assert.True(t, isTemporary(t, err), "who refused for good said so to the end")
}

// The request's context governs the call, before the answer and within it.
func TestTheContextGovernsARemoteSource(t *testing.T) {
	for name, begin := range map[string]func(w http.ResponseWriter){
		"before the answer": func(http.ResponseWriter) {},
		"within the answer": func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, `{"type":"jwt",`)
			_ = http.NewResponseController(w).Flush()
		},
	} {
		t.Run(name, func(t *testing.T) {
			asked := make(chan struct{})
			server := backend(t, func(w http.ResponseWriter, req *http.Request) {
				_, _ = io.Copy(io.Discard, req.Body) // or its end is not noticed
				begin(w)
				close(asked)
				<-req.Context().Done()
			})
			ctx, cancel := context.WithCancel(t.Context())
			got := ask(ctx, newRemote(t, server.URL, nil), nil)
			<-asked
			cancel()
			assert.ErrorIs(t, (<-got).err, context.Canceled)

			transport := newJWTTransport(t, newRemote(t, server.URL, nil), &base{})
			_, err := transport.RoundTrip(newRequest(t, http.MethodGet, endpoint, "").WithContext(ctx))
			assert.False(t, credentialErrorOf(t, err).Temporary())
		})
	}
	var none context.Context
	_, err := newRemote(t, "https://backend.example.com", nil).Token(none, nil)
	assert.Error(t, err, "and no panic")
}

// setDefaultTransport replaces http.DefaultTransport for a test.
func setDefaultTransport(t *testing.T, transport http.RoundTripper) {
	before := http.DefaultTransport
	http.DefaultTransport = transport
	t.Cleanup(func() { http.DefaultTransport = before })
}

// hanging answers nothing.
var hanging = roundTripFunc(func(req *http.Request) (*http.Response, error) {
	<-req.Context().Done()
	return nil, req.Context().Err()
})

// A nil client gives up after 10 seconds; a client of the caller's after the
// time that the caller set.
func TestARemoteSourceWithoutAClientHasATimeout(t *testing.T) {
	setDefaultTransport(t, hanging)
	for want, client := range map[time.Duration]*http.Client{
		10 * time.Second: nil,
		3 * time.Second:  {Timeout: 3 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			_, err := newRemote(t, "https://backend.example.com", client).Token(t.Context(), nil)
			assert.ErrorContains(t, err, "token endpoint https://backend.example.com: ")
			assert.Equal(t, want, time.Since(began))
			assert.True(t, isTemporary(t, err))
		})
	}
}

// A redirect is followed where it keeps the method and the origin.
func TestARemoteSourceFollowsRedirectsWithinItsOrigin(t *testing.T) {
	for _, status := range []int{http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		server := backend(t, func(w http.ResponseWriter, req *http.Request) {
			body, _ := io.ReadAll(req.Body)
			assert.JSONEq(t, `{"sku":"1"}`, string(body))
			assert.Equal(t, http.MethodPost, req.Method)
			if req.URL.Path == "/old" {
				http.Redirect(w, req, "/new", status)
				return
			}
			_, _ = io.WriteString(w, `{"token":"abc"}`)
		})
		token, err := text(newRemote(t, server.URL+"/old", nil).Token(t.Context(), routeauth.Params{"sku": "1"}))
		assert.NoError(t, err)
		assert.Equal(t, "abc", token)
	}
}

// Every other redirect is an error, and nobody is asked at its end.
func TestARemoteSourceFollowsNoOtherRedirect(t *testing.T) {
	var elsewhereAsked atomic.Int32
	elsewhere := backend(t, func(w http.ResponseWriter, _ *http.Request) {
		elsewhereAsked.Add(1)
		_, _ = io.WriteString(w, `{"token":"hunter2"}`)
	})
	port := strings.TrimPrefix(elsewhere.URL, "http://127.0.0.1")
	for _, to := range []string{elsewhere.URL, "http://localhost" + port, "https://127.0.0.1" + port, "/new"} {
		for _, status := range []int{301, 302, 303, 307, 308} {
			if to == "/new" && status >= 307 {
				continue
			}
			server := backend(t, func(w http.ResponseWriter, req *http.Request) {
				if req.URL.Path == "/new" {
					t.Errorf("%s /new was asked for", req.Method)
				}
				w.Header().Set("Location", to)
				w.WriteHeader(status)
			})
			for _, client := range []*http.Client{nil, {}} {
				token, err := text(newRemote(t, server.URL+"/old", client).Token(t.Context(), nil))
				assert.Empty(t, token)
				assert.ErrorContains(t, err, fmt.Sprintf("%d %s: the redirect is not followed", status, http.StatusText(status)))
				assert.Equal(t, status, endpointErrorOf(t, err).StatusCode)
			}
		}
	}
	assert.Zero(t, elsewhereAsked.Load())
}

func TestARemoteSourceLeavesACircleOfRedirects(t *testing.T) {
	var calls atomic.Int32
	server := backend(t, func(w http.ResponseWriter, req *http.Request) {
		calls.Add(1)
		http.Redirect(w, req, "/again", http.StatusTemporaryRedirect)
	})
	_, err := newRemote(t, server.URL, nil).Token(t.Context(), nil)
	assert.ErrorContains(t, err, "307")
	assert.EqualValues(t, 11, calls.Load(), "the call and ten redirects")
}

// The caller's client is copied, its own CheckRedirect counts, and nothing of it
// is changed.
func TestARemoteSourceUsesACopyOfTheClient(t *testing.T) {
	server := backend(t, func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/old" {
			http.SetCookie(w, &http.Cookie{Name: "session", Value: "s1"})
			http.Redirect(w, req, "/new", http.StatusSeeOther)
			return
		}
		_, err := req.Cookie("session")
		assert.NoError(t, err)
		_, _ = io.WriteString(w, `{"token":"abc"}`)
	})
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	asked := 0
	client := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { asked++; return nil }}
	source := newRemote(t, server.URL+"/old", client)
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return errors.New("changed later") }
	token, err := text(source.Token(t.Context(), nil))
	assert.NoError(t, err)
	assert.Equal(t, "abc", token)
	assert.Equal(t, 1, asked)

	plain := &http.Client{}
	newRemote(t, server.URL, plain)
	assert.Nil(t, plain.CheckRedirect)
	assert.Nil(t, plain.Transport)
	assert.Zero(t, plain.Timeout)
}

// Rule 12, and what else is no endpoint, all of it at once. No error shows it.
func TestARemoteSourceRefusesWhatIsNoEndpoint(t *testing.T) {
	for endpoint, want := range map[string]string{
		"":                                   "relative",
		"/jwt?key=hunter2":                   "relative",
		"backend.example.com/jwt":            "relative",
		"//user:hunter2@backend.example.com": "relative",
		"ftp://user:hunter2@backend.example.com/":       "neither https nor http",
		"hunter2:8080/jwt":                              "neither https nor http, empty host",
		"https:///jwt?key=hunter2":                      "empty host",
		"https://:443/jwt?key=hunter2":                  "empty host",
		"https://user:hunter2@/jwt":                     "empty host",
		"https:hunter2":                                 "empty host",
		"https://backend.example.com/jwt?key=hunter2#x": "fragment",
		"https://backend.example.com/jwt?key=hunter2#":  "fragment",
		"https://user:hunter2@backend.example.com:x/":   "malformed",
		"https://user:hunter2%zz@backend.example.com/":  "malformed",
		"https://backend.example.com/\x00?key=hunter2":  "malformed",
		" https://backend.example.com/?key=hunter2":     "malformed",
		"http://user:hunter2@backend.example.com/":      "plaintext",
		"http://backend.example.com/?key=hunter2":       "plaintext",
		"http://127.0.0.1.example.com/":                 "plaintext",
		"http://localhost.example.com/":                 "plaintext",
		"http://notlocalhost/":                          "plaintext",
		"http://10.0.0.1/":                              "plaintext",
		"http://0.0.0.0/":                               "plaintext",
		"http://[::]/":                                  "plaintext",
		"http://[2001:db8::1]/":                         "plaintext",
		"http://127.0.0.1@backend.example.com/":         "plaintext",
		"HTTP://backend.example.com/":                   "plaintext",
		"/jwt?key=hunter2#x":                            "relative, fragment",
		"ftp:///jwt?key=hunter2#x":                      "neither https nor http, empty host, fragment",
		"http://:80/jwt?key=hunter2#x":                  "empty host, fragment",
		"http://backend.example.com/?key=hunter2#x":     "fragment, plaintext",
	} {
		source, err := routeauth.NewRemoteTokenSource(endpoint, nil)
		require.Error(t, err, "%q", endpoint)
		assert.Nil(t, source, "%q", endpoint)
		assert.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), "hunter2")
		mistakes := strings.Split(err.Error(), "\n")
		wanted := strings.Split(want, ", ")
		require.Len(t, mistakes, len(wanted), "%q: %v", endpoint, err)
		for i, mistake := range mistakes {
			assert.True(t, strings.HasPrefix(mistake, "routeauth: token endpoint "), mistake)
			assert.Contains(t, mistake, wanted[i], "%q", endpoint)
		}
	}
	for _, endpoint := range []string{
		"https://backend.example.com", "https://backend.example.com:8443/jwt?app=1", "HTTPS://backend.example.com",
		"https://user:password@backend.example.com/", "https://[2001:db8::1]/",
		"http://localhost:8080/jwt", "http://LOCALHOST", "http://127.0.0.1:1", "http://127.1.2.3/", "http://[::1]:8080/",
	} {
		_, err := routeauth.NewRemoteTokenSource(endpoint, nil)
		assert.NoError(t, err, endpoint)
	}
}

// Rule 26: wherever the endpoint could come into an error, it comes without its
// user info and its query.
func TestNoErrorShowsTheEndpointsPasswordOrQuery(t *testing.T) {
	const userInfo, query = "app:hunter2@", "?access_key=hunter3&team=7"
	secretly := func(server *httptest.Server) string {
		return strings.Replace(server.URL, "http://", "http://"+userInfo, 1) + "/jwt" + query
	}
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	hangUp := backend(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if assert.NoError(t, err) {
			_ = conn.Close()
		}
	})
	echo := func(status int, format string) *httptest.Server {
		return backend(t, func(w http.ResponseWriter, req *http.Request) {
			w.WriteHeader(status)
			_, _ = fmt.Fprintf(w, format, req.RequestURI)
		})
	}
	redirect := func(location string) *httptest.Server {
		return backend(t, func(w http.ResponseWriter, req *http.Request) {
			w.Header().Set("Location", location+"?"+req.URL.RawQuery)
			w.WriteHeader(http.StatusTemporaryRedirect)
		})
	}
	failing := func(fail func(req *http.Request) error) *http.Client {
		return &http.Client{Transport: roundTripFunc(func(req *http.Request) (*http.Response, error) {
			closeErr := req.Body.Close()
			return nil, errors.Join(fail(req), closeErr)
		})}
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	tests := map[string]struct {
		endpoint string
		client   *http.Client
		ctx      context.Context
	}{
		"dialing fails":           {secretly(closed), nil, nil},
		"the host is not found":   {"https://" + userInfo + "backend.invalid/jwt" + query, dialingFails(), nil},
		"the connection breaks":   {secretly(hangUp), nil, nil},
		"the context has ended":   {secretly(hangUp), nil, cancelled},
		"a refusal":               {secretly(answering(t, 403, "")), nil, nil},
		"an answer without token": {secretly(answering(t, 200, "{}")), nil, nil},
		"a redirect elsewhere":    {secretly(redirect("https://elsewhere.example.com/")), nil, nil},
		"a malformed redirect":    {secretly(redirect("http://[x")), nil, nil},
		"a redirect refused": {secretly(redirect("/new")), &http.Client{
			CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("no redirects") },
		}, nil},
		"the backend quotes the address": {secretly(echo(404, `{"message": "no route for POST %s"}`)), nil, nil},
		"the backend's words are cut off in the middle of the key": {
			secretly(echo(404, `{"message": "`+strings.Repeat("no route ", 26)+`%s"}`)), nil, nil,
		},
		"the client quotes the address": {secretly(hangUp), failing(func(req *http.Request) error {
			return fmt.Errorf("POST %s giving up after 5 attempts", req.URL)
		}), nil},
		"the client quotes its header": {secretly(hangUp), failing(func(req *http.Request) error {
			user, password, _ := req.BasicAuth()
			return fmt.Errorf("%s %s: cannot send %v", user, password, req.Header)
		}), nil},
		"the backend quotes the key alone": {secretly(answering(t, 403, `{"message": "hunter3 is no key"}`)), nil, nil},
		"the client quotes the value of a query alone": {"https://backend.example.com?pin=hunt", failing(func(*http.Request) error {
			return errors.New("hunt is no key")
		}), nil},
		"the client quotes a short key": {"https://backend.example.com?pin=042", failing(func(req *http.Request) error {
			return fmt.Errorf("POST %s giving up after 5 attempts", req.URL)
		}), nil},
		"the user's name is the key, and the client quotes it": {
			"https://hunter2@backend.example.com", failing(func(req *http.Request) error {
				return fmt.Errorf("POST %s giving up after 5 attempts", req.URL)
			}), nil,
		},
		"the client has a client in it": {secretly(hangUp), failing(func(req *http.Request) error {
			return &url.Error{Op: "Post", URL: req.URL.String(), Err: &url.Error{Op: "Post", URL: req.URL.String(), Err: io.EOF}}
		}), nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			ctx := test.ctx
			if ctx == nil {
				ctx = t.Context()
			}
			source := newRemote(t, test.endpoint, test.client)
			_, err := source.Token(ctx, nil)
			require.Error(t, err)
			transport := newJWTTransport(t, newCache(t, source), &base{})
			_, sendErr := transport.RoundTrip(newRequest(t, http.MethodGet, endpoint, "").WithContext(ctx))
			require.Error(t, sendErr)
			for _, err := range []error{err, sendErr} {
				for ; err != nil; err = errors.Unwrap(err) {
					for _, secret := range []string{"hunt", "aHVudGVy", "YXBwOmh1bnRlcjI", "key=h", "access_key", "team=", "pin=0"} {
						assert.NotContains(t, fmt.Sprintf("%v %+v %#v %q", err, err, err, err), secret)
					}
				}
			}
		})
	}
}

// Rule 26: nor what net/http, JSON and a single line make of the user info.
func TestNoErrorShowsAnotherFormOfTheUserInfo(t *testing.T) {
	header := func(req *http.Request) string { return req.Header.Get("Authorization") }
	password := func(req *http.Request) string { _, password, _ := req.BasicAuth(); return password }
	for name, c := range map[string]struct {
		user  *url.Userinfo
		quote func(req *http.Request) string
		want  string
	}{
		"a user without password, in the header": {url.User("hunter-2"), header, "REDACTED"},
		"base64 that URLs write otherwise":       {url.UserPassword("app", "?>?>?>~~"), header, "REDACTED"},
		"two spaces":                             {url.UserPassword("app", "correct  horse"), password, "REDACTED"},
		"a line's end":                           {url.UserPassword("app", "line1\nline2"), password, "REDACTED"},
		"a line's end, escaped": {
			url.UserPassword("app", "line1\nline2"), func(req *http.Request) string { return strconv.Quote(password(req)) }, `"REDACTED"`,
		},
	} {
		server := backend(t, func(w http.ResponseWriter, req *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			_ = json.NewEncoder(w).Encode(map[string]string{"detail": "<" + c.quote(req) + ">"})
		})
		u, err := url.Parse(server.URL)
		require.NoError(t, err)
		u.User = c.user
		_, err = newRemote(t, u.String(), nil).Token(t.Context(), nil)
		assert.ErrorContains(t, err, "Forbidden: <", name)
		assert.Regexp(t, "<.*"+c.want+">$", err.Error(), name)
		assert.NotRegexp(t, "horse|line2|aHVudG|Pz4/P", err.Error(), name)
	}
}

// shown returns everything that a program can print of an error: in each form,
// with all errors in it.
func shown(err error) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%v %+v %#v %q", err, err, err, err)
	var urlErr *url.Error
	if errors.As(err, &urlErr) {
		fmt.Fprintf(&text, "%v %#v", urlErr, urlErr)
	}
	var protocolErr textproto.ProtocolError
	if errors.As(err, &protocolErr) {
		fmt.Fprintf(&text, "%v", protocolErr)
	}
	var answered *routeauth.EndpointError
	if errors.As(err, &answered) {
		fmt.Fprintf(&text, "%v %#v", answered, answered)
	}
	if err = errors.Unwrap(err); err != nil {
		text.WriteString(shown(err))
	}
	return text.String()
}

// answeringRaw is a backend that answers with these bytes, whether they are HTTP
// or not. What stands for %s in them is everything that it got.
func answeringRaw(t testing.TB, format string) *httptest.Server {
	return backend(t, func(w http.ResponseWriter, req *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if !assert.NoError(t, err) {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, strings.ReplaceAll(format, "%s", everythingSent(req)))
	})
}

// everythingSent returns, on one line, what in a request says who is calling.
func everythingSent(req *http.Request) string {
	sent := []string{req.URL.RawQuery}
	_, password, _ := req.BasicAuth()
	sent = append(sent, password)
	for _, values := range req.Header {
		sent = append(sent, values...)
	}
	for _, cookie := range req.Cookies() {
		sent = append(sent, cookie.Value)
	}
	return strings.Join(sent, " ")
}

// withField sends a copy of each request with one field more.
func withField(name, value string) roundTripFunc {
	return func(req *http.Request) (*http.Response, error) {
		req = req.Clone(req.Context())
		req.Header.Set(name, value)
		return http.DefaultTransport.RoundTrip(req)
	}
}

// Rule 30: whatever the client sends to say who is calling, and however the
// backend repeats it, no error shows it. This is the scene of E7.
func TestNoErrorShowsWhatTheClientSent(t *testing.T) {
	t.Parallel()
	const session = "session-of-alice"
	ours, err := routeauth.NewHeaderTransport("session", "Authorization", "Bearer "+session, nil)
	require.NoError(t, err)
	clients := map[string]http.RoundTripper{
		"a cookie of its jar":                         nil,
		"a field that its transport adds":             withField("X-Session", session),
		"a field of another case":                     withField("x-session", session),
		"a field of more than one word":               withField("Authorization", "Bearer "+session),
		"a cookie that its transport adds":            withField("Cookie", "lang=en; sid=\""+session+"\"; theme=dark"),
		"a password that its transport adds":          withField("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("app:"+session))),
		"a user name that its transport adds":         withField("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(session+":"))),
		"a credential of a transport of this package": ours,
		"a query that its transport adds": roundTripFunc(func(req *http.Request) (*http.Response, error) {
			req = req.Clone(req.Context())
			req.URL.RawQuery = "sid=" + session
			return http.DefaultTransport.RoundTrip(req)
		}),
	}
	servers := map[string]*httptest.Server{
		"in a refusal": backend(t, func(w http.ResponseWriter, req *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			_ = json.NewEncoder(w).Encode(map[string]string{"detail": "who is <" + everythingSent(req) + ">?"})
		}),
		"in a 401": backend(t, func(w http.ResponseWriter, req *http.Request) {
			w.WriteHeader(http.StatusUnauthorized)
			_ = json.NewEncoder(w).Encode(map[string]string{"detail": "who is <" + everythingSent(req) + ">?"})
		}),
		"in a 200": backend(t, func(w http.ResponseWriter, req *http.Request) {
			_ = json.NewEncoder(w).Encode(map[string]string{"error": "who is <" + everythingSent(req) + ">?"})
		}),
		"after a redirect": backend(t, func(w http.ResponseWriter, req *http.Request) {
			if req.URL.Path == "/" {
				http.SetCookie(w, &http.Cookie{Name: "second", Value: "alice-again"})
				http.Redirect(w, req, "/new", http.StatusTemporaryRedirect)
				return
			}
			w.WriteHeader(http.StatusForbidden)
			_ = json.NewEncoder(w).Encode(map[string]string{"detail": "who is <" + everythingSent(req) + ">?"})
		}),
		"in a status line":           answeringRaw(t, "%s\r\n\r\n"),
		"in a header that is none":   answeringRaw(t, "HTTP/1.1 200 OK\r\n%s\r\n\r\n"),
		"in a Content-Length":        answeringRaw(t, "HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\n"),
		"in a redirect to nowhere":   answeringRaw(t, "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://[%s\r\nContent-Length: 0\r\n\r\n"),
		"in a redirect to elsewhere": answeringRaw(t, "HTTP/1.1 307 Temporary Redirect\r\nLocation: https://elsewhere.example.com/?%s\r\nContent-Length: 0\r\n\r\n"),
	}
	for sends, transport := range clients {
		for echoes, server := range servers {
			t.Run(sends+" "+echoes, func(t *testing.T) {
				jar, err := cookiejar.New(nil)
				require.NoError(t, err)
				if transport == nil {
					u, err := url.Parse(server.URL)
					require.NoError(t, err)
					jar.SetCookies(u, []*http.Cookie{{Name: "sid", Value: session}})
				}
				source := newRemote(t, server.URL+"/", &http.Client{Transport: transport, Jar: jar})
				_, err = source.Token(t.Context(), nil)
				require.Error(t, err)
				_, sendErr := newJWTTransport(t, source, &base{}).RoundTrip(newRequest(t, http.MethodGet, endpoint, ""))
				for _, err := range []error{err, sendErr} {
					for _, secret := range []string{"alice", "c2Vzc2lvbi1vZi1hbGljZ", "OnNlc3Npb24tb2YtYWxpY2"} {
						assert.NotContains(t, shown(err), secret)
					}
				}
				if strings.HasPrefix(endpointOrNone(err).Detail, "who") {
					assert.Contains(t, err.Error(), "who is <", "what is no secret is shown")
				}
			})
		}
	}
}

// endpointOrNone returns the EndpointError in err, or an empty one.
func endpointOrNone(err error) *routeauth.EndpointError {
	answered := new(routeauth.EndpointError)
	errors.As(err, &answered)
	return answered
}

// Rule 30: the same where only the response tells what was sent, and where only
// the client's request does.
func TestNoErrorShowsWhatABaseThatIsNotNetHTTPSent(t *testing.T) {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	u, err := url.Parse("https://backend.example.com")
	require.NoError(t, err)
	jar.SetCookies(u, []*http.Cookie{{Name: "sid", Value: "session-of-alice"}})
	for name, base := range map[string]roundTripFunc{
		"it names its request": func(req *http.Request) (*http.Response, error) {
			sent := req.Clone(req.Context())
			sent.Header.Set("X-Session", "alice-0123456789")
			return answer(sent, 403, `{"detail":"who is alice-0123456789, `+sent.Header.Get("Cookie")+`?"}`), nil
		},
		"it followed a redirect": func(req *http.Request) (*http.Response, error) {
			first := req.Clone(req.Context())
			first.Header.Set("X-Session", "alice-0123456789")
			second := req.Clone(req.Context())
			second.Response = answer(first, 307, "")
			return answer(second, 403, `{"detail":"who is alice-0123456789?"}`), nil
		},
		"it fails": func(req *http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("cannot send %v", req.Header)
		},
		"it fails with the client's form of an error": func(req *http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("tried twice: %w", &url.Error{Op: "Post", URL: "/?sid=" + req.Header.Get("Cookie"), Err: io.EOF})
		},
	} {
		_, err := newRemote(t, u.String(), &http.Client{Jar: jar, Transport: base}).Token(t.Context(), nil)
		require.Error(t, err, name)
		assert.NotContains(t, shown(err), "alice", name)
	}
}

// Rule 30: HTTP/2 has other names for what it sends, and another code.
func TestNoErrorShowsWhatTheClientSentOverHTTP2(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		assert.Equal(t, 2, req.ProtoMajor)
		w.WriteHeader(http.StatusForbidden)
		_ = json.NewEncoder(w).Encode(map[string]string{"detail": "who at " + req.Host + " is <" + everythingSent(req) + ">?"})
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	secure := server.Client().Transport
	session, err := routeauth.NewHeaderTransport("session", "X-Session", "session-of-alice", secure)
	require.NoError(t, err)
	_, err = newRemote(t, server.URL, &http.Client{Transport: session}).Token(t.Context(), nil)
	assert.NotContains(t, shown(err), "alice")
	assert.Contains(t, err.Error(), "who at "+strings.TrimPrefix(server.URL, "https://")+" is <")
	assert.Contains(t, err.Error(), "application/json", "what describes the message is no secret")
}

// Rule 30: an error stays readable.
func TestWhatIsNoSecretIsShown(t *testing.T) {
	server := backend(t, func(w http.ResponseWriter, req *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprintf(w, `{"detail":"version 1.0 of %s wants application/json and not gzip"}`, req.Host)
	})
	host := strings.TrimPrefix(server.URL, "http://")
	_, err := newRemote(t, server.URL, &http.Client{Transport: withField("X-Version", "1.0")}).Token(t.Context(), nil)
	assert.ErrorContains(t, err, "version 1.0 of "+host+" wants application/json and not gzip")

	// net/http quotes what the client itself did wrong, before anything is sent.
	_, err = newRemote(t, server.URL, &http.Client{Transport: withField("X-Session", "a\nb")}).Token(t.Context(), nil)
	assert.ErrorContains(t, err, `invalid header field value for "X-Session"`)

	// A certificate is nobody's secret, and its error can be found.
	untrusted := httptest.NewTLSServer(http.NotFoundHandler())
	defer untrusted.Close()
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0)
	_, err = newRemote(t, untrusted.URL, nil).Token(t.Context(), nil)
	assert.ErrorContains(t, err, "certificate signed by unknown authority")
	assert.NotContains(t, err.Error(), "REDACTED")
	var unknown x509.UnknownAuthorityError
	assert.ErrorAs(t, err, &unknown)
}

// Rule 30: a token that comes where none belongs is not shown.
func TestNoErrorShowsAToken(t *testing.T) {
	jwt := mint(t, "hunter2", time.Now(), time.Now().Add(time.Minute))
	for _, token := range []string{jwt, "hunter2-opaque"} {
		for name, raw := range map[string]string{
			"alone":                     token,
			"alone on a line":           token + "\r\n\r\n",
			"alone, in quotes":          `"` + token + `"` + "\r\n\r\n",
			"half in quotes":            `say "` + token + "\r\n\r\n",
			"as the status":             "HTTP/1.1 " + token + "\r\n\r\n",
			"as a header":               "HTTP/1.1 200 OK\r\n" + token + "\r\n\r\n",
			"as a folded header":        "HTTP/1.1 200 OK\r\n " + token + "\r\n\r\n",
			"as a header's name":        "HTTP/1.1 200 OK\r\n" + token + "\x00: x\r\n\r\n",
			"as a length":               "HTTP/1.1 200 OK\r\nContent-Length: " + token + "\r\n\r\n",
			"as a transfer encoding":    "HTTP/1.1 200 OK\r\nTransfer-Encoding: " + token + "\r\n\r\n",
			"as a location":             "HTTP/1.1 308 OK\r\nContent-Length: 0\r\nLocation: http://[" + token + "\r\n\r\n",
			"as a chunk":                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + token + "\r\n",
			"as the status, in a 1xx":   "HTTP/1.1 103 Early Hints\r\n\r\n" + token + "\r\n\r\n",
			"with a refusal, as token":  "HTTP/1.1 403 No\r\n\r\n" + `{"token":"` + token + `","detail":"for <` + token + `>"}`,
			"with a refusal, as access": "HTTP/1.1 403 No\r\n\r\n" + `{"access_token":"` + token + `","detail":"for <` + token + `>"}`,
			"with a refusal, to renew":  "HTTP/1.1 403 No\r\n\r\n" + `{"refresh_token":"` + token + `","detail":"for <` + token + `>"}`,
			"with a refusal, as ID":     "HTTP/1.1 403 No\r\n\r\n" + `{"id_token":"` + token + `","detail":"for <` + token + `>"}`,
			"with a 200":                "HTTP/1.1 200 OK\r\n\r\n" + `{"error":"for <` + token + `>","access_token":"` + token + `","token_type":"x"}`,
		} {
			_, err := newRemote(t, answeringRaw(t, raw).URL, nil).Token(t.Context(), nil)
			require.Error(t, err, name)
			assert.NotContains(t, shown(err), token, name)
			assert.NotContains(t, shown(err), "hunter2", name)
		}
	}

	// A JWT is known by its form, wherever it comes from.
	_, err := newRemote(t, answering(t, 403, `{"detail":"`+jwt+` has expired; get another one"}`).URL, nil).Token(t.Context(), nil)
	assert.Equal(t, "REDACTED has expired; get another one", endpointErrorOf(t, err).Detail)
	for text, want := range map[string]string{
		"have " + jwt + ", go on":                              "have REDACTED, go on",
		`net/http: malformed HTTP response "hunter2\"hunter2"`: `net/http: malformed HTTP response "REDACTED"`,
		`malformed MIME header line: "hunter2`:                 `malformed MIME header line: "REDACTED"`,
	} {
		client := &http.Client{Transport: roundTripFunc(func(*http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("tried: %w", textproto.ProtocolError(text))
		})}
		_, err := newRemote(t, "https://backend.example.com", client).Token(t.Context(), nil)
		assert.EqualError(t, err, "token endpoint https://backend.example.com: tried: "+want)
		assert.NotContains(t, shown(err), "hunter2")
		assert.NotContains(t, shown(err), jwt)
	}
}

// Rule 30: every failure in which the endpoint answered has its status, and no
// other has one.
func TestEveryFailureInWhichTheEndpointAnsweredIsAnEndpointError(t *testing.T) {
	var answered *routeauth.EndpointError
	for name, test := range map[string]struct {
		raw    string
		client *http.Client
		want   int // 0 for none
	}{
		"a refusal":                     {"HTTP/1.1 403 Forbidden\r\n\r\n", nil, 403},
		"no token":                      {"HTTP/1.1 200 OK\r\n\r\n{}", nil, 200},
		"an answer cut off":             {"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 9\r\n\r\nabc", nil, 502},
		"a redirect elsewhere":          {"HTTP/1.1 307 No\r\nLocation: https://elsewhere.example.com/\r\n\r\n", nil, 307},
		"a redirect nowhere":            {"HTTP/1.1 308 No\r\nLocation: http://[\r\n\r\n", nil, 308},
		"a redirect without an address": {"HTTP/1.1 307 No\r\n\r\n", nil, 307},
		"a redirect that the client refuses": {"HTTP/1.1 307 No\r\nLocation: /new\r\nRetry-After: 3\r\n\r\n", &http.Client{
			CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("no redirects here") },
		}, 307},
		"no HTTP":   {"SSH-2.0-OpenSSH\r\n\r\n", nil, 0},
		"no answer": {"", nil, 0},
		"a redirect, then no answer": {"HTTP/1.1 307 No\r\nLocation: /new\r\n\r\n", &http.Client{Transport: roundTripFunc(func(req *http.Request) (*http.Response, error) {
			if req.URL.Path == "/new" {
				return nil, io.EOF
			}
			return http.DefaultTransport.RoundTrip(req)
		})}, 0},
	} {
		server := answeringRaw(t, test.raw)
		_, err := newRemote(t, server.URL, test.client).Token(t.Context(), nil)
		require.ErrorContains(t, err, "token endpoint "+server.URL+": ", name)
		assert.Equal(t, test.want != 0, errors.As(err, &answered), name)
		if test.want != 0 {
			assert.Equal(t, test.want, endpointErrorOf(t, err).StatusCode, name)
			assert.Equal(t, server.URL, endpointErrorOf(t, err).Endpoint)
		}
		if strings.Contains(test.raw, "Retry-After") {
			assert.Equal(t, 3*time.Second, endpointErrorOf(t, err).RetryAfter)
			assert.ErrorContains(t, err, "307 Temporary Redirect: no redirects here")
		}
		assert.True(t, isTemporary(t, err), name)
	}
	_, err := newRemote(t, "https://backend.invalid/jwt", dialingFails()).Token(t.Context(), nil)
	assert.False(t, errors.As(err, &answered))
}

// Rule 30: RFC 9110, section 10.2.3.
func TestAnEndpointErrorTellsRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
		for _, test := range []struct {
			field string
			date  string // of the answer
			want  time.Duration
		}{
			{"120", "", 2 * time.Minute},
			{"0", "", 0},
			{"007", "", 7 * time.Second},
			{at(90 * time.Second), "", 90 * time.Second},
			{at(90 * time.Second), at(30 * time.Second), time.Minute}, // a server whose clock is ahead
			{at(90 * time.Second), at(-30 * time.Second), 2 * time.Minute},
			{at(90 * time.Second), "yesterday", 90 * time.Second},
			{at(-time.Second), "", 0},
			{time.Now().Add(time.Minute).UTC().Format(time.RFC850), "", time.Minute},
			{time.Now().Add(time.Minute).UTC().Format(time.ANSIC), "", time.Minute},
			{"9999999999999999999999", "", math.MaxInt64},
			{strings.Repeat("9", 400), "", math.MaxInt64},
			{"", "", 0}, {"-5", "", 0}, {"+5", "", 0}, {"1.5", "", 0}, {"1e3", "", 0}, {"0x10", "", 0}, {"Inf", "", 0},
			{"5 ", "", 5 * time.Second}, {"soon", "", 0}, {time.Now().Format(time.RFC3339), "", 0},
		} {
			for _, status := range []int{200, 403, 429, 503} {
				client := &http.Client{Transport: roundTripFunc(func(req *http.Request) (*http.Response, error) {
					resp := answer(req, status, "")
					resp.Header.Set("Retry-After", strings.TrimSpace(test.field))
					resp.Header.Set("Date", test.date)
					return resp, nil
				})}
				_, err := newRemote(t, "https://backend.example.com", client).Token(t.Context(), nil)
				assert.Equal(t, test.want, endpointErrorOf(t, err).RetryAfter, "%d %q", status, test.field)
			}
		}
	})
}

// Rule 23, with what rule 30 tells it: a cache leaves the endpoint alone for as
// long as it asks.
func TestACacheObeysTheRetryAfterOfAnEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		client := &http.Client{Transport: roundTripFunc(func(req *http.Request) (*http.Response, error) {
			asked++
			resp := answer(req, 429, `{"detail":"too many"}`)
			resp.Header.Set("Retry-After", "30")
			return resp, nil
		})}
		cache := newCache(t, newRemote(t, "https://backend.example.com", client))
		for range 60 {
			_, err := cache.Token(t.Context(), nil)
			assert.Equal(t, 30*time.Second, endpointErrorOf(t, err).RetryAfter)
			<-time.After(time.Second)
		}
		assert.Equal(t, 2, asked)
	})
}

// Rules 18 and 30: whether a call took too long can be told as of any request.
func TestTheTimeoutOfACallCanBeTold(t *testing.T) {
	slow := roundTripFunc(func(req *http.Request) (*http.Response, error) {
		resp := answer(req, http.StatusForbidden, "")
		resp.Body = io.NopCloser(readFunc(func([]byte) (int, error) {
			<-req.Context().Done()
			return 0, req.Context().Err()
		}))
		return resp, nil
	})
	for name, test := range map[string]struct {
		client  *http.Client
		timeout time.Duration // of the context
		want    bool
		answers bool
	}{
		"the context's, before the answer": {&http.Client{Transport: hanging}, time.Second, true, false},
		"the client's, before the answer":  {&http.Client{Transport: hanging, Timeout: time.Second}, time.Hour, true, false},
		"the context's, in the answer":     {&http.Client{Transport: slow}, time.Second, true, true},
		"the client's, in the answer":      {&http.Client{Transport: slow, Timeout: time.Second}, time.Hour, true, true},
		"a failure":                        {dialingFails(), time.Hour, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), test.timeout)
				defer cancel()
				_, err := newRemote(t, "https://backend.example.com", test.client).Token(ctx, nil)
				require.Error(t, err)
				assert.Equal(t, test.want, os.IsTimeout(err))
				assert.Equal(t, test.want, errors.Is(err, context.DeadlineExceeded))
				assert.Equal(t, test.answers, endpointOrNone(err).StatusCode == http.StatusForbidden)
				_, err = newJWTTransport(t, newRemote(t, "https://backend.example.com", test.client), &base{}).
					RoundTrip(newRequest(t, http.MethodPost, endpoint, "body").WithContext(ctx))
				assert.Equal(t, test.want, credentialErrorOf(t, err).Timeout())
			})
		})
	}
}

// Rule 6: a client's transport that breaks its contract makes no panic.
func TestATransportOfTheClientThatMisbehavesMakesNoPanic(t *testing.T) {
	for name, test := range map[string]struct {
		transport roundTripFunc
		want      string
	}{
		"nothing at all":  {func(*http.Request) (*http.Response, error) { return nil, nil }, "neither a response nor an error"},
		"a nil error":     {func(*http.Request) (*http.Response, error) { return nil, (*url.Error)(nil) }, "nil *url.Error"},
		"a nil rejection": {func(*http.Request) (*http.Response, error) { return nil, (*routeauth.UnauthorizedError)(nil) }, "nil *routeauth.UnauthorizedError"},
		"one that it wraps": {func(*http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("no: %w", (*routeauth.UnauthorizedError)(nil))
		}, "no: "},
		"a nil error in one": {func(*http.Request) (*http.Response, error) {
			return nil, &url.Error{Op: "Post", URL: "x", Err: (*net.OpError)(nil)}
		}, "cannot be read"},
		"a body whose error is nil": {func(req *http.Request) (*http.Response, error) {
			resp := answer(req, 200, "")
			resp.Body = io.NopCloser(readFunc(func([]byte) (int, error) { return 0, (*url.Error)(nil) }))
			return resp, nil
		}, "nil *url.Error"},
		"no body": {func(req *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200}, nil
		}, "the answer is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := newRemote(t, "https://backend.example.com", &http.Client{Transport: test.transport}).Token(t.Context(), nil)
			assert.ErrorContains(t, err, test.want)
			assert.NotErrorIs(t, err, routeauth.ErrUnauthorized)
		})
	}
	for _, transport := range []http.RoundTripper{(*http.Transport)(nil), roundTripFunc(nil)} {
		source, err := routeauth.NewRemoteTokenSource("http://backend.example.com", &http.Client{Transport: transport}, nil)
		assert.Nil(t, source)
		assert.ErrorContains(t, err, fmt.Sprintf("the client's transport is a nil %T", transport))
		assert.ErrorContains(t, err, "remote option is nil", "and everything else that is wrong")
		assert.ErrorContains(t, err, "plaintext")
	}
}

// Rule 12.
func TestAPlaintextEndpointMustBeAllowed(t *testing.T) {
	asked := false
	client := &http.Client{Transport: roundTripFunc(func(req *http.Request) (*http.Response, error) {
		asked = true
		assert.Equal(t, "http://backend.example.com/jwt", req.URL.String())
		return answer(req, http.StatusOK, `{"token":"abc"}`), nil
	})}
	source, err := routeauth.NewRemoteTokenSource("http://backend.example.com/jwt", client, routeauth.AllowPlaintextEndpoint())
	require.NoError(t, err)
	_, err = source.Token(t.Context(), nil)
	require.NoError(t, err)
	assert.True(t, asked)

	_, err = routeauth.NewRemoteTokenSource("ftp://backend.example.com/jwt", client, routeauth.AllowPlaintextEndpoint())
	assert.ErrorContains(t, err, "neither https nor http", "nothing else is allowed by it")
}

// What ended a call can be told also where the client's own words are not shown.
func TestTheEndOfACallCanBeToldWhateverTheClientSays(t *testing.T) {
	client := &http.Client{Transport: roundTripFunc(func(req *http.Request) (*http.Response, error) {
		<-req.Context().Done()
		return nil, fmt.Errorf("POST %s: %w", req.URL, req.Context().Err())
	})}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	transport := newJWTTransport(t, newRemote(t, "https://app:hunter2@backend.example.com/jwt?key=hunter3", client), &base{})
	_, err := transport.RoundTrip(newRequest(t, http.MethodGet, endpoint, "").WithContext(ctx))
	assert.ErrorIs(t, err, context.Canceled)
	assert.NotErrorIs(t, err, context.DeadlineExceeded)
	assert.False(t, credentialErrorOf(t, err).Temporary())
	assert.NotContains(t, err.Error(), "hunter")
}

// dialingFails returns a client without a network.
func dialingFails() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(_ context.Context, network, address string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: network, Err: &net.DNSError{Err: "no such host", Name: address, IsNotFound: true}}
	}}}
}

// A failure to reach the backend is temporary, and its kind can be told.
func TestARemoteSourceThatIsNotReachedIsTemporary(t *testing.T) {
	_, err := newRemote(t, "https://backend.invalid/jwt", dialingFails()).Token(t.Context(), nil)
	var dnsErr *net.DNSError
	assert.ErrorAs(t, err, &dnsErr)
	assert.True(t, isTemporary(t, err))
	assert.ErrorContains(t, err, "token endpoint https://backend.invalid/jwt: dial tcp: ", "the address stands there once")

	_, err = newRemote(t, "https://backend.invalid/jwt?v=o&lang=", dialingFails()).Token(t.Context(), nil)
	assert.ErrorContains(t, err, "no such host", "a short value is no secret that would make the error unreadable")

	_, err = newJWTTransport(t, newRemote(t, "https://backend.invalid/jwt", dialingFails()), &base{}).
		RoundTrip(newRequest(t, http.MethodPost, endpoint, "body"))
	assert.True(t, credentialErrorOf(t, err).Temporary())
}

// The endpoint's user info goes to the backend, as it would with any client.
func TestARemoteSourceSendsTheEndpointsUserInfo(t *testing.T) {
	server := backend(t, func(w http.ResponseWriter, req *http.Request) {
		user, password, _ := req.BasicAuth()
		assert.Equal(t, "app:hunter2", user+":"+password)
		_, _ = io.WriteString(w, `{"token":"abc"}`)
	})
	_, err := newRemote(t, strings.Replace(server.URL, "//", "//app:hunter2@", 1), nil).Token(t.Context(), nil)
	assert.NoError(t, err)
}

// No credential of the API goes to the backend, whatever the request that needs
// the token carries.
func TestNoCredentialOfTheAPIGoesToTheBackend(t *testing.T) {
	tokens := longLived(t, 2)
	var mu sync.Mutex
	var headers []http.Header
	server := backend(t, func(w http.ResponseWriter, req *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		headers = append(headers, req.Header)
		_ = json.NewEncoder(w).Encode(map[string]string{"type": "jwt", "token": tokens[len(headers)-1]})
	})
	policy, err := routeauth.NewPolicy("https://api.example.com", routeauth.Routes{"GET /generations": routeauth.Optional})
	require.NoError(t, err)
	b := rejecting(tokens[0])
	auth := routeauth.JWTAuth{SubscriptionID: "subscription", Source: newCache(t, newRemote(t, server.URL, nil))}
	transport, err := routeauth.New(policy, auth, b)
	require.NoError(t, err)
	for range 2 { // the first one's token is rejected
		req := newRequest(t, http.MethodPost, endpoint, "body")
		req.Header.Set("X-Api-Key", "callers-key")
		req.Header.Set("Cookie", "session=callers")
		_, err = transport.RoundTrip(req)
	}
	require.NoError(t, err)
	_, err = transport.RoundTrip(newRequest(t, http.MethodGet, endpoint, ""))
	require.NoError(t, err)
	require.Len(t, headers, 2)
	for _, header := range headers {
		for name := range header {
			known := []string{"Accept", "Accept-Encoding", "Content-Length", "Content-Type", "User-Agent"}
			assert.Contains(t, known, name)
		}
	}
	assert.Equal(t, []string{tokens[0], tokens[1], ""}, tokensOf(b))
}

// Rule 25's sense, for the backend: its connection is used again, also after a
// refusal.
func TestARemoteSourceUsesItsConnectionAgain(t *testing.T) {
	var mu sync.Mutex
	var peers []string
	server := backend(t, func(w http.ResponseWriter, req *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if !slices.Contains(peers, req.RemoteAddr) {
			peers = append(peers, req.RemoteAddr)
		}
		if req.URL.Query().Has("refuse") {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, strings.Repeat(" ", 10_000))
			return
		}
		_, _ = io.WriteString(w, `{"token":"abc"}`+strings.Repeat(" ", 10_000))
	})
	own := &http.Transport{}
	defer own.CloseIdleConnections()
	client := &http.Client{Transport: own}
	for range 10 {
		_, err := newRemote(t, server.URL, client).Token(t.Context(), nil)
		assert.NoError(t, err)
		_, err = newRemote(t, server.URL+"?refuse", client).Token(t.Context(), nil)
		assert.Error(t, err)
	}
	assert.Len(t, peers, 1)
}

// Rule 8.
func TestARemoteSourceIsSafeForConcurrentUse(t *testing.T) {
	server := answering(t, http.StatusOK, `{"token":"abc"}`)
	source := newRemote(t, server.URL, nil)
	var callers sync.WaitGroup
	for i := range 8 {
		callers.Go(func() {
			token, err := text(source.Token(t.Context(), user(i)))
			assert.NoError(t, err)
			assert.Equal(t, "abc", token)
		})
	}
	callers.Wait()
}

func TestARemoteSourceWithoutItsConstructorIsAnError(t *testing.T) {
	for _, source := range []*routeauth.RemoteTokenSource{nil, {}} {
		_, err := source.Token(t.Context(), nil)
		assert.ErrorContains(t, err, "NewRemoteTokenSource")
	}
}

// Rule 30: that the backend rejected the app's session is the backend's 401 and
// not the API's, whether a transport of this package made an error of it or not.
func TestABackendThatRejectsTheAppsSessionIsNoErrUnauthorized(t *testing.T) {
	session, err := routeauth.NewAPIKeyTransport("session-17", nil)
	require.NoError(t, err)
	server := backend(t, func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = fmt.Fprintf(w, `{"detail":"no session %s"}`, req.Header.Get("X-Api-Key"))
	})
	for name, test := range map[string]struct {
		transport http.RoundTripper
		detail    string
	}{
		"an ordinary client":          {nil, "no session"},
		"a transport of this package": {session, "no session REDACTED"},
		"one within another": {roundTripFunc(func(req *http.Request) (*http.Response, error) {
			resp, err := session.RoundTrip(req)
			return resp, fmt.Errorf("decorated: %w", err)
		}), "no session REDACTED"},
	} {
		t.Run(name, func(t *testing.T) {
			source := newRemote(t, server.URL, &http.Client{Transport: test.transport})
			_, err = newJWTTransport(t, source, &base{}).RoundTrip(newRequest(t, "POST", endpoint, "body"))
			assert.Equal(t, &routeauth.EndpointError{
				Endpoint: server.URL, StatusCode: 401, Detail: test.detail, RetryAfter: 7 * time.Second,
			}, endpointErrorOf(t, err))
			assert.True(t, credentialErrorOf(t, err).Temporary(), "the app may get a new session")
			assert.NotErrorIs(t, err, routeauth.ErrUnauthorized)
			var unauthorized *routeauth.UnauthorizedError
			assert.False(t, errors.As(err, &unauthorized))
		})
	}
}

// Rule 18: a credential that the app's session lacks for good is lacking for
// good, one that it lacks for the moment is not.
func TestASessionThatCannotBeHadIsAsPermanentAsItsCause(t *testing.T) {
	for name, test := range map[string]struct {
		source    tokenFunc
		temporary bool
	}{
		"an ill-formed session": {func(context.Context, routeauth.Params) (string, error) { return "", nil }, false},
		"a failure":             {func(context.Context, routeauth.Params) (string, error) { return "", errors.New("down") }, true},
		"a permanent failure": {func(context.Context, routeauth.Params) (string, error) {
			return "", routeauth.Permanent(errors.New("banned"))
		}, false},
		"a session that takes too long": {func(ctx context.Context, _ routeauth.Params) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		}, true},
		"another backend's 401": {func(context.Context, routeauth.Params) (string, error) {
			return "", &routeauth.UnauthorizedError{Scheme: "sso", Method: "GET", URL: "https://sso.example.com"}
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := &http.Client{Timeout: time.Second, Transport: newJWTTransport(t, test.source, &base{})}
				source := newRemote(t, "https://backend.example.com", client)
				_, err := newJWTTransport(t, source, &base{}).RoundTrip(newRequest(t, "POST", endpoint, "body"))
				assert.Equal(t, test.temporary, credentialErrorOf(t, err).Temporary())
				var answered *routeauth.EndpointError
				assert.False(t, errors.As(err, &answered), "the backend was not asked")
				assert.NotErrorIs(t, err, routeauth.ErrUnauthorized)

				_, err = source.Token(t.Context(), nil)
				var missing *routeauth.CredentialError
				assert.False(t, errors.As(err, &missing), "no credential of the API is missing")
			})
		})
	}
	synctest.Test(t, func(t *testing.T) { // a session that outlasts the caller's deadline, and not the client's
		client := &http.Client{Transport: newJWTTransport(t, tokenFunc(func(ctx context.Context, _ routeauth.Params) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		}), &base{})}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := newRemote(t, "https://backend.example.com", client).Token(ctx, nil)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.True(t, isTemporary(t, err))
	})
	permanent := &http.Client{Transport: roundTripFunc(func(*http.Request) (*http.Response, error) {
		return nil, fmt.Errorf("no session: %w", routeauth.Permanent(errors.New("banned")))
	})}
	_, err := newRemote(t, "https://backend.example.com", permanent).Token(t.Context(), nil)
	assert.False(t, isTemporary(t, err))
}

// Rule 15: JSON would change a param that is not UTF-8.
func TestARemoteSourceRefusesParamsThatAreNotUTF8(t *testing.T) {
	for _, params := range []routeauth.Params{{"image": "\xff"}, {"\xff": "image"}} {
		_, err := newRemote(t, answering(t, 200, `{"token":"abc"}`).URL, nil).Token(t.Context(), params)
		assert.ErrorContains(t, err, "is not UTF-8")
		assert.False(t, isTemporary(t, err))
	}
}
