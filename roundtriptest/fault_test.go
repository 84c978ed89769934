package roundtriptest

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httputil"
	"slices"
)

// fault is a wrapper that breaks clauses.
type fault struct {
	name  string
	wrap  wrapFunc
	opts  []Option
	fails []string
}

// single are faults that break one clause each.
var single = slices.Concat(requestFaults, bodyFaults, contextFaults, responseFaults, transportFaults,
	credentialFaults, redirectFaults)

// several are faults as they are seen in the wild, which may break more than one
// clause each.
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

// allBut returns the names of all clauses but some.
func allBut(some ...string) []string {
	return slices.DeleteFunc(clauseNames(), func(name string) bool { return slices.Contains(some, name) })
}
