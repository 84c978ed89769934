package aiutatest_test

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"example.com/routeauth/aiuta/aiutatest"
	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

// newServer returns a server that the end of the test closes.
func newServer(t *testing.T, cfg aiutatest.Config) *aiutatest.Server {
	t.Helper()
	server := aiutatest.NewServer(cfg)
	t.Cleanup(server.Close)
	return server
}

// fields are header fields of a request: names and values by turns.
type fields []string

func apiKey() fields       { return fields{"x-api-key", aiutatest.APIKey} }
func subscription() fields { return fields{"x-user-id", aiutatest.SubscriptionID} }
func bearer(token string) fields {
	return fields{"Authorization", "Bearer " + token}
}

// answer is a response that was read.
type answer struct {
	status int
	header http.Header
	body   string
}

// decoded returns the JSON that the answer is.
func (a answer) decoded(t *testing.T) (value map[string]any) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(a.body), &value), a.body)
	return value
}

// text returns a field of the answer that is a string.
func (a answer) text(t *testing.T, name string) string {
	t.Helper()
	text, _ := a.decoded(t)[name].(string)
	require.NotEmpty(t, text, "%s of %s", name, a.body)
	return text
}

// send sends a request whose headers are set by hand.
func send(t *testing.T, server *aiutatest.Server, method, url string, headers fields, body string) answer {
	t.Helper()
	a, err := trySend(server, method, url, headers, strings.NewReader(body))
	require.NoError(t, err)
	return a
}

// trySend is send for goroutines, which cannot end a test.
func trySend(server *aiutatest.Server, method, url string, headers fields, body io.Reader) (answer, error) {
	req, err := http.NewRequest(method, url, body)
	if err != nil {
		return answer{}, err
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	resp, err := server.Client().Transport.RoundTrip(req) // follows no redirect
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(data)}, err
}

// form returns a multipart form with one part, and its content type.
func form(t *testing.T, name, fileName, contentType, content string) (body, formType string) {
	t.Helper()
	var buffer bytes.Buffer
	writer := multipart.NewWriter(&buffer)
	disposition := `form-data; name="` + name + `"`
	if fileName != "" {
		disposition += `; filename="` + fileName + `"`
	}
	header := textproto.MIMEHeader{"Content-Disposition": {disposition}}
	if contentType != "" {
		header.Set("Content-Type", contentType)
	}
	part, err := writer.CreatePart(header)
	require.NoError(t, err)
	_, err = io.WriteString(part, content)
	require.NoError(t, err)
	require.NoError(t, writer.Close())
	return buffer.String(), writer.FormDataContentType()
}

// upload uploads an image to the API at baseURL and returns the answer.
func upload(t *testing.T, server *aiutatest.Server, baseURL, content string) answer {
	t.Helper()
	body, formType := form(t, "image_data", "me.jpg", "image/jpeg", content)
	return send(t, server, "POST", baseURL+"/uploaded_images", append(subscription(), "Content-Type", formType), body)
}

// claims are those of a token that the server takes, but for changes: a change
// to nil leaves a claim out.
func claims(changes jwt.MapClaims) jwt.MapClaims {
	now := time.Now()
	all := jwt.MapClaims{
		"iss": aiutatest.JWTIssuer,
		"iat": now.Unix(),
		"exp": now.Add(time.Minute).Unix(),
	}
	for name, value := range changes {
		if value == nil {
			delete(all, name)
			continue
		}
		all[name] = value
	}
	return all
}

// sign returns a token of these claims.
func sign(t *testing.T, method jwt.SigningMethod, key any, claims jwt.MapClaims) string {
	t.Helper()
	token, err := jwt.NewWithClaims(method, claims).SignedString(key)
	require.NoError(t, err)
	return token
}

// token returns a token that the server takes, with more claims.
func token(t *testing.T, changes jwt.MapClaims) string {
	t.Helper()
	return sign(t, jwt.SigningMethodHS256, []byte(aiutatest.JWTSecret), claims(changes))
}
