package routeauth

import (
	"net/netip"
	"net/url"
	"strings"
)

// sameOrigin reports whether two URLs have the same scheme, host and port.
func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && sameAuthority(a.Scheme, a.Host, b.Host)
}

// sameAuthority compares two values of [url.URL.Host] as text, but for the case
// of ASCII letters and for the scheme's default port.
func sameAuthority(scheme, a, b string) bool {
	return a == b || equalFoldASCII(withoutDefaultPort(scheme, a), withoutDefaultPort(scheme, b))
}

func withoutDefaultPort(scheme, host string) string {
	port := ":443"
	if scheme == "http" {
		port = ":80"
	}
	if name, found := strings.CutSuffix(host, port); found {
		return name
	}
	return strings.TrimSuffix(host, ":")
}

// equalFoldASCII is strings.EqualFold for ASCII alone. Unicode's folding makes
// the Kelvin sign equal to the letter k, and with it two hosts that are not.
func equalFoldASCII(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if a[i] != b[i] && lowerASCII(a[i]) != lowerASCII(b[i]) {
			return false
		}
	}
	return true
}

func lowerASCII(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// isLoopback reports whether what is sent to u stays on this machine.
func isLoopback(u *url.URL) bool {
	if equalFoldASCII(u.Hostname(), "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(u.Hostname())
	return err == nil && addr.IsLoopback()
}
