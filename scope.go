package routeauth

import (
	"errors"
	"net/url"
	"slices"
	"strings"
)

// scope is the part of the web that is one API.
type scope struct {
	scheme string
	host   string // as in url.URL.Host
	prefix string // escaped, without a trailing slash; empty for the whole host
}

// newScope returns the scope of a base URL and everything that is wrong with
// it.
func newScope(baseURL string, allowPlaintext bool) (scope, []error) {
	u, errs := parseURL("base URL", baseURL, "https://api.example.com/v1")
	if u == nil {
		return scope{}, errs
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
	wrong(isPlaintext(u) && !allowPlaintext,
		"is plaintext, in which anybody on the way reads the credential: use https, or allow it with AllowPlaintext")
	wrong(u.User != nil, "has user info, which is no part of a scope")
	wrong(u.RawQuery != "" || u.ForceQuery, "has a query, which is no part of a scope")
	wrong(strings.ContainsAny(u.Path, "{}"), "has a brace in its path, which would become a wildcard")
	wrong(!readAlike(written), "has a path that is not clean, or that servers may read differently")
	return scope{u.Scheme, u.Host, strings.TrimSuffix(written, "/")}, errs
}

func (s *scope) hasOrigin(u *url.URL) bool {
	return u.Scheme == s.scheme && sameAuthority(s.scheme, u.Host, s.host)
}

// reading is how a path in scope is written and read.
type reading struct {
	written     string // as it goes on the wire, escaped
	encodedDots bool   // some servers see dot segments where others see none
}

// read returns how the path of u is read, and whether it lies under the prefix
// in every reading.
func (s *scope) read(u *url.URL) (r reading, inScope bool) {
	if u.Opaque != "" {
		return reading{}, false
	}
	if u.RawPath == "" && isPlain(u.Path) {
		return reading{written: u.Path}, s.covers(u.Path)
	}
	written := u.EscapedPath()
	if written == "" {
		written = "/" // as in the request line
	}
	if !s.covers(written) || isEncodedTwice(written) || holdsControl(written) {
		return reading{}, false
	}
	decoded := decodeSemicolons(decodeSlashes(decodeDots(decodeBackslashes(written))))
	literal, lenient := dotSegments(written), dotSegments(withoutParameters(decoded))
	mayLeave := dotSegments(withoutParameters(strings.ReplaceAll(decodeEnds(decoded), "?", ";"))) > 0
	if mayLeave && (len(written) > maxReadable || !s.coversEveryReading(written)) {
		return reading{}, false
	}
	return reading{written, lenient > literal}, true
}

// covers reports whether a path lies under the prefix as text.
func (s *scope) covers(path string) bool {
	rest, found := strings.CutPrefix(path, s.prefix)
	return found && (rest == "" || strings.HasPrefix(rest, "/"))
}

// coversEveryReading reports whether a path stays under the prefix whatever
// liberties servers take with it, in whatever order: a proxy resolves what it
// understands and passes on the rest, to a server that understands more.
func (s *scope) coversEveryReading(written string) bool {
	liberties := append(slices.Clip(liberties), s.upToEnd)
	seen := map[string]bool{written: true}
	for next := []string{written}; len(next) > 0; next = next[1:] {
		if !s.covers(withoutDotSegments(next[0])) || len(seen) > maxReadings {
			return false
		}
		for _, liberty := range liberties {
			if read := liberty(next[0]); !seen[read] {
				seen[read] = true
				next = append(next, read)
			}
		}
	}
	return true
}

// upToEnd cuts a path off where it may end, but not within the prefix.
func (s *scope) upToEnd(path string) string {
	rest := strings.TrimPrefix(path, s.prefix)
	cut, _, _ := strings.Cut(decodeEnds(rest), "?")
	return path[:len(path)-len(rest)+len(cut)]
}
