package routeauth

import (
	"errors"
	"net/url"
	"path"
	"strings"
)

// scope is the part of the web that is one API.
type scope struct {
	scheme string
	host   string // as in url.URL.Host
	prefix string // escaped, without a trailing slash; empty for the whole host
}

// newScope returns the scope of a base URL and everything that is wrong with
// it. No error quotes the base URL: what looks like a path to one reader was
// the end of a password to another.
func newScope(baseURL string, allowPlaintext bool) (scope, []error) {
	u, err := url.Parse(baseURL)
	if err != nil {
		return scope{}, []error{errors.New("base URL is malformed (it is not shown, since it may hold a password)")}
	}
	written := u.EscapedPath()
	if !strings.HasPrefix(written, "/") {
		written = "/" + written
	}

	var errs []error
	wrong := func(is bool, text string) {
		if is {
			errs = append(errs, errors.New("base URL "+text))
		}
	}
	relative := u.Scheme == ""
	wrong(relative, "is relative: give it whole, as in https://api.example.com/v1")
	wrong(!relative && u.Scheme != "https" && u.Scheme != "http", "is neither https nor http")
	wrong(!relative && u.Hostname() == "", "has an empty host")
	wrong(u.Scheme == "http" && u.Hostname() != "" && !allowPlaintext && !isLoopback(u),
		"is plaintext, in which anybody on the way reads the credential: use https, or allow it with AllowPlaintext")
	wrong(u.User != nil, "has user info, which is no part of a scope")
	wrong(u.RawQuery != "" || u.ForceQuery, "has a query, which is no part of a scope")
	wrong(strings.Contains(baseURL, "#"), "has a fragment, which is no part of a scope")
	wrong(strings.ContainsAny(u.Path, "{}"), "has a brace in its path, which would become a wildcard")
	wrong(cleanPath(written) != written || !readAlike(written),
		"has a path that is not clean, or that servers may read differently")
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
	if !s.covers(written) || isEncodedTwice(written) {
		return reading{}, false
	}
	literal := dotSegments(written)
	lenient := dotSegments(withoutParameters(decodeSlashes(decodeDots(decodeBackslashes(written)))))
	if lenient > 0 && !s.coversEveryReading(written) {
		return reading{}, false
	}
	return reading{written, lenient > literal}, true
}

// covers reports whether a path lies under the prefix as text.
func (s *scope) covers(path string) bool {
	rest, found := strings.CutPrefix(path, s.prefix)
	return found && (rest == "" && s.prefix != "" || strings.HasPrefix(rest, "/"))
}

// coversEveryReading reports whether a path stays under the prefix whatever
// liberties servers take with it, in whatever order: a proxy resolves what it
// understands and passes on the rest, to a server that understands more.
func (s *scope) coversEveryReading(written string) bool {
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

const (
	maxReadings  = 256 // of one path are followed; no honest one has so many
	maxDecodings = 16  // of one path are done
)

// liberties are what servers do to an escaped path when they read it. None does
// anything to a path that every server reads alike.
var liberties = []func(path string) string{
	decodeDots, decodeSlashes, decodeBackslashes, withoutParameters, mergeSlashes, withoutDotSegments,
}

var (
	decodeDots        = strings.NewReplacer("%2e", ".", "%2E", ".").Replace
	decodeSlashes     = strings.NewReplacer("%2f", "/", "%2F", "/").Replace
	decodeBackslashes = strings.NewReplacer("%5c", "/", "%5C", "/", `\`, "/").Replace
)

// withoutParameters cuts each segment at its first semicolon (RFC 3986, section
// 3.3).
func withoutParameters(path string) string {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		segments[i], _, _ = strings.Cut(segment, ";")
	}
	return strings.Join(segments, "/")
}

func mergeSlashes(path string) string {
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	return path
}

// withoutDotSegments resolves dot segments (RFC 3986, section 5.2.4), but for
// a slash at the end, which plays no part in a scope.
func withoutDotSegments(path string) string {
	var resolved []string
	for _, segment := range strings.Split(strings.TrimPrefix(path, "/"), "/") {
		switch segment {
		case ".":
		case "..":
			resolved = resolved[:max(0, len(resolved)-1)]
		default:
			resolved = append(resolved, segment)
		}
	}
	return "/" + strings.Join(resolved, "/")
}

// dotSegments returns how many segments of a path are dot segments.
func dotSegments(path string) (n int) {
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			n++
		}
	}
	return n
}

// readAlike reports whether every server reads an escaped path as it is
// written.
func readAlike(path string) bool {
	for _, liberty := range liberties {
		if liberty(path) != path {
			return false
		}
	}
	return !isEncodedTwice(path)
}

// isEncodedTwice reports whether decoding an escaped percent sign, however
// often, leads to an escaped dot, slash or backslash.
func isEncodedTwice(path string) bool {
	if !strings.Contains(path, "%25") {
		return false
	}
	for rounds := 0; ; rounds++ {
		decoded := unescapeOnce(path)
		if decoded == path {
			return false
		}
		path = decoded
		if rounds == maxDecodings {
			return true // no honest path is escaped so often
		}
		if lower := strings.ToLower(path); strings.Contains(lower, "%2e") ||
			strings.Contains(lower, "%2f") || strings.Contains(lower, "%5c") {
			return true
		}
	}
}

// unescapeOnce decodes every escape and leaves what is none as it is.
func unescapeOnce(path string) string {
	var decoded strings.Builder
	for len(path) > 0 {
		if len(path) >= 3 && path[0] == '%' {
			if c, err := url.PathUnescape(path[:3]); err == nil {
				decoded.WriteString(c)
				path = path[3:]
				continue
			}
		}
		decoded.WriteByte(path[0])
		path = path[1:]
	}
	return decoded.String()
}

// isPlain reports whether every server reads path alike and net/url writes it
// as it is: it is clean, and it needs and has no escapes.
func isPlain(path string) bool {
	if path == "" || path[0] != '/' {
		return false
	}
	for i := range len(path) {
		switch c := path[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '~', c == ':':
		case c == '/', c == '.':
			// A slash before either would be an empty or a dot segment, or at
			// least the beginning of a name such as .well-known.
			if i > 0 && path[i-1] == '/' {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// cleanPath returns the clean form of an escaped path, as ServeMux makes it: a
// trailing slash stays.
func cleanPath(escaped string) string {
	clean := path.Clean("/" + escaped)
	if strings.HasSuffix(escaped, "/") && clean != "/" {
		clean += "/"
	}
	return clean
}
