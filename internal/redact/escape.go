package redact

import (
	"html"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	// escapeCharacters are those with which an escape begins.
	escapeCharacters = `\%&+`
	// maxEscapeDepth is how often a character may have been escaped: a JSON
	// string in a JSON string, in a URL.
	maxEscapeDepth = 3
	// maxEscape is how long an escaped character can be.
	maxEscape = 48
	// maxEntityName is how long the name of an HTML entity can be.
	maxEntityName = 8
)

func isEscapeCharacter(c byte) bool { return c == '\\' || c == '%' || c == '&' || c == '+' }

// escapes finds the escaped characters in a text: as in a URL (RFC 3986, section
// 2.1), its query (WHATWG URL, section 5.2), a JSON string (RFC 8259, section 7),
// HTML (section 13.5) and Go's %q, and each of them escaped once more, or twice.
type escapes struct {
	text  string
	work  *searchWork
	known map[int]escapesAt
}

// escapesAt are the characters that an escape at one place may stand for.
type escapesAt struct {
	found []escape
	cut   bool // the text ended within one
}

type escape struct {
	char string // as UTF-8, or one byte that is no character by itself
	end  int    // in the text
}

// at returns the escapes that begin at a place.
func (e *escapes) at(place int) escapesAt {
	if known, ok := e.known[place]; ok {
		return known
	}
	e.work.spend(8) // for what is remembered
	var result escapesAt
	for depth := 1; depth <= maxEscapeDepth; depth++ {
		r := escapeReader{escapes: e, place: place, depth: depth - 1}
		char, ok := r.readEscape()
		result.cut = result.cut || r.cut
		if ok && r.place-place <= maxEscape && (len(result.found) == 0 || result.found[len(result.found)-1] != escape{char, r.place}) {
			result.found = append(result.found, escape{char, r.place})
		}
	}
	if e.known == nil {
		e.known = make(map[int]escapesAt)
	}
	e.known[place] = result
	return result
}

// escapeReader reads an escape whose own characters may be escaped as often as
// depth says.
type escapeReader struct {
	*escapes
	place int
	depth int
	cut   bool // the text ended
}

// next reads one character of an escape, or returns "" at the end of the text.
func (r *escapeReader) next() string {
	r.work.spend(2)
	if r.place >= len(r.text) {
		r.cut = true
		return ""
	}
	if r.depth > 0 && isEscapeCharacter(r.text[r.place]) {
		inner := escapeReader{escapes: r.escapes, place: r.place, depth: r.depth - 1}
		if char, ok := inner.readEscape(); ok {
			r.place = inner.place
			return char
		}
		r.cut = r.cut || inner.cut
	}
	r.place++
	return r.text[r.place-1 : r.place]
}

// readEscape reads an escape and returns the character that it stands for.
func (r *escapeReader) readEscape() (char string, ok bool) {
	switch r.next() {
	case "+":
		return " ", true
	case "%":
		return r.readPercent()
	case `\`:
		return r.readBackslash()
	case "&":
		return r.readEntity()
	}
	return "", false
}

func (r *escapeReader) readPercent() (char string, ok bool) {
	first := r.next()
	if first == "u" { // as old browsers and servers write it
		unit, ok := r.readHex("", 4)
		return string(rune(unit)), ok
	}
	value, ok := r.readHex(first, 2)
	return string([]byte{byte(value)}), ok
}

// shortEscapes are those of one letter.
var shortEscapes = map[string]string{
	`"`: `"`, `'`: `'`, `\`: `\`, "/": "/",
	"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
}

func (r *escapeReader) readBackslash() (char string, ok bool) {
	switch kind := r.next(); kind {
	case "x":
		value, ok := r.readHex("", 2)
		return string([]byte{byte(value)}), ok
	case "U":
		value, ok := r.readHex("", 8)
		return string(rune(value)), ok
	case "u":
		unit, ok := r.readHex("", 4)
		if !ok || !utf16.IsSurrogate(rune(unit)) {
			return string(rune(unit)), ok
		}
		after := *r // half of a pair stands for itself where the other is missing
		if after.next() == `\` && after.next() == "u" {
			if low, ok := after.readHex("", 4); ok {
				r.place = after.place
				return string(utf16.DecodeRune(rune(unit), rune(low))), true
			}
		}
		r.cut = r.cut || after.cut
		return string(utf8.RuneError), true
	default:
		char, ok := shortEscapes[kind]
		return char, ok
	}
}

// readEntity reads a character reference of HTML. Where it is a number, the
// semicolon may be missing.
func (r *escapeReader) readEntity() (char string, ok bool) {
	var name strings.Builder
	for name.Len() < maxEntityName+2 {
		before := r.place
		c := r.next()
		switch {
		case c == ";" && name.Len() > 0:
			return unescapeEntity(name.String())
		case len(c) != 1 || !isAlphanumeric(c[0]) && !(c == "#" && name.Len() == 0):
			r.place = before
			if strings.HasPrefix(name.String(), "#") {
				return unescapeEntity(name.String())
			}
			return "", false
		}
		name.WriteString(c)
	}
	return "", false
}

func unescapeEntity(name string) (char string, ok bool) {
	written := "&" + name + ";"
	char = html.UnescapeString(written)
	return char, char != written
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// readHex reads a number of that many digits, of which the first may have been
// read already.
func (r *escapeReader) readHex(read string, digits int) (value uint32, ok bool) {
	var number [8]byte
	n := copy(number[:], read)
	for ; n < digits; n++ {
		c := r.next()
		if len(c) != 1 {
			return 0, false
		}
		number[n] = c[0]
	}
	parsed, err := strconv.ParseUint(string(number[:digits]), 16, 32)
	return uint32(parsed), err == nil
}
