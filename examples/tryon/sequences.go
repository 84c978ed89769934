package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/aiuta"
)

// heading is what stands above the lines of a sequence.
type heading struct{ title, lookAt string }

var (
	jwtTitle = heading{"JWTAuth: the app has a subscription ID, its backend signs JWTs",
		"Look at the credential: a JWT for the call that costs money, else the ID."}
	apiKeyTitle = heading{"APIKeyAuth: a server has the API key",
		"Look at the last line: the result's storage is not the API and gets no key."}
	invalidJWTTitle = heading{"JWTAuth with a JWT that is not valid",
		"Look at the 401, and at what the caller makes of it."}
)

// tryOnWithJWT is the sequence app, backend, JWT, API: a JWT where a credential
// is demanded, the subscription ID elsewhere.
func tryOnWithJWT(ctx context.Context, s *settings, calls *callLog) error {
	tokenURL := s.tokenURL
	if tokenURL == "" {
		url, closeBackend, err := startBackend(s.jwtKey, s.jwtSecret)
		if err != nil {
			return err
		}
		defer closeBackend()
		tokenURL = url
	}
	remote, err := routeauth.NewRemoteTokenSource(tokenURL, calls.backendClient())
	if err != nil {
		return err
	}
	cache, err := routeauth.NewTokenCache(remote)
	if err != nil {
		return err
	}
	return tryOn(ctx, s, calls, jwtTitle, routeauth.JWTAuth{
		SubscriptionID: s.subscriptionID,
		Source:         cache,
		Params:         aiuta.RequestParams(),
	})
}

// tryOnWithAPIKey is the sequence of a server: the API key everywhere.
func tryOnWithAPIKey(ctx context.Context, s *settings, calls *callLog) error {
	return tryOn(ctx, s, calls, apiKeyTitle, routeauth.APIKeyAuth{APIKey: s.apiKey})
}

// tryOnWithInvalidJWT is the break of the JWT's sequence: the API rejects the
// token, and the caller tells that apart from every other failure.
func tryOnWithInvalidJWT(ctx context.Context, s *settings, calls *callLog) error {
	source, err := routeauth.NewStaticTokenSource("not.a.jwt")
	if err != nil {
		return err
	}
	err = tryOn(ctx, s, calls, invalidJWTTitle, routeauth.JWTAuth{
		SubscriptionID: s.subscriptionID,
		Source:         source,
	})

	var unauthorized *routeauth.UnauthorizedError
	var credential *routeauth.CredentialError
	switch {
	case errors.As(err, &unauthorized):
		calls.note("The caller has a %T:", unauthorized)
		calls.note("  scheme      %s", unauthorized.Scheme)
		calls.note("  detail      %q", unauthorized.Detail)
		calls.note("  request ID  %s", unauthorized.RequestID)
		calls.note("The user is shown: Something went wrong. Please sign in again.")
		return nil
	case errors.As(err, &credential):
		calls.note("The user is shown: Something went wrong. Please try again later.")
		return err
	case err != nil:
		return err
	}
	return errors.New("the API accepted it")
}

// newClient returns a client that authenticates what goes to the API and
// nothing else.
func newClient(s *settings, calls *callLog, auth routeauth.Auth) (*http.Client, error) {
	policy, err := routeauth.NewPolicy(s.baseURL, aiuta.DigitalTryOnRoutes())
	if err != nil {
		return nil, err
	}
	transport, err := routeauth.New(policy, auth, calls.network(), routeauth.WithTrace(calls.trace(s.baseURL)))
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: tracedTransport{calls, s.baseURL, transport}, Timeout: time.Minute}, nil
}

// tryOn uploads the image, starts a generation, polls it and fetches its images.
func tryOn(ctx context.Context, s *settings, calls *callLog, h heading, auth routeauth.Auth) error {
	client, err := newClient(s, calls, auth)
	if err != nil {
		return err
	}
	calls.title(h.title, h.lookAt)
	api := apiClient{client, s.baseURL, s.interval, calls.progress}

	imageID, err := api.upload(ctx, s.imageName, s.image)
	if err != nil {
		return fmt.Errorf("upload: %w", err)
	}
	operationID, err := api.start(ctx, imageID, s.sku)
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	images, err := api.wait(ctx, operationID)
	if err != nil {
		return fmt.Errorf("poll: %w", err)
	}
	for _, url := range images {
		image, err := api.fetch(ctx, url)
		if err != nil {
			return fmt.Errorf("fetch: %w", err)
		}
		if err := s.results.add(image, calls); err != nil {
			return fmt.Errorf("-out: %w", err)
		}
	}
	return nil
}
