package roundtriptest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"sync"
	"time"
)

// statusFaults break one clause each.
var statusFaults = []fault{
	{name: "makes an error of a 101", fails: []string{"response/101"}, wrap: failingFor(101)},
	{name: "makes an error of a 204", fails: []string{"response/2xx"}, wrap: failingFor(204)},
	{name: "makes an error of a status that has no name", fails: []string{"response/2xx"}, wrap: failingFor(299)},
	{name: "makes a 200 of a 206", fails: []string{"response/2xx"}, wrap: changingResponse(func(resp *http.Response) {
		if resp.StatusCode == http.StatusPartialContent {
			resp.StatusCode = http.StatusOK
		}
	})},
	{name: "makes an error of a 301", fails: []string{"response/3xx"}, wrap: failingFor(301)},
	{name: "makes an error of a 304", fails: []string{"response/3xx"}, wrap: failingFor(304)},
	{name: "follows redirects itself", fails: []string{"response/3xx"},
		wrap: sendingAgain(func(resp *http.Response, err error) bool {
			return err == nil && resp != nil && resp.StatusCode/100 == 3 && resp.Header.Get("Location") != ""
		})},
	{name: "makes an error of a 401", fails: []string{"response/401"}, wrap: failingFor(401)},
	{name: "sends a request again after a 401", fails: []string{"response/401"},
		wrap: sendingAgain(func(resp *http.Response, err error) bool { return err == nil && resp != nil && resp.StatusCode == 401 })},
	{name: "takes the challenges out of a 401", fails: []string{"response/401"}, wrap: changingResponse(func(resp *http.Response) {
		if resp.StatusCode == http.StatusUnauthorized {
			resp.Header.Del("Www-Authenticate")
		}
	})},
	{name: "empties a 401", fails: []string{"response/401"}, wrap: changingResponse(func(resp *http.Response) {
		if resp.StatusCode == http.StatusUnauthorized {
			discard(resp)
			resp.Body = http.NoBody
		}
	})},
	{name: "makes an error of a 403", fails: []string{"response/4xx"}, wrap: failingFor(403)},
	{name: "makes an error of a 404", fails: []string{"response/4xx"}, wrap: failingFor(404)},
	{name: "makes an error of a 407", fails: []string{"response/4xx"}, wrap: failingFor(407)},
	{name: "makes an error of a 429", fails: []string{"response/4xx"}, wrap: failingFor(429)},
	{name: "makes an error of a 503", fails: []string{"response/5xx"}, wrap: failingFor(503)},
	{name: "returns an error with a 500", fails: []string{"response/5xx"},
		wrap: returning(func(_ *http.Request, resp *http.Response, err error) (*http.Response, error) {
			if resp != nil && resp.StatusCode == http.StatusInternalServerError {
				return resp, errors.Join(err, errors.New("the server failed"))
			}
			return resp, err
		})},
	{name: "returns neither a 502 nor an error", fails: []string{"response/5xx"},
		wrap: returning(func(_ *http.Request, resp *http.Response, err error) (*http.Response, error) {
			if resp != nil && resp.StatusCode == http.StatusBadGateway {
				discard(resp)
				return nil, nil
			}
			return resp, err
		})},
	{name: "makes a 502 of the base's error", fails: []string{"response/error"},
		wrap: returning(func(req *http.Request, resp *http.Response, err error) (*http.Response, error) {
			if errors.Is(err, errBase) && resp == nil {
				return respond(req, http.StatusBadGateway), nil
			}
			return resp, err
		})},
	{name: "swallows the base's error", fails: []string{"response/error"},
		wrap: returning(func(_ *http.Request, resp *http.Response, err error) (*http.Response, error) {
			if errors.Is(err, errBase) && resp == nil {
				return nil, nil
			}
			return resp, err
		})},
	{name: "returns a response with the base's error", fails: []string{"response/error"},
		wrap: returning(func(req *http.Request, resp *http.Response, err error) (*http.Response, error) {
			if errors.Is(err, errBase) && resp == nil {
				return respond(req, http.StatusBadGateway), err
			}
			return resp, err
		})},
}

// responseFaults break one clause each. They leave a 401 alone, which has one
// clause for all.
var responseFaults = []fault{
	{name: "drops Status", fails: []string{"response/status-line"},
		wrap: changingOthers(func(resp *http.Response) { resp.Status = "" })},
	{name: "words Status itself", fails: []string{"response/status-line"},
		wrap: changingOthers(func(resp *http.Response) { resp.Status = http.StatusText(resp.StatusCode) })},
	{name: "drops Proto", fails: []string{"response/status-line"},
		wrap: changingOthers(func(resp *http.Response) { resp.Proto = "" })},
	{name: "says that it was HTTP/1.1", fails: []string{"response/status-line"},
		wrap: changingOthers(func(resp *http.Response) { resp.Proto, resp.ProtoMajor, resp.ProtoMinor = "HTTP/1.1", 1, 1 })},
	{name: "drops a field of the response", fails: []string{"response/header"},
		wrap: changingOthers(func(resp *http.Response) { resp.Header.Del("Set-Cookie") })},
	{name: "drops the second value of a response's field", fails: []string{"response/header"},
		wrap: changingOthers(func(resp *http.Response) {
			for name, values := range resp.Header {
				resp.Header[name] = values[:min(len(values), 1)]
			}
		})},
	{name: "drops the header of errors", fails: []string{"response/header"},
		wrap: changingOthers(func(resp *http.Response) {
			if resp.StatusCode >= 500 {
				resp.Header = http.Header{}
			}
		})},
	{name: "drops ContentLength", fails: []string{"response/content-length"},
		wrap: changingOthers(func(resp *http.Response) { resp.ContentLength = -1 })},
	{name: "forgets the length of the answer to a HEAD", fails: []string{"response/content-length"},
		wrap: changingOthers(func(resp *http.Response) {
			if resp.Body == http.NoBody {
				resp.ContentLength = 0
			}
		})},
	{name: "drops TransferEncoding of a response", fails: []string{"response/framing"},
		wrap: changingOthers(func(resp *http.Response) { resp.TransferEncoding = nil })},
	{name: "drops Uncompressed", fails: []string{"response/framing"},
		wrap: changingOthers(func(resp *http.Response) { resp.Uncompressed = false })},
	{name: "drops Close of a response", fails: []string{"response/framing"},
		wrap: changingOthers(func(resp *http.Response) { resp.Close = false })},
	{name: "drops the trailers of a response", fails: []string{"response/trailer"},
		wrap: changingOthers(func(resp *http.Response) { resp.Trailer = nil })},
	{name: "copies the trailers of a response", fails: []string{"response/trailer"},
		wrap: changingOthers(func(resp *http.Response) { resp.Trailer = resp.Trailer.Clone() })},
	{name: "drops TLS", fails: []string{"response/tls"},
		wrap: changingOthers(func(resp *http.Response) { resp.TLS = nil })},
	{name: "drops TLS of errors", fails: []string{"response/tls"},
		wrap: changingOthers(func(resp *http.Response) {
			if resp.StatusCode >= 500 {
				resp.TLS = nil
			}
		})},
	{name: "drops Request", fails: []string{"response/request"},
		wrap: changingExchanges(func(resp *http.Response) { resp.Request = nil })},
	{name: "has a Request without a URL", fails: []string{"response/request"},
		wrap: changingExchanges(func(resp *http.Response) { resp.Request = &http.Request{Method: resp.Request.Method} })},
	{name: "has a Request with another method", fails: []string{"response/request"},
		wrap: changingExchanges(func(resp *http.Response) {
			other := copied(resp.Request)
			other.Method = http.MethodPut
			resp.Request = other
		})},
	{name: "returns a body of nil", fails: []string{"response/body"},
		wrap: changingExchanges(func(resp *http.Response) {
			if resp.Body == http.NoBody {
				resp.Body = nil
			}
		}), opts: []Option{WithSkip("it is nil", "advice/own-response-body")}},
	{name: "cuts a body off", fails: []string{"response/body"},
		wrap: changingExchanges(func(resp *http.Response) {
			if body, ok := resp.Body.(*trackedBody); ok && resp.StatusCode == http.StatusAccepted {
				body.unread = strings.NewReader(answerText[:10])
			}
		})},
	{name: "changes a body", fails: []string{"response/body"},
		wrap: changingExchanges(func(resp *http.Response) {
			if body, ok := resp.Body.(*trackedBody); ok && resp.StatusCode == http.StatusAccepted {
				body.unread = strings.NewReader(strings.ToUpper(answerText))
			}
		})},
}

// changingOthers is changingResponse for other statuses than 401.
func changingOthers(change func(resp *http.Response)) WrapFunc {
	return changingResponse(func(resp *http.Response) {
		if resp.StatusCode != http.StatusUnauthorized {
			change(resp)
		}
	})
}

// changingExchanges is changingOthers for the responses that are compared.
func changingExchanges(change func(resp *http.Response)) WrapFunc {
	return changingOthers(func(resp *http.Response) {
		if resp.TLS != nil {
			change(resp)
		}
	})
}

// responseBodyFaults break one clause each.
var responseBodyFaults = []fault{
	{name: "reads the beginning of a response", fails: []string{"response/streamed"},
		wrap: changingExchanges(func(resp *http.Response) {
			if body, ok := resp.Body.(*trackedBody); ok && resp.StatusCode == http.StatusPartialContent {
				_, _ = io.ReadFull(body, make([]byte, 16))
				body.unread = strings.NewReader(answerText)
			}
		})},
	{name: "reads the answer to a POST", fails: []string{"response/streamed"},
		wrap: changingExchanges(func(resp *http.Response) {
			if body, ok := resp.Body.(*trackedBody); ok && resp.Request.Method == http.MethodPost && resp.StatusCode == http.StatusConflict {
				_, _ = io.ReadAll(body)
				body.unread = strings.NewReader(answerText)
			}
		})},
	{name: "makes a regular end of a body that breaks off", fails: []string{"response/read-error"},
		wrap: changingOthers(func(resp *http.Response) {
			if resp.ContentLength == int64(2*len(answerText)) {
				text, _ := io.ReadAll(resp.Body)
				discard(resp)
				resp.Body = io.NopCloser(bytes.NewReader(text))
			}
		})},
	{name: "hands out a body that cannot be closed", fails: []string{"response/closed"},
		wrap: changingOthers(func(resp *http.Response) {
			if body, ok := resp.Body.(*trackedBody); ok && resp.StatusCode == http.StatusNotFound && resp.TLS == nil {
				resp.Body = io.NopCloser(body)
			}
		})},
	{name: "closes a body at its end only", fails: []string{"response/closed"},
		wrap: changingOthers(func(resp *http.Response) {
			if body, ok := resp.Body.(*trackedBody); ok && resp.TLS == nil {
				resp.Body = closedAtEnd{body}
			}
		})},
	{name: "makes an error of a 403 and leaves it open", fails: []string{"response/dropped"},
		wrap: returning(func(_ *http.Request, resp *http.Response, err error) (*http.Response, error) {
			if resp != nil && resp.StatusCode == http.StatusForbidden {
				return nil, errors.New("forbidden")
			}
			return resp, err
		}), opts: []Option{WithSkip("it is an error", "response/4xx")}},
	{name: "leaves the first of two answers open", fails: []string{"response/dropped"},
		wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			resp, err := base.RoundTrip(req)
			if resp == nil || resp.StatusCode != http.StatusUnauthorized || resp.TLS == nil || req.Body != nil {
				return resp, err
			}
			return base.RoundTrip(req)
		}), opts: []Option{WithSkip("it tries again", "response/401")}},
	{name: "hides that a connection can be written to", fails: []string{"response/upgrade"},
		wrap: changingOthers(func(resp *http.Response) {
			if resp.StatusCode == http.StatusSwitchingProtocols && resp.TLS == nil {
				resp.Body = counted{resp.Body}
			}
		})},
	{name: "closes a connection", fails: []string{"response/upgrade"},
		wrap: changingOthers(func(resp *http.Response) {
			if resp.StatusCode == http.StatusSwitchingProtocols && resp.TLS == nil {
				_ = resp.Body.Close()
			}
		})},
	{name: "keeps cookies", fails: []string{"response/cookies"},
		wrap: func(base http.RoundTripper) (http.RoundTripper, error) {
			jar, err := cookiejar.New(nil)
			if err != nil {
				return nil, err
			}
			return wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
				sent := copied(req)
				if req.URL == nil || req.Header == nil {
					return base.RoundTrip(sent)
				}
				for _, cookie := range jar.Cookies(req.URL) {
					sent.AddCookie(cookie)
				}
				resp, err := base.RoundTrip(sent)
				if resp != nil {
					jar.SetCookies(req.URL, resp.Cookies())
				}
				return resp, err
			})(base)
		}},
}

// concurrencyFaults break one clause each.
var concurrencyFaults = []fault{
	{name: "gives a response the request that came last", fails: []string{"transport/concurrent"},
		wrap: func(base http.RoundTripper) (http.RoundTripper, error) {
			return &lastRequest{wrapper: wrapper{base: base}}, nil
		}},
	{name: "sends concurrent requests with the header of the first", fails: []string{"transport/concurrent"},
		wrap: func(base http.RoundTripper) (http.RoundTripper, error) {
			return &oneHeader{wrapper: wrapper{base: base}}, nil
		}},
	{name: "puts all bodies into one buffer", fails: []string{"transport/concurrent"},
		wrap: func(base http.RoundTripper) (http.RoundTripper, error) {
			return &oneBuffer{wrapper: wrapper{base: base}}, nil
		}, opts: []Option{WithSkip("it reads bodies", "advice/own-body")}},
}

// oneBuffer sends what is in its buffer when the body is read.
type oneBuffer struct {
	wrapper
	mu   sync.Mutex
	text []byte
}

func (w *oneBuffer) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body == nil || req.Body == http.NoBody {
		return w.base.RoundTrip(req)
	}
	text, err := io.ReadAll(req.Body)
	if err := errors.Join(err, req.Body.Close()); err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.text = text
	w.mu.Unlock()
	sent := req.WithContext(req.Context())
	sent.Body = &lateReader{text: func() []byte {
		time.Sleep(time.Millisecond)
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.text
	}}
	return w.base.RoundTrip(sent)
}

// lateReader reads a text that is known when it is first read.
type lateReader struct {
	text func() []byte
	read io.Reader
}

func (r *lateReader) Read(p []byte) (int, error) {
	if r.read == nil {
		r.read = bytes.NewReader(r.text())
	}
	return r.read.Read(p)
}

func (*lateReader) Close() error { return nil }

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
	if resp != nil && resp.Request == req {
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
		w.header = req.Header.Clone()
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
		discardBody(req)
		select {
		case <-sent.done:
		case <-req.Context().Done():
			return nil, context.Cause(req.Context())
		}
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
