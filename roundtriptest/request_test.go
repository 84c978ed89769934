package roundtriptest

import (
	"context"
	"maps"
	"net/http"
)

// requestFaults break one clause each.
var requestFaults = []fault{
	{name: "changes the caller's URL", fails: []string{"request/fields"},
		wrap: sending(func(req *http.Request) *http.Request {
			if req.URL != nil {
				req.URL.Path = "/changed"
			}
			return req
		})},
	{name: "closes the connection of the caller's request", fails: []string{"request/fields"},
		wrap: sending(func(req *http.Request) *http.Request { req.Close = true; return req })},
	{name: "puts a body of its own into the caller's request and takes it back", fails: []string{"request/fields"},
		wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			body := req.Body
			if body == nil || body == http.NoBody {
				return base.RoundTrip(req)
			}
			req.Body = counted{body}
			defer func() { req.Body = body }()
			return base.RoundTrip(req)
		})},
	{name: "declares a trailer in the caller's request", fails: []string{"request/fields"},
		wrap: sending(func(req *http.Request) *http.Request {
			if req.Trailer != nil {
				req.Trailer["X-Signature"] = nil
			}
			return req
		})},
	{name: "gives the caller's request another context", fails: []string{"request/fields"},
		wrap: sending(func(req *http.Request) *http.Request {
			*req = *req.WithContext(context.WithValue(req.Context(), spanKey{}, "span"))
			return req
		})},
	{name: "sets a field in the caller's header", fails: []string{"request/header"},
		wrap: sending(func(req *http.Request) *http.Request {
			if req.Header != nil {
				req.Header.Set("User-Agent", "wrapper")
			}
			return req
		})},
	{name: "deletes a field from the caller's header while the base runs", fails: []string{"request/header"},
		wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			accept, had := req.Header["Accept"]
			delete(req.Header, "Accept")
			resp, err := base.RoundTrip(req)
			if had {
				req.Header["Accept"] = accept
			}
			return resp, err
		})},
	{name: "shares the values of a copied header", fails: []string{"request/header-values"},
		wrap: sending(func(req *http.Request) *http.Request {
			sent := req.WithContext(req.Context())
			sent.Header = maps.Clone(req.Header)
			return sent
		})},
	{name: "writes into the clone of a nil header", fails: []string{"request/nil-header"},
		wrap: sending(func(req *http.Request) *http.Request {
			sent := req.WithContext(req.Context())
			sent.Header = req.Header.Clone()
			sent.Header.Set("User-Agent", "wrapper")
			return sent
		})},
	{name: "gives the caller's request a header", fails: []string{"request/nil-header"},
		wrap: sending(func(req *http.Request) *http.Request {
			if req.Header == nil {
				req.Header = make(http.Header)
			}
			return req
		})},
	{name: "knows methods by name", fails: []string{"request/empty-method"},
		wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			if req.Method != http.MethodGet && req.Method != http.MethodPost {
				return nil, errRefused
			}
			return base.RoundTrip(req)
		})},
	{name: "fills in the caller's method", fails: []string{"request/empty-method"},
		wrap: sending(func(req *http.Request) *http.Request {
			if req.Method == "" {
				req.Method = http.MethodGet
			}
			return req
		})},
	{name: "copies the trailers", fails: []string{"request/trailers"},
		wrap: sending(func(req *http.Request) *http.Request {
			url := req.URL
			sent := req.Clone(req.Context())
			sent.URL = url
			return sent
		})},
}
