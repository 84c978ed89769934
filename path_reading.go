package routeauth

import (
	"net/url"
	"path"
	"strings"
)

const (
	maxReadings  = 256     // how many readings of a path are followed; no honest one has so many
	maxReadable  = 8 << 10 // how long such a path may be; few servers take longer ones
	maxDecodings = 16      // how often a path is decoded
)

// liberties are what servers do to an escaped path when they read it. None does
// anything to a path that every server reads alike.
var liberties = []func(path string) string{
	decodeDots, decodeSlashes, decodeBackslashes, decodeSemicolons, withoutParameters, mergeSlashes, withoutDotSegments,
}

var (
	decodeDots        = strings.NewReplacer("%2e", ".", "%2E", ".").Replace
	decodeSlashes     = strings.NewReplacer("%2f", "/", "%2F", "/").Replace
	decodeBackslashes = strings.NewReplacer("%5c", "/", "%5C", "/", `\`, "/").Replace
	decodeSemicolons  = strings.NewReplacer("%3b", ";", "%3B", ";").Replace
	// Where a server decodes a path and passes it on, it ends at any of these.
	decodeEnds = strings.NewReplacer("%20", "?", "%23", "?", "%3f", "?", "%3F", "?").Replace
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
	return !isEncodedTwice(path) && !holdsControl(path)
}

// holdsControl reports whether an escaped path holds a control character. No
// honest one does, and at a line's end the regular expressions end by which
// gateways route and rewrite.
func holdsControl(path string) bool {
	for {
		_, rest, found := strings.Cut(path, "%")
		if !found {
			return false
		}
		for _, control := range []string{"0", "1", "7f", "7F"} {
			if strings.HasPrefix(rest, control) {
				return true
			}
		}
		path = rest
	}
}

// isEncodedTwice reports whether decoding an escaped percent sign, however
// often, leads to an escaped dot, slash, backslash or semicolon, or to the
// escape %u00 of some servers.
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
		lower := strings.ToLower(path)
		for _, hidden := range []string{"%2e", "%2f", "%5c", "%3b", "%u00"} {
			if strings.Contains(lower, hidden) {
				return true
			}
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
