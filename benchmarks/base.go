package benchmarks

import "net/http"

// OneResponse returns a base that answers at once, and always with the same
// response, so that nothing of its own is measured. It is for one goroutine:
// a transport above it may write the response's Request.
func OneResponse() http.RoundTripper {
	response := newResponse()
	return roundTripFunc(func(*http.Request) (*http.Response, error) { return response, nil })
}

// OwnResponses returns a base that answers at once, with a response of its own
// for each request, as the [http.RoundTripper] contract wants it. It is safe
// for concurrent use.
func OwnResponses() http.RoundTripper {
	return roundTripFunc(func(*http.Request) (*http.Response, error) { return newResponse(), nil })
}

type roundTripFunc func(req *http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func newResponse() *http.Response {
	return &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody}
}
