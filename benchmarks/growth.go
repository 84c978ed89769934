package benchmarks

import (
	"context"
	"fmt"
	"strings"

	"example.com/routeauth"
)

// Growth is an operation whose cost may depend on the size of something.
type Growth struct {
	Name  string
	Sizes []int
	// Prepare returns the operation at one of the sizes.
	Prepare func(size int) (Operation, error)
}

// Growths returns what is measured at several sizes.
func Growths() []Growth {
	routes := []int{10, 100, 1_000, 10_000}
	tokens := []int{1, 10, 100, 1_000, 10_000, 100_000}
	return []Growth{
		{"header fields of the request, hand-written minimum", []int{0, 4, 16, 64}, func(size int) (Operation, error) {
			return withHeaders(MinimumAPIKey(API+StaticPath), size)
		}},
		{"header fields of the request, APIKeyAuth", []int{0, 4, 16, 64}, func(size int) (Operation, error) {
			return withHeaders(APIKeyAuth(API, 10, StaticPath), size)
		}},
		{"routes, a request to a static one", routes, func(size int) (Operation, error) {
			return APIKeyAuth(API, size, StaticPath).RoundTrips(OneResponse())
		}},
		{"routes, a request to one with a wildcard", routes, func(size int) (Operation, error) {
			return APIKeyAuth(API, size, WildcardPath).RoundTrips(OneResponse())
		}},
		{"wildcards of the route", []int{0, 1, 2, 3}, withWildcards},
		{"routes, NewPolicy", routes, func(size int) (Operation, error) {
			table := Routes(size)
			return func() error {
				_, err := routeauth.NewPolicy(API, table)
				return err
			}, nil
		}},
		{"tokens held, one of them is sent", tokens, func(size int) (Operation, error) {
			return HitTokens(size, 1)
		}},
		{"tokens held, a new one takes a place", tokens, MissToken},
		{"params of a token", []int{0, 1, 2, 8}, func(size int) (Operation, error) {
			return HitTokens(1, size)
		}},
	}
}

// withHeaders returns the operation that sends a request with so many header
// fields.
func withHeaders(s Subject, headers int) (Operation, error) {
	transport, err := s.Transport(OneResponse())
	if err != nil {
		return nil, err
	}
	req, err := newRequest(context.Background(), s.URL, headers)
	if err != nil {
		return nil, err
	}
	return roundTrips(transport, req), nil
}

// withWildcards returns the operation that sends a request to a route with so
// many wildcards.
func withWildcards(count int) (Operation, error) {
	pattern := "GET /things"
	for i := range count {
		pattern += fmt.Sprintf("/{id%d}", i)
	}
	s := APIKeyAuth(API, 10, StaticPath)
	s.URL = API + "/things" + strings.Repeat("/42", count)
	s.Transport = throughNew(API, routeauth.Routes{pattern: routeauth.Mandatory}, func() (routeauth.Auth, error) {
		return routeauth.APIKeyAuth{APIKey: apiKey}, nil
	})
	return s.RoundTrips(OneResponse())
}
