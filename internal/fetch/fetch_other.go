//go:build !js

package fetch

import "net/http"

// RefuseRedirects does nothing. Only GOOS=js has a transport that follows
// redirects itself: see fetch_js.go.
func RefuseRedirects(http.Header, http.RoundTripper) {}
