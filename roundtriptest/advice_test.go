package roundtriptest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
)

// adviceFaults break one clause each.
var adviceFaults = []fault{
	{name: "has no CloseIdleConnections", fails: []string{"advice/idle-connections"},
		wrap: func(base http.RoundTripper) (http.RoundTripper, error) { return plainBase{base}, nil }},
	{name: "counts on CloseIdleConnections", fails: []string{"advice/idle-connections"},
		wrap: func(base http.RoundTripper) (http.RoundTripper, error) { return idleCloser{base}, nil }},
	{name: "writes into the clone of a nil header", fails: []string{"advice/nil-header"},
		wrap: changing(func(sent *http.Request) { sent.Header.Set("User-Agent", "wrapper") })},
	{name: "gives the caller's request a header", fails: []string{"advice/nil-header"},
		wrap: sending(func(req *http.Request) *http.Request {
			if req.Header == nil {
				req.Header = make(http.Header)
			}
			return req
		})},
	{name: "counts on a URL", fails: []string{"advice/nil-url"},
		wrap: changing(func(sent *http.Request) { _ = sent.URL.Path })},
	{name: "refuses a request without a URL and leaves its body open", fails: []string{"advice/nil-url"},
		wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			if req.URL == nil {
				return nil, errRefused
			}
			return base.RoundTrip(req)
		})},
	{name: "shares the values of a copied header", fails: []string{"advice/header-values"},
		wrap: sending(func(req *http.Request) *http.Request {
			sent := req.WithContext(req.Context())
			sent.Header = maps.Clone(req.Header)
			return sent
		})},
	{name: "cuts the redirect chain", fails: []string{"advice/redirect-chain"},
		wrap: changing(func(sent *http.Request) { sent.Response = nil })},
	{name: "counts the bytes of the body", fails: []string{"advice/own-body"},
		wrap: withBody(func(body io.ReadCloser) io.ReadCloser { return counted{body} })},
	{name: "closes the body again on an error", fails: []string{"advice/closed-once"},
		wrap: returning(func(req *http.Request, resp *http.Response, err error) (*http.Response, error) {
			if err != nil && req.Body != nil {
				_ = req.Body.Close()
			}
			return resp, err
		})},
	{name: "refuses a request whose context has ended and closes twice", fails: []string{"advice/closed-once"},
		wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			if err := req.Context().Err(); err != nil {
				return nil, errors.Join(context.Cause(req.Context()), req.Body.Close(), req.Body.Close())
			}
			return base.RoundTrip(req)
		})},
	{name: "is configured to refuse and closes twice", fails: []string{"advice/closed-once"},
		wrap: wrapping(http.RoundTripper.RoundTrip),
		opts: []Option{WithRefusal(wrapping(func(_ http.RoundTripper, req *http.Request) (*http.Response, error) {
			return nil, errors.Join(errRefused, req.Body.Close(), req.Body.Close())
		}))}},
	{name: "looks at a copy of the body without closing it", fails: []string{"advice/copies-closed"},
		wrap: sending(func(req *http.Request) *http.Request {
			if req.GetBody != nil {
				if body, err := req.GetBody(); err == nil {
					_, _ = io.ReadAll(body)
				}
			}
			return req
		})},
	{name: "counts the bytes of a response", fails: []string{"advice/own-response-body"},
		wrap: changingResponse(func(resp *http.Response) { resp.Body = countBody(resp) })},
	{name: "keeps the text of the base's error alone", fails: []string{"advice/base-error"},
		wrap: returning(func(_ *http.Request, resp *http.Response, err error) (*http.Response, error) {
			if errors.Is(err, errBase) {
				discard(resp)
				return nil, fmt.Errorf("sending: %v", err)
			}
			return resp, err
		})},
	{name: "counts on a response", fails: []string{"advice/broken-base"},
		wrap: returning(func(_ *http.Request, resp *http.Response, err error) (*http.Response, error) {
			if err == nil {
				resp.Header.Set("X-Wrapper", "1")
			}
			return resp, err
		})},
	{name: "counts on the body of a response", fails: []string{"advice/broken-base"},
		wrap: returning(func(_ *http.Request, resp *http.Response, err error) (*http.Response, error) {
			if resp != nil && resp.StatusCode == http.StatusUnauthorized {
				_, _ = resp.Body.Read(nil)
			}
			return resp, err
		})},
	{name: "drops a response that came with an error", fails: []string{"advice/broken-base"},
		wrap: returning(func(_ *http.Request, resp *http.Response, err error) (*http.Response, error) {
			if err != nil {
				return nil, err
			}
			return resp, nil
		})},
	{name: "puts the caller's request into every response", fails: []string{"advice/location"},
		wrap: returning(func(req *http.Request, resp *http.Response, err error) (*http.Response, error) {
			if resp != nil {
				resp.Request = req
			}
			return resp, err
		})},
	{name: "leaves a goroutine behind that waits for the context", fails: []string{"advice/goroutines"},
		wrap: sending(func(req *http.Request) *http.Request {
			waitForEnd(req)
			return req
		})},
	{name: "leaves a goroutine behind on an error", fails: []string{"advice/goroutines"},
		wrap: returning(func(req *http.Request, resp *http.Response, err error) (*http.Response, error) {
			if err != nil {
				waitForEnd(req)
			}
			return resp, err
		})},
}

// plainBase has no method but RoundTrip.
type plainBase struct{ http.RoundTripper }

// idleCloser counts on a base like http.Transport.
type idleCloser struct{ http.RoundTripper }

func (w idleCloser) CloseIdleConnections() { w.RoundTripper.(*idleBase).CloseIdleConnections() }

// waitForEnd starts a goroutine that waits for the end of a request's context,
// if it has one.
func waitForEnd(req *http.Request) {
	if ended := req.Context().Done(); ended != nil {
		go func() { <-ended }()
	}
}
