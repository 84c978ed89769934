package redact

import (
	"cmp"
	"slices"
	"strings"
)

const (
	// MinPartial is how many bytes of a secret at the end of a text that was
	// cut off count as the secret's beginning and not as chance.
	MinPartial = 4
	// maxSearchWork bounds what may be done to find the echoes in all texts of
	// one answer. That many steps take some 50 ms and 20 MiB, and 64 KiB of an
	// ordinary body a few thousand.
	maxSearchWork = 2 << 20
)

// searchWork is what is left to be done for the texts of one answer. Whoever
// has used it up hides the text whole.
type searchWork int

// spend reports whether that much work is left.
func (w *searchWork) spend(n int) bool {
	*w -= searchWork(n)
	return *w >= 0
}

// replaceEchoes puts REDACTED in the place of each secret in text, as it is or
// escaped. If text is not the whole, its end may be the beginning of a secret.
// Where there is too much work to do, REDACTED stands in the place of the text.
func replaceEchoes(secrets []string, text string, whole bool, work *searchWork) string {
	var echoes []span
	escapes := escapes{text: text, work: work}
	for _, secret := range secrets {
		if secret == "" || text == "" {
			continue
		}
		search := echoSearch{secret: secret, text: text, whole: whole, escapes: &escapes, work: work}
		if !search.run() {
			return Marker
		}
		echoes = append(echoes, search.echoes...)
	}
	slices.SortFunc(echoes, func(a, b span) int { return cmp.Compare(a.begin, b.begin) })
	var out strings.Builder
	end := 0
	for _, echo := range echoes {
		if echo.begin >= end {
			out.WriteString(text[end:echo.begin])
			out.WriteString(Marker)
		}
		end = max(end, echo.end) // what overlaps is hidden as one
	}
	out.WriteString(text[end:])
	return out.String()
}

// span is a part of a text.
type span struct{ begin, end int }

// echoSearch looks for a secret in a text. A character that begins an escape may
// also stand for itself, so there can be many interpretations. All are tracked
// in one pass; those at the same position in both strings are merged.
type echoSearch struct {
	secret, text string
	whole        bool
	escapes      *escapes
	work         *searchWork
	echoes       []span

	// arriving holds the interpretations that have come to one of the next
	// places in text, at the index that is the place modulo the length.
	arriving [maxEscape + 1]interpretations
}

// run finds the echoes, and reports whether the work sufficed.
func (s *echoSearch) run() (done bool) {
	if !s.work.spend(1 + len(s.text)/16) {
		return false
	}
	if !strings.ContainsAny(s.text, escapeCharacters) {
		return s.findLiteral()
	}
	for here := range len(s.text) {
		arrived := &s.arriving[here%len(s.arriving)]
		if !s.work.spend(len(arrived.read)) {
			return false
		}
		c, escapes := s.text[here], escapesAt{}
		if isEscapeCharacter(c) {
			escapes = s.escapes.at(here)
		}
		for _, read := range arrived.read {
			s.follow(here, c, escapes, read, arrived.take(read))
		}
		arrived.read = arrived.read[:0]
		s.follow(here, c, escapes, 0, here)
	}
	arrived := &s.arriving[len(s.text)%len(s.arriving)]
	for _, read := range arrived.read {
		s.end(read, arrived.take(read))
	}
	return *s.work >= 0
}

// findLiteral finds the echoes in a text without escapes.
func (s *echoSearch) findLiteral() (done bool) {
	for begin := 0; ; begin++ {
		next := strings.Index(s.text[begin:], s.secret)
		if next < 0 {
			break
		}
		begin += next
		s.echoes = append(s.echoes, span{begin, begin + len(s.secret)})
		if !s.work.spend(1 + len(s.secret)/64) {
			return false
		}
	}
	if s.whole {
		return true
	}
	for n := min(len(s.secret)-1, len(s.text)); n >= MinPartial; n-- {
		if strings.HasSuffix(s.text, s.secret[:n]) {
			s.echoes = append(s.echoes, span{len(s.text) - n, len(s.text)})
			return true
		}
		if !s.work.spend(1 + n/64) {
			return false
		}
	}
	return true
}

// follow reads the next character of the secret, which in the text is c or one
// of the escapes.
func (s *echoSearch) follow(here int, c byte, escapes escapesAt, read, begin int) {
	if c == s.secret[read] {
		s.reach(here+1, read+1, begin)
	}
	if escapes.cut {
		s.end(read, begin)
	}
	for _, escape := range escapes.found {
		if strings.HasPrefix(s.secret[read:], escape.char) {
			s.reach(escape.end, read+len(escape.char), begin)
		}
	}
}

// end is called where a text ends within what may be an echo.
func (s *echoSearch) end(read, begin int) {
	if !s.whole && read >= MinPartial {
		s.echoes = append(s.echoes, span{begin, len(s.text)})
	}
}

// reach notes that an interpretation has come to a place in text.
func (s *echoSearch) reach(place, read, begin int) {
	if read == len(s.secret) {
		s.echoes = append(s.echoes, span{begin, place})
		return
	}
	s.arriving[place%len(s.arriving)].add(read, begin)
}

// interpretations are those that have come to one place in a text.
type interpretations struct {
	read   []int // how much of the secret each has read
	begins []int // by that: 1 + where in the text the earliest began, or 0
}

func (r *interpretations) add(read, begin int) {
	if missing := read + 1 - len(r.begins); missing > 0 {
		r.begins = append(r.begins, make([]int, missing)...)
	}
	if r.begins[read] == 0 {
		r.read = append(r.read, read)
		r.begins[read] = begin + 1
	}
	r.begins[read] = min(r.begins[read], begin+1)
}

func (r *interpretations) take(read int) (begin int) {
	begin = r.begins[read] - 1
	r.begins[read] = 0
	return begin
}
