package routeauth_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"example.com/routeauth"
	"github.com/stretchr/testify/require"
)

// FuzzRemoteAnswer checks what becomes of a backend's answer. There is a token
// only where the status is 200 and the top level of a JSON object has one.
// Everything else is an EndpointError on one line, which shows no secret and is
// permanent only where rule 30 says so.
func FuzzRemoteAnswer(f *testing.F) {
	for _, body := range []string{
		`{"type":"jwt","token":"abc"}`, `{"token":"abc"}`, `{"TOKEN":"abc"}`, `{"token":"a","toKen":"b"}`,
		`{"token":null}`, `{"token":""}`, `{"token":1}`, `{"token":{"token":"abc"}}`, `[{"token":"abc"}]`, `null`, `""`, ``,
		`{"type":"opaque","token":"abc"}`, `{"type":null,"token":"abc"}`, `{"token":"\u0061\ud800"}`, `{"token":"abc"}{}`,
		`{"access_token":"abc","token_type":"Bearer","expires_in":3600}`, `{"access_token":"abc","expires_in":"-1"}`,
		`{"access_token":"abc","expires_in":1e999}`, `{"access_token":"abc","expires_in":{}}`, `{"token":"a","access_token":"b"}`,
		`{"access_token":"abc","token_type":"mac"}`,
		`{"detail":"no"}`, `{"detail":[{"msg":"no"}]}`, `{"error":"no","error_description":"no"}`, `{"error":"invalid_grant"}`,
		`{"detail":"hunter2 hunter3 alice-0123"}`, `{"detail":"\u0068unter2 %68unter3\nalice&#45;0123"}`,
		`{"detail":"eyJhbGciOiJIUzI1NiJ9.e30.hunter2"}`, "\xef\xbb\xbf{}", "\x1f\x8b",
	} {
		for _, status := range []int{200, 201, 307, 401, 403, 429, 500} {
			f.Add(status, "", []byte(body))
		}
	}
	for _, field := range []string{"30", "-1", "99999999999999999999", "Fri, 27 Nov 2026 10:00:00 GMT", "soon"} {
		f.Add(503, field, []byte("{}"))
	}
	f.Fuzz(func(t *testing.T, status int, retryAfter string, body []byte) {
		client := &http.Client{Transport: roundTripFunc(func(req *http.Request) (*http.Response, error) {
			sent := req.Clone(req.Context())
			sent.Header.Set("X-Session", "alice-0123")
			header := http.Header{"Retry-After": {retryAfter}}
			return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(bytes.NewReader(body)), Request: sent}, nil
		})}
		source, err := routeauth.NewRemoteTokenSource("https://user:hunter2@backend.example.com/jwt?key=hunter3", client)
		require.NoError(t, err)
		token, err := source.Token(t.Context(), nil)
		if err == nil {
			require.NotEmpty(t, token.Value)
			require.Equal(t, http.StatusOK, status)
			found := append(stringsNamed(t, "token", body), stringsNamed(t, "access_token", body)...)
			require.Contains(t, found, string(token.Value))
			return
		}

		require.Empty(t, token)
		for _, secret := range []string{"hunter2", "hunter3", "alice-0123"} {
			require.NotContains(t, shown(err), secret)
		}
		require.NotContains(t, err.Error(), "\n")
		require.NotErrorIs(t, err, routeauth.ErrUnauthorized)
		answered := endpointErrorOf(t, err)
		require.Equal(t, "https://backend.example.com/jwt", answered.Endpoint)
		require.Equal(t, status, answered.StatusCode)
		require.LessOrEqual(t, len(answered.Detail), 256)
		require.True(t, utf8.ValidString(answered.Detail))
		require.GreaterOrEqual(t, answered.RetryAfter, time.Duration(0))
		if !isTemporary(t, err) {
			require.True(t, 400 <= status && status <= 499)
			require.False(t, slices.Contains([]int{401, 408, 425, 429}, status))
			require.NotEmpty(t, answered.Detail)
			require.NoError(t, json.Unmarshal(body, new(map[string]json.RawMessage)))
		}
	})
}

// FuzzRemoteWire checks that no error shows a token that a backend sends where
// net/http does not expect one, and which net/http then may quote. Only a JSON
// object's own words are shown.
func FuzzRemoteWire(f *testing.F) {
	for before, after := range map[string]string{
		"": "\r\n\r\n", "HTTP/1.1 ": "\r\n\r\n", "HTTP/": "1.1 200 OK\r\n\r\n",
		"HTTP/1.1 200 OK\r\n":                                                      "\r\n\r\n",
		"HTTP/1.1 200 OK\r\n ":                                                     ": x\r\n\r\n",
		"HTTP/1.1 200 OK\r\nX: y\r\n":                                              "\x00: x\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: ":                                      "\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: ":                 "\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: ":                                   "\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n":                    "\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer:":                "\r\n\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTrailer: X\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n": "\r\n\r\n",
		"HTTP/1.1 307 No\r\nContent-Length: 0\r\nLocation: http://[":               "\r\n\r\n",
		"HTTP/1.1 307 No\r\nContent-Length: 0\r\nLocation: /%zz":                   "\r\n\r\n",
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: ":                            "\r\n\r\n",
		"HTTP/1.1 103 Early Hints\r\n\r\n":                                         "\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 20\r\n\r\n":  "\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"token\":":                 "}",
		"HTTP/1.1 403 No\r\nConnection: close\r\n\r\n":                             "",
		"HTTP/1.1 401 No\r\nConnection: close\r\nWWW-Authenticate: ":               "\r\n\r\n",
	} {
		f.Add(before, after)
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		dial := func(context.Context, string, string) (net.Conn, error) {
			conn, server := net.Pipe()
			go func() {
				defer server.Close()
				req, err := http.ReadRequest(bufio.NewReader(server))
				if err != nil {
					return
				}
				_, _ = io.Copy(io.Discard, req.Body)
				_, _ = io.WriteString(server, before+"hunter2-opaque"+after)
			}()
			return conn, nil
		}
		transport := &http.Transport{DialContext: dial, DisableKeepAlives: true}
		source, err := routeauth.NewRemoteTokenSource("http://localhost/jwt", &http.Client{Transport: transport})
		require.NoError(t, err)
		_, err = source.Token(t.Context(), nil)
		if err != nil && endpointOrNone(err).Detail == "" {
			require.NotContains(t, shown(err), "hunter2")
		}
	})
}

// stringsNamed returns the strings that stand under name, in whatever case, at
// the top level of a JSON object.
func stringsNamed(t *testing.T, name string, object []byte) (found []string) {
	decoder := json.NewDecoder(bytes.NewReader(object))
	decoder.UseNumber() // there are numbers that no type of Go holds
	opening, err := decoder.Token()
	require.NoError(t, err)
	require.Equal(t, json.Delim('{'), opening)
	for decoder.More() {
		key, err := decoder.Token()
		require.NoError(t, err)
		var value any
		require.NoError(t, decoder.Decode(&value))
		if text, ok := value.(string); ok && strings.EqualFold(key.(string), name) {
			found = append(found, text)
		}
	}
	return found
}
