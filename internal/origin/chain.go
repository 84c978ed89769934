package origin

import (
	"net/http"
	"net/url"
)

// MaxHops bounds the walk back along a redirect chain: a chain that is longer,
// or that runs in a circle, counts as one that left its origin.
const MaxHops = 100

// Left reports whether req, which goes to the URL to, is a hop of a redirect
// chain of which some hop had another scheme, host or port. Whoever controls such
// a hop chose where req goes, so no credential may go with it.
func Left(to *url.URL, req *http.Request) bool {
	return !EveryHopBefore(req, func(hop *url.URL) bool { return Same(hop, to) })
}

// EveryHopBefore reports whether ok holds for the URL of each request of the
// redirect chain that led to req. A hop that is not known is not ok.
func EveryHopBefore(req *http.Request, ok func(hop *url.URL) bool) bool {
	for range MaxHops {
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
