package route

import (
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"slices"
)

// shape is what some entries have in common: how specific their method is, the
// kinds of their segments, and how long the texts are at the ends of mixed ones.
type shape struct {
	method   methodClass
	segments []segment                // of the first entry
	first    int                      // index of the first {name...}, or how many segments there are
	entries  []hashedEntry            // by rank, without hashes
	pending  int                      // how many of them have no rival yet
	various  bool                     // they ask for different things
	hashed   map[string][]hashedEntry // by the places where their texts count
}

// shapesOf returns the shapes of some entries, in the order of their first ones.
func shapesOf(entries []*entry) (shapes []*shape) {
	byKey := make(map[string]*shape)
	var key []byte
	for _, e := range entries {
		class := methodClassOf(e.method)
		key = append(key[:0], byte(class))
		for i := range e.segments {
			s := &e.segments[i]
			key = append(key, byte(s.kind))
			if s.kind == mixed {
				prefix, suffix := s.ends()
				key = binary.AppendUvarint(key, uint64(len(prefix)))
				key = binary.AppendUvarint(key, uint64(len(suffix)))
			}
		}
		s := byKey[string(key)]
		if s == nil {
			s = &shape{method: class, segments: e.segments, first: firstRest(e.segments)}
			byKey[string(key)] = s
			shapes = append(shapes, s)
		}
		e.shape = s
		s.entries = append(s.entries, hashedEntry{0, e})
		s.pending++
		s.various = s.various || e.requirement != s.requirement()
	}
	return shapes
}

// requirement returns what the entries ask for, if they are not various.
func (s *shape) requirement() string { return s.entries[0].requirement }

// isPlain reports whether a {name...} is nowhere but at the end.
func (s *shape) isPlain() bool { return s.first >= len(s.segments)-1 }

// tail returns how many segments follow the last {name...}, or how many there
// are.
func (s *shape) tail() int {
	n := 0
	for n < len(s.segments) && s.segments[len(s.segments)-1-n].kind != rest {
		n++
	}
	return n
}

// mayConflict reports whether entries of two shapes can be such that some
// request matches both and neither is more specific.
func mayConflict(a, b *shape) bool {
	specificA, specificB := a.method < b.method, b.method < a.method
	if specificA && a.method == oneMethod && b.method != anyMethod || specificB && b.method == oneMethod && a.method != anyMethod {
		return false
	}
	unknown := false // depends on texts, or on what a {name...} takes
	for i := range min(a.first, b.first) {
		ka, kb := a.segments[i].kind, b.segments[i].kind
		if (ka == end) != (kb == end) {
			return false
		}
		specificA, specificB = specificA || ka < kb, specificB || kb < ka
		unknown = unknown || ka == mixed && kb == mixed
	}
	switch restA, restB := a.first < len(a.segments), b.first < len(b.segments); {
	case !restA && len(a.segments) < len(b.segments), !restB && len(b.segments) < len(a.segments):
		return false // each segment takes one at least
	case a.isPlain() && b.isPlain():
		specificA, specificB = specificA || a.first > b.first, specificB || b.first > a.first
	default:
		unknown = true
	}
	return unknown || specificA == specificB
}

// rivalSearch finds entries that are in conflict.
type rivalSearch struct {
	seed maphash.Seed
	room int // how many more hashes may be kept

	// These are used again and again.
	placesA, placesB []place
	bufferA, bufferB []hashedEntry
	key              []byte
}

// place is where a text counts for a hash.
type place struct {
	index          int // of the segment; -1 is the method
	prefix, suffix int // how much of its ends; prefix is -1 where all of it counts
}

type hashedEntry struct {
	hash uint64
	*entry
}

// maxPairs is up to how many pairs are compared one by one, which then takes less
// time than hashes.
const maxPairs = 16

// findRivals gives each entry of two shapes that is in conflict with one of the
// other shape a rival.
func (r *rivalSearch) findRivals(a, b *shape) {
	if len(a.entries)*len(b.entries) <= maxPairs {
		matchRivals(a.entries, b.entries)
		matchRivals(b.entries, a.entries)
		return
	}
	r.align(a, b)
	hashedA, hashedB := r.hash(a, r.placesA, &r.bufferA), r.hash(b, r.placesB, &r.bufferB)
	for len(hashedA) > 0 && len(hashedB) > 0 {
		switch h := hashedA[0].hash; cmp.Compare(h, hashedB[0].hash) {
		case -1:
			hashedA = hashedA[1:]
		case 1:
			hashedB = hashedB[1:]
		default:
			var sameA, sameB []hashedEntry
			sameA, hashedA = cutSame(hashedA)
			sameB, hashedB = cutSame(hashedB)
			matchRivals(sameA, sameB)
			matchRivals(sameB, sameA)
		}
	}
}

// align finds the places where the texts of entries of both shapes must agree,
// so that some request matches both: those at the same distance from the
// beginning, up to the first {name...}, and if there is one, those at the same
// distance from the end.
func (r *rivalSearch) align(a, b *shape) {
	r.placesA, r.placesB = r.placesA[:0], r.placesB[:0]
	if a.method == oneMethod && b.method == oneMethod {
		r.addPlace(place{-1, -1, 0}, place{-1, -1, 0})
	}
	for i := range min(a.first, b.first) {
		r.alignSegments(a, b, i, i)
	}
	if a.isPlain() && b.isPlain() {
		return
	}
	for i := range min(a.tail(), b.tail()) {
		r.alignSegments(a, b, len(a.segments)-1-i, len(b.segments)-1-i)
	}
}

func (r *rivalSearch) alignSegments(a, b *shape, i, j int) {
	s, other := &a.segments[i], &b.segments[j]
	prefix, suffix := -1, 0
	for _, s := range []*segment{s, other} {
		switch s.kind {
		case literal:
		case mixed:
			before, after := s.ends()
			if prefix < 0 {
				prefix, suffix = len(before), len(after)
			}
			prefix, suffix = min(prefix, len(before)), min(suffix, len(after))
		default:
			return // it matches whatever the other one does
		}
	}
	r.addPlace(place{i, prefix, suffix}, place{j, prefix, suffix})
}

func (r *rivalSearch) addPlace(a, b place) {
	r.placesA, r.placesB = append(r.placesA, a), append(r.placesB, b)
}

// hash returns the entries of a shape with the hashes of their texts at some
// places, sorted by these. An entry whose text is too short for a place is left
// out. They are in a buffer, or kept, for in most tables the same places count
// for many shapes.
func (r *rivalSearch) hash(s *shape, places []place, buffer *[]hashedEntry) []hashedEntry {
	r.key = r.key[:0]
	for _, p := range places {
		r.key = binary.AppendVarint(r.key, int64(p.index))
		r.key = binary.AppendVarint(r.key, int64(p.prefix))
		r.key = binary.AppendVarint(r.key, int64(p.suffix))
	}
	if hashed, found := s.hashed[string(r.key)]; found {
		return hashed
	}
	hashed := (*buffer)[:0]
	for _, e := range s.entries {
		if hash, ok := r.hashEntry(e.entry, places); ok {
			hashed = append(hashed, hashedEntry{hash, e.entry})
		}
	}
	slices.SortFunc(hashed, func(a, b hashedEntry) int {
		if c := cmp.Compare(a.hash, b.hash); c != 0 {
			return c
		}
		return cmp.Compare(a.position, b.position)
	})
	*buffer = hashed
	if r.room -= len(hashed); r.room >= 0 {
		if s.hashed == nil {
			s.hashed = make(map[string][]hashedEntry)
		}
		s.hashed[string(r.key)] = slices.Clone(hashed)
	}
	return hashed
}

func (r *rivalSearch) hashEntry(e *entry, places []place) (hash uint64, ok bool) {
	add := func(text string) {
		hash = (hash ^ maphash.String(r.seed, text)) * 0x9e3779b97f4a7c15
	}
	for _, p := range places {
		if p.index < 0 {
			add(e.method)
			continue
		}
		s := &e.segments[p.index]
		switch {
		case p.prefix < 0:
			add(s.text)
		case s.kind == mixed:
			before, after := s.ends()
			add(before[:p.prefix])
			add(after[len(after)-p.suffix:])
		case len(s.text) <= p.prefix+p.suffix:
			return 0, false
		default:
			add(s.text[:p.prefix])
			add(s.text[len(s.text)-p.suffix:])
		}
	}
	return hash, true
}

// cutSame cuts off the entries with the hash of the first one.
func cutSame(hashed []hashedEntry) (same, others []hashedEntry) {
	n := 1
	for n < len(hashed) && hashed[n].hash == hashed[0].hash {
		n++
	}
	return hashed[:n], hashed[n:]
}

// matchRivals gives each entry that is in conflict with one of others a rival.
// Of entries without mixed segments and with {name...} only at the end, whose
// texts agree, the first that asks for something else is one.
func matchRivals(entries, others []hashedEntry) {
	different := 1 // the first of others that asks for something else than the very first
	for different < len(others) && others[different].requirement == others[0].requirement {
		different++
	}
	for _, e := range entries {
		from := others
		if e.requirement == others[0].requirement {
			from = others[different:]
		}
		for i := 0; i < len(from) && e.rival == nil; i++ {
			if inConflict(e.entry, from[i].entry) {
				e.setRival(from[i].entry)
				from[i].setRival(e.entry)
			}
		}
	}
}

func (e *entry) setRival(rival *entry) {
	if e.rival == nil {
		e.rival = rival
		e.shape.pending--
	}
}
