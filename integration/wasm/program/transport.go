//go:build js

package main

import (
	"fmt"
	"net/http"

	"example.com/routeauth"
)

// newTransport returns the transport that the setting names.
func (s *settings) newTransport(base http.RoundTripper) (http.RoundTripper, error) {
	switch s.transport {
	case "plain":
		return &withField{routeauth.HeaderAPIKey, s.credential, base}, nil
	case "APIKeyTransport":
		return routeauth.NewAPIKeyTransport(routeauth.Secret(s.credential), base)
	case "APIKeyTransport over SubscriptionTransport":
		subscription, err := routeauth.NewSubscriptionTransport("another-secret", base)
		if err != nil {
			return nil, err
		}
		return routeauth.NewAPIKeyTransport(routeauth.Secret(s.credential), subscription)
	case "SubscriptionTransport":
		return routeauth.NewSubscriptionTransport(s.credential, base)
	case "JWTTransport":
		source, err := s.newTokenSource()
		if err != nil {
			return nil, err
		}
		return routeauth.NewJWTTransport(source, base)
	case "APIKeyAuth":
		return s.newRouted(routeauth.Mandatory, routeauth.APIKeyAuth{APIKey: routeauth.Secret(s.credential)}, base)
	case "JWTAuth, mandatory":
		source, err := s.newTokenSource()
		if err != nil {
			return nil, err
		}
		return s.newRouted(routeauth.Mandatory, routeauth.JWTAuth{SubscriptionID: "subscription", Source: source}, base)
	case "JWTAuth, optional":
		source, err := routeauth.NewStaticTokenSource("token")
		if err != nil {
			return nil, err
		}
		return s.newRouted(routeauth.Optional, routeauth.JWTAuth{SubscriptionID: s.credential, Source: source}, base)
	}
	return nil, fmt.Errorf("there is no transport %q", s.transport)
}

// newRouted returns a transport for an API all of whose endpoints want the same.
func (s *settings) newRouted(want routeauth.Requirement, auth routeauth.Auth, base http.RoundTripper) (http.RoundTripper, error) {
	policy, err := routeauth.NewPolicy(s.apiURL, routeauth.Routes{"/": want})
	if err != nil {
		return nil, err
	}
	return routeauth.New(policy, auth, base)
}

// withField sets a header field, as a program without routeauth would.
type withField struct {
	name, value string
	base        http.RoundTripper
}

func (w *withField) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Set(w.name, w.value)
	base := w.base
	if base == nil {
		base = http.DefaultTransport
	}
	return base.RoundTrip(req)
}
