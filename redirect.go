package routeauth

import (
	"net/http"
	"net/url"
)

// maxHops bounds the walk back along a redirect chain: a chain that is longer,
// or that runs in a circle, counts as one that left its origin.
const maxHops = 100

// leftOrigin reports whether req, which goes to the URL to, is a hop of a
// redirect chain of which some hop had another scheme, host or port. Whoever
// controls such a hop chose where req goes, so no credential may go with it.
func leftOrigin(to *url.URL, req *http.Request) bool {
	return !everyHopBefore(req, func(hop *url.URL) bool { return sameOrigin(hop, to) })
}

// everyHopBefore reports whether ok holds for the URL of each request of the
// redirect chain that led to req. A hop that is not known is not ok.
func everyHopBefore(req *http.Request, ok func(hop *url.URL) bool) bool {
	for range maxHops {
		if req.Response == nil {
			return true
		}
		req = req.Response.Request
		if req == nil || req.URL == nil || !ok(req.URL) {
			return false
		}
	}
	return false
}
