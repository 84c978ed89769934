package benchmarks

import (
	"context"
	"net/http"

	"example.com/routeauth"
)

// apiKey has the length of a common one.
const apiKey = "4f6c1d2e8b7a4c3f9d0e5a6b7c8d9e0f"

// APIKeyAuth returns routeauth with [routeauth.APIKeyAuth] and a policy of so
// many [Routes] of the API at baseURL. The request goes to path.
func APIKeyAuth(baseURL string, routes int, path string) Subject {
	return Subject{
		Name:  "APIKeyAuth, " + policyName(routes, path),
		URL:   baseURL + path,
		Field: routeauth.HeaderAPIKey,
		Value: apiKey,
		Transport: throughNew(baseURL, Routes(routes), func() (routeauth.Auth, error) {
			return routeauth.APIKeyAuth{APIKey: apiKey}, nil
		}),
	}
}

// JWTAuth returns routeauth with [routeauth.JWTAuth], a cached token and a
// policy of so many [Routes] of the API at baseURL. The request goes to path.
func JWTAuth(baseURL string, routes int, path string) Subject {
	return Subject{
		Name:  "JWTAuth, " + policyName(routes, path),
		URL:   baseURL + path,
		Field: routeauth.HeaderAuthorization,
		Value: "Bearer " + Token(),
		Transport: throughNew(baseURL, Routes(routes), func() (routeauth.Auth, error) {
			cache, err := routeauth.NewTokenCache(source)
			return routeauth.JWTAuth{SubscriptionID: "subscription", Source: cache}, err
		}),
	}
}

// jwtAuthWith returns routeauth with this cache, and with tokens for params.
func jwtAuthWith(cache *routeauth.TokenCache, params routeauth.ParamsFunc) Subject {
	s := JWTAuth(API, 10, StaticPath)
	s.Transport = throughNew(API, Routes(10), func() (routeauth.Auth, error) {
		return routeauth.JWTAuth{SubscriptionID: "subscription", Source: cache, Params: params}, nil
	})
	return s
}

// OutOfScope returns routeauth with a request for another host, which gets no
// credential.
func OutOfScope() Subject {
	s := JWTAuth(API, 10, StaticPath)
	s.Name = "out of scope"
	s.URL = "https://files.example.org/v1" + StaticPath
	s.Field, s.Value = "", ""
	return s
}

// Public returns routeauth with a request to a public endpoint, which gets no
// credential.
func Public() Subject {
	s := APIKeyAuth(API, 10, PublicPath)
	s.Name = "public endpoint"
	s.Field, s.Value = "", ""
	return s
}

// WithoutHooks returns routeauth with a Trace that is told nothing.
func WithoutHooks() Subject {
	return traced("a Trace without hooks", &routeauth.Trace{})
}

// WithDecided returns routeauth with a Trace that is told each decision.
func WithDecided() Subject {
	return traced("a Trace with Decided", &routeauth.Trace{Decided: func(context.Context, routeauth.Decision) {}})
}

func traced(name string, trace *routeauth.Trace) Subject {
	s := APIKeyAuth(API, 10, WildcardPath)
	s.Name = name
	s.Transport = func(base http.RoundTripper) (http.RoundTripper, error) {
		policy, err := routeauth.NewPolicy(API, Routes(10))
		if err != nil {
			return nil, err
		}
		return routeauth.New(policy, routeauth.APIKeyAuth{APIKey: apiKey}, base, routeauth.WithTrace(trace))
	}
	return s
}

// throughNew returns a constructor of what [routeauth.New] makes.
func throughNew(baseURL string, routes routeauth.Routes, newAuth func() (routeauth.Auth, error)) func(http.RoundTripper) (http.RoundTripper, error) {
	return func(base http.RoundTripper) (http.RoundTripper, error) {
		policy, err := routeauth.NewPolicy(baseURL, routes)
		if err != nil {
			return nil, err
		}
		auth, err := newAuth()
		if err != nil {
			return nil, err
		}
		return routeauth.New(policy, auth, base)
	}
}
