//go:build !js

package routeauth

import "net/http"

// refuseFetchRedirects does nothing. Only GOOS=js has a transport that follows
// redirects itself: see fetch_js.go.
func refuseFetchRedirects(http.Header, http.RoundTripper) {}
