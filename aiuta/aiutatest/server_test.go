package aiutatest_test

import (
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/aiuta"
	"example.com/routeauth/aiuta/aiutatest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// apisOf returns the base URLs of a server with the tables for them.
func apisOf(server *aiutatest.Server) map[string]routeauth.Routes {
	return map[string]routeauth.Routes{
		server.DigitalTryOnURL(): aiuta.DigitalTryOnRoutes(),
		server.StudioURL():       aiuta.StudioRoutes(),
		server.UnifiedURL():      aiuta.UnifiedRoutes(),
	}
}

// urlOf returns the URL of a route with something in place of its wildcards.
func urlOf(baseURL, pattern string) (method, url string) {
	method, path, _ := strings.Cut(pattern, " ")
	return method, baseURL + strings.NewReplacer("{", "any-", "}", "").Replace(path)
}

func TestTheBaseURLsHaveThePathsOfTheRealOnes(t *testing.T) {
	server := newServer(t, aiutatest.Config{})
	for realURL, testURL := range map[string]string{
		aiuta.DigitalTryOnURL: server.DigitalTryOnURL(),
		aiuta.StudioURL:       server.StudioURL(),
		aiuta.UnifiedURL:      server.UnifiedURL(),
	} {
		u, err := url.Parse(realURL)
		require.NoError(t, err)
		assert.Equal(t, server.URL+u.Path, testURL)
	}
}

func TestEveryRouteOfTheTablesHasAnEndpoint(t *testing.T) {
	server := newServer(t, aiutatest.Config{})
	for baseURL, routes := range apisOf(server) {
		for pattern := range routes {
			method, url := urlOf(baseURL, pattern)
			a := send(t, server, method, url, apiKey(), "")
			assert.NotContains(t, a.body, "there is no such path", pattern)
			assert.NotEqual(t, http.StatusMethodNotAllowed, a.status, pattern)
			assert.Less(t, a.status, 500, pattern)
		}
	}
}

func TestAPathWithoutARouteIsMandatory(t *testing.T) {
	server := newServer(t, aiutatest.Config{})
	for baseURL := range apisOf(server) {
		a := send(t, server, "GET", baseURL+"/brand_new", subscription(), "")
		assert.Equal(t, http.StatusUnauthorized, a.status)
		a = send(t, server, "GET", baseURL+"/brand_new", apiKey(), "")
		assert.Equal(t, http.StatusNotFound, a.status)
		a = send(t, server, "GET", baseURL, fields{}, "")
		assert.Equal(t, http.StatusUnauthorized, a.status)
	}
	a := send(t, server, "GET", server.URL+"/elsewhere", fields{}, "")
	assert.Equal(t, http.StatusNotFound, a.status)
}

func TestAnotherMethodIs405(t *testing.T) {
	server := newServer(t, aiutatest.Config{})
	a := send(t, server, "PUT", server.UnifiedURL()+"/sku_items/1", apiKey(), "")
	assert.Equal(t, http.StatusMethodNotAllowed, a.status)
	assert.Equal(t, "DELETE, GET", a.header.Get("Allow"))
}

func TestAPathThatIsNotCleanIsNoPathAndNotRedirected(t *testing.T) {
	server := newServer(t, aiutatest.Config{})
	for _, path := range []string{"//uploaded_images/1", "/x/../uploaded_images/1", "/uploaded_images/%2e%2e/uploaded_images/1"} {
		a := send(t, server, "GET", server.DigitalTryOnURL()+path, apiKey(), "")
		assert.Equal(t, http.StatusNotFound, a.status, path)
		assert.JSONEq(t, `{"detail": "there is no such path"}`, a.body, path)
	}
}

func TestEveryAnswerHasATraceContextOfItsOwn(t *testing.T) {
	server := newServer(t, aiutatest.Config{})
	base := server.DigitalTryOnURL()
	models := send(t, server, "GET", base+"/predefined_try_on_models", apiKey(), "")
	image := upload(t, server, base, "content")
	answers := []answer{
		models, // 200
		image,
		send(t, server, "GET", image.text(t, "url"), nil, ""),
		send(t, server, "DELETE", base+"/uploaded_images/"+image.text(t, "id"), apiKey(), ""),                                      // 204
		send(t, server, "GET", base+"/predefined_try_on_models", append(apiKey(), "If-None-Match", models.header.Get("ETag")), ""), // 304
		send(t, server, "GET", base+"/predefined_try_on_models", nil, ""),                                                          // 401
		send(t, server, "GET", server.URL+"/elsewhere", nil, ""),                                                                   // 404
		send(t, server, "PUT", base+"/uploaded_images", apiKey(), ""),                                                              // 405
		send(t, server, "POST", base+"/uploaded_images", apiKey(), ""),                                                             // 422
	}
	seen := map[string]bool{}
	for i, request := range server.Requests() {
		id := answers[i].header.Get("x-cloud-trace-context")
		assert.NotEmpty(t, id, "%d", answers[i].status)
		assert.False(t, seen[id], "%s came twice", id)
		assert.Equal(t, request.RequestID, id)
		seen[id] = true
	}
	assert.Len(t, seen, len(answers))
}

func TestTheServerRemembersWhatItWasSent(t *testing.T) {
	server := newServer(t, aiutatest.Config{})
	base := server.DigitalTryOnURL()
	jwt := token(t, nil)
	send(t, server, "GET", base+"/predefined_try_on_models?a=b", subscription(), "")
	send(t, server, "POST", base+"/sku_images_operations", bearer(jwt), `{}`)
	send(t, server, "POST", base+"/sku_images_operations", append(subscription(), "X-USER-ID", "2", "x-api-key", "wrong"), `{}`)
	send(t, server, "GET", server.UnifiedURL()+"/sku_items/a%2Fb", apiKey(), "")
	send(t, server, "GET", server.URL+"/storage/"+aiutatest.ModelImageID, apiKey(), "")

	got := server.Requests()
	for i := range got {
		assert.NotEmpty(t, got[i].RequestID)
		got[i].RequestID = ""
	}
	assert.Equal(t, []aiutatest.Request{
		{
			Method: "GET", Path: "/digital-try-on/v1/predefined_try_on_models", API: "/digital-try-on/v1",
			Requirement: routeauth.Optional, CredentialHeaders: []string{"X-User-Id"}, Scheme: routeauth.SchemeSubscription, Status: 200,
		},
		{
			Method: "POST", Path: "/digital-try-on/v1/sku_images_operations", API: "/digital-try-on/v1",
			Requirement: routeauth.Mandatory, CredentialHeaders: []string{"Authorization"}, Scheme: routeauth.SchemeJWT, Status: 422,
		},
		{
			Method: "POST", Path: "/digital-try-on/v1/sku_images_operations", API: "/digital-try-on/v1",
			Requirement: routeauth.Mandatory, CredentialHeaders: []string{"X-Api-Key", "X-User-Id", "X-User-Id"}, Status: 401,
		},
		{
			Method: "GET", Path: "/v1/sku_items/a%2Fb", API: "/v1",
			Requirement: routeauth.Mandatory, CredentialHeaders: []string{"X-Api-Key"}, Scheme: routeauth.SchemeAPIKey, Status: 404,
		},
		{
			Method: "GET", Path: "/storage/model_image-1", Requirement: routeauth.Optional,
			CredentialHeaders: []string{"X-Api-Key"}, Status: 200,
		},
	}, got)
	assert.NotContains(t, fmt.Sprintf("%+v", got), jwt)
	assert.NotContains(t, fmt.Sprintf("%+v", got), aiutatest.APIKey)
}

func TestRequestsAreTheCallersOwn(t *testing.T) {
	server := newServer(t, aiutatest.Config{})
	send(t, server, "GET", server.UnifiedURL()+"/try_on_models", apiKey(), "")
	changed := server.Requests()
	changed[0].CredentialHeaders[0] = "changed"
	changed[0].Status = 0
	assert.Equal(t, []string{"X-Api-Key"}, server.Requests()[0].CredentialHeaders)
	assert.Equal(t, http.StatusOK, server.Requests()[0].Status)
}

func TestConfigReplacesTheDefaults(t *testing.T) {
	cfg := aiutatest.Config{
		APIKeys:         []routeauth.Secret{"key-1", "", "key-2"},
		SubscriptionIDs: []string{"", "0123456789abcdef01234567", "76543210fedcba9876543210"},
		JWTIssuer:       "another issuer",
		JWTSecret:       "another secret",
	}
	server := newServer(t, cfg)
	cfg.APIKeys[0], cfg.SubscriptionIDs[1] = "changed", "changed" // without effect
	url := server.DigitalTryOnURL() + "/predefined_try_on_models"
	for name, test := range map[string]struct {
		headers fields
		want    int
	}{
		"first key":              {fields{"x-api-key", "key-1"}, 200},
		"second key":             {fields{"x-api-key", "key-2"}, 200},
		"empty key":              {fields{"x-api-key", ""}, 401},
		"changed key":            {fields{"x-api-key", "changed"}, 401},
		"default key":            {apiKey(), 401},
		"first subscription":     {fields{"x-user-id", "0123456789abcdef01234567"}, 200},
		"second subscription":    {fields{"x-user-id", "76543210fedcba9876543210"}, 200},
		"empty subscription":     {fields{"x-user-id", ""}, 401},
		"changed subscription":   {fields{"x-user-id", "changed"}, 401},
		"default subscription":   {subscription(), 401},
		"default secret":         {bearer(token(t, nil)), 401},
		"issuer and secret":      {bearer(signWith(t, "another issuer", "another secret")), 200},
		"default issuer":         {bearer(signWith(t, aiutatest.JWTIssuer, "another secret")), 401},
		"issuer, default secret": {bearer(signWith(t, "another issuer", aiutatest.JWTSecret)), 401},
	} {
		assert.Equal(t, test.want, send(t, server, "GET", url, test.headers, "").status, name)
	}
}

func TestStatusCallsSayWhenAnOperationIsDone(t *testing.T) {
	for calls, want := range map[int][]string{
		-1: {"CREATED", "IN_PROGRESS", "SUCCESS"},
		0:  {"CREATED", "IN_PROGRESS", "SUCCESS", "SUCCESS"},
		1:  {"SUCCESS", "SUCCESS"},
		2:  {"CREATED", "SUCCESS"},
		4:  {"CREATED", "IN_PROGRESS", "IN_PROGRESS", "SUCCESS"},
	} {
		server := newServer(t, aiutatest.Config{StatusCalls: calls})
		operation := startTryOn(t, server)
		for i, status := range want {
			a := send(t, server, "GET", operation, subscription(), "")
			assert.Equal(t, status, a.text(t, "status"), "call %d of %d", i+1, calls)
			assert.Equal(t, status == "SUCCESS", len(a.decoded(t)["generated_images"].([]any)) == 1)
		}
	}
}

func TestTLSServesTheSameOverHTTPS(t *testing.T) {
	server := newServer(t, aiutatest.Config{TLS: true})
	assert.True(t, strings.HasPrefix(server.DigitalTryOnURL(), "https://"))
	image := upload(t, server, server.DigitalTryOnURL(), "content")
	require.Equal(t, http.StatusOK, image.status)
	assert.Equal(t, "content", send(t, server, "GET", image.text(t, "url"), nil, "").body)
}

// Rule 27.
func TestNoFormattingShowsASecret(t *testing.T) {
	cfg := aiutatest.Config{APIKeys: []routeauth.Secret{"the-key"}, JWTSecret: "the-secret"}
	server := newServer(t, cfg)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		for _, value := range []any{cfg, &cfg, *server, server, struct{ s *aiutatest.Server }{server}} {
			text := fmt.Sprintf(verb, value)
			for _, secret := range []string{"the-key", "the-secret", "7468652d6b6579", "[116 104 101 45"} {
				assert.NotContains(t, text, secret, "%s of %T", verb, value)
			}
		}
	}
}

// Rule 8.
func TestAServerIsSafeForConcurrentUse(t *testing.T) {
	const clients = 32
	server := newServer(t, aiutatest.Config{})
	var wg sync.WaitGroup
	operations := make(chan string, clients)
	for range clients {
		wg.Go(func() {
			base := server.DigitalTryOnURL()
			body := `{"uploaded_image_id": "` + aiutatest.ModelImageID + `", "sku_id": "a"}`
			started, err := trySend(server, "POST", base+"/sku_images_operations", apiKey(), strings.NewReader(body))
			if !assert.NoError(t, err) || !assert.Equal(t, http.StatusOK, started.status, started.body) {
				return
			}
			_, id, _ := strings.Cut(started.body, `"operation_id":"`)
			id, _, _ = strings.Cut(id, `"`)
			operations <- id
			for range 3 {
				_, err = trySend(server, "GET", base+"/sku_images_operations/"+id, subscription(), nil)
				assert.NoError(t, err)
			}
			server.Requests()
			server.Generations()
		})
	}
	wg.Wait()
	close(operations)
	seen := map[string]bool{}
	for id := range operations {
		seen[id] = true
	}
	assert.Len(t, seen, clients)
	assert.Equal(t, clients, server.Generations())
	assert.Len(t, server.Requests(), clients*4)
}

// Rule 8.
func TestCloseLeavesNoGoroutineBehind(t *testing.T) {
	server := aiutatest.NewServer(aiutatest.Config{})
	send(t, server, "GET", server.UnifiedURL()+"/try_on_models", apiKey(), "")
	serving := func() bool {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		return strings.Contains(string(stacks), "net/http.(*conn).serve") ||
			strings.Contains(string(stacks), "net/http.(*Server).Serve")
	}
	require.True(t, serving(), "the names of the goroutines have changed")
	server.Close()
	assert.Eventually(t, func() bool { return !serving() }, 10*time.Second, time.Millisecond)
}
