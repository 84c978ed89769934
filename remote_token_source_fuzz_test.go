package routeauth_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"example.com/routeauth"
	"github.com/stretchr/testify/require"
)

// FuzzRemoteAnswer checks that a backend's answer makes no panic, and a token
// only where the status is 200 and a top-level "token" of a JSON object says so.
func FuzzRemoteAnswer(f *testing.F) {
	for _, body := range []string{
		`{"type":"jwt","token":"abc"}`, `{"token":"abc"}`, `{"TOKEN":"abc"}`, `{"token":"a","toKen":"b"}`,
		`{"token":null}`, `{"token":""}`, `{"token":1}`, `{"token":{"token":"abc"}}`, `[{"token":"abc"}]`, `null`, `""`, ``,
		`{"type":"opaque","token":"abc"}`, `{"type":null,"token":"abc"}`, `{"token":"\u0061\ud800"}`, `{"token":"abc"}{}`,
		`{"detail":"no"}`, `{"detail":[{"msg":"no"}]}`, `{"error":"no","error_description":"no"}`, "\xef\xbb\xbf{}", "\x1f\x8b",
	} {
		for _, status := range []int{200, 201, 307, 403, 429, 500} {
			f.Add(status, []byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		client := &http.Client{Transport: roundTripFunc(func(req *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), Request: req}, nil
		})}
		source, err := routeauth.NewRemoteTokenSource("https://user:hunter2@backend.example.com/jwt?key=hunter3", client)
		require.NoError(t, err)
		token, err := text(source.Token(t.Context(), nil))
		if err != nil {
			require.Empty(t, token)
			require.NotContains(t, err.Error(), "hunter")
			require.NotContains(t, err.Error(), "\n")
			return
		}
		require.NotEmpty(t, token)
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, stringsNamed(t, "token", body), token)
	})
}

// stringsNamed returns the strings that stand under name, in whatever case, at
// the top level of a JSON object.
func stringsNamed(t *testing.T, name string, object []byte) (found []string) {
	decoder := json.NewDecoder(bytes.NewReader(object))
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
