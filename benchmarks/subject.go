package benchmarks

import (
	"context"
	"fmt"
	"net/http"
)

// API is the base URL of the API that most subjects send to.
const API = "https://api.example.com/v1"

// Subject is a transport under measurement, with the request that it is
// measured with. It is immutable and safe for concurrent use.
type Subject struct {
	// Name tells the subject from the others.
	Name string
	// URL is where the request goes.
	URL string
	// Field and Value are the credential's header field, as the base is to get
	// it. They are empty where no credential is to be sent.
	Field, Value string
	// Transport returns the subject on top of base.
	Transport func(base http.RoundTripper) (http.RoundTripper, error)
}

// Operation does once what is measured. What it needs was made before.
type Operation func() error

// RoundTrips returns the operation that sends the subject's request with the
// subject to base. It was done once when RoundTrips returns, so that a cache is
// warm. It is for one goroutine.
func (s Subject) RoundTrips(base http.RoundTripper) (Operation, error) {
	transport, err := s.Transport(base)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	req, err := NewRequest(s.URL)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	operation := roundTrips(transport, req)
	return operation, operation()
}

// roundTrips returns the operation that sends req.
func roundTrips(transport http.RoundTripper, req *http.Request) Operation {
	return func() error {
		_, err := transport.RoundTrip(req)
		return err
	}
}

// NewRequest returns the request that every subject is measured with: a GET
// with four header fields and no body.
func NewRequest(url string) (*http.Request, error) {
	return newRequest(context.Background(), url, 4)
}

// fields are what a client commonly sends beside a credential.
var fields = [...][2]string{
	{"Accept", "application/json"},
	{"Accept-Language", "en"},
	{"Content-Type", "application/json"},
	{"User-Agent", "benchmark/1.0"},
}

// newRequest returns a GET with so many header fields.
func newRequest(ctx context.Context, url string, headers int) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	for i := range headers {
		if i < len(fields) {
			req.Header.Set(fields[i][0], fields[i][1])
			continue
		}
		req.Header.Set(fmt.Sprintf("X-Field-%d", i), "value")
	}
	return req, nil
}
