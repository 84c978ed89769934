package roundtriptest

import (
	"context"
	"net/http"
	"time"
)

// contextFaults break one clause each.
var contextFaults = []fault{
	{name: "drops the cancellation", fails: []string{"context/cancel"},
		wrap: sending(func(req *http.Request) *http.Request {
			return req.WithContext(context.WithoutCancel(req.Context()))
		})},
	{name: "drops the values of the context", fails: []string{"context/values"},
		wrap: sending(func(req *http.Request) *http.Request {
			ctx, cancel := context.WithCancel(context.Background())
			context.AfterFunc(req.Context(), cancel)
			return req.WithContext(ctx)
		})},
	{name: "ends a timeout when the base returns", fails: []string{"context/response"},
		wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			ctx, cancel := context.WithTimeout(req.Context(), time.Minute)
			defer cancel()
			return base.RoundTrip(req.WithContext(ctx))
		})},
}
