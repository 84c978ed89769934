package route

import (
	"net/url"
	"strings"
	"unicode/utf8"
)

// kind says what a segment of a pattern matches. The order is that of
// specificity: where two patterns differ in one segment, the lower kind is the
// more specific one, if any value matches both.
type kind uint8

const (
	literal kind = iota // one value
	end                 // "{$}": the empty segment after a last slash
	mixed               // "{id}.json": texts and wildcards
	wild                // "{id}": any value
	rest                // "{path...}" and a last slash: one or more segments, of which the last may be empty
)

// segment is a segment of a pattern. Names of wildcards make no difference, so
// it has none: "/{a}/b" is a wild and a literal, "/b/" a literal and a rest.
type segment struct {
	kind  kind
	texts []string // of a mixed segment, decoded: before, between and after its wildcards
	text  string   // of a literal, decoded; of a mixed segment one that tells it from others
}

// matches reports whether s, which is no end, matches a segment of a path, which
// is escaped and not empty.
func (s *segment) matches(escaped string) bool {
	switch s.kind {
	case literal:
		return equalDecoded(escaped, s.text)
	case mixed:
		return s.matchesMixed(escaped)
	}
	return true
}

// matchesMixed looks for each text at the first place where it can stand, which
// leaves the most to those that follow. So it never has to go back.
func (s *segment) matchesMixed(escaped string) bool {
	last := len(s.texts) - 1
	escaped, found := cutPrefix(escaped, s.texts[0])
	if !found {
		return false
	}
	if escaped, found = cutSuffix(escaped, s.texts[last]); !found {
		return false
	}
	for _, text := range s.texts[1:last] {
		if escaped, found = cutCharacter(escaped); !found {
			return false
		}
		if escaped, found = cutThrough(escaped, text); !found {
			return false
		}
	}
	return escaped != ""
}

// covers reports whether s matches the segment of another pattern, read as a
// segment of a path: a wildcard stands for a value that only wildcards match.
func (s *segment) covers(other *segment) bool {
	switch s.kind {
	case literal:
		return other.kind == literal && other.text == s.text
	case end:
		return other.kind == end
	case mixed:
		return s.coversMixed(other)
	case wild:
		return other.kind == literal || other.kind == mixed || other.kind == wild
	}
	return true
}

func (s *segment) coversMixed(other *segment) bool {
	before, after := s.ends()
	switch other.kind {
	case literal:
		text := other.text
		return len(text) > len(before)+len(after) && strings.HasPrefix(text, before) && strings.HasSuffix(text, after) &&
			(len(s.texts) == 2 || s.matches(url.PathEscape(text)))
	case mixed:
		otherBefore, otherAfter := other.ends()
		return strings.HasPrefix(otherBefore, before) && strings.HasSuffix(otherAfter, after) &&
			(len(s.texts) == 2 || s.matches(url.PathEscape(strings.Join(other.texts, unusedBy(s)))))
	}
	return false
}

// meets reports whether some value matches both segments.
func (s *segment) meets(other *segment) bool {
	if s.kind > other.kind {
		s, other = other, s
	}
	if s.kind != mixed || other.kind != mixed {
		return other.covers(s)
	}
	// Whatever stands between the longer prefix and the longer suffix can hold
	// the other texts of both: a wildcard takes what is not the segment's own.
	before, after := s.ends()
	otherBefore, otherAfter := other.ends()
	return (strings.HasPrefix(before, otherBefore) || strings.HasPrefix(otherBefore, before)) &&
		(strings.HasSuffix(after, otherAfter) || strings.HasSuffix(otherAfter, after))
}

// value returns a segment of a path that s matches, escaped, with fill in the
// place of each wildcard.
func (s *segment) value(fill string) string {
	switch s.kind {
	case literal:
		return url.PathEscape(s.text)
	case end:
		return ""
	case mixed:
		return url.PathEscape(strings.Join(s.texts, fill))
	}
	return fill
}

// ends returns the texts before and after all wildcards of a mixed segment.
func (s *segment) ends() (before, after string) { return s.texts[0], s.texts[len(s.texts)-1] }

// unusedBy returns a character that is in no text of s.
func unusedBy(s *segment) string {
	for r := rune(1); ; r++ {
		used := false
		for _, text := range s.texts {
			used = used || strings.ContainsRune(text, r)
		}
		if !used {
			return string(r)
		}
	}
}

// The functions below read an escaped text without decoding it as a whole, so
// that they need no memory.

// equalDecoded reports whether an escaped text stands for a decoded one.
func equalDecoded(escaped, text string) bool {
	after, found := cutPrefix(escaped, text)
	return found && after == ""
}

// cutPrefix cuts a decoded text off the beginning of an escaped one.
func cutPrefix(escaped, text string) (after string, found bool) {
	for i := range len(text) {
		if escaped == "" {
			return "", false
		}
		b, width := firstByte(escaped)
		if b != text[i] {
			return "", false
		}
		escaped = escaped[width:]
	}
	return escaped, true
}

// cutSuffix cuts a decoded text off the end of an escaped one.
func cutSuffix(escaped, text string) (before string, found bool) {
	for i := len(text) - 1; i >= 0; i-- {
		if escaped == "" {
			return "", false
		}
		b, width := lastByte(escaped)
		if b != text[i] {
			return "", false
		}
		escaped = escaped[:len(escaped)-width]
	}
	return escaped, true
}

// cutThrough cuts off everything up to the end of the first place where a
// decoded text stands.
func cutThrough(escaped, text string) (after string, found bool) {
	for {
		if after, found = cutPrefix(escaped, text); found || escaped == "" {
			return after, found
		}
		_, width := firstByte(escaped)
		escaped = escaped[width:]
	}
}

// cutCharacter cuts off one character, if there is one. What is not UTF-8 counts
// as part of the character before it.
func cutCharacter(escaped string) (after string, found bool) {
	for escaped != "" {
		b, width := firstByte(escaped)
		if found && utf8.RuneStart(b) {
			break
		}
		escaped, found = escaped[width:], true
	}
	return escaped, found
}

// firstByte returns the first byte of what an escaped text stands for, and how
// long it is written. A percent sign that begins no escape stands for itself.
func firstByte(escaped string) (b byte, width int) {
	if b = escaped[0]; b == '%' {
		if decoded, ok := decodeEscape(escaped); ok {
			return decoded, 3
		}
	}
	return b, 1
}

// lastByte is firstByte from the other end. Hexadecimal digits are no percent
// signs, so both see the same escapes.
func lastByte(escaped string) (b byte, width int) {
	if at := len(escaped) - 3; at >= 0 && escaped[at] == '%' {
		if decoded, ok := decodeEscape(escaped[at:]); ok {
			return decoded, 3
		}
	}
	return escaped[len(escaped)-1], 1
}

func decodeEscape(escaped string) (b byte, ok bool) {
	if len(escaped) < 3 {
		return 0, false
	}
	high, ok1 := hexDigit(escaped[1])
	low, ok2 := hexDigit(escaped[2])
	return high<<4 | low, ok1 && ok2
}

func hexDigit(c byte) (value byte, ok bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
