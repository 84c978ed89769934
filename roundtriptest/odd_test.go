package roundtriptest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// result is what RoundTrip returns.
type result struct {
	resp *http.Response
	err  error
}

// odd are wrappers that look wrong and keep the contract. What they do beyond it,
// or in the place of advice, is their own choice.
var odd = map[string]WrapFunc{
	"that sends the body through a pipe": sending(func(req *http.Request) *http.Request {
		if req.Body == nil || req.Body == http.NoBody {
			return req
		}
		sent := req.WithContext(req.Context())
		r, w := io.Pipe()
		go func() {
			_, err := io.Copy(w, req.Body)
			_ = req.Body.Close()
			_ = w.CloseWithError(err)
		}()
		sent.Body = r
		return sent
	}),
	"that sends a copy of the body": wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
		if req.GetBody == nil {
			return base.RoundTrip(req)
		}
		body, err := req.GetBody()
		if err != nil {
			return nil, errors.Join(err, req.Body.Close())
		}
		sent := req.WithContext(req.Context())
		sent.Body = body
		go req.Body.Close()
		return base.RoundTrip(sent)
	}),
	"that copies all that a request refers to": sending(func(req *http.Request) *http.Request {
		if req.URL == nil {
			return req
		}
		sent := copied(req)
		u := *req.URL
		sent.URL = &u
		sent.TransferEncoding = append([]string(nil), req.TransferEncoding...)
		if sent.Method == http.MethodGet {
			sent.Method = ""
		}
		if sent.Body == nil {
			sent.Body = http.NoBody
		}
		return sent
	}),
	"that returns a response of its own": returning(func(req *http.Request, resp *http.Response, err error) (*http.Response, error) {
		if err != nil || resp == nil || resp.StatusCode == http.StatusSwitchingProtocols || req.URL == nil {
			return resp, err
		}
		own := *resp
		own.Header = resp.Header.Clone()
		own.Request = req.Clone(req.Context())
		if resp.Trailer != nil {
			own.Trailer = make(http.Header)
			for name := range resp.Trailer {
				own.Trailer[name] = nil
			}
			own.Body = &whenRead{resp.Body, func() {
				for name, values := range resp.Trailer {
					own.Trailer[name] = values
				}
			}}
		}
		return &own, nil
	}),
	"that gives a request up by itself": wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
		returned := make(chan result, 1)
		go func() {
			resp, err := base.RoundTrip(req)
			returned <- result{resp, err}
		}()
		select {
		case r := <-returned:
			return r.resp, r.err
		case <-req.Context().Done():
			go func() { discard((<-returned).resp) }()
			return nil, context.Cause(req.Context())
		}
	}),
	"that has two responses at a time": func(base http.RoundTripper) (http.RoundTripper, error) {
		places := make(chan struct{}, 2)
		return wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			select {
			case places <- struct{}{}:
			case <-req.Context().Done():
				discardBody(req)
				return nil, context.Cause(req.Context())
			}
			leave := sync.OnceFunc(func() { <-places })
			resp, err := base.RoundTrip(req)
			if err != nil || resp == nil || resp.Body == nil || resp.StatusCode == http.StatusSwitchingProtocols {
				leave()
				return resp, err
			}
			resp.Body = cancelBody{resp.Body, leave}
			return resp, nil
		})(base)
	},
	"that traces": sending(func(req *http.Request) *http.Request {
		return req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{GetConn: func(string) {}}))
	}),
	"that takes the user info for a credential": changing(func(sent *http.Request) {
		if sent.URL != nil && sent.URL.User != nil {
			password, _ := sent.URL.User.Password()
			sent.SetBasicAuth(sent.URL.User.Username(), password)
		}
	}),
	"that refuses what it does not understand": wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
		if req.URL != nil && (req.URL.User != nil || req.URL.Opaque != "") {
			discardBody(req)
			return nil, errRefused
		}
		if req.Body == nil || req.Body == http.NoBody {
			return base.RoundTrip(req)
		}
		if req.GetBody == nil {
			discardBody(req)
			return nil, errRefused
		}
		body, err := req.GetBody()
		if err != nil {
			discardBody(req)
			return nil, err
		}
		defer body.Close()
		var fields map[string]any
		if err := json.NewDecoder(body).Decode(&fields); err != nil {
			discardBody(req)
			return nil, err
		}
		return base.RoundTrip(req)
	}),
	"that names a key, a language and itself": changing(func(sent *http.Request) {
		if sent.Header == nil {
			return
		}
		sent.Header.Set("Idempotency-Key", "1")
		sent.Header.Set("User-Agent", "odd")
		sent.Header.Set("Authorization", "Bearer secret")
		sent.Header.Add("Accept-Language", "en")
		sent.Header.Add("Via", "1.1 odd")
	}),
	"that writes names in lower case": changing(func(sent *http.Request) {
		for name, values := range sent.Header {
			if len(values) > 0 { // what has none is no field, but a word to a Transport
				delete(sent.Header, name)
				sent.Header[strings.ToLower(name)] = values
			}
		}
	}),
	"that leaves closing what it refuses to a timer": wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
		if req.Context().Err() == nil {
			return base.RoundTrip(req)
		}
		if body := req.Body; body != nil {
			time.AfterFunc(400*time.Millisecond, func() { _ = body.Close() })
		}
		return nil, context.Cause(req.Context())
	}),
	"that leaves closing responses to a timer": changingResponse(func(resp *http.Response) {
		if resp.StatusCode != http.StatusSwitchingProtocols {
			resp.Body = closedLater{resp.Body}
		}
	}),
	"that waits for an hour after a 429, as long as the context lives": func(base http.RoundTripper) (http.RoundTripper, error) {
		var mu sync.Mutex
		var until time.Time
		return wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			mu.Lock()
			wait := time.NewTimer(time.Until(until))
			mu.Unlock()
			defer wait.Stop()
			select {
			case <-wait.C:
			case <-req.Context().Done():
				discardBody(req)
				return nil, context.Cause(req.Context())
			}
			resp, err := base.RoundTrip(req)
			if resp != nil && resp.Header.Get("Retry-After") == "3600" {
				mu.Lock()
				until = time.Now().Add(time.Hour)
				mu.Unlock()
			}
			return resp, err
		})(base)
	},
	"that calls what a timeout is by another name": waiting(2*shortestWait, func(ctx context.Context) error {
		return &url.Error{Op: "Wait", URL: "https://api.example.com/", Err: context.Cause(ctx)}
	}),
}

// whenRead calls a function when all of a body has been read.
type whenRead struct {
	io.ReadCloser
	then func()
}

func (b *whenRead) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		b.then()
	}
	return n, err
}

func TestAnOddWrapperHasNoFinding(t *testing.T) {
	for name, wrap := range odd {
		t.Run(name, func(t *testing.T) {
			for name, err := range failures(t, wrap) {
				if !strings.HasPrefix(name, "advice/") {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
}

// A Transport hands a request of a scheme that is registered to another
// RoundTripper, and keeps the contract while it does.
func TestNetHTTPsOwnTransportHasNoFinding(t *testing.T) {
	Test(t, func(base http.RoundTripper) (http.RoundTripper, error) {
		transport := new(http.Transport)
		transport.RegisterProtocol("http", base)
		return transport, nil
	}, WithURL("http://api.example.com/v1"))
}
