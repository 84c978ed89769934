package roundtriptest

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// credentialFaults break one clause each.
var credentialFaults = []fault{
	{name: "sends no credential", opts: withCredential, fails: []string{"credential/sent"},
		wrap: wrapping(http.RoundTripper.RoundTrip)},
	{name: "sends an empty credential", opts: withCredential, fails: []string{"credential/sent"},
		wrap: authenticating(stayedAtOrigin, func(req *http.Request) *http.Request {
			sent := withKey(req)
			sent.Header.Set(key, "")
			return sent
		})},
	{name: "sends the credential twice", opts: withCredential, fails: []string{"credential/single"},
		wrap: authenticating(stayedAtOrigin, func(req *http.Request) *http.Request {
			sent := withKey(req)
			sent.Header.Add(key, "secret")
			return sent
		})},
	{name: "adds the credential to what the caller had set", opts: withCredential, fails: []string{"credential/replaces"},
		wrap: authenticating(stayedAtOrigin, func(req *http.Request) *http.Request {
			sent := withKey(req)
			for _, value := range req.Header[key] {
				sent.Header.Add(key, value)
			}
			return sent
		})},
	{name: "joins the credential with what the caller had set", opts: withCredential, fails: []string{"credential/replaces"},
		wrap: authenticating(stayedAtOrigin, func(req *http.Request) *http.Request {
			sent := withKey(req)
			for _, value := range req.Header[key] {
				sent.Header.Set(key, sent.Header.Get(key)+", "+value)
			}
			return sent
		})},
	{name: "lets the caller's value stand", opts: withCredential, fails: []string{"credential/replaces"},
		wrap: authenticating(stayedAtOrigin, func(req *http.Request) *http.Request {
			sent := withKey(req)
			if own := req.Header.Get(key); own != "" {
				sent.Header.Set(key, own)
			}
			return sent
		})},
	{name: "leaves a name in lower case beside the credential", opts: withCredential, fails: []string{"credential/other-case"},
		wrap: authenticating(stayedAtOrigin, func(req *http.Request) *http.Request {
			sent := req.WithContext(req.Context())
			sent.Header = req.Header.Clone()
			if sent.Header == nil {
				sent.Header = make(http.Header)
			}
			sent.Header.Set(key, "secret")
			return sent
		})},
	{name: "lends the caller's request the credential", opts: withCredential, fails: []string{"credential/request"},
		wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			if req.Header == nil || req.URL == nil || !stayedAtOrigin(req) {
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
}

var withCredential = []Option{WithCredential(key)}

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
func authenticating(may func(req *http.Request) bool, authenticated func(req *http.Request) *http.Request) WrapFunc {
	return wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
		if !may(req) {
			return base.RoundTrip(req)
		}
		sent := authenticated(req)
		resp, err := base.RoundTrip(sent)
		if resp != nil && resp.Request == sent {
			resp.Request = req
		}
		return resp, err
	})
}
