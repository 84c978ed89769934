package aiutatest_test

import (
	"net/http"
	"testing"

	"example.com/routeauth"
	"example.com/routeauth/aiuta/aiutatest"
	"github.com/stretchr/testify/assert"
)

func TestEveryRouteDemandsWhatItsTableSays(t *testing.T) {
	server := newServer(t, aiutatest.Config{})
	jwt := token(t, nil)
	for baseURL, routes := range apisOf(server) {
		for pattern, requirement := range routes {
			method, url := urlOf(baseURL, pattern)
			for name, test := range map[string]struct {
				headers  fields
				accepted bool
			}{
				"nothing":         {nil, false},
				"an API key":      {apiKey(), true},
				"a token":         {bearer(jwt), true},
				"a subscription":  {subscription(), requirement == routeauth.Optional},
				"all of them":     {append(append(apiKey(), bearer(jwt)...), subscription()...), true},
				"an invalid key":  {fields{"x-api-key", "wrong"}, false},
				"an invalid user": {fields{"x-user-id", "wrong"}, false},
			} {
				a := send(t, server, method, url, test.headers, "")
				assert.Equal(t, test.accepted, a.status != http.StatusUnauthorized, "%s with %s: %d", pattern, name, a.status)
			}
		}
	}
}

func TestA401SaysWhatWasWrongAndNeverEchoesTheCredential(t *testing.T) {
	const plain = `Bearer realm="aiuta"`
	const invalidToken = plain + `, error="invalid_token"`
	jwt := token(t, nil)
	server := newServer(t, aiutatest.Config{})
	mandatory := server.DigitalTryOnURL() + "/sku_images_operations"
	optional := server.DigitalTryOnURL() + "/predefined_try_on_models"
	for name, test := range map[string]struct {
		method, url string
		headers     fields
		detail      string
		challenge   string
	}{
		"no credential where one is demanded": {
			"POST", mandatory, nil,
			"there is no credential; this endpoint takes Authorization with a bearer token, or x-api-key", plain,
		},
		"no credential where a weaker one would do": {
			"GET", optional, nil,
			"there is no credential; this endpoint takes Authorization with a bearer token, x-api-key, or x-user-id", plain,
		},
		"a subscription ID on a mandatory route": {
			"POST", mandatory, subscription(),
			"x-user-id is not enough; this endpoint takes Authorization with a bearer token, or x-api-key", plain,
		},
		"an unknown subscription ID": {
			"GET", optional, fields{"x-user-id", "ffffffffffffffffffffffff"},
			"x-user-id holds no subscription ID of this server", plain,
		},
		"an empty subscription ID": {"GET", optional, fields{"x-user-id", ""}, "x-user-id is empty", plain},
		"an unknown key":           {"GET", optional, fields{"x-api-key", "unknown-key"}, "x-api-key holds no API key of this server", plain},
		"an empty key":             {"GET", optional, fields{"x-api-key", ""}, "x-api-key is empty", plain},
		"an empty key before a good user": {
			"GET", optional, append(subscription(), "x-api-key", ""), "x-api-key is empty", plain,
		},
		"two keys": {
			"GET", optional, append(apiKey(), apiKey()...), "X-Api-Key is there 2 times", plain,
		},
		"two values of Authorization": {
			"POST", mandatory, append(bearer(jwt), bearer(jwt)...), "Authorization is there 2 times", plain,
		},
		"two subscription IDs": {
			"GET", optional, append(subscription(), subscription()...), "X-User-Id is there 2 times", plain,
		},
		"a key as a bearer token": {
			"POST", mandatory, bearer(aiutatest.APIKey), "the token is not valid: it is not a JWT", invalidToken,
		},
		"a key as a subscription ID": {
			"GET", optional, fields{"x-user-id", aiutatest.APIKey}, "x-user-id holds no subscription ID of this server", plain,
		},
		"a token as a key": {
			"POST", mandatory, fields{"x-api-key", jwt}, "x-api-key holds no API key of this server", plain,
		},
		"a subscription ID as a key": {
			"POST", mandatory, fields{"x-api-key", aiutatest.SubscriptionID}, "x-api-key holds no API key of this server", plain,
		},
		"a token without its scheme": {
			"POST", mandatory, fields{"Authorization", jwt}, "the scheme of Authorization is not Bearer", plain,
		},
		"another scheme beside a good key": {
			"POST", mandatory, append(apiKey(), "Authorization", "Basic dXNlcjpwYXNz"), "the scheme of Authorization is not Bearer", plain,
		},
		"a scheme without a token": {
			"POST", mandatory, fields{"Authorization", "Bearer"}, "the token is not valid: it is not a JWT", invalidToken,
		},
		"two tokens in one value": {
			"POST", mandatory, bearer(jwt + " " + jwt), "the token is not valid: it is not a JWT", invalidToken,
		},
		"an invalid token beside a good key": {
			"POST", mandatory, append(apiKey(), bearer("not.a.jwt")...), "the token is not valid: it is not a JWT", invalidToken,
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := send(t, server, test.method, test.url, test.headers, "{}")
			assert.Equal(t, http.StatusUnauthorized, a.status)
			assert.Equal(t, map[string]any{"detail": test.detail}, a.decoded(t))
			assert.Equal(t, "application/json", a.header.Get("Content-Type"))
			assert.Equal(t, []string{test.challenge}, a.header.Values("WWW-Authenticate"))
			for i := 1; i < len(test.headers); i += 2 {
				if value := test.headers[i]; value != "" && value != "Bearer" {
					assert.NotContains(t, a.body, value)
				}
			}
		})
	}
	assert.Zero(t, server.Generations())
}

func TestTheUnifiedAPIAnswers401LikeTheOthers(t *testing.T) {
	server := newServer(t, aiutatest.Config{})
	a := send(t, server, "GET", server.UnifiedURL()+"/sku_items", fields{"x-api-key", "wrong"}, "")
	assert.Equal(t, http.StatusUnauthorized, a.status)
	assert.JSONEq(t, `{"detail": "x-api-key holds no API key of this server"}`, a.body)
}

func TestAGoodTokenIsAcceptedBesideWhateverElseIsSent(t *testing.T) {
	server := newServer(t, aiutatest.Config{})
	url := server.UnifiedURL() + "/sku_items"
	for name, headers := range map[string]fields{
		"with the user that the Android SDK adds": append(bearer(token(t, nil)), subscription()...),
		"with another user":                       append(bearer(token(t, nil)), "x-user-id", "unknown"),
		"with another key":                        append(bearer(token(t, nil)), "x-api-key", "unknown"),
		"with the scheme in lower case":           {"authorization", "bearer " + token(t, nil)},
		"with more spaces":                        {"Authorization", "Bearer   " + token(t, nil)},
	} {
		assert.Equal(t, http.StatusOK, send(t, server, "GET", url, headers, "").status, name)
	}
}
