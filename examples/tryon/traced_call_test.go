package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/aiuta/aiutatest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What the trace tells is what an API sees.
func TestTheTableAgreesWithWhatTheAPIWasSent(t *testing.T) {
	server := aiutatest.NewServer(aiutatest.Config{})
	defer server.Close()
	environment := map[string]string{
		"AIUTA_API_KEY":         aiutatest.APIKey,
		"AIUTA_SUBSCRIPTION_ID": aiutatest.SubscriptionID,
		"AIUTA_JWT_KEY":         aiutatest.JWTIssuer,
		"AIUTA_JWT_SECRET":      aiutatest.JWTSecret,
	}
	s, err := parseSettings([]string{"-base-url", server.DigitalTryOnURL()},
		func(name string) string { return environment[name] }, nil)
	require.NoError(t, err)
	s.interval = func(int) time.Duration { return 0 }
	var out bytes.Buffer
	require.NoError(t, perform(t.Context(), s, &out))

	var received []string
	for _, r := range server.Requests() {
		requirement, credential := "out of scope", "-"
		if r.API != "" {
			requirement = r.Requirement.String()
			require.Len(t, r.CredentialHeaders, 1)
			field := r.CredentialHeaders[0]
			if field != routeauth.HeaderAuthorization {
				field = strings.ToLower(field)
			}
			credential = field + " (" + string(r.Scheme) + ")"
			if r.Status == http.StatusUnauthorized { // the server names the scheme of what it accepted
				credential = field + " (jwt)"
			}
		}
		path := shorten(strings.TrimPrefix(r.Path, "/digital-try-on/v1"))
		received = append(received, fmt.Sprintf("%s, %s, %s, %s, %d", r.Method, path, requirement, credential, r.Status))
	}
	var printed []string
	for _, row := range rowsOf(out.String()) {
		if !strings.Contains(row, "your backend") { // which is another server
			printed = append(printed, row)
		}
	}
	assert.Equal(t, received, printed)
}

func TestARequestThatIsSentAgainHasTwoLines(t *testing.T) {
	var out bytes.Buffer
	calls := &callLog{out: &out}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("x-api-key") == "old" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer server.Close()
	client, err := newClient(&settings{baseURL: server.URL + "/v1"}, calls, routeauth.APIKeyAuth{Source: &rotatedKey{key: "old"}})
	require.NoError(t, err)
	resp, err := client.Get(server.URL + "/v1/predefined_try_on_models")
	require.NoError(t, err)
	resp.Body.Close()
	assert.Equal(t, []string{
		"GET, …defined_try_on_models, optional, x-api-key (api-key), 401",
		"GET, …defined_try_on_models, optional, x-api-key (api-key), 200",
	}, rowsOf(out.String()))
}

// rotatedKey is a key that is "new" once another one was rejected.
type rotatedKey struct{ key routeauth.Secret }

func (k *rotatedKey) Secret(context.Context) (routeauth.Secret, error) { return k.key, nil }
func (k *rotatedKey) Discard(context.Context, routeauth.Secret)        { k.key = "new" }

// A request for which the policy has no credential is not said to have one.
func TestAVerdictStandsForTheRequirementThatWasNotAsked(t *testing.T) {
	var out bytes.Buffer
	calls := &callLog{out: &out}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/v1/leave" {
			http.Redirect(w, req, "/elsewhere", http.StatusFound)
		} else if req.URL.Path == "/elsewhere" {
			http.Redirect(w, req, "/v1/back", http.StatusFound)
		}
	}))
	defer server.Close()
	client, err := newClient(&settings{baseURL: server.URL + "/v1"}, calls, routeauth.APIKeyAuth{APIKey: "key-0123456789"})
	require.NoError(t, err)
	resp, err := client.Get(server.URL + "/v1/leave")
	require.NoError(t, err)
	resp.Body.Close()
	_, err = client.Get(server.URL + "/v1/..%2fadmin")
	require.ErrorIs(t, err, routeauth.ErrRefusedPath)
	assert.Equal(t, []string{
		"GET, /leave, mandatory, x-api-key (api-key), 302",
		"GET, /elsewhere, out of scope, -, 302",
		"GET, /back, redirected, -, 200",
		"GET, /..%2fadmin, refused, -, -",
	}, rowsOf(out.String()))
}
