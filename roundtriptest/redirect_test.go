package roundtriptest

import (
	"net/http"
	"net/url"
	"strings"
)

// redirectFaults break one clause each.
var redirectFaults = []fault{
	{name: "trusts names that end alike", opts: withCredential, fails: []string{"redirect/other-host"},
		wrap: authenticating(alongChain(func(from, to *url.URL) bool {
			return from.Scheme == to.Scheme && strings.HasSuffix(to.Host, from.Host) && !strings.HasPrefix(to.Host, "sub.")
		}), withKey)},
	{name: "trusts names that begin alike", opts: withCredential, fails: []string{"redirect/other-host"},
		wrap: authenticating(alongChain(func(from, to *url.URL) bool {
			return from.Scheme == to.Scheme && strings.HasPrefix(to.Hostname(), from.Hostname()) && to.Port() == from.Port()
		}), withKey)},
	{name: "trusts the next hop at the host that it was redirected to", opts: withCredential, fails: []string{"redirect/further"},
		wrap: authenticating(func(req *http.Request) bool {
			return req.Response == nil || alikeOrigin(req.Response.Request.URL, req.URL) && req.URL.Scheme == "https"
		}, withKey)},
	{name: "trusts subdomains", opts: withCredential, fails: []string{"redirect/subdomain"},
		wrap: authenticating(alongChain(func(from, to *url.URL) bool {
			return from.Scheme == to.Scheme && (from.Host == to.Host || strings.HasSuffix(to.Host, "."+from.Host))
		}), withKey)},
	{name: "trusts every port", opts: withCredential, fails: []string{"redirect/port"},
		wrap: authenticating(alongChain(func(from, to *url.URL) bool {
			return from.Scheme == to.Scheme && from.Hostname() == to.Hostname()
		}), withKey)},
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

// alongChain reports whether each hop of a redirect chain is like the next one.
func alongChain(alike func(from, to *url.URL) bool) func(req *http.Request) bool {
	return func(req *http.Request) bool {
		for req.Response != nil {
			if req.Response.Request == nil || !alike(req.Response.Request.URL, req.URL) {
				return false
			}
			req = req.Response.Request
		}
		return true
	}
}

func alikeOrigin(from, to *url.URL) bool { return from.Scheme == to.Scheme && from.Host == to.Host }

var stayedAtOrigin = alongChain(alikeOrigin)
