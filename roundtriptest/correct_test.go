package roundtriptest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// adding returns the wrap of a wrapper that adds the credential as it should.
func adding(roundTrip func(base http.RoundTripper, req *http.Request) (*http.Response, error)) wrapFunc {
	return wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
		if !stayedAtOrigin(req) {
			return roundTrip(base, req)
		}
		resp, err := roundTrip(base, withKey(req))
		if resp != nil {
			resp.Request = req
		}
		return resp, err
	})
}

type spanKey struct{}

// oneAtATime is a wrapper that sends requests one after the other.
type oneAtATime struct {
	wrapper
	mu sync.Mutex
}

func (w *oneAtATime) RoundTrip(req *http.Request) (*http.Response, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.base.RoundTrip(req)
}

// watched is a wrapper with a goroutine that lives as long as it does.
type watched struct {
	wrapper
	once     sync.Once
	requests chan struct{}
	stop     <-chan struct{}
}

func (w *watched) RoundTrip(req *http.Request) (*http.Response, error) {
	w.once.Do(func() {
		go func() {
			for {
				select {
				case <-w.requests:
				case <-w.stop:
					return
				}
			}
		}()
	})
	w.requests <- struct{}{}
	return w.base.RoundTrip(req)
}

// cancelBody ends a context with the response's body.
type cancelBody struct {
	io.ReadCloser
	cancel func()
}

func (b cancelBody) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}

// What the contract leaves open breaks no clause.
func TestACorrectWrapperPasses(t *testing.T) {
	send := http.RoundTripper.RoundTrip
	for name, f := range map[string]struct {
		wrap wrapFunc
		opts []Option
	}{
		"that sends the caller's request": {wrap: wrapping(send)},
		"that sends a shallow copy": {wrap: sending(func(req *http.Request) *http.Request {
			return req.WithContext(context.WithValue(req.Context(), spanKey{}, "span"))
		})},
		"that sends a copied header": {wrap: sending(func(req *http.Request) *http.Request {
			sent := req.WithContext(req.Context())
			sent.Header = req.Header.Clone()
			if sent.Header == nil {
				sent.Header = make(http.Header)
			}
			sent.Header.Set("User-Agent", "wrapper")
			return sent
		})},
		"that refuses a nil header and closes the body": {wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			if req.Header == nil {
				if req.Body != nil {
					_ = req.Body.Close()
				}
				return nil, errRefused
			}
			return base.RoundTrip(req)
		})},
		"that counts on a URL": {wrap: sending(func(req *http.Request) *http.Request {
			_ = req.URL.Path
			return req
		})},
		"that closes the body later": {wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			if err := req.Context().Err(); err != nil {
				go req.Body.Close()
				return nil, err
			}
			return base.RoundTrip(req)
		})},
		"that sends a body it has read": {wrap: sending(func(req *http.Request) *http.Request {
			if req.Body == nil || req.Body == http.NoBody {
				return req
			}
			body, _ := io.ReadAll(req.Body)
			_ = req.Body.Close()
			sent := req.WithContext(req.Context())
			sent.Body = io.NopCloser(bytes.NewReader(body))
			return sent
		})},
		"that reads a copy of the body": {wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			if req.Body == nil || req.Body == http.NoBody {
				return base.RoundTrip(req)
			}
			if req.GetBody == nil {
				_ = req.Body.Close()
				return nil, errRefused
			}
			if body, err := req.GetBody(); err == nil {
				_, _ = io.Copy(io.Discard, body)
				_ = body.Close()
			}
			return base.RoundTrip(req)
		})},
		"that counts the bytes of the body": {wrap: withBody(func(body io.ReadCloser) io.ReadCloser { return counted{body} })},
		"that sends one request at a time": {wrap: func(base http.RoundTripper) http.RoundTripper {
			return &oneAtATime{wrapper: wrapper{base: base}}
		}},
		"that has a goroutine of its own": {wrap: func(base http.RoundTripper) http.RoundTripper {
			return &watched{wrapper: wrapper{base: base}, requests: make(chan struct{}), stop: t.Context().Done()}
		}},
		"that starts a goroutine which ends": {wrap: sending(func(req *http.Request) *http.Request {
			go func() {}()
			return req
		})},
		"that sends again with another body": {wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			resp, err := base.RoundTrip(req)
			if err == nil || req.GetBody == nil {
				return resp, err
			}
			body, bodyErr := req.GetBody()
			if bodyErr != nil {
				return resp, err
			}
			again := req.WithContext(req.Context())
			again.Body = body
			return base.RoundTrip(again)
		})},
		"that has a timeout": {
			wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
				ctx, cancel := context.WithTimeout(req.Context(), time.Hour)
				resp, err := base.RoundTrip(req.WithContext(ctx))
				if resp == nil || resp.Body == nil || resp.StatusCode == http.StatusSwitchingProtocols {
					defer cancel()
					return resp, err
				}
				resp.Body = cancelBody{resp.Body, cancel}
				return resp, err
			}),
			opts: []Option{WithSkip("response/body", "the context ends with the body")},
		},
		"that adds a credential": {wrap: adding(send), opts: withCredential},
		"that adds a credential over plain http, to an IPv6 address": {
			wrap: adding(send), opts: []Option{WithCredential(key), WithURL("http://[::1]:8443/v1?query")},
		},
		"that adds a credential within a base URL": {
			wrap: authenticating(func(req *http.Request) bool {
				return stayedAtOrigin(req) && req.URL != nil && strings.HasPrefix(req.URL.String(), "https://api.example.org:8443/v1/")
			}, withKey),
			opts: []Option{WithCredential("x-api-key"), WithURL("https://api.example.org:8443/v1/operations?page=1")},
		},
		"that adds a credential and follows to no other origin": {
			wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
				if !stayedAtOrigin(req) {
					if req.Body != nil {
						_ = req.Body.Close()
					}
					return nil, errRefused
				}
				resp, err := base.RoundTrip(withKey(req))
				if resp != nil {
					resp.Request = req
				}
				return resp, err
			}),
			opts: withCredential,
		},
		"that makes an error of a 401": {
			wrap: adding(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
				resp, err := base.RoundTrip(req)
				if resp != nil && resp.StatusCode == http.StatusUnauthorized {
					discard(resp)
					return nil, errors.New("unauthorized")
				}
				return resp, err
			}),
			opts: withCredential,
		},
		"that refuses as it should": {
			wrap: wrapping(send),
			opts: []Option{WithRefusal(wrapping(func(_ http.RoundTripper, req *http.Request) (*http.Response, error) {
				_ = req.Body.Close()
				return nil, errRefused
			}))},
		},
	} {
		t.Run(name, func(t *testing.T) { Test(t, f.wrap, f.opts...) })
	}
}

// A clause that a wrapper cannot break is skipped, which is not passed.
func TestAClauseThatHasNoMeaningIsNotApplicable(t *testing.T) {
	s, err := newSuite(adding(http.RoundTripper.RoundTrip), WithCredential(key), WithURL("http://api.example.com/"))
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, c := range s.clauses() {
		if reason := notApplicable(""); errors.As(s.verdict(c), &reason) {
			left = append(left, c.name)
		}
	}
	if want := []string{"body/closed-on-refusal", "redirect/downgrade"}; !slices.Equal(left, want) {
		t.Errorf("not applicable are %q, want %q", left, want)
	}
}
