// Package origin compares the origins of URLs, a scheme, a host and a port, also
// along a chain of redirects. It compares hosts as text.
package origin

import (
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// Same reports whether two URLs have the same scheme, host and port.
func Same(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && SameAuthority(a.Scheme, a.Host, b.Host)
}

// SameAuthority compares two values of [url.URL.Host] as text, but for the case
// of ASCII letters and for the scheme's default port.
func SameAuthority(scheme, a, b string) bool {
	return a == b || EqualFoldASCII(withoutDefaultPort(scheme, a), withoutDefaultPort(scheme, b))
}

func withoutDefaultPort(scheme, host string) string {
	if host == "" || host[len(host)-1] > ':' { // a port ends in a digit or, if it is empty, a colon
		return host
	}
	port := ":443"
	if scheme == "http" {
		port = ":80"
	}
	if name, found := strings.CutSuffix(host, port); found {
		return name
	}
	return strings.TrimSuffix(host, ":")
}

// EqualFoldASCII is [strings.EqualFold] for ASCII alone. Unicode's folding makes
// the Kelvin sign equal to the letter k, and with it two hosts that are not.
func EqualFoldASCII(a, b string) bool {
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

// IsPlaintext reports whether anyone on the network path can read what is sent
// to u.
func IsPlaintext(u *url.URL) bool {
	return u.Scheme == "http" && u.Hostname() != "" && !isLoopback(u)
}

// isLoopback reports whether what is sent to u stays on this machine.
func isLoopback(u *url.URL) bool {
	if EqualFoldASCII(u.Hostname(), "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(u.Hostname())
	return err == nil && addr.IsLoopback()
}

// Parse parses the URL of something that is sent secrets, and returns everything
// that is wrong with it. No error quotes the URL: what looks like a path to one
// reader was the end of a password to another.
func Parse(what, text, example string) (*url.URL, []error) {
	u, err := url.Parse(text)
	if strings.TrimSpace(text) != text {
		return nil, []error{errors.New(what + " is malformed: it has white space or a line break around it")}
	}
	if err != nil {
		return nil, []error{errors.New(what + " is malformed (it is not shown, since it may hold a password)")}
	}
	var errs []error
	wrong := func(is bool, text string) {
		if is {
			errs = append(errs, errors.New(what+" "+text))
		}
	}
	wrong(u.Scheme == "", "is relative: give it whole, as in "+example)
	wrong(u.Scheme != "" && u.Scheme != "https" && u.Scheme != "http", "is neither https nor http: give it whole, as in "+example)
	wrong(u.Scheme != "" && u.Hostname() == "", "has an empty host")
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	wrong(u.Port() != "" && (err != nil || port == 0), "has an invalid port")
	wrong(strings.Contains(text, "#"), "has a fragment, which is never sent")
	return u, errs
}
