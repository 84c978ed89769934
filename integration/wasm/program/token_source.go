//go:build js

package main

import (
	"fmt"
	"net/http"

	"example.com/routeauth"
)

// newTokenSource returns a source whose one token is the credential, or one
// that asks the endpoint.
func (s *settings) newTokenSource() (routeauth.TokenSource, error) {
	if s.tokenEndpoint == "" {
		return routeauth.NewStaticTokenSource(routeauth.Secret(s.credential))
	}
	client, err := s.newTokenClient()
	if err != nil {
		return nil, err
	}
	remote, err := routeauth.NewRemoteTokenSource(s.tokenEndpoint, client)
	if err != nil {
		return nil, err
	}
	return routeauth.NewTokenCache(remote)
}

func (s *settings) newTokenClient() (*http.Client, error) {
	switch s.tokenClient {
	case "nil":
		return nil, nil
	case "session": // the app's own, a secret that routeauth does not know
		return &http.Client{Transport: &withField{"X-Session", s.credential, http.DefaultTransport}}, nil
	case "DialContext":
		return &http.Client{Transport: &http.Transport{DialContext: dialContext}}, nil
	}
	return nil, fmt.Errorf("there is no token client %q", s.tokenClient)
}
