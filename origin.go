package routeauth

import (
	"errors"
	"net/netip"
	"net/url"
	"strconv"
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

// isPlaintext reports whether anybody on the way can read what is sent to u.
func isPlaintext(u *url.URL) bool {
	return u.Scheme == "http" && u.Hostname() != "" && !isLoopback(u)
}

// isLoopback reports whether what is sent to u stays on this machine.
func isLoopback(u *url.URL) bool {
	if equalFoldASCII(u.Hostname(), "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(u.Hostname())
	return err == nil && addr.IsLoopback()
}

// parseURL parses the URL of something that is sent secrets, and returns
// everything that is wrong with it. No error quotes the URL: what looks like a
// path to one reader was the end of a password to another.
func parseURL(what, text, example string) (*url.URL, []error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, []error{errors.New(what + " is malformed (it is not shown, since it may hold a password)")}
	}
	var errs []error
	wrong := func(reason string) { errs = append(errs, errors.New(what+" "+reason)) }
	switch {
	case u.Scheme == "":
		wrong("is relative: give it whole, as in " + example)
	case u.Scheme != "https" && u.Scheme != "http":
		wrong("is neither https nor http")
	}
	if u.Scheme != "" && u.Hostname() == "" {
		wrong("has an empty host")
	}
	if port, err := strconv.ParseUint(u.Port(), 10, 16); u.Port() != "" && (err != nil || port == 0) {
		wrong("has a port that is none")
	}
	if strings.Contains(text, "#") {
		wrong("has a fragment, which is never sent")
	}
	return u, errs
}
