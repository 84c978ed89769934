package roundtriptest

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// kindFaults break one clause each, and only for some kinds of requests, answers
// or errors.
var kindFaults = []fault{
	{name: "sends a request again after an error of the network", fails: []string{"sent/once-on-error"},
		wrap: sendingAgain(func(_ *http.Response, err error) bool {
			var network net.Error
			return errors.As(err, &network) && !errors.Is(err, context.DeadlineExceeded)
		})},
	{name: "sends a request again after an EOF", fails: []string{"sent/once-on-error"},
		wrap: sendingAgain(func(_ *http.Response, err error) bool {
			return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		})},
	{name: "sends a request again after a reset", fails: []string{"sent/once-on-error"},
		wrap: sendingAgain(func(_ *http.Response, err error) bool { return errors.Is(err, syscall.ECONNRESET) })},
	{name: "makes a 504 of a deadline that passed", fails: []string{"response/error"}, wrap: answering(504, func(err error) bool {
		return errors.Is(err, context.DeadlineExceeded)
	})},
	{name: "makes a 502 of an error of the network", fails: []string{"response/error"}, wrap: answering(502, func(err error) bool {
		var network *net.OpError
		return errors.As(err, &network)
	})},
	{name: "makes a 499 of a request that the caller has cancelled", fails: []string{"response/error"},
		wrap: answering(499, func(err error) bool { return errors.Is(err, errCause) })},
	{name: "makes a 503 of its own wait", fails: []string{"response/error"},
		wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			select {
			case <-time.After(time.Second):
				return base.RoundTrip(req)
			case <-req.Context().Done():
				discardBody(req)
				return respond(req, http.StatusServiceUnavailable), nil
			}
		})},
	{name: "answers with the last response where the base fails", fails: []string{"response/error"},
		wrap: func(base http.RoundTripper) (http.RoundTripper, error) {
			var answered atomic.Bool
			return returning(func(req *http.Request, resp *http.Response, err error) (*http.Response, error) {
				if err != nil && answered.Load() {
					return respond(req, http.StatusOK), nil
				}
				if resp != nil && strings.Contains(resp.Header.Get("Cache-Control"), "stale-if-error") {
					answered.Store(true)
				}
				return resp, err
			})(base)
		}},
	{name: "sends a GET again that is answered with Retry-After", fails: []string{"sent/once"},
		wrap: sendingAgain(func(resp *http.Response, err error) bool {
			return err == nil && resp != nil && resp.Header.Get("Retry-After") != "" && resp.Request.Method == http.MethodGet
		})},
	{name: "sends a PUT again that is answered 503", fails: []string{"sent/once"},
		wrap: sendingAgain(func(resp *http.Response, err error) bool {
			return err == nil && resp != nil && resp.StatusCode == 503 && resp.Request.Method == http.MethodPut
		})},
	{name: "refuses requests after three of 5xx", fails: []string{"sent/once"},
		wrap: breaking(func(resp *http.Response, err error) bool { return err == nil && resp != nil && resp.StatusCode >= 500 })},
	{name: "refuses requests after three errors of the base", fails: []string{"sent/once"},
		wrap: breaking(func(_ *http.Response, err error) bool { return err != nil })},
	{name: "refuses requests after three 401s", fails: []string{"response/401"},
		wrap: breaking(func(resp *http.Response, err error) bool { return err == nil && resp != nil && resp.StatusCode == 401 })},
	{name: "keeps answers that may be kept", fails: []string{"sent/once"},
		wrap: func(base http.RoundTripper) (http.RoundTripper, error) {
			var kept sync.Map
			return wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
				if _, hit := kept.Load(req.Method); hit && req.Method == http.MethodGet {
					return respond(req, http.StatusOK), nil
				}
				resp, err := base.RoundTrip(req)
				if resp != nil && strings.Contains(resp.Header.Get("Cache-Control"), "max-age=60") {
					kept.Store(req.Method, true)
				}
				return resp, err
			})(base)
		}},
	{name: "cuts a response off at 4 KiB", fails: []string{"response/body"},
		wrap: changingExchanges(func(resp *http.Response) {
			if body, ok := resp.Body.(*trackedBody); ok && resp.ContentLength > 4<<10 {
				text := make([]byte, 4<<10)
				_, _ = body.unread.Read(text)
				body.unread = strings.NewReader(string(text))
			}
		})},
	{name: "cuts a request off at 64 KiB", fails: []string{"sent/body"},
		opts: []Option{WithSkip("it counts bytes", "advice/own-body")},
		wrap: withBody(func(body io.ReadCloser) io.ReadCloser {
			return struct {
				io.Reader
				io.Closer
			}{io.LimitReader(body, 64<<10), body}
		})},
	{name: "reads responses of more than 1 KiB ahead", fails: []string{"response/streamed"},
		opts: []Option{WithSkip("it reads ahead", "advice/own-response-body")},
		wrap: changingOthers(func(resp *http.Response) {
			if resp.ContentLength > 1<<10 {
				text, _ := io.ReadAll(resp.Body)
				resp.Body = struct {
					io.Reader
					io.Closer
				}{bytes.NewReader(text), resp.Body}
			}
		})},
	{name: "keeps the next request waiting after a 429", fails: []string{"context/wait"},
		wrap: func(base http.RoundTripper) (http.RoundTripper, error) {
			var mu sync.Mutex
			var until time.Time
			return wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
				mu.Lock()
				wait := min(time.Until(until), time.Second)
				mu.Unlock()
				time.Sleep(wait)
				resp, err := base.RoundTrip(req)
				if resp != nil && resp.StatusCode == http.StatusTooManyRequests {
					seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
					mu.Lock()
					until = time.Now().Add(time.Duration(seconds) * time.Second)
					mu.Unlock()
				}
				return resp, err
			})(base)
		}},
	{name: "writes the method in capitals", fails: []string{"sent/method"},
		wrap: changing(func(sent *http.Request) { sent.Method = strings.ToUpper(sent.Method) })},
	{name: "writes the host in lower case", fails: []string{"sent/url"},
		wrap: changingURL(func(u *url.URL) { u.Host = strings.ToLower(u.Host) })},
	{name: "drops the port that is the scheme's own", fails: []string{"sent/url"},
		wrap: changingURL(func(u *url.URL) { u.Host = strings.TrimSuffix(u.Host, ":443") })},
	{name: "drops the user info", fails: []string{"sent/url"},
		wrap: changingURL(func(u *url.URL) { u.User = nil })},
	{name: "drops Opaque", fails: []string{"sent/url"},
		wrap: changingURL(func(u *url.URL) { u.Opaque = "" })},
	{name: "drops fields whose first value is empty", fails: []string{"sent/header"},
		wrap: changing(func(sent *http.Request) {
			for name, values := range sent.Header {
				if len(values) > 0 && values[0] == "" {
					delete(sent.Header, name)
				}
			}
		})},
	{name: "drops Accept-Encoding", fails: []string{"sent/header"}, wrap: dropping("Accept-Encoding")},
	{name: "drops If-None-Match", fails: []string{"sent/header"}, wrap: dropping("If-None-Match")},
	{name: "drops Referer", fails: []string{"sent/header"}, wrap: dropping("Referer")},
	{name: "drops Expect", fails: []string{"sent/header"}, wrap: dropping("Expect")},
	{name: "drops TE", fails: []string{"sent/header"}, wrap: dropping("Te")},
	{name: "drops Accept", fails: []string{"sent/header"}, wrap: dropping("Accept")},
	{name: "encodes JSON anew", fails: []string{"sent/body"},
		opts: []Option{WithSkip("it reads bodies", "advice/own-body")},
		wrap: reading(func(text []byte) []byte {
			var value any
			if json.Unmarshal(text, &value) != nil {
				return text
			}
			again, err := json.Marshal(value)
			if err != nil {
				return text
			}
			return again
		})},
	{name: "empties JSON that it cannot parse", fails: []string{"sent/body"},
		opts: []Option{WithSkip("it reads bodies", "advice/own-body")},
		wrap: reading(func(text []byte) []byte {
			if bytes.Contains(text, []byte("1e400")) {
				return []byte("{}")
			}
			return text
		})},
	{name: "unpacks an answer", fails: []string{"response/body"},
		opts: []Option{WithSkip("it unpacks", "response/header", "response/streamed", "advice/own-response-body")},
		wrap: changingOthers(func(resp *http.Response) {
			if resp.Header.Get("Content-Encoding") != "gzip" {
				return
			}
			packed := resp.Body
			if text, err := gzip.NewReader(packed); err == nil {
				resp.Body = struct {
					io.Reader
					io.Closer
				}{text, packed}
				resp.Header.Del("Content-Encoding")
			}
		})},
	{name: "makes an error of HTML", fails: []string{"response/2xx"},
		wrap: refusingResponse(func(resp *http.Response) bool {
			return resp.StatusCode == http.StatusOK && strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html")
		})},
	{name: "makes an error of a status that is none", fails: []string{"response/5xx"},
		wrap: refusingResponse(func(resp *http.Response) bool { return resp.StatusCode > 599 })},
	{name: "has a GetBody that works once", fails: []string{"sent/get-body"},
		wrap: changing(func(sent *http.Request) {
			getBody, called := sent.GetBody, false
			if getBody == nil {
				return
			}
			sent.GetBody = func() (io.ReadCloser, error) {
				if called {
					return nil, errRefused
				}
				called = true
				return getBody()
			}
		})},
	{name: "has a GetBody that returns what the body has left", fails: []string{"sent/get-body"},
		wrap: changing(func(sent *http.Request) {
			if body := sent.Body; sent.GetBody != nil {
				sent.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(body), nil }
			}
		}), opts: []Option{WithSkip("GetBody reads what the body should", "sent/body", "sent/broken-body")}},
	{name: "answers a challenge with the URL's user info", fails: []string{"response/401"},
		wrap: sendingAgain(func(resp *http.Response, err error) bool {
			return err == nil && resp != nil && resp.StatusCode == 401 && resp.Request.URL.User != nil
		})},
	{name: "takes a reset connection for the end of a response", fails: []string{"response/read-error"},
		wrap: swallowing(func(err error) bool { return errors.Is(err, syscall.ECONNRESET) })},
	{name: "takes a cancelled context for the end of a response", fails: []string{"response/read-error"},
		wrap: swallowing(func(err error) bool { return errors.Is(err, context.Canceled) })},
	{name: "takes an error that it does not know for the end of a response", fails: []string{"response/read-error"},
		wrap: swallowing(func(err error) bool { return errors.Is(err, errBase) })},
	{name: "sends what it could read of the body", fails: []string{"sent/broken-body"},
		opts: []Option{WithSkip("it reads bodies", "advice/own-body")},
		wrap: withBody(func(body io.ReadCloser) io.ReadCloser {
			text, _ := io.ReadAll(body)
			_ = body.Close()
			return io.NopCloser(bytes.NewReader(text))
		})},
	{name: "sends no body where GetBody fails", fails: []string{"sent/body"},
		opts: []Option{WithSkip("it sends a copy", "advice/own-body", "advice/copies-closed")},
		wrap: sending(func(req *http.Request) *http.Request {
			if req.GetBody == nil {
				return req
			}
			sent := req.WithContext(req.Context())
			sent.Body, _ = req.GetBody()
			discardBody(req)
			return sent
		})},
	{name: "changes the caller's request after it has returned", fails: []string{"request/fields"},
		wrap: returning(func(req *http.Request, resp *http.Response, err error) (*http.Response, error) {
			if body, ok := req.Body.(*trackedBody); ok && resp != nil && resp.TLS != nil && req.Method == http.MethodPost && req.ContentLength == int64(len(payload)) {
				time.AfterFunc(20*time.Millisecond, func() {
					body.mu.Lock()
					defer body.mu.Unlock()
					req.RemoteAddr = "wrapper"
				})
			}
			return resp, err
		})},
	{name: "drops Cancel", fails: []string{"advice/cancel-channel"},
		//lint:ignore SA1019 others still have it
		wrap: changing(func(sent *http.Request) { sent.Cancel = nil })},
}

// answering returns the wrap of a wrapper that makes a response of some errors.
func answering(status int, of func(err error) bool) WrapFunc {
	return returning(func(req *http.Request, resp *http.Response, err error) (*http.Response, error) {
		if resp == nil && of(err) {
			return respond(req, status), nil
		}
		return resp, err
	})
}

// breaking returns the wrap of a wrapper that refuses everything once three
// requests have ended badly.
func breaking(badly func(resp *http.Response, err error) bool) WrapFunc {
	return func(base http.RoundTripper) (http.RoundTripper, error) {
		var bad atomic.Int32
		return wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			if bad.Load() >= 3 {
				discardBody(req)
				return nil, errRefused
			}
			resp, err := base.RoundTrip(req)
			if badly(resp, err) {
				bad.Add(1)
			}
			return resp, err
		})(base)
	}
}

// dropping returns the wrap of a wrapper that drops a field of the request.
func dropping(name string) WrapFunc {
	return changing(func(sent *http.Request) { sent.Header.Del(name) })
}

// reading returns the wrap of a wrapper that reads bodies and sends others.
func reading(instead func(text []byte) []byte) WrapFunc {
	return wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
		if req.Body == nil || req.Body == http.NoBody {
			return base.RoundTrip(req)
		}
		text, err := io.ReadAll(req.Body)
		if err := errors.Join(err, req.Body.Close()); err != nil {
			return nil, err
		}
		sent := req.WithContext(req.Context())
		sent.Body = io.NopCloser(bytes.NewReader(instead(text)))
		return base.RoundTrip(sent)
	})
}

// refusingResponse returns the wrap of a wrapper that makes an error of some
// responses.
func refusingResponse(refused func(resp *http.Response) bool) WrapFunc {
	return returning(func(_ *http.Request, resp *http.Response, err error) (*http.Response, error) {
		if resp != nil && refused(resp) {
			discard(resp)
			return nil, errRefused
		}
		return resp, err
	})
}

// swallowing returns the wrap of a wrapper whose responses end where some errors
// are.
func swallowing(end func(err error) bool) WrapFunc {
	return changingOthers(func(resp *http.Response) {
		if body, ok := resp.Body.(*trackedBody); ok && end(body.end) {
			body.end = io.EOF
		}
	})
}
