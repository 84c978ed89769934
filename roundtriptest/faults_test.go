package roundtriptest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// wrapper is a wrapping RoundTripper made of one function.
type wrapper struct {
	base      http.RoundTripper
	roundTrip func(base http.RoundTripper, req *http.Request) (*http.Response, error)
}

func (w *wrapper) RoundTrip(req *http.Request) (*http.Response, error) {
	return w.roundTrip(w.base, req)
}

func (w *wrapper) CloseIdleConnections() {
	(&http.Client{Transport: w.base}).CloseIdleConnections()
}

// wrapping returns the wrap of a wrapper without state.
func wrapping(roundTrip func(base http.RoundTripper, req *http.Request) (*http.Response, error)) wrapFunc {
	return func(base http.RoundTripper) http.RoundTripper { return &wrapper{base, roundTrip} }
}

// sending returns the wrap of a wrapper that sends another request in the
// caller's place.
func sending(instead func(req *http.Request) *http.Request) wrapFunc {
	return wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
		return base.RoundTrip(instead(req))
	})
}

// withBody returns the wrap of a wrapper that sends another body in the place of
// the caller's.
func withBody(instead func(body io.ReadCloser) io.ReadCloser) wrapFunc {
	return sending(func(req *http.Request) *http.Request {
		if req.Body == nil || req.Body == http.NoBody {
			return req
		}
		sent := req.WithContext(req.Context())
		sent.Body = instead(req.Body)
		return sent
	})
}

// returning returns the wrap of a wrapper that does something with what the
// base returned.
func returning(instead func(req *http.Request, resp *http.Response, err error) (*http.Response, error)) wrapFunc {
	return wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
		resp, err := base.RoundTrip(req)
		return instead(req, resp, err)
	})
}

// withResponseBody returns the wrap of a wrapper that returns the base's
// response with another body.
func withResponseBody(instead func(resp *http.Response) io.ReadCloser) wrapFunc {
	return returning(func(_ *http.Request, resp *http.Response, err error) (*http.Response, error) {
		if resp != nil && resp.Body != nil {
			resp.Body = instead(resp)
		}
		return resp, err
	})
}

const key = "X-Api-Key"

// withKey returns a copy of req that has the credential, and nothing else under
// its name.
func withKey(req *http.Request) *http.Request {
	sent := req.WithContext(req.Context())
	sent.Header = make(http.Header)
	for name, values := range req.Header {
		if !strings.EqualFold(name, key) {
			sent.Header[name] = slices.Clone(values)
		}
	}
	sent.Header.Set(key, "secret")
	return sent
}

// authenticating returns the wrap of a wrapper that adds the credential to the
// requests that may have it, and is right but for what the arguments do.
func authenticating(may func(req *http.Request) bool, authenticated func(req *http.Request) *http.Request) wrapFunc {
	return wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
		if !may(req) {
			return base.RoundTrip(req)
		}
		resp, err := base.RoundTrip(authenticated(req))
		if resp != nil {
			resp.Request = req
		}
		return resp, err
	})
}

// alongChain reports whether each hop of a redirect chain is like the next one.
func alongChain(alike func(from, to *url.URL) bool) func(req *http.Request) bool {
	return func(req *http.Request) bool {
		for req.Response != nil {
			if !alike(req.Response.Request.URL, req.URL) {
				return false
			}
			req = req.Response.Request
		}
		return true
	}
}

func alikeOrigin(from, to *url.URL) bool { return from.Scheme == to.Scheme && from.Host == to.Host }

var stayedAtOrigin = alongChain(alikeOrigin)

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

// counted hides what else the value can do.
type counted struct{ io.ReadCloser }

// countedWriter is counted for a body that can be written to.
type countedWriter struct{ io.ReadWriteCloser }

func countBody(resp *http.Response) io.ReadCloser {
	if rw, ok := resp.Body.(io.ReadWriteCloser); ok {
		return countedWriter{rw}
	}
	return counted{resp.Body}
}

// plainBase has no method but RoundTrip.
type plainBase struct{ http.RoundTripper }

// lastRequest is a wrapper that mixes up concurrent requests, without a race.
type lastRequest struct {
	wrapper
	mu   sync.Mutex
	last *http.Request
}

func (w *lastRequest) RoundTrip(req *http.Request) (*http.Response, error) {
	w.mu.Lock()
	w.last = req
	w.mu.Unlock()
	resp, err := w.base.RoundTrip(req)
	w.mu.Lock()
	defer w.mu.Unlock()
	if resp != nil {
		resp.Request = w.last
	}
	return resp, err
}

// oneHeader sends the requests that are under way at the same time with one
// header.
type oneHeader struct {
	wrapper
	mu       sync.Mutex
	underWay int
	header   http.Header
}

func (w *oneHeader) RoundTrip(req *http.Request) (*http.Response, error) {
	w.mu.Lock()
	if w.underWay == 0 {
		w.header = req.Header
	}
	w.underWay++
	sent := req.WithContext(req.Context())
	sent.Header = w.header
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.underWay--
	}()
	return w.base.RoundTrip(sent)
}

// oneResponse sends one of the requests that are under way at the same time.
type oneResponse struct {
	wrapper
	mu   sync.Mutex
	sent *exchange
}

type exchange struct {
	done chan struct{}
	resp *http.Response
	err  error
}

func (w *oneResponse) RoundTrip(req *http.Request) (*http.Response, error) {
	w.mu.Lock()
	if sent := w.sent; sent != nil {
		w.mu.Unlock()
		<-sent.done
		if sent.resp == nil {
			return nil, sent.err
		}
		resp := *sent.resp
		resp.Request = req
		return &resp, sent.err
	}
	sent := &exchange{done: make(chan struct{})}
	w.sent = sent
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.sent = nil
		close(sent.done)
	}()
	sent.resp, sent.err = w.base.RoundTrip(req)
	return sent.resp, sent.err
}

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

var errRefused = errors.New("refused")

func refuseUnclosed(http.RoundTripper, *http.Request) (*http.Response, error) {
	return nil, errRefused
}

// fault is a wrapper that breaks clauses.
type fault struct {
	name  string
	wrap  wrapFunc
	opts  []Option
	fails []string
}

// allBut returns the names of all clauses but some.
func allBut(some ...string) []string {
	return slices.DeleteFunc(clauseNames(), func(name string) bool { return slices.Contains(some, name) })
}

var withCredential = []Option{WithCredential(key)}

// single are faults that break one clause each.
var single = []fault{
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

	{name: "makes an error of a status", fails: []string{"response/status"},
		wrap: returning(func(_ *http.Request, resp *http.Response, err error) (*http.Response, error) {
			if resp != nil && resp.StatusCode == http.StatusNotFound {
				return nil, errors.New("not found")
			}
			return resp, err
		})},
	{name: "follows redirects itself", fails: []string{"response/status"},
		wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			resp, err := base.RoundTrip(req)
			if resp != nil && resp.StatusCode == http.StatusFound {
				return base.RoundTrip(req)
			}
			return resp, err
		})},
	{name: "counts the bytes of a response", fails: []string{"response/body"},
		wrap: withResponseBody(countBody)},
	{name: "reads the beginning of a response", fails: []string{"response/unread"},
		wrap: withResponseBody(func(resp *http.Response) io.ReadCloser {
			if resp.StatusCode == http.StatusOK {
				_, _ = io.ReadFull(resp.Body, make([]byte, 16))
			}
			return resp.Body
		})},
	{name: "closes the response", fails: []string{"response/unread"},
		wrap: withResponseBody(func(resp *http.Response) io.ReadCloser {
			if resp.StatusCode == http.StatusOK {
				_ = resp.Body.Close()
			}
			return resp.Body
		})},
	{name: "hides that a connection can be written to", fails: []string{"response/upgrade"},
		wrap: withResponseBody(func(resp *http.Response) io.ReadCloser {
			if resp.StatusCode == http.StatusSwitchingProtocols {
				return counted{resp.Body}
			}
			return resp.Body
		})},
	{name: "keeps the text of the base's error alone", fails: []string{"response/error"},
		wrap: returning(func(_ *http.Request, resp *http.Response, err error) (*http.Response, error) {
			if err != nil {
				return nil, fmt.Errorf("sending: %v", err)
			}
			return resp, nil
		})},
	{name: "makes a 502 of the base's error", fails: []string{"response/error"},
		wrap: returning(func(req *http.Request, resp *http.Response, err error) (*http.Response, error) {
			if err != nil {
				return respond(req, http.StatusBadGateway), nil
			}
			return resp, nil
		})},
	{name: "counts on a response", fails: []string{"response/missing"},
		wrap: returning(func(_ *http.Request, resp *http.Response, err error) (*http.Response, error) {
			if err == nil {
				resp.Header.Set("X-Wrapper", "1")
			}
			return resp, err
		})},
	{name: "counts on the body of a response", fails: []string{"response/missing"},
		wrap: returning(func(_ *http.Request, resp *http.Response, err error) (*http.Response, error) {
			if resp != nil && resp.StatusCode == http.StatusUnauthorized {
				_ = resp.Body.Close()
			}
			return resp, err
		})},

	{name: "has no CloseIdleConnections", fails: []string{"transport/idle-connections"},
		wrap: func(base http.RoundTripper) http.RoundTripper { return plainBase{base} }},
	{name: "counts on CloseIdleConnections", fails: []string{"transport/idle-connections"},
		wrap: func(base http.RoundTripper) http.RoundTripper { return idleCloser{base} }},
	{name: "gives a response the request that came last", fails: []string{"transport/concurrent"},
		wrap: func(base http.RoundTripper) http.RoundTripper {
			return &lastRequest{wrapper: wrapper{base: base}}
		}},
	{name: "sends concurrent requests with the header of the first", fails: []string{"transport/concurrent"},
		wrap: func(base http.RoundTripper) http.RoundTripper {
			return &oneHeader{wrapper: wrapper{base: base}}
		}},
	{name: "answers concurrent requests with the response to the first", fails: []string{"transport/concurrent"},
		wrap: func(base http.RoundTripper) http.RoundTripper {
			return &oneResponse{wrapper: wrapper{base: base}}
		}},
	{name: "leaves a goroutine behind that waits for the context", fails: []string{"transport/goroutines"},
		wrap: sending(func(req *http.Request) *http.Request {
			waitForEnd(req)
			return req
		})},
	{name: "leaves a goroutine behind on an error", fails: []string{"transport/goroutines"},
		wrap: returning(func(req *http.Request, resp *http.Response, err error) (*http.Response, error) {
			if err != nil {
				waitForEnd(req)
			}
			return resp, err
		})},

	{name: "sends no credential", opts: withCredential, fails: []string{"credential/sent"},
		wrap: wrapping(http.RoundTripper.RoundTrip)},
	{name: "sends an empty credential", opts: withCredential, fails: []string{"credential/sent"},
		wrap: authenticating(stayedAtOrigin, func(req *http.Request) *http.Request {
			sent := withKey(req)
			sent.Header.Set(key, "")
			return sent
		})},
	{name: "adds the credential to what the caller had set", opts: withCredential, fails: []string{"credential/single"},
		wrap: authenticating(stayedAtOrigin, func(req *http.Request) *http.Request {
			sent := withKey(req)
			for _, value := range req.Header[key] {
				sent.Header.Add(key, value)
			}
			return sent
		})},
	{name: "sends the credential twice", opts: withCredential, fails: []string{"credential/single"},
		wrap: authenticating(stayedAtOrigin, func(req *http.Request) *http.Request {
			sent := withKey(req)
			sent.Header.Add(key, "secret")
			return sent
		})},
	{name: "leaves a name in lower case beside the credential", opts: withCredential, fails: []string{"credential/single"},
		wrap: authenticating(stayedAtOrigin, func(req *http.Request) *http.Request {
			sent := req.WithContext(req.Context())
			sent.Header = req.Header.Clone()
			if sent.Header == nil {
				sent.Header = make(http.Header)
			}
			sent.Header.Set(key, "secret")
			return sent
		})},
	{name: "lets the caller's value stand", opts: withCredential, fails: []string{"credential/single"},
		wrap: authenticating(stayedAtOrigin, func(req *http.Request) *http.Request {
			sent := withKey(req)
			if own := req.Header.Get(key); own != "" {
				sent.Header.Set(key, own)
			}
			return sent
		})},
	{name: "lends the caller's request the credential", opts: withCredential, fails: []string{"credential/request"},
		wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			if req.Header == nil || !stayedAtOrigin(req) {
				return base.RoundTrip(req)
			}
			before := maps.Clone(req.Header)
			defer func() {
				clear(req.Header)
				maps.Copy(req.Header, before)
			}()
			authenticated := withKey(req).Header
			clear(req.Header)
			maps.Copy(req.Header, authenticated)
			return base.RoundTrip(req)
		})},
	{name: "leaves the response its authenticated request", opts: withCredential, fails: []string{"credential/response"},
		wrap: sending(func(req *http.Request) *http.Request {
			if !stayedAtOrigin(req) {
				return req
			}
			return withKey(req)
		})},
	{name: "leaves a redirect its authenticated request", opts: withCredential, fails: []string{"credential/response"},
		wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			if !stayedAtOrigin(req) {
				return base.RoundTrip(req)
			}
			resp, err := base.RoundTrip(withKey(req))
			if resp != nil && resp.StatusCode != http.StatusFound {
				resp.Request = req
			}
			return resp, err
		})},

	{name: "trusts subdomains", opts: withCredential, fails: []string{"redirect/cross-origin"},
		wrap: authenticating(alongChain(func(from, to *url.URL) bool {
			return from.Scheme == to.Scheme && (from.Host == to.Host || strings.HasSuffix(to.Host, "."+from.Host))
		}), withKey)},
	{name: "trusts names that end alike", opts: withCredential, fails: []string{"redirect/cross-origin"},
		wrap: authenticating(alongChain(func(from, to *url.URL) bool {
			return from.Scheme == to.Scheme && strings.HasSuffix(to.Host, from.Host) && !strings.HasPrefix(to.Host, "sub.")
		}), withKey)},
	{name: "trusts names that begin alike", opts: withCredential, fails: []string{"redirect/cross-origin"},
		wrap: authenticating(alongChain(func(from, to *url.URL) bool {
			return from.Scheme == to.Scheme && strings.HasPrefix(to.Hostname(), from.Hostname()) && to.Port() == from.Port()
		}), withKey)},
	{name: "trusts every port", opts: withCredential, fails: []string{"redirect/cross-origin"},
		wrap: authenticating(alongChain(func(from, to *url.URL) bool {
			return from.Scheme == to.Scheme && from.Hostname() == to.Hostname()
		}), withKey)},
	{name: "trusts the next hop at the host that it was redirected to", opts: withCredential, fails: []string{"redirect/cross-origin"},
		wrap: authenticating(func(req *http.Request) bool {
			return req.Response == nil || alikeOrigin(req.Response.Request.URL, req.URL) && req.URL.Scheme == "https"
		}, withKey)},
	{name: "trusts plain http", opts: withCredential, fails: []string{"redirect/downgrade"},
		wrap: authenticating(alongChain(func(from, to *url.URL) bool { return from.Host == to.Host }), withKey)},
	{name: "trusts plain http to lead back", opts: withCredential, fails: []string{"redirect/return"},
		wrap: authenticating(func(req *http.Request) bool {
			sameHost := alongChain(func(from, to *url.URL) bool { return from.Host == to.Host })
			return req.URL != nil && req.URL.Scheme == "https" && sameHost(req)
		}, withKey)},
	{name: "looks at the host of the hop alone", opts: withCredential, fails: []string{"redirect/return"},
		wrap: authenticating(func(req *http.Request) bool {
			return req.URL != nil && req.URL.Scheme == "https" && req.URL.Host == "api.example.com"
		}, withKey)},
}

// several are faults as they are seen in the wild, which break clauses of more
// than one kind.
var several = []fault{
	{name: "closes the body when it returns",
		fails: []string{"body/closed", "body/closed-on-error", "body/late-read"},
		wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			if req.Body != nil {
				defer req.Body.Close()
			}
			return base.RoundTrip(req)
		})},
	{name: "hands the base a body that cannot be closed",
		fails: []string{"body/closed", "body/closed-on-error"},
		wrap:  withBody(func(body io.ReadCloser) io.ReadCloser { return io.NopCloser(body) })},
	{name: "signs the body and forgets to put it back",
		fails: []string{"body/whole"},
		wrap: sending(func(req *http.Request) *http.Request {
			if req.Body != nil {
				_, _ = io.Copy(io.Discard, req.Body)
			}
			return req
		})},
	{name: "signs the body and puts a copy into the caller's request",
		fails: []string{"request/fields", "body/closed", "body/closed-on-error"},
		wrap: sending(func(req *http.Request) *http.Request {
			if req.Body != nil && req.Body != http.NoBody {
				body, _ := io.ReadAll(req.Body)
				req.Body = io.NopCloser(bytes.NewReader(body))
			}
			return req
		})},
	{name: "logs each response whole",
		fails: []string{"response/body", "response/unread"},
		wrap: withResponseBody(func(resp *http.Response) io.ReadCloser {
			if resp.StatusCode != http.StatusSwitchingProtocols {
				_, _ = httputil.DumpResponse(resp, true)
			}
			return resp.Body
		})},
	{name: "wraps each response's body",
		fails: []string{"response/body", "response/upgrade"},
		wrap:  withResponseBody(func(resp *http.Response) io.ReadCloser { return counted{resp.Body} })},
	{name: "retries without another body",
		fails: []string{"body/closed-on-error"},
		wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			resp, err := base.RoundTrip(req)
			if err != nil {
				return base.RoundTrip(req)
			}
			return resp, err
		})},
	{name: "refuses everything", opts: withCredential,
		fails: allBut("request/nil-header", "response/missing", "transport/idle-connections", "transport/goroutines",
			"credential/single"),
		wrap: wrapping(func(http.RoundTripper, *http.Request) (*http.Response, error) { return nil, errRefused })},
	{name: "panics", opts: withCredential,
		fails: allBut("body/closed-on-refusal", "transport/idle-connections"),
		wrap:  wrapping(func(http.RoundTripper, *http.Request) (*http.Response, error) { panic("wrapper") })},
	{name: "is nil", fails: clauseNames(), opts: withCredential,
		wrap: func(http.RoundTripper) http.RoundTripper { return nil }},
	{name: "sets the credential in the caller's header, at every hop", opts: withCredential,
		fails: []string{
			"request/nil-header",
			"credential/single", "credential/request", "credential/response",
			"redirect/cross-origin", "redirect/downgrade", "redirect/return",
		},
		wrap: sending(func(req *http.Request) *http.Request { req.Header.Set(key, "secret"); return req })},
	{name: "clones the request and adds the credential, at every hop", opts: withCredential,
		fails: []string{
			"request/nil-header", "request/trailers",
			"credential/single", "credential/response",
			"redirect/cross-origin", "redirect/downgrade", "redirect/return",
		},
		wrap: sending(func(req *http.Request) *http.Request {
			sent := req.Clone(req.Context())
			sent.Header.Set(key, "secret")
			return sent
		})},
	{name: "adds the credential at every hop", opts: withCredential,
		fails: []string{"redirect/cross-origin", "redirect/downgrade", "redirect/return"},
		wrap:  authenticating(func(*http.Request) bool { return true }, withKey)},
}
