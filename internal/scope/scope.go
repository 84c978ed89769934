// Package scope says which URLs belong to one API: those below its base URL, and
// among them those that no server reads as a way out of it.
package scope

import (
	"errors"
	"net/url"
	"strings"

	"example.com/routeauth/internal/origin"
)

// Scope is the set of URLs that belong to one API. The zero value is empty.
type Scope struct {
	scheme string
	host   string // as in url.URL.Host
	prefix string // escaped, without a trailing slash; empty for the whole host
	plain  bool   // net/url writes the prefix as it is
}

// New returns the scope of a base URL, and everything that is wrong with it. No
// error shows the URL, which may hold a password.
func New(baseURL string, allowPlaintext bool) (Scope, []error) {
	u, errs := origin.Parse("base URL", baseURL, "https://api.example.com/v1")
	if u == nil {
		return Scope{}, errs
	}
	written := u.EscapedPath()
	if !strings.HasPrefix(written, "/") {
		written = "/" + written
	}
	wrong := func(is bool, text string) {
		if is {
			errs = append(errs, errors.New("base URL "+text))
		}
	}
	wrong(origin.IsPlaintext(u) && !allowPlaintext, "is plaintext HTTP: anyone on the network path could read the credential: "+
		"use https, or allow it with AllowPlaintext")
	wrong(u.User != nil, "has user info, which is not part of a scope")
	wrong(u.RawQuery != "" || u.ForceQuery, "has a query, which is not part of a scope")
	wrong(strings.ContainsAny(u.Path, "{}"), "has a brace in its path, which would look like a wildcard")
	wrong(!isUnambiguous(written), "has a path that is not clean, or that servers may read in different ways")
	prefix := strings.TrimSuffix(written, "/")
	return Scope{u.Scheme, u.Host, prefix, (&url.URL{Path: prefix}).EscapedPath() == prefix}, errs
}

// isUnambiguous reports whether every server reads an escaped path in the same
// way, whatever it decodes, merges or cuts off.
func isUnambiguous(path string) bool {
	if strings.Contains(path, "//") {
		return false
	}
	for segment := range strings.SplitSeq(path, "/") {
		decoded := string(decode(nil, segment))
		if decoded == "." || decoded == ".." || strings.ContainsFunc(decoded, func(r rune) bool {
			return r == '/' || r == '\\' || r == '%' || endsSegment(byte(min(r, 0x80)))
		}) {
			return false
		}
	}
	return true
}

// BaseURL is the base URL as the scope understands it.
func (s *Scope) BaseURL() string { return s.scheme + "://" + s.host + s.prefix }

// Host is the host of the base URL, with its port.
func (s *Scope) Host() string { return s.host }

// Scheme is the scheme of the base URL.
func (s *Scope) Scheme() string { return s.scheme }

// Prefix is the path of the base URL, escaped and without a trailing slash.
func (s *Scope) Prefix() string { return s.prefix }

// HasOrigin reports whether u has the scheme, the host and the port of the base
// URL.
func (s *Scope) HasOrigin(u *url.URL) bool {
	return u.Scheme == s.scheme && origin.SameAuthority(s.scheme, u.Host, s.host)
}

// Verdict says how a URL lies to a scope.
type Verdict uint8

const (
	Outside Verdict = iota
	Inside
	Refused // inside as text, and outside as some server may read it
)

// Reading is a URL as a scope reads it.
type Reading struct {
	Verdict Verdict
	// Path is the part of the path below the base URL, with a leading slash. It
	// is set where the URL is inside.
	// It is escaped if it has a percent sign, and else it has nothing to escape
	// or was decoded once.
	Path string
	// Segment is why a URL is refused, as it is written, or "" where it has no
	// path.
	Segment string
}

// Read reads a URL. It allocates nothing but where a URL is refused, or its path
// is not written as net/url writes it.
func (s *Scope) Read(u *url.URL) Reading {
	switch {
	case s.scheme == "" || !s.HasOrigin(u):
		return Reading{}
	case u.Opaque != "":
		return Reading{Verdict: Refused}
	}
	path := wirePath(u, s.plain)
	rest, found := strings.CutPrefix(path, s.prefix)
	if !found || rest != "" && rest[0] != '/' {
		return Reading{}
	}
	if HoldsDotSegment(rest) {
		return Reading{Verdict: Refused, Segment: dotSegmentIn(u.EscapedPath())}
	}
	if rest == "" {
		rest = "/"
	}
	return Reading{Verdict: Inside, Path: rest}
}

// wirePath returns the path of u as it goes on the wire. Where decoded is enough,
// it is decoded once, which has the same slashes: a path with an escaped slash
// has a RawPath. That takes no allocation.
func wirePath(u *url.URL, decoded bool) string {
	switch {
	case u.Path == "":
		return "/" // as in the request line
	case decoded && u.RawPath == "" && strings.IndexByte(u.Path, '%') < 0:
		return u.Path
	case decoded && u.RawPath != "" && isPathOf(u.RawPath, u.Path):
		return u.RawPath
	}
	return u.EscapedPath()
}

// isPathOf reports whether net/url takes raw for the escaped form of path.
func isPathOf(raw, path string) bool {
	n := 0
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		switch {
		case c == '%':
			if i+2 >= len(raw) || !isHex(raw[i+1]) || !isHex(raw[i+2]) {
				return false
			}
			c = unhex(raw[i+1])<<4 | unhex(raw[i+2])
			i += 2
		case !mayStandInPath(c):
			return false
		}
		if n == len(path) || path[n] != c {
			return false
		}
		n++
	}
	return n == len(path)
}

// mayStandInPath reports whether net/url leaves c as it is in a RawPath.
func mayStandInPath(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return strings.IndexByte("-_.~$&+,/:;=@!'()*[]", c) >= 0
}
