package roundtriptest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A stranger's wrapper of ten lines, which keeps every sentence of the
// documentation and does nothing beyond that.
type minimal struct{ base http.RoundTripper }

func (m minimal) RoundTrip(req *http.Request) (*http.Response, error) {
	sent := req.WithContext(req.Context())
	sent.Header = req.Header.Clone()
	sent.Header.Set("User-Agent", "minimal")
	return m.base.RoundTrip(sent)
}

func TestATransportThatKeepsEverySentenceHasNoFinding(t *testing.T) {
	Test(t, func(base http.RoundTripper) (http.RoundTripper, error) { return minimal{base}, nil })
}

// The same with a credential, sent to one host and kept from the caller.
type minimalWithKey struct{ base http.RoundTripper }

func (m minimalWithKey) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Response != nil { // a redirect: let whoever follows it decide
		return m.base.RoundTrip(req)
	}
	sent := req.WithContext(req.Context())
	sent.Header = http.Header{"X-Api-Key": {"secret"}}
	for name, values := range req.Header {
		if !strings.EqualFold(name, "X-Api-Key") {
			sent.Header[name] = values
		}
	}
	resp, err := m.base.RoundTrip(sent)
	if resp != nil {
		resp.Request = req
	}
	return resp, err
}

func TestATransportWithACredentialHasNoFinding(t *testing.T) {
	Test(t, func(base http.RoundTripper) (http.RoundTripper, error) { return minimalWithKey{base}, nil },
		WithCredential("X-Api-Key"))
}

// What net/http's own rule for redirects forwards is a matter of clauses that
// say so, and that one reason skips.
func TestNetHTTPsOwnRuleForRedirectsIsAFewSkippedClauses(t *testing.T) {
	netHTTP := authenticating(func(req *http.Request) bool {
		if req.URL == nil {
			return false
		}
		for to := req; req.Response != nil; req = req.Response.Request {
			from := req.Response.Request.URL.Hostname()
			if host := to.URL.Hostname(); host != from && !strings.HasSuffix(host, "."+from) {
				return false
			}
			if host := req.URL.Hostname(); host != from && !strings.HasSuffix(host, "."+from) {
				return false
			}
		}
		return true
	}, withKey)
	Test(t, netHTTP, WithCredential(key),
		WithSkip("what net/http does is enough here", "redirect/subdomain", "redirect/port", "redirect/downgrade"))
}

// adding returns the wrap of a wrapper that adds the credential as it should.
func adding(roundTrip func(base http.RoundTripper, req *http.Request) (*http.Response, error)) WrapFunc {
	return wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
		if !stayedAtOrigin(req) {
			return roundTrip(base, req)
		}
		sent := withKey(req)
		resp, err := roundTrip(base, sent)
		if resp != nil && resp.Request == sent {
			resp.Request = req
		}
		return resp, err
	})
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

// closedLater is a body that a timer closes.
type closedLater struct{ io.ReadCloser }

func (b closedLater) Close() error {
	time.AfterFunc(2*lateness, func() { _ = b.ReadCloser.Close() })
	return nil
}

// What the contract leaves open breaks no clause, not even of advice, but for
// those that are skipped here.
func TestACorrectWrapperPasses(t *testing.T) {
	send := http.RoundTripper.RoundTrip
	for name, f := range map[string]struct {
		wrap WrapFunc
		opts []Option
	}{
		"that sends the caller's request": {wrap: wrapping(send)},
		"that sends a shallow copy": {wrap: sending(func(req *http.Request) *http.Request {
			return req.WithContext(context.WithValue(req.Context(), spanKey{}, "span"))
		})},
		"that adds fields and values": {wrap: changing(func(sent *http.Request) {
			if sent.Header == nil {
				sent.Header = make(http.Header)
			}
			sent.Header.Set("User-Agent", "wrapper")
			sent.Header.Add("X-Several", "3")
		})},
		"that adds values which are there already": {wrap: changing(func(sent *http.Request) {
			if sent.Header == nil {
				sent.Header = make(http.Header)
			}
			sent.Header.Add("Cache-Control", "no-store")
			sent.Header.Add("X-Several", "2")
		})},
		"that sends the values of a field twice": {wrap: changing(func(sent *http.Request) {
			for name, values := range sent.Header {
				sent.Header[name] = append(values, values...)
			}
		})},
		"that adds a value to the response which is there already": {wrap: changingResponse(func(resp *http.Response) {
			resp.Header.Add("X-Several", "2")
		})},
		"that adds a field to the response": {wrap: changingResponse(func(resp *http.Response) {
			resp.Header.Set("X-From-Cache", "0")
		})},
		"that refuses a nil header and closes the body": {wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			if req.Header == nil {
				discardBody(req)
				return nil, errRefused
			}
			return base.RoundTrip(req)
		})},
		"that closes the body later": {wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			if err := req.Context().Err(); err != nil {
				go func() {
					time.Sleep(2 * lateness)
					_ = req.Body.Close()
				}()
				return nil, err
			}
			return base.RoundTrip(req)
		})},
		"that leaves closing the body to a timer": {
			wrap: withBody(func(body io.ReadCloser) io.ReadCloser { return closedLater{body} }),
			opts: []Option{WithSkip("it closes later", "advice/own-body")},
		},
		"that sends a body it has read": {
			wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
				if req.Body == nil || req.Body == http.NoBody {
					return base.RoundTrip(req)
				}
				body, err := io.ReadAll(req.Body)
				if err := errors.Join(err, req.Body.Close()); err != nil {
					return nil, err
				}
				sent := req.WithContext(req.Context())
				sent.Body = io.NopCloser(bytes.NewReader(body))
				return base.RoundTrip(sent)
			}),
			opts: []Option{WithSkip("it signs the body", "advice/own-body")},
		},
		"that reads a copy of the body": {wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			if req.Body == nil || req.Body == http.NoBody {
				return base.RoundTrip(req)
			}
			if req.GetBody == nil {
				discardBody(req)
				return nil, errRefused
			}
			if body, err := req.GetBody(); err == nil {
				_, _ = io.Copy(io.Discard, body)
				_ = body.Close()
			}
			return base.RoundTrip(req)
		})},
		"that counts the bytes of bodies": {
			wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
				sent := req.WithContext(req.Context())
				if req.Body != nil && req.Body != http.NoBody {
					sent.Body = counted{req.Body}
				}
				resp, err := base.RoundTrip(sent)
				if resp != nil && resp.Body != nil {
					resp.Body = countBody(resp)
				}
				return resp, err
			}),
			opts: []Option{WithSkip("it counts bytes", "advice/own-body", "advice/own-response-body")},
		},
		"that sends one request at a time, as long as the context lives": {wrap: func(base http.RoundTripper) (http.RoundTripper, error) {
			turn := make(chan struct{}, 1)
			return wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
				select {
				case turn <- struct{}{}:
				case <-req.Context().Done():
					discardBody(req)
					return nil, context.Cause(req.Context())
				}
				defer func() { <-turn }()
				return base.RoundTrip(req)
			})(base)
		}},
		"that waits for a token, as long as the context lives": {wrap: waiting(2*shortestWait, context.Cause)},
		"that is slow": {wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			time.Sleep(shortestWait / 5)
			return base.RoundTrip(req)
		})},
		"that starts a goroutine which ends": {wrap: sending(func(req *http.Request) *http.Request {
			go func() {}()
			return req
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
			opts: []Option{WithSkip("the context ends with the body", "advice/own-response-body")},
		},
		"that adds a credential": {wrap: adding(send), opts: withCredential},
		"that adds a credential over plain http, to an IPv6 address": {
			wrap: adding(send), opts: []Option{WithCredential(key), WithURL("http://[::1]:8443/v1?query")},
		},
		"that adds a credential within a base URL": {
			wrap: authenticating(func(req *http.Request) bool {
				return req.URL != nil && stayedAtOrigin(req) && strings.HasPrefix(req.URL.String(), "https://api.example.org:8443/v1/")
			}, withKey),
			opts: []Option{WithCredential("x-api-key"), WithURL("https://api.example.org:8443/v1/operations?page=1")},
		},
		"that adds a credential and follows to no other origin": {
			wrap: adding(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
				if !stayedAtOrigin(req) {
					discardBody(req)
					return nil, errRefused
				}
				return base.RoundTrip(req)
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
			opts: []Option{WithCredential(key), WithSkip("a 401 is an error here", "response/401")},
		},
		"that shortens and reads a 401": {
			wrap: changingResponse(func(resp *http.Response) {
				if resp.StatusCode == http.StatusUnauthorized {
					text, _ := io.ReadAll(resp.Body)
					discard(resp)
					resp.Body = io.NopCloser(bytes.NewReader(text))
				}
			}),
		},
		"that refuses as it should": {
			wrap: wrapping(send),
			opts: []Option{WithRefusal(wrapping(func(_ http.RoundTripper, req *http.Request) (*http.Response, error) {
				return nil, errors.Join(errRefused, req.Body.Close())
			}))},
		},
	} {
		t.Run(name, func(t *testing.T) {
			for name, err := range failures(t, f.wrap, f.opts...) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

// A bubble has no room for a goroutine that lives as long as the wrapper.
func TestAWrapperWithAGoroutineOfItsOwnPasses(t *testing.T) {
	Test(t, func(base http.RoundTripper) (http.RoundTripper, error) {
		return &watched{wrapper: wrapper{base: base}, requests: make(chan struct{}), stop: t.Context().Done()}, nil
	}, Strict())
}

// A body may be closed by a goroutine that has other bodies to close as well.
func TestAWrapperWithOneGoroutineThatClosesBodiesPasses(t *testing.T) {
	closing := make(chan io.Closer, 1000)
	go func() {
		tick := time.NewTicker(2 * lateness)
		defer tick.Stop()
		for {
			select {
			case <-t.Context().Done():
				return
			case <-tick.C:
			}
			for range len(closing) {
				_ = (<-closing).Close()
			}
		}
	}()
	Test(t, withBody(func(body io.ReadCloser) io.ReadCloser { return closedBy{body, closing} }))
}

// closedBy is a body that another goroutine closes.
type closedBy struct {
	io.ReadCloser
	closing chan<- io.Closer
}

func (b closedBy) Close() error {
	b.closing <- b.ReadCloser
	return nil
}

// A clause that a wrapper cannot break is skipped, which is not passed.
func TestAClauseThatHasNoMeaningIsNotApplicable(t *testing.T) {
	s, err := newSuite(adding(http.RoundTripper.RoundTrip), Strict(), WithCredential(key), WithURL("http://api.example.com/"))
	require.NoError(t, err)
	var left []string
	for _, c := range s.clauses() {
		if reason := notApplicable(""); errors.As(s.verdict(c), &reason) {
			left = append(left, c.name)
		}
	}
	assert.Equal(t, []string{"body/closed-on-refusal", "redirect/downgrade"}, left)
}

// What is said of a Transport and a context's cause is looked at, too.
func TestATransportReturnsTheCause(t *testing.T) {
	s, err := newSuite(wrapping(http.RoundTripper.RoundTrip))
	require.NoError(t, err)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errCause)
	resp, err := new(http.Transport).RoundTrip(s.get().WithContext(ctx))
	discard(resp)
	assert.ErrorIs(t, err, errCause)
}

// What is said to be net/http's own doing is looked at.
func TestWhatNetHTTPItselfDoesIsTrue(t *testing.T) {
	// The base is the wrapper under test, and the caller sets the credential.
	s, err := newSuite(wrapping(http.RoundTripper.RoundTrip), WithCredential("Authorization"))
	require.NoError(t, err)
	// forwards reports to which hops a Client takes two fields that its caller has
	// set.
	forwards := func(locations ...*url.URL) (authorization, apiKey []bool) {
		client := &http.Client{Transport: roundTripFunc(func(sent *http.Request) (*http.Response, error) {
			nth := len(authorization)
			authorization = append(authorization, sent.Header.Get("Authorization") != "")
			apiKey = append(apiKey, sent.Header.Get("X-Api-Key") != "")
			if nth >= len(locations) {
				return answer(sent, http.StatusOK), nil
			}
			resp := answer(sent, http.StatusFound)
			resp.Header.Set("Location", locations[nth].String())
			return resp, nil
		})}
		req := s.get()
		req.Header.Set("Authorization", "secret")
		req.Header.Set("X-Api-Key", "secret")
		resp, err := client.Do(req)
		require.NoError(t, err)
		discard(resp)
		return authorization, apiKey
	}
	for _, c := range []struct {
		clause        string
		locations     []*url.URL
		authorization []bool
	}{
		{"redirect/other-host", []*url.URL{s.at(anotherHost)}, []bool{true, false}},
		{"redirect/further", []*url.URL{s.at(anotherHost), s.at(anotherHost)}, []bool{true, false, false}},
		{"redirect/subdomain", []*url.URL{s.at("sub." + s.url.Host)}, []bool{true, true}},
		{"redirect/port", []*url.URL{s.at(s.url.Host + ":8443")}, []bool{true, true}},
		{"redirect/downgrade", []*url.URL{s.plain()}, []bool{true, true}},
		{"redirect/return", []*url.URL{s.at(anotherHost), s.url}, []bool{true, false, false}},
		{"redirect/return", []*url.URL{s.plain(), s.url}, []bool{true, true, true}},
	} {
		authorization, apiKey := forwards(c.locations...)
		assert.Equal(t, c.authorization, authorization, c.clause)
		assert.NotContains(t, apiKey, false, c.clause)
	}
}
