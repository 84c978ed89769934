package routeauth

import "net/http"

// maxHops bounds the walk back along a redirect chain: a chain that is longer,
// or that runs in a circle, counts as one that left its origin.
const maxHops = 100

// leftOrigin reports whether req is a hop of a redirect chain of which some hop
// had another scheme, host or port. Whoever controls such a hop chose where req
// goes, so no credential may go with it.
func leftOrigin(req *http.Request) bool {
	for range maxHops {
		if req.Response == nil {
			return false
		}
		previous := req.Response.Request
		if previous == nil || previous.URL == nil || !sameOrigin(previous.URL, req.URL) {
			return true
		}
		req = previous
	}
	return true
}
