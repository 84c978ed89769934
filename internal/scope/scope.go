// Package scope says which URLs belong to one API: those below its base URL, and
// among them those that no server reads as a way out of it.
package scope

import (
	"errors"
	"net/url"
	"slices"
	"strings"

	"example.com/routeauth/internal/origin"
)

// Scope is the set of URLs that belong to one API. The zero value is empty.
type Scope struct {
	scheme string
	host   string // as in url.URL.Host
	prefix string // escaped, without a trailing slash; empty for the whole host
	// decodedPrefix is what net/url writes as the prefix, if it is canonical.
	decodedPrefix string
	isCanonical   bool
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

	s := Scope{scheme: u.Scheme, host: u.Host, prefix: strings.TrimSuffix(written, "/"), decodedPrefix: strings.TrimSuffix(u.Path, "/")}
	s.isCanonical = (&url.URL{Path: s.decodedPrefix}).EscapedPath() == s.prefix
	return s, errs
}

// isUnambiguous reports whether every server reads an escaped path as this one,
// be it that it decodes, merges slashes or cuts parameters off. A space, a
// question mark and a number sign may stand escaped in a path: whoever cuts it
// off there serves nothing below it.
func isUnambiguous(path string) bool {
	if strings.Contains(path, "//") || dotSegmentIn(path) != "" {
		return false
	}
	for segment := range strings.SplitSeq(path, "/") {
		once, err := url.PathUnescape(segment)
		if err != nil || once != string(slices.Collect(decoded(segment))) ||
			strings.ContainsFunc(once, func(r rune) bool { return strings.ContainsRune(`/\%;`, r) || r < ' ' || r == 0x7f }) {
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
	// is set where the URL is inside. What is not escaped in it stands for
	// itself, also a percent sign that begins no escape.
	Path string
	// Segment is why a URL is refused, as it is written, or "" where it is opaque
	// and has no path.
	Segment string
}

// Read reads a URL. It allocates nothing but where a URL is refused, or where
// its path was escaped twice.
func (s *Scope) Read(u *url.URL) Reading {
	switch {
	case s.scheme == "" || !s.HasOrigin(u):
		return Reading{}
	case u.Opaque != "":
		return Reading{Verdict: Refused}
	}
	path, isEscaped, found := s.below(u)
	switch {
	case !found:
		return Reading{}
	case HoldsDotSegment(path):
		return Reading{Verdict: Refused, Segment: dotSegmentIn(u.EscapedPath())}
	case path == "":
		path = "/"
	case !isEscaped && holdsEscape(path):
		path = (&url.URL{Path: path}).EscapedPath()
	}
	return Reading{Verdict: Inside, Path: path}
}

// below returns what follows the prefix in the path of u, as [url.URL.EscapedPath]
// writes it, or decoded once where that need not be written. Both have the same
// slashes: a path that has an escaped one is escaped already.
func (s *Scope) below(u *url.URL) (path string, isEscaped, found bool) {
	switch {
	case u.Path == "":
		path, found = strings.CutPrefix("/", s.prefix) // as in the request line
	case u.RawPath != "" && isEscapedForm(u.RawPath, u.Path):
		isEscaped = true
		path, found = strings.CutPrefix(u.RawPath, s.prefix)
	case s.isCanonical:
		path, found = strings.CutPrefix(u.Path, s.decodedPrefix)
	}
	return path, isEscaped, found && (path == "" || path[0] == '/')
}

// holdsEscape reports whether a path has a percent sign that would be taken for
// an escape.
func holdsEscape(path string) bool {
	for {
		_, after, found := strings.Cut(path, "%")
		if !found {
			return false
		}
		if len(after) >= 2 && isHex(after[0]) && isHex(after[1]) {
			return true
		}
		path = after
	}
}

// isEscapedForm reports whether net/url takes raw for the escaped form of path.
func isEscapedForm(raw, path string) bool {
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
		case !mayStandInPath[c]:
			return false
		}
		if n == len(path) || path[n] != c {
			return false
		}
		n++
	}
	return n == len(path)
}

// mayStandInPath says of each byte whether net/url leaves it as it is in a
// RawPath.
var mayStandInPath = func() (may [256]bool) {
	for c := range may {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
			may[c] = true
		default:
			may[c] = strings.IndexByte("-_.~$&+,/:;=@!'()*[]", byte(c)) >= 0
		}
	}
	return may
}()
