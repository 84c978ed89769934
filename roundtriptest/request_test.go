package roundtriptest

import (
	"context"
	"io"
	"net/http"
)

type spanKey struct{}

// requestFaults break one clause each.
var requestFaults = []fault{
	{name: "changes the caller's URL", fails: []string{"request/fields"},
		wrap: sending(func(req *http.Request) *http.Request {
			if req.URL != nil {
				req.URL.Fragment = "changed"
			}
			return req
		})},
	{name: "marks the caller's request", fails: []string{"request/fields"},
		wrap: sending(func(req *http.Request) *http.Request { req.RemoteAddr = "wrapper"; return req })},
	{name: "puts a body of its own into the caller's request and takes it back", fails: []string{"request/fields"},
		wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			body := req.Body
			if body == nil || body == http.NoBody || req.URL == nil {
				return base.RoundTrip(req)
			}
			sent := copied(req)
			req.Body = counted{body}
			defer func() { req.Body = body }()
			return base.RoundTrip(sent)
		})},
	{name: "declares a trailer in the caller's request", fails: []string{"request/fields"},
		wrap: sending(func(req *http.Request) *http.Request {
			if req.Trailer != nil {
				req.Trailer["X-Signature"] = nil
			}
			return req
		})},
	{name: "writes into the caller's TransferEncoding", fails: []string{"request/fields"},
		wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			resp, err := base.RoundTrip(req)
			if len(req.TransferEncoding) > 0 {
				req.TransferEncoding[0] = "identity"
			}
			return resp, err
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
			values, had := req.Header["X-Single"]
			sent := copied(req)
			delete(req.Header, "X-Single")
			resp, err := base.RoundTrip(sent)
			if had {
				req.Header["X-Single"] = values
			}
			return resp, err
		})},
	{name: "changes the caller's header when the response is closed", fails: []string{"request/header"},
		wrap: returning(func(req *http.Request, resp *http.Response, err error) (*http.Response, error) {
			if resp == nil || resp.StatusCode != http.StatusOK || len(req.Header) < 3 {
				return resp, err
			}
			if body, ok := resp.Body.(*trackedBody); ok && body.atEnd != nil {
				atEnd := body.atEnd
				body.atEnd = func() {
					atEnd()
					req.Header.Set("X-Done", "1")
				}
			}
			return resp, err
		})},
}

// bodyFaults break one clause each.
var bodyFaults = []fault{
	{name: "closes the body when the base fails only", fails: []string{"body/closed"},
		wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			if req.Body == nil || req.Body == http.NoBody || req.URL == nil || req.Header == nil {
				return base.RoundTrip(req)
			}
			body := req.Body
			sent := copied(req)
			sent.Body = io.NopCloser(body)
			resp, err := base.RoundTrip(sent)
			if err != nil {
				_ = body.Close()
			}
			return resp, err
		}), opts: []Option{WithSkip("it is no stream", "advice/own-body")}},
	{name: "closes the body at its end only", fails: []string{"body/closed-on-error"},
		wrap: withBody(func(body io.ReadCloser) io.ReadCloser { return closedAtEnd{body} }),
		opts: []Option{WithSkip("it is no stream", "advice/own-body")}},
	{name: "refuses without closing", fails: []string{"body/closed-on-refusal"},
		wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			if err := req.Context().Err(); err != nil {
				return nil, err
			}
			return base.RoundTrip(req)
		})},
	{name: "refuses plain http without closing", fails: []string{"body/closed-on-refusal"},
		wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			if req.URL != nil && req.URL.Scheme == "http" {
				return nil, errRefused
			}
			return base.RoundTrip(req)
		})},
	{name: "refuses a body that it cannot read twice, without closing", fails: []string{"body/closed-on-refusal"},
		wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			if req.Body != nil && req.Body != http.NoBody && req.GetBody == nil {
				return nil, errRefused
			}
			return base.RoundTrip(req)
		})},
	{name: "is configured to refuse without closing", fails: []string{"body/closed-on-refusal"},
		wrap: wrapping(http.RoundTripper.RoundTrip),
		opts: []Option{WithRefusal(wrapping(refuseUnclosed))}},
	{name: "is said to refuse and does not", fails: []string{"body/closed-on-refusal"},
		wrap: wrapping(http.RoundTripper.RoundTrip),
		opts: []Option{WithRefusal(wrapping(http.RoundTripper.RoundTrip))}},
	{name: "is said to refuse, but sends first", fails: []string{"body/closed-on-refusal"},
		wrap: wrapping(http.RoundTripper.RoundTrip),
		opts: []Option{WithRefusal(returning(func(*http.Request, *http.Response, error) (*http.Response, error) {
			return nil, errRefused
		}))}},
	{name: "closes the body when the base returns, but only once", fails: []string{"body/late-read"},
		wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			if req.Body == nil || req.Body == http.NoBody {
				return base.RoundTrip(req)
			}
			resp, err := base.RoundTrip(req)
			if body, ok := req.Body.(*trackedBody); ok && !body.closed() {
				_ = body.Close()
			}
			return resp, err
		})},
}

// closedAtEnd is a body whose Close does nothing, and which closes what it reads
// from when that ends.
type closedAtEnd struct{ body io.ReadCloser }

func (b closedAtEnd) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	if err == io.EOF {
		_ = b.body.Close()
	}
	return n, err
}

func (closedAtEnd) Close() error { return nil }

func refuseUnclosed(http.RoundTripper, *http.Request) (*http.Response, error) {
	return nil, errRefused
}
