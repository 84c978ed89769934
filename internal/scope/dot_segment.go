package scope

import (
	"strings"
	"unicode/utf8"
)

// HoldsDotSegment reports whether some server may see a dot segment in an escaped
// path. Without one, no reading of a path leaves the folder that it is in.
//
// Servers decode a path once, or as often as it is escaped; some take a backslash
// for a slash, and some cut a segment off at a semicolon, or the path where a
// query, a fragment or a line seems to begin. So the path is decoded to the end
// before it is judged, and every cut is made.
func HoldsDotSegment(path string) bool { return !isPlain(path) && dotSegmentIn(path) != "" }

// isPlain reports whether path has nothing that could begin a dot segment or be
// read as one.
func isPlain(path string) bool {
	for i := range len(path) {
		switch c := path[i]; {
		case c == '%', c == '\\', c >= utf8.RuneSelf:
			return false
		case c == '.' && (i == 0 || path[i-1] == '/'):
			return false
		}
	}
	return true
}

// dotSegmentIn returns the first segment of an escaped path, as it is written,
// that may be read as a dot segment or as several segments with one among them.
func dotSegmentIn(path string) string {
	for segment := range strings.SplitSeq(path, "/") {
		if !isPlain(segment) && mayBeDotSegment(segment) {
			return segment
		}
	}
	return ""
}

func mayBeDotSegment(segment string) bool {
	var buffer [256]byte
	decoded := decode(buffer[:0], segment)
	begin := 0
	for i := 0; i <= len(decoded); i++ {
		if i < len(decoded) && decoded[i] != '/' && decoded[i] != '\\' {
			continue
		}
		part := decoded[begin:i]
		for end, c := range part {
			if endsSegment(c) {
				part = part[:end]
				break
			}
		}
		if string(part) == "." || string(part) == ".." {
			return true
		}
		begin = i + 1
	}
	return false
}

// endsSegment reports whether some server cuts a segment off at c.
func endsSegment(c byte) bool { return c == ';' || c == '?' || c == '#' || c <= ' ' || c == 0x7f }

// decode appends text, decoded to the end: every escape, however often it was
// escaped, %uXXXX, UTF-8 that is longer than it must be and the full-width forms
// of the characters that matter in a path. Wherever a character completes what
// can be decoded, that is decoded at once, so the time is linear.
func decode(out []byte, text string) []byte {
	begin := len(out)
	for i := range len(text) {
		out = collapse(append(out, text[i]), begin)
	}
	return out
}

// collapse decodes the end of out, as long as there is something to decode.
func collapse(out []byte, begin int) []byte {
	for {
		end := out[begin:]
		n := len(end)
		switch {
		case n >= 3 && end[n-3] == '%' && isHex(end[n-2]) && isHex(end[n-1]):
			out = append(out[:len(out)-3], unhex(end[n-2])<<4|unhex(end[n-1]))
		case n >= 6 && end[n-6] == '%' && end[n-5]|0x20 == 'u' && allHex(end[n-4:]):
			r := rune(unhex(end[n-4]))<<12 | rune(unhex(end[n-3]))<<8 | rune(unhex(end[n-2]))<<4 | rune(unhex(end[n-1]))
			out = out[:len(out)-6]
			for _, c := range utf8.AppendRune(nil, r) {
				out = collapse(append(out, c), begin)
			}
			return out
		default:
			c, size := overlongASCII(end)
			if size == 0 {
				c, size = fullWidthASCII(end)
			}
			if size == 0 {
				return out
			}
			out = append(out[:len(out)-size], c)
		}
	}
}

// overlongASCII returns the ASCII character that stands at the end of text in
// more bytes than one.
func overlongASCII(text []byte) (c byte, size int) {
	n := len(text)
	if n < 2 || text[n-1]&0xc0 != 0x80 {
		return 0, 0
	}
	c = text[n-1] & 0x3f
	if text[n-2] == 0xc0 || text[n-2] == 0xc1 {
		return c | text[n-2]&1<<6, 2
	}
	// The leading bytes of three to six, each followed by empty continuations.
	if text[n-2] != 0x80 && text[n-2] != 0x81 {
		return 0, 0
	}
	c |= text[n-2] & 1 << 6
	for size, lead := range []byte{3: 0xe0, 4: 0xf0, 5: 0xf8, 6: 0xfc} {
		if size < 3 || n < size || text[n-size] != lead {
			continue
		}
		empty := true
		for _, continuation := range text[n-size+1 : n-2] {
			empty = empty && continuation == 0x80
		}
		if empty {
			return c, size
		}
	}
	return 0, 0
}

// fullWidthASCII returns the ASCII character whose full-width form stands at the
// end of text, if it matters in a path.
func fullWidthASCII(text []byte) (c byte, size int) {
	n := len(text)
	if n < 3 || text[n-3] != 0xef {
		return 0, 0
	}
	r, _ := utf8.DecodeRune(text[n-3:])
	if half := r - 0xfee0; half > ' ' && half < 0x7f && strings.IndexByte(`./\%;?#`, byte(half)) >= 0 {
		return byte(half), 3
	}
	return 0, 0
}

func allHex(text []byte) bool {
	for _, c := range text {
		if !isHex(c) {
			return false
		}
	}
	return true
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func unhex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c <= 'F':
		return c - 'A' + 10
	default:
		return c - 'a' + 10
	}
}
