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
	path := u.EscapedPath()
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	prefix := strings.TrimSuffix(path, "/")

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
	wrong(cleanPath(path) != path || prefix != "" && lenient.resolve(prefix) != prefix || isEncodedTwice(path),
		"has a path that is not clean, or that servers may read differently")
	return scope{u.Scheme, u.Host, prefix}, errs
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
	dots, ups := countDots(lenient.segments(written))
	literalDots, _ := countDots(strings.Split(written, "/"))
	if ups > 0 {
		for l := range lenient + 1 {
			if !s.covers(l.resolve(written)) {
				return reading{}, false
			}
		}
	}
	return reading{written, dots > literalDots}, true
}

// covers reports whether a path lies under the prefix as text.
func (s *scope) covers(path string) bool {
	rest, found := strings.CutPrefix(path, s.prefix)
	return found && (rest == "" && s.prefix != "" || strings.HasPrefix(rest, "/"))
}

// leniency is a set of liberties that servers take when they read a path.
// Servers combine them in every way, so a path must be safe in each.
type leniency uint8

const (
	decodesDots        leniency = 1 << iota // %2e is a dot
	decodesSlashes                          // %2f is a slash
	decodesBackslashes                      // \ and %5c are slashes
	cutsParameters                          // a segment ends at a semicolon
	mergesSlashes                           // empty segments are dropped

	lenient leniency = 1<<iota - 1 // all of them
)

var (
	dotDecoder       = strings.NewReplacer("%2e", ".", "%2E", ".")
	slashDecoder     = strings.NewReplacer("%2f", "/", "%2F", "/")
	backslashDecoder = strings.NewReplacer("%5c", "/", "%5C", "/", `\`, "/")
)

// segments splits an escaped path.
func (l leniency) segments(path string) []string {
	if l&decodesDots != 0 {
		path = dotDecoder.Replace(path)
	}
	if l&decodesSlashes != 0 {
		path = slashDecoder.Replace(path)
	}
	if l&decodesBackslashes != 0 {
		path = backslashDecoder.Replace(path)
	}
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	if l&cutsParameters != 0 {
		for i, segment := range segments {
			segments[i], _, _ = strings.Cut(segment, ";")
		}
	}
	return segments
}

// resolve returns the path to which a server with these liberties resolves an
// escaped one.
func (l leniency) resolve(path string) string {
	var resolved []string
	for _, segment := range l.segments(path) {
		switch {
		case segment == "." || segment == "" && l&mergesSlashes != 0:
		case segment == "..":
			resolved = resolved[:max(0, len(resolved)-1)]
		default:
			resolved = append(resolved, segment)
		}
	}
	return "/" + strings.Join(resolved, "/")
}

// countDots returns how many segments are dot segments, and how many of them
// lead up.
func countDots(segments []string) (dots, ups int) {
	for _, segment := range segments {
		switch segment {
		case "..":
			ups++
			fallthrough
		case ".":
			dots++
		}
	}
	return dots, ups
}

// isEncodedTwice reports whether decoding an escaped percent sign, however
// often, leads to an escaped dot, slash or backslash.
func isEncodedTwice(path string) bool {
	if !strings.Contains(path, "%25") {
		return false
	}
	for decoded := unescapeOnce(path); decoded != path; decoded = unescapeOnce(path) {
		path = decoded
		if lower := strings.ToLower(path); strings.Contains(lower, "%2e") ||
			strings.Contains(lower, "%2f") || strings.Contains(lower, "%5c") {
			return true
		}
	}
	return false
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
