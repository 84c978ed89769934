package roundtriptest

import (
	"io"
	"net/http"
	"strings"
	"sync"
)

// bodyFaults break one clause each.
var bodyFaults = []fault{
	{name: "reads the beginning of the body", fails: []string{"body/whole"},
		wrap: withBody(func(body io.ReadCloser) io.ReadCloser {
			_, _ = io.ReadFull(body, make([]byte, 16))
			return body
		})},
	{name: "adds to the body", fails: []string{"body/whole"},
		wrap: withBody(func(body io.ReadCloser) io.ReadCloser {
			return struct {
				io.Reader
				io.Closer
			}{io.MultiReader(strings.NewReader("more"), body), body}
		})},
	{name: "wraps http.NoBody", fails: []string{"body/none"},
		wrap: sending(func(req *http.Request) *http.Request {
			if req.Body != http.NoBody {
				return req
			}
			sent := req.WithContext(req.Context())
			sent.Body = counted{req.Body}
			return sent
		})},
	{name: "closes the body at its end and again", fails: []string{"body/closed"},
		wrap: withBody(func(body io.ReadCloser) io.ReadCloser { return closedAtEndToo{closedAtEnd{body}} })},
	{name: "closes the body at its end and then only", fails: []string{"body/closed-on-error"},
		wrap: withBody(func(body io.ReadCloser) io.ReadCloser { return closedAtEnd{body} })},
	{name: "closes the body again on an error", fails: []string{"body/closed-on-error"},
		wrap: returning(func(req *http.Request, resp *http.Response, err error) (*http.Response, error) {
			if err != nil && req.Body != nil {
				_ = req.Body.Close()
			}
			return resp, err
		})},
	{name: "refuses without closing", fails: []string{"body/closed-on-refusal"},
		wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			if err := req.Context().Err(); err != nil {
				return nil, err
			}
			return base.RoundTrip(req)
		})},
	{name: "refuses a request without a URL and closes twice", fails: []string{"body/closed-on-refusal"},
		wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			if req.URL == nil {
				_ = req.Body.Close()
				_ = req.Body.Close()
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
			body := &closeOnce{ReadCloser: req.Body}
			defer body.Close()
			sent := req.WithContext(req.Context())
			sent.Body = body
			return base.RoundTrip(sent)
		})},
	{name: "looks at a copy of the body without closing it", fails: []string{"body/copies-closed"},
		wrap: sending(func(req *http.Request) *http.Request {
			if req.GetBody != nil {
				if body, err := req.GetBody(); err == nil {
					_, _ = io.ReadAll(body)
				}
			}
			return req
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

// closedAtEndToo is closedAtEnd with a Close that closes again.
type closedAtEndToo struct{ closedAtEnd }

func (b closedAtEndToo) Close() error { return b.body.Close() }

// closeOnce is a body of which only the first Close counts.
type closeOnce struct {
	io.ReadCloser
	once sync.Once
}

func (b *closeOnce) Close() error {
	b.once.Do(func() { _ = b.ReadCloser.Close() })
	return nil
}

func refuseUnclosed(http.RoundTripper, *http.Request) (*http.Response, error) {
	return nil, errRefused
}
