package integration_test

import (
	"net/http"
	"strings"
	"testing"

	"example.com/routeauth"
	"example.com/routeauth/integration/measure"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/failsafehttp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var failsafeGo = measure.Neighbour{
	Module: "github.com/failsafe-go/failsafe-go",
	File:   "failsafe_test.go",
	Server: measure.Server{Sends: measure.APIKey},
	Call: func(t *testing.T, baseURL string, client *http.Client) measure.Answer {
		client.Transport = failsafehttp.NewRoundTripper(client.Transport, failsafehttp.NewRetryPolicyBuilder().Build())
		return post(t, baseURL, client)
	},
	Facts: []measure.Fact{
		{Says: "its circuit breaker opens for a 401 that is an error", Test: failsafeBreaker},
		{Says: "`AbortOnErrors(routeauth.ErrUnauthorized)` makes it one request", Test: failsafeAbort},
	},
}

func failsafeBreaker(t *testing.T) {
	for _, test := range []struct {
		opts []routeauth.Option
		open bool
	}{
		{nil, true},
		{[]routeauth.Option{routeauth.KeepUnauthorized()}, false},
	} {
		api := measure.Server{Sends: measure.APIKey}.Start(t)
		client := api.Client(t, measure.Wrong, test.opts...)
		breaker := circuitbreaker.NewWithDefaults[*http.Response]()
		client.Transport = failsafehttp.NewRoundTripper(client.Transport, breaker)
		post(t, api.URL, client)
		assert.Equal(t, test.open, breaker.IsOpen())
	}
}

func failsafeAbort(t *testing.T) {
	api := measure.Server{Sends: measure.APIKey}.Start(t)
	client := api.Client(t, measure.Wrong)
	policy := failsafehttp.NewRetryPolicyBuilder().AbortOnErrors(routeauth.ErrUnauthorized).Build()
	client.Transport = failsafehttp.NewRoundTripper(client.Transport, policy)
	require.ErrorIs(t, post(t, api.URL, client).Err, routeauth.ErrUnauthorized)
	assert.Equal(t, 1, api.Rejected())
}

// post makes a call of a program that uses net/http itself.
func post(t *testing.T, baseURL string, client *http.Client) measure.Answer {
	req, err := http.NewRequestWithContext(t.Context(), "POST", baseURL+"/orders", strings.NewReader(`{"count":1}`))
	require.NoError(t, err)
	resp, err := client.Do(req)
	if err == nil {
		resp.Body.Close()
	}
	return measure.Answer{Err: err, Resp: resp}
}
