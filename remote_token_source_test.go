package routeauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
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
		server := answering(t, http.StatusOK, body)
		token, err := newRemote(t, server.URL+"/jwt", nil).Token(t.Context(), nil)
		assert.Empty(t, token)
		assert.ErrorContains(t, err, "token endpoint "+server.URL+"/jwt: 200 OK: ", "%.100s", body)
		assert.ErrorContains(t, err, want, "%.100s", body)
		assert.NotContains(t, err.Error(), "hunter")
		assert.Equal(t, &routeauth.EndpointError{Endpoint: server.URL + "/jwt", StatusCode: 200}, endpointErrorOf(t, err))
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
			server := answering(t, status, body)
			token, err := newRemote(t, server.URL, nil).Token(t.Context(), nil)
			assert.Empty(t, token)
			want := &routeauth.EndpointError{Endpoint: server.URL, StatusCode: status, Detail: detail}
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
	assert.LessOrEqual(t, calls.Load(), int32(11))
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
