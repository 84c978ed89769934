package scope

import "strings"

// HoldsDotSegment reports whether some server may see a dot segment in a path,
// which may be escaped or decoded once. Without one, no reading of a path leaves
// the folder that it is in.
//
// Servers decode a path once, or as often as it is escaped; some take a backslash
// for a slash, and some cut a segment off at a semicolon, or the path where a
// query, a fragment or a line seems to begin. So the path is decoded to the end
// before it is judged, and every cut is made.
func HoldsDotSegment(path string) bool { return !isPlain(path) && dotSegmentIn(path) != "" }

// isPlain is true only if decoding a path once is decoding it to the end, and no
// segment begins with a dot then. It is so for most paths, and quickly seen.
func isPlain(path string) bool {
	for i := 0; i < len(path); i++ {
		c := path[i]
		if isOrdinary[c] {
			continue
		}
		if c == '%' {
			if i+2 >= len(path) || !isHex(path[i+1]) || !isHex(path[i+2]) {
				return false
			}
			c = unhex(path[i+1])<<4 | unhex(path[i+2])
			if c == '.' || c == '%' {
				return false
			}
			i += 2
		}
		switch {
		case lengthByFirst(c) > 0,
			c == '.' && i == 0,
			isSlash(c) && i+1 < len(path) && path[i+1] == '.':
			return false
		}
	}
	return true
}

// isOrdinary says of each byte whether it means nothing but itself.
var isOrdinary = func() (is [256]bool) {
	for c := range is {
		is[c] = c != '.' && c != '%' && !isSlash(byte(c)) && lengthByFirst(byte(c)) == 0
	}
	return is
}()

// dotSegmentIn returns the first segment of a path, as it is written, that may be
// read as a dot segment or as several segments with one among them.
func dotSegmentIn(path string) string {
	for segment := range strings.SplitSeq(path, "/") {
		if !isPlain(segment) && mayBeDotSegment(segment) {
			return segment
		}
	}
	return ""
}

func mayBeDotSegment(segment string) bool {
	const others = 3 // more than two dots, or anything else
	dots, cut := 0, false
	for c := range decoded(segment) {
		switch {
		case isSlash(c):
			if dots == 1 || dots == 2 {
				return true
			}
			dots, cut = 0, false
		case cut:
		case endsSegment(c):
			cut = true
		case c == '.':
			dots = min(dots+1, others)
		default:
			dots = others
		}
	}
	return dots == 1 || dots == 2
}

// isSlash reports whether some server takes c for a slash.
func isSlash(c byte) bool { return c == '/' || c == '\\' }

// endsSegment reports whether some server cuts a segment off at c.
func endsSegment(c byte) bool { return c == ';' || c == '?' || c == '#' || c <= ' ' || c == 0x7f }
