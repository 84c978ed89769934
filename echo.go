package routeauth

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	// minPartial is how many bytes of a secret at the end of a text that was
	// cut off count as the secret's beginning and not as chance.
	minPartial = 4
	// maxEscape is how long an escaped character can be: four times a percent
	// sign and two digits, or two times \u and four.
	maxEscape = 12
)

// replaceEchoes puts REDACTED in the place of each secret in text, as it is or
// escaped. If text is not the whole, its end may be the beginning of a secret.
func replaceEchoes(secrets []string, text string, whole bool) string {
	var echoes []span
	for _, secret := range secrets {
		if secret != "" {
			search := echoSearch{secret: secret, text: text, whole: whole}
			echoes = append(echoes, search.run()...)
		}
	}
	slices.SortFunc(echoes, func(a, b span) int { return cmp.Compare(a.begin, b.begin) })
	var out strings.Builder
	end := 0
	for _, echo := range echoes {
		if echo.begin >= end {
			out.WriteString(text[end:echo.begin])
			out.WriteString(redacted)
		}
		end = max(end, echo.end) // what overlaps is hidden as one
	}
	out.WriteString(text[end:])
	return out.String()
}

// span is a part of a text.
type span struct{ begin, end int }

// echoSearch looks for a secret in a text. A backslash, a percent sign or a plus
// begins an escape or stands for itself, so that there can be many readings. All
// are followed in one pass, and those that have come equally far in both are one
// from there on: the time is bounded by the product of the lengths, whatever a
// server sends.
type echoSearch struct {
	secret, text string
	whole        bool

	// readings have those that have come to one of the next places in text, at
	// the index that is the place modulo the length.
	readings [maxEscape + 1]readings
	escapes  [][]string // see escapesOf; by how much of the secret was read
	echoes   []span
}

func (s *echoSearch) run() []span {
	for here := range len(s.text) + 1 {
		arrived := &s.readings[here%len(s.readings)]
		for _, read := range arrived.reads {
			s.follow(here, read, arrived.take(read))
		}
		arrived.reads = arrived.reads[:0]
		s.follow(here, 0, here)
	}
	return s.echoes
}

// follow reads the next character of the secret.
func (s *echoSearch) follow(here, read, begin int) {
	rest := s.text[here:]
	_, size := utf8.DecodeRuneInString(s.secret[read:])
	char := s.secret[read : read+size]
	accept := func(spelling string) {
		switch {
		case len(rest) >= len(spelling):
			s.reach(here+len(spelling), read+size, begin)
		case !s.whole && read >= minPartial:
			s.echoes = append(s.echoes, span{begin, len(s.text)})
		}
	}
	if n := min(len(rest), size); rest[:n] == char[:n] {
		accept(char)
	}
	if rest == "" || strings.IndexByte(`\%+`, rest[0]) < 0 {
		return
	}
	if s.escapes == nil {
		s.escapes = make([][]string, len(s.secret))
	}
	if s.escapes[read] == nil {
		s.escapes[read] = escapesOf(char)
	}
	for _, escape := range s.escapes[read] {
		if n := min(len(rest), len(escape)); equalFoldASCII(rest[:n], escape[:n]) {
			accept(escape)
		}
	}
}

// reach notes that a reading has come to a place in text.
func (s *echoSearch) reach(place, read, begin int) {
	if read == len(s.secret) {
		s.echoes = append(s.echoes, span{begin, place})
		return
	}
	s.readings[place%len(s.readings)].add(read, begin)
}

// readings are those that have come to one place in a text.
type readings struct {
	reads  []int // how much of the secret each has read
	begins []int // by that: 1 + where in the text the earliest began, or 0
}

func (r *readings) add(read, begin int) {
	if missing := read + 1 - len(r.begins); missing > 0 {
		r.begins = append(r.begins, make([]int, missing)...)
	}
	if r.begins[read] == 0 {
		r.reads = append(r.reads, read)
		r.begins[read] = begin + 1
	}
	r.begins[read] = min(r.begins[read], begin+1)
}

func (r *readings) take(read int) (begin int) {
	begin = r.begins[read] - 1
	r.begins[read] = 0
	return begin
}

// escapesOf returns a character escaped as in a URL (RFC 3986, section 2.1) and
// as in a JSON string (RFC 8259, section 7). The case of the digits is free.
func escapesOf(char string) []string {
	r, _ := utf8.DecodeRuneInString(char)
	var inURL, inJSON string
	for i := range len(char) {
		inURL += fmt.Sprintf("%%%02x", char[i])
	}
	for _, unit := range utf16.Encode([]rune{r}) {
		inJSON += fmt.Sprintf(`\u%04x`, unit)
	}
	if short, ok := shortEscapes[r]; ok {
		return []string{inURL, inJSON, short}
	}
	return []string{inURL, inJSON}
}

var shortEscapes = map[rune]string{
	'"': `\"`, '\\': `\\`, '/': `\/`, '\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`,
	' ': "+", // in a query (WHATWG URL, section 5.2)
}
