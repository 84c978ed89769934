//go:build js

// The name of this file alone would limit it to GOOS=js. The tag says so where
// a reader looks for it, beside its opposite in fetch_other.go.

package fetch

import (
	"net/http"
	"strings"
	"syscall/js"
)

// fetchRedirect is an option for fetch that net/http takes from a request's
// header. A transport that dials fails the request instead: a colon is not
// allowed in the name of a field.
const fetchRedirect = "js.fetch:redirect"

// fetchAvailable is the condition under which net/http (roundtrip_js.go) uses
// fetch at all. It does not under Node, where a program has a network of its
// own for tests, and it knows Node by the name that it was started under.
var fetchAvailable = func() bool {
	process := js.Global().Get("process")
	underNode := process.Type() == js.TypeObject && strings.HasPrefix(process.Get("argv0").String(), "node")
	return !underNode && !js.Global().Get("fetch").IsUndefined()
}()

// RefuseRedirects makes any redirect an error if base sends with fetch,
// which follows redirects itself: nothing here sees the hop, and every field
// but Authorization goes along to the next host. It is for requests that carry
// a secret. The header must not be the caller's own, and a value that the caller
// set in it is replaced.
//
// A base of any other type may end in fetch and is treated as if it did. If it
// dials, the request fails and the secret stays here.
//
// net/http deletes the option from the header when it sends the request, so a
// base that sends the same request twice follows redirects the second time.
func RefuseRedirects(header http.Header, base http.RoundTripper) {
	if !fetchAvailable {
		return
	}
	if base == nil {
		base = http.DefaultTransport
	}
	if t, ok := base.(*http.Transport); ok && dials(t) {
		delete(header, fetchRedirect) // a wrapper above, which could not see t, has set it
		return
	}
	header[fetchRedirect] = []string{"error"}
}

// dials reports whether t has a dial function, with which it does not use fetch.
func dials(t *http.Transport) bool {
	//lint:ignore SA1019 net/http still obeys Dial and DialTLS
	return t != nil && (t.Dial != nil || t.DialContext != nil || t.DialTLS != nil || t.DialTLSContext != nil)
}
