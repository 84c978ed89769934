package route

import "slices"

// crossing returns the segments, escaped, of a path that two patterns match, and
// whether there is one.
func crossing(a, b []segment) (path []string, meet bool) {
	search := crossingSearch{a: steps(a), b: steps(b)}
	search.dead = make([]bool, (len(search.a)+1)*(len(search.b)+1))
	meet = search.from(0, 0)
	return search.path, meet
}

// crossingSearch looks for a path that two patterns match. It remembers where
// there was none, so that its work grows with the product of their lengths.
type crossingSearch struct {
	a, b []step
	dead []bool // from a[i:] and b[j:] at i*(len(b)+1)+j
	path []string
}

// step is a segment of a path: one that a pattern's segment matches, or any
// number of them, those that a {name...} takes after its first.
type step struct {
	*segment
	repeats bool
}

func steps(segments []segment) []step {
	expanded := make([]step, 0, len(segments)+1)
	for i := range segments {
		expanded = append(expanded, step{&segments[i], false})
		if segments[i].kind == rest {
			expanded = append(expanded, step{&segments[i], true})
		}
	}
	return expanded
}

// from completes the path with what both a[i:] and b[j:] match.
func (c *crossingSearch) from(i, j int) bool {
	if i == len(c.a) && j == len(c.b) {
		return true
	}
	dead := &c.dead[i*(len(c.b)+1)+j]
	if *dead {
		return false
	}
	moreA, moreB := i < len(c.a), j < len(c.b)
	var found bool
	switch {
	case moreA && c.a[i].repeats: // it takes nothing more, or b's next segment
		found = c.from(i+1, j) || moreB && c.with(c.a[i], c.b[j], i, j+1)
	case moreB && c.b[j].repeats:
		found = c.from(i, j+1) || moreA && c.with(c.a[i], c.b[j], i+1, j)
	case moreA && moreB && c.a[i].meets(c.b[j].segment):
		found = c.with(c.a[i], c.b[j], i+1, j+1)
	}
	*dead = !found
	return found
}

// with completes the path with a segment that both steps match.
func (c *crossingSearch) with(a, b step, i, j int) bool {
	c.path = append(c.path, commonValue(a.segment, b.segment))
	if c.from(i, j) {
		return true
	}
	c.path = c.path[:len(c.path)-1]
	return false
}

// commonValue returns a segment of a path that two segments match, which meet.
func commonValue(s, other *segment) string {
	switch {
	case other.covers(s):
		return s.value("x")
	case s.covers(other):
		return other.value("x")
	}
	// Two mixed ones: the longer prefix, all other texts, the longer suffix.
	last, otherLast := len(s.texts)-1, len(other.texts)-1
	texts := []string{longer(s.texts[0], other.texts[0])}
	texts = slices.Concat(texts, s.texts[1:last], other.texts[1:otherLast])
	texts = append(texts, longer(s.texts[last], other.texts[otherLast]))
	return (&segment{kind: mixed, texts: texts}).value("x")
}

func longer(a, b string) string {
	if len(a) > len(b) {
		return a
	}
	return b
}
