package route

import "encoding/binary"

// Relation says how the requests that one pattern matches relate to those that
// another one matches.
//
// A pattern is at least as specific as another if its method is and if the
// other matches its path, read as the path of a request in which each wildcard
// stands for a value that only such a wildcard, or a wider one, matches.
// Methods are ordered, too: one method is more specific than GET, which also
// matches HEAD, where they meet, and GET is more specific than none.
//
// That a pattern matches all requests of another is not enough: "/{a}/{b...}"
// matches all that "/{b...}/{a}" matches, and yet neither is more specific.
type Relation uint8

const (
	// Disjoint patterns have no request in common.
	Disjoint Relation = iota
	// Overlapping patterns have, and neither is at least as specific as the other.
	Overlapping
	// Equivalent patterns are each at least as specific as the other.
	Equivalent
	// MoreSpecific is a pattern that is at least as specific as the other, which
	// is not.
	MoreSpecific
	// MoreGeneral is the inverse of MoreSpecific.
	MoreGeneral
)

// String returns the relation's name.
func (r Relation) String() string {
	names := [...]string{"disjoint", "overlapping", "equivalent", "more specific", "more general"}
	if int(r) < len(names) {
		return names[r]
	}
	return "unknown relation"
}

// Compare returns how p relates to other.
func (p Pattern) Compare(other Pattern) Relation { return compare(&p, &other) }

func compare(p, q *Pattern) Relation {
	if !allows(p.method, q.method) && !allows(q.method, p.method) {
		return Disjoint
	}
	for i := range min(firstRest(p.segments), firstRest(q.segments)) {
		if !p.segments[i].meets(&q.segments[i]) {
			return Disjoint // as most are; the rest would find it, too, but more slowly
		}
	}
	specific := allows(q.method, p.method) && covers(q.segments, p.segments)
	general := allows(p.method, q.method) && covers(p.segments, q.segments)
	switch {
	case specific && general:
		return Equivalent
	case specific:
		return MoreSpecific
	case general:
		return MoreGeneral
	}
	if _, meet := crossing(p.segments, q.segments); meet {
		return Overlapping
	}
	return Disjoint
}

// allows reports whether a pattern's method matches a request's, or all that
// another pattern's method matches.
func allows(pattern, method string) bool {
	return pattern == method || pattern == "" || pattern == "GET" && method == "HEAD"
}

// covers reports whether the segments of one pattern match those of another,
// read as a path.
func covers(segments, path []segment) bool {
	at, i := 0, 0
	back, from := -1, 0 // where to go on when the last {name...} takes one segment more
	for i < len(path) {
		switch {
		case at < len(segments) && segments[at].covers(&path[i]):
			at, i = at+1, i+1
			if segments[at-1].kind == rest {
				back, from = at, i
			}
		case back >= 0:
			from++
			at, i = back, from
		default:
			return false
		}
	}
	return at == len(segments)
}

// rank returns a text by which patterns are sorted so that each comes after all
// that are more specific. Where that leaves a choice, the order is the one in
// which a lookup tries segments, so that what it finds first is nearly always
// the answer.
//
// If p is more specific than q, each step below puts p first or leaves it to the
// next step: if p is for paths with a last slash, so is q; up to q's first
// {name...} the segments lie side by side, p's of the same kind or a lower one; a
// {name...} of q takes one segment of p or more; if both have as many, all lie
// side by side; and the same holds for the characters of mixed segments, and for
// methods.
func (p *Pattern) rank() string {
	key := make([]byte, 0, 2*len(p.segments)+16)
	last := p.segments[len(p.segments)-1].kind
	key = append(key, boolByte(last == rest || last == end))
	key = appendKinds(key, p.segments[:firstRest(p.segments)])
	key = append(key, 0xff) // the longer one first
	key = binary.BigEndian.AppendUint32(key, ^uint32(len(p.segments)))
	key = appendKinds(key, p.segments)
	length, text := 0, 0
	for i := range p.segments {
		for _, t := range p.segments[i].texts {
			length += len(t) + 1
			text += len(t)
		}
	}
	key = binary.BigEndian.AppendUint32(key, ^uint32(length))
	key = binary.BigEndian.AppendUint32(key, ^uint32(text))
	return string(append(key, byte(methodClassOf(p.method))))
}

func boolByte(b bool) byte {
	if b {
		return 1
	}
	return 0
}

func appendKinds(key []byte, segments []segment) []byte {
	for i := range segments {
		key = append(key, byte(segments[i].kind))
	}
	return key
}

// firstRest returns the index of the first {name...}, or how many segments there
// are.
func firstRest(segments []segment) int {
	for i := range segments {
		if segments[i].kind == rest {
			return i
		}
	}
	return len(segments)
}

// methodClass is how specific a method is.
type methodClass uint8

const (
	oneMethod  methodClass = iota // any but the next two
	headMethod                    // which GET also matches
	getMethod
	anyMethod
)

func methodClassOf(method string) methodClass {
	switch method {
	case "":
		return anyMethod
	case "GET":
		return getMethod
	case "HEAD":
		return headMethod
	}
	return oneMethod
}
