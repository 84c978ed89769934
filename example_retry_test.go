package routeauth_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"example.com/routeauth"
	"github.com/hashicorp/go-retryablehttp"
)

// Each attempt is authenticated afresh, and a rejected key is not tried again.
// This is the stack to choose.
func ExampleCheckRetry_retryAboveAuth() {
	policy, err := routeauth.NewPolicy("https://api.example.com/v1", routeauth.Routes{
		"POST /operations": routeauth.Mandatory,
	})
	if err != nil {
		slog.Error(err.Error())
		return
	}
	transport, err := routeauth.New(policy, routeauth.APIKeyAuth{APIKey: "not-valid"}, api)
	if err != nil {
		slog.Error(err.Error())
		return
	}
	retrying := retryablehttp.NewClient()
	retrying.Logger = nil
	retrying.CheckRetry = routeauth.CheckRetry(retryablehttp.DefaultRetryPolicy)
	retrying.HTTPClient = &http.Client{
		Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // the outer client follows redirects
		},
	}
	client := &http.Client{Transport: &retryablehttp.RoundTripper{Client: retrying}}

	_, err = client.Post("https://api.example.com/v1/operations", "application/json", strings.NewReader("{}"))
	fmt.Println(errors.Is(err, routeauth.ErrUnauthorized))
	// Output: true
}

// All attempts of a request carry the same credential, and no token is asked
// for in between. It is for a client whose retries cannot be moved.
func ExampleCheckRetry_retryBelowAuth() {
	retrying := retryablehttp.NewClient()
	retrying.Logger = nil
	retrying.CheckRetry = routeauth.CheckRetry(retryablehttp.DefaultRetryPolicy)
	retrying.HTTPClient = &http.Client{
		Transport: api,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // or the key goes wherever a redirect leads
		},
	}
	policy, err := routeauth.NewPolicy("https://api.example.com/v1", routeauth.Routes{
		"POST /operations": routeauth.Mandatory,
	})
	if err != nil {
		slog.Error(err.Error())
		return
	}
	transport, err := routeauth.New(policy, routeauth.APIKeyAuth{APIKey: "not-valid"},
		&retryablehttp.RoundTripper{Client: retrying})
	if err != nil {
		slog.Error(err.Error())
		return
	}
	client := &http.Client{Transport: transport}

	_, err = client.Post("https://api.example.com/v1/operations", "application/json", strings.NewReader("{}"))
	fmt.Println(errors.Is(err, routeauth.ErrUnauthorized))
	// Output: true
}
