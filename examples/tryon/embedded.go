package main

import (
	"net/http"
	"net/http/httptest"

	"example.com/routeauth"
	"example.com/routeauth/aiuta/aiutatest"
	"example.com/routeauth/issuer"
)

// embedAPI starts an API in this process and points the settings at it.
func embedAPI(s *settings) (closeAPI func()) {
	server := aiutatest.NewServer(aiutatest.Config{})
	s.baseURL = server.DigitalTryOnURL()
	s.apiKey = aiutatest.APIKey
	s.subscriptionID = aiutatest.SubscriptionID
	s.jwtKey = aiutatest.JWTIssuer
	s.jwtSecret = aiutatest.JWTSecret
	return server.Close
}

// startBackend starts what stands for your backend: it issues JWTs to users
// that it knows. A real one is in examples/backend.
func startBackend(jwtKey string, jwtSecret routeauth.Secret) (url string, closeBackend func(), err error) {
	source, err := issuer.New(jwtKey, jwtSecret)
	if err != nil {
		return "", nil, err
	}
	everybody := func(*http.Request, routeauth.Params) error { return nil }
	handler, err := issuer.NewHandler(source, everybody)
	if err != nil {
		return "", nil, err
	}
	server := httptest.NewServer(handler)
	return server.URL + "/jwt", server.Close, nil
}
