package route

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Route is a pattern and what it asks for.
type Route struct {
	Pattern     string
	Requirement string // as messages name it; routes that ask for the same may overlap
}

// Table finds the most specific route of a request. It is immutable and safe for
// concurrent use. A nil Table has no routes.
type Table struct {
	root   node
	routes []int32 // by rank: which of New's routes it is
}

// New returns the table of some routes. Later changes of routes have no effect
// on it.
//
// The errors are everything that is wrong with the routes, each in a sentence
// that names the pattern: it is malformed (see [ParsePattern]), its path is
// refused, or it overlaps with a pattern that asks for something else. Each
// pattern in a conflict is named, and is the subject of one message at most. The
// work grows with the number of routes and mistakes, not with its square, as long
// as the patterns have few shapes: sequences of texts and wildcards.
//
// Refused reports whether requests with an escaped path are refused before they
// come to the table; nil refuses none. It is asked about each pattern's path,
// with a letter in the place of each wildcard.
func New(routes []Route, refused func(path string) bool) (*Table, []error) {
	var errs []error
	entries := make([]*entry, 0, len(routes))
	for i, r := range routes {
		pattern, err := ParsePattern(r.Pattern)
		if err == nil && refused != nil && refused(pattern.sample()) {
			err = malformed("a server may see a dot segment in its path, so it can match nothing that is sent")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("route %s: %w", Quote(r.Pattern), err))
			continue
		}
		entries = append(entries, &entry{Pattern: pattern, requirement: r.Requirement, rank: pattern.rank(), route: int32(i)})
	}
	slices.SortFunc(entries, compareEntries)
	for position, e := range entries {
		e.position = position
	}
	if errs = append(errs, conflicts(entries)...); len(errs) > 0 {
		return nil, errs
	}

	t := &Table{routes: make([]int32, len(entries))}
	b := builder{mixed: make(map[mixedKey]*node)}
	for rank, e := range entries {
		t.routes[rank] = e.route
		b.insert(&t.root, e.segments, endpoint{e.method, int32(rank)})
	}
	return t, nil
}

// entry is a route of a table that is being made.
type entry struct {
	Pattern
	requirement string
	rank        string
	route       int32 // its index in the routes that New was given

	position int    // among all entries, by rank
	shape    *shape // what it has in common with others
	rival    *entry // one with which it is in conflict
}

// compareEntries puts each entry after those that are more specific, and makes
// the order independent of that of New's routes.
func compareEntries(a, b *entry) int {
	if c := strings.Compare(a.rank, b.rank); c != 0 {
		return c
	}
	return cmp.Or(strings.Compare(a.text, b.text), strings.Compare(a.requirement, b.requirement))
}

// node is where paths meet that are alike up to some slash: a node of a tree of
// which each level is a segment. Most nodes have few of the fields, so what is
// rare is kept apart, and a node fits into a line of the processor's cache.
type node struct {
	best    int32            // the lowest rank at this node and below
	longest int32            // how long the longest literal is
	few     []child          // by literal, decoded, as long as there are maxFew or less
	many    map[string]*node // all of them, where there are more
	wild    *node
	rare    *branches
	ends    *ends
}

// branches are the segments that mix text and wildcards, and {name...} where
// something follows.
type branches struct {
	mixed []mixedChild // by rank
	star  *star
}

// ends holds the routes that end at a node, each by rank.
type ends struct {
	exact   []endpoint // for a path that ends here, without a last slash
	slash   []endpoint // for one that ends with the next slash
	subtree []endpoint // for one that goes on, in whatever way
}

const maxFew = 8

type child struct {
	text string
	node *node
}

type mixedChild struct {
	segment *segment
	node    *node
}

// star is a {name...} that something follows.
type star struct {
	after *node  // what follows if there is no further star in it, else nil
	tails []tail // the others, by rank; each is looked at by itself
}

// tail is what follows a star, with a further star in it.
type tail struct {
	segments []segment
	endpoint
}

// endpoint is where a route ends.
type endpoint struct {
	method string // empty for every method
	rank   int32
}

// builder adds routes to a tree. They come by rank, so what adds a node has the
// lowest rank that will ever be below it.
type builder struct{ mixed map[mixedKey]*node }

type mixedKey struct {
	parent *node
	text   string
}

func (b *builder) insert(n *node, segments []segment, e endpoint) {
	for i := range segments {
		s := &segments[i]
		switch {
		case s.kind == end:
			n.end().slash = append(n.end().slash, e)
			return
		case s.kind == rest && i == len(segments)-1:
			n.end().subtree = append(n.end().subtree, e)
			return
		case s.kind == rest:
			after := segments[i+1:]
			star := n.branch().addStar()
			if firstRest(after) < len(after)-1 {
				star.tails = append(star.tails, tail{after, e})
				return
			}
			n = addNode(&star.after, e.rank)
		case s.kind == mixed:
			n = b.addMixed(n, s, e.rank)
		case s.kind == wild:
			n = addNode(&n.wild, e.rank)
		default:
			n = n.addLiteral(s.text, e.rank)
		}
	}
	n.end().exact = append(n.end().exact, e)
}

// addNode returns the node at a place, and puts one there if there is none.
func addNode(place **node, rank int32) *node {
	if *place == nil {
		*place = &node{best: rank}
	}
	return *place
}

func (n *node) end() *ends {
	if n.ends == nil {
		n.ends = new(ends)
	}
	return n.ends
}

func (n *node) branch() *branches {
	if n.rare == nil {
		n.rare = new(branches)
	}
	return n.rare
}

func (b *branches) addStar() *star {
	if b.star == nil {
		b.star = new(star)
	}
	return b.star
}

func (b *builder) addMixed(n *node, s *segment, rank int32) *node {
	key := mixedKey{n, s.text}
	next := b.mixed[key]
	if next == nil {
		next = &node{best: rank}
		b.mixed[key] = next
		n.branch().mixed = append(n.branch().mixed, mixedChild{s, next})
	}
	return next
}

func (n *node) addLiteral(text string, rank int32) *node {
	if next := n.literal(text); next != nil {
		return next
	}
	next := &node{best: rank}
	n.longest = max(n.longest, int32(len(text)))
	if n.many == nil && len(n.few) < maxFew {
		n.few = append(n.few, child{text, next})
		return next
	}
	if n.many == nil {
		n.many = make(map[string]*node, 2*maxFew)
		for _, c := range n.few {
			n.many[c.text] = c.node
		}
		n.few = nil
	}
	n.many[text] = next
	return next
}

// literal returns the child for a text, if there is one.
func (n *node) literal(text string) *node {
	if n.many != nil {
		return n.many[text]
	}
	for i := range n.few {
		if n.few[i].text == text {
			return n.few[i].node
		}
	}
	return nil
}
