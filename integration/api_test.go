package integration_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"testing"

	"example.com/routeauth"
	"example.com/routeauth/aiuta"
	"example.com/routeauth/aiuta/aiutatest"
	"example.com/routeauth/issuer"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	startPath  = "/sku_images_operations"                 // mandatory
	statusPath = "/sku_images_operations/sku_images_op-1" // optional, once that was started
	startBody  = `{"uploaded_image_id":"` + aiutatest.ModelImageID + `","sku_id":"sku-1"}`
)

// nobodyURL is where nobody listens: the system gives no server of a test a port
// below 1024.
const nobodyURL = "http://127.0.0.1:1"

// newAPI starts an API whose operations are done at once.
func newAPI(t testing.TB) *aiutatest.Server {
	api := aiutatest.NewServer(aiutatest.Config{TLS: true, StatusCalls: 1})
	t.Cleanup(api.Close)
	return api
}

// newServer starts a server for what an API of package aiutatest does not do.
func newServer(t testing.TB, handler http.HandlerFunc) *httptest.Server {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

// newTransport returns a transport for the API at baseURL.
func newTransport(t testing.TB, baseURL string, auth routeauth.Auth, base http.RoundTripper) *routeauth.Transport {
	policy, err := routeauth.NewPolicy(baseURL, aiuta.DigitalTryOnRoutes())
	require.NoError(t, err)
	transport, err := routeauth.New(policy, auth, base)
	require.NoError(t, err)
	return transport
}

// newClient returns a client of api that trusts its certificate.
func newClient(t testing.TB, api *aiutatest.Server, auth routeauth.Auth) *http.Client {
	return &http.Client{Transport: newTransport(t, api.DigitalTryOnURL(), auth, api.Client().Transport)}
}

var (
	apiKeyAuth = routeauth.APIKeyAuth{APIKey: aiutatest.APIKey}
	wrongKey   = routeauth.APIKeyAuth{APIKey: "not-the-key-of-this-api"}
)

// newJWTAuth returns an auth whose tokens are bound to the request.
func newJWTAuth(t testing.TB) routeauth.JWTAuth {
	return routeauth.JWTAuth{
		SubscriptionID: aiutatest.SubscriptionID,
		Source:         newIssuer(t),
		Params:         aiuta.RequestParams(),
	}
}

func newIssuer(t testing.TB) *issuer.Issuer {
	source, err := issuer.New(aiutatest.JWTIssuer, aiutatest.JWTSecret)
	require.NoError(t, err)
	return source
}

// auths are the two, and the fields in which they send their credentials.
func auths(t testing.TB) map[string]struct {
	routeauth.Auth
	mandatory, optional string
} {
	return map[string]struct {
		routeauth.Auth
		mandatory, optional string
	}{
		"JWTAuth":    {newJWTAuth(t), routeauth.HeaderAuthorization, routeauth.HeaderUserID},
		"APIKeyAuth": {apiKeyAuth, routeauth.HeaderAPIKey, routeauth.HeaderAPIKey},
	}
}

// received is what an API was sent, as method, last element of the path, and
// the fields that held a credential.
func received(api *aiutatest.Server) (requests []string) {
	for _, r := range api.Requests() {
		requests = append(requests, r.Method+" "+path.Base(r.Path)+" "+strings.Join(r.CredentialHeaders, "+"))
	}
	return requests
}

// calls are the two calls of interest in some client's own terms.
type calls struct {
	start  func(body map[string]any) (operationID string, err error)
	status func(operationID string) error
}

// testRoutes starts an operation and reads its status with both auths, and
// checks that the API was sent what each route calls for.
func testRoutes(t *testing.T, newCalls func(t *testing.T, baseURL string, transport *routeauth.Transport) calls) {
	for name, auth := range auths(t) {
		t.Run(name, func(t *testing.T) {
			api := newAPI(t)
			transport := newTransport(t, api.DigitalTryOnURL(), auth, api.Client().Transport)
			client := newCalls(t, api.DigitalTryOnURL(), transport)

			id, err := client.start(map[string]any{
				"uploaded_image_id": aiutatest.ModelImageID,
				"sku_ids":           []string{"a", "b"},
			})
			require.NoError(t, err)
			require.NoError(t, client.status(id))
			assert.Equal(t, []string{
				"POST sku_images_operations " + auth.mandatory,
				"GET " + id + " " + auth.optional,
			}, received(api))
			for _, r := range api.Requests() {
				assert.Equal(t, http.StatusOK, r.Status, r.Path)
			}
		})
	}
}

// newRequest returns a request with a body, or without one if that is empty.
func newRequest(t testing.TB, ctx context.Context, method, url, body string) *http.Request {
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, url, reader)
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	return req
}

// do sends a request, and returns the answer's status and body.
func do(t testing.TB, client *http.Client, req *http.Request) (status int, body string, err error) {
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(text), nil
}
