package roundtriptest

import (
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
)

// sentFaults break one clause each.
var sentFaults = []fault{
	{name: "sends a request again after a 503", fails: []string{"sent/once"},
		wrap: sendingAgain(func(resp *http.Response, err error) bool { return err == nil && resp != nil && resp.StatusCode == 503 })},
	{name: "sends a request again after a 429", fails: []string{"sent/once"},
		wrap: sendingAgain(func(resp *http.Response, err error) bool { return err == nil && resp != nil && resp.StatusCode == 429 })},
	{name: "answers a challenge of a proxy", fails: []string{"sent/once"},
		wrap: sendingAgain(func(resp *http.Response, err error) bool { return err == nil && resp != nil && resp.StatusCode == 407 })},
	{name: "refuses methods that it does not know", fails: []string{"sent/once"},
		wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			if req.Method == "PURGE" {
				return nil, errRefused
			}
			return base.RoundTrip(req)
		})},
	{name: "sends a request again after a Retry-After", fails: []string{"sent/once"},
		wrap: sendingAgain(func(resp *http.Response, err error) bool {
			return err == nil && resp != nil && resp.Header.Get("Retry-After") != ""
		})},
	{name: "answers a GET from memory", fails: []string{"sent/once"},
		wrap: func(base http.RoundTripper) (http.RoundTripper, error) {
			var known sync.Map
			return wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
				if req.Method != http.MethodGet || req.URL == nil || req.Body != nil || req.Header.Get("X-Single") == "" {
					return base.RoundTrip(req)
				}
				if _, again := known.Load(req.URL.String()); again && req.Context().Done() == nil {
					return respond(req, http.StatusOK), nil
				}
				resp, err := base.RoundTrip(req)
				if resp != nil && resp.StatusCode == http.StatusOK {
					known.Store(req.URL.String(), true)
				}
				return resp, err
			})(base)
		}},
	{name: "sends requests that are alike once", fails: []string{"sent/once"},
		wrap: func(base http.RoundTripper) (http.RoundTripper, error) {
			return &alikesOnce{oneResponse{wrapper: wrapper{base: base}}}, nil
		}},
	{name: "sends a request again after an error", fails: []string{"sent/once-on-error"},
		wrap: sendingAgain(func(_ *http.Response, err error) bool { return err != nil })},
	{name: "sends a PATCH as a POST", fails: []string{"sent/method"},
		wrap: changing(func(sent *http.Request) {
			if sent.Method == http.MethodPatch {
				sent.Method = http.MethodPost
			}
		})},
	{name: "sends a HEAD as a GET", fails: []string{"sent/method"},
		wrap: changing(func(sent *http.Request) {
			if sent.Method == http.MethodHead {
				sent.Method = http.MethodGet
			}
		})},
	{name: "knows methods by name", fails: []string{"sent/empty-method"},
		wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			if req.Method == "" {
				return nil, errRefused
			}
			return base.RoundTrip(req)
		})},
	{name: "sends an empty method as a POST", fails: []string{"sent/empty-method"},
		wrap: changing(func(sent *http.Request) {
			if sent.Method == "" {
				sent.Method = http.MethodPost
			}
		})},
	{name: "fills in the caller's method", fails: []string{"sent/empty-method"},
		wrap: sending(func(req *http.Request) *http.Request {
			if req.Method == "" {
				req.Method = http.MethodGet
			}
			return req
		})},
	{name: "sorts the query", fails: []string{"sent/url"},
		wrap: changingURL(func(u *url.URL) { u.RawQuery = u.Query().Encode() })},
	{name: "adds a key to the query", fails: []string{"sent/url"},
		wrap: changingURL(func(u *url.URL) { u.RawQuery += "&key=1" })},
	{name: "drops the query", fails: []string{"sent/url"},
		wrap: changingURL(func(u *url.URL) { u.RawQuery, u.ForceQuery = "", false })},
	{name: "cleans the path", fails: []string{"sent/url"},
		wrap: changingURL(func(u *url.URL) { u.Path, u.RawPath = path.Clean(u.Path), "" })},
	{name: "decodes the path", fails: []string{"sent/url"},
		wrap: changingURL(func(u *url.URL) { u.RawPath = "" })},
	{name: "cuts a path parameter off", fails: []string{"sent/url"},
		wrap: changingURL(func(u *url.URL) {
			u.Path, u.RawPath = strings.ReplaceAll(u.Path, ";v=1", ""), strings.ReplaceAll(u.RawPath, ";v=1", "")
		})},
	{name: "drops Host", fails: []string{"sent/host"},
		wrap: changing(func(sent *http.Request) { sent.Host = "" })},
	{name: "sets Host to the URL's", fails: []string{"sent/host"},
		wrap: changing(func(sent *http.Request) {
			if sent.URL != nil {
				sent.Host = sent.URL.Host
			}
		})},
	{name: "drops the fields of a connection, as a proxy does", fails: []string{"sent/header"},
		wrap: changing(func(sent *http.Request) {
			sent.Header.Del("Connection")
			sent.Header.Del("Upgrade")
		})},
	{name: "drops cookies", fails: []string{"sent/header"},
		wrap: changing(func(sent *http.Request) { sent.Header.Del("Cookie") })},
	{name: "drops a field", fails: []string{"sent/header"},
		wrap: changing(func(sent *http.Request) { sent.Header.Del("Cache-Control") })},
	{name: "drops the second value of a field", fails: []string{"sent/header"},
		wrap: changing(func(sent *http.Request) {
			for name, values := range sent.Header {
				sent.Header[name] = values[:min(len(values), 1)]
			}
		})},
	{name: "joins the values of a field", fails: []string{"sent/header"},
		wrap: changing(func(sent *http.Request) {
			for name, values := range sent.Header {
				if len(values) > 1 {
					sent.Header[name] = []string{strings.Join(values, ", ")}
				}
			}
		})},
	{name: "sorts the values of a field", fails: []string{"sent/header"},
		wrap: changing(func(sent *http.Request) {
			for _, values := range sent.Header {
				slices.Sort(values)
			}
		})},
	{name: "drops empty values", fails: []string{"sent/header"},
		wrap: changing(func(sent *http.Request) {
			for name, values := range sent.Header {
				sent.Header[name] = slices.DeleteFunc(values, func(value string) bool { return value == "" })
			}
		})},
	{name: "overwrites a field", fails: []string{"sent/header"},
		wrap: changing(func(sent *http.Request) {
			if sent.Header.Get("Content-Type") != "" {
				sent.Header.Set("Content-Type", "application/octet-stream")
			}
		})},
	{name: "copies the header value by value", fails: []string{"sent/valueless-key"},
		wrap: sending(func(req *http.Request) *http.Request {
			sent := req.WithContext(req.Context())
			sent.Header = make(http.Header)
			for name, values := range req.Header {
				for _, value := range values {
					sent.Header.Add(name, value)
				}
			}
			return sent
		})},
	{name: "makes a length an unknown one", fails: []string{"sent/content-length"},
		wrap: changing(func(sent *http.Request) {
			if sent.ContentLength > 0 {
				sent.ContentLength = -1
			}
		})},
	{name: "forgets the length", fails: []string{"sent/content-length"},
		wrap: changing(func(sent *http.Request) { sent.ContentLength = 0 })},
	{name: "drops TransferEncoding", fails: []string{"sent/transfer-encoding"},
		wrap: changing(func(sent *http.Request) { sent.TransferEncoding = nil })},
	{name: "sends every body chunked", fails: []string{"sent/transfer-encoding"},
		wrap: changing(func(sent *http.Request) {
			if sent.Body != nil {
				sent.TransferEncoding = []string{"chunked"}
			}
		})},
	{name: "drops Close", fails: []string{"sent/close"},
		wrap: changing(func(sent *http.Request) { sent.Close = false })},
	{name: "closes every connection", fails: []string{"sent/close"},
		wrap: changing(func(sent *http.Request) { sent.Close = true })},
	{name: "drops GetBody", fails: []string{"sent/get-body"},
		wrap: changing(func(sent *http.Request) { sent.GetBody = nil })},
	{name: "has a GetBody that returns no body", fails: []string{"sent/get-body"},
		wrap: changing(func(sent *http.Request) { sent.GetBody = func() (io.ReadCloser, error) { return http.NoBody, nil } })},
	{name: "has a GetBody that fails", fails: []string{"sent/get-body"},
		wrap: changing(func(sent *http.Request) { sent.GetBody = func() (io.ReadCloser, error) { return nil, errRefused } })},
	{name: "has a GetBody that returns other bytes", fails: []string{"sent/get-body"},
		wrap: changing(func(sent *http.Request) {
			sent.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("{}")), nil }
		})},
	{name: "copies the trailers", fails: []string{"sent/trailer"},
		wrap: changing(func(sent *http.Request) { sent.Trailer = sent.Trailer.Clone() })},
	{name: "drops the trailers", fails: []string{"sent/trailer"},
		wrap: changing(func(sent *http.Request) { sent.Trailer = nil })},
	{name: "reads the beginning of the body", fails: []string{"sent/body"},
		wrap: sending(func(req *http.Request) *http.Request {
			if req.Body != nil {
				_, _ = io.ReadFull(req.Body, make([]byte, 16))
			}
			return req
		})},
	{name: "sends no body with a DELETE", fails: []string{"sent/body"},
		wrap: changing(func(sent *http.Request) {
			if sent.Body != nil && sent.Method == http.MethodDelete {
				_ = sent.Body.Close()
				sent.Body = nil
			}
		})},
	{name: "sends no body", fails: []string{"sent/body"},
		wrap: changing(func(sent *http.Request) {
			if sent.Body != nil && sent.Method == http.MethodPut {
				_ = sent.Body.Close()
				sent.Body = nil
			}
		})},
	{name: "wraps http.NoBody", fails: []string{"sent/no-body"},
		wrap: changing(func(sent *http.Request) {
			if sent.Body == http.NoBody {
				sent.Body = counted{sent.Body}
			}
		})},
	{name: "gives a GET a body", fails: []string{"sent/no-body"},
		wrap: changing(func(sent *http.Request) {
			if sent.Body == nil && sent.Method == http.MethodGet {
				sent.Body = io.NopCloser(strings.NewReader(""))
			}
		})},
}

// alikesOnce sends one of several GETs without a body that are under way at the
// same time, if their contexts do not end.
type alikesOnce struct{ oneResponse }

func (w *alikesOnce) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method != http.MethodGet || req.Body != nil || req.Context().Done() != nil {
		return w.base.RoundTrip(req)
	}
	return w.oneResponse.RoundTrip(req)
}

// changingURL returns the wrap of a wrapper that sends a request with another
// URL.
func changingURL(change func(u *url.URL)) WrapFunc {
	return changing(func(sent *http.Request) {
		if sent.URL != nil {
			u := *sent.URL
			change(&u)
			sent.URL = &u
		}
	})
}
