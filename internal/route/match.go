package route

import "strings"

// Match returns the index, in the routes that New was given, of the most
// specific route for a method and an escaped path, and whether there is one. Of
// several of which none is more specific it is always the same.
//
// An empty method is GET, a GET route also matches HEAD, and CONNECT matches
// nothing. Doubled slashes count as one. A path without a last slash that no
// route matches, but for one that ends in {name...} or a slash, is matched as if
// it had one: "/files" has the route "/files/", or "/files/{$}", where it has
// none of its own. Dot segments mean nothing here.
//
// Match allocates nothing.
func (t *Table) Match(method, path string) (route int, ok bool) {
	if t == nil || method == "CONNECT" {
		return 0, false
	}
	if method == "" {
		method = "GET"
	}
	none := int32(len(t.routes))
	s := search{method: method, best: none, escaped: strings.IndexByte(path, '%') >= 0}
	s.visit(&t.root, path)
	if s.best == none {
		return 0, false
	}
	return int(t.routes[s.best]), true
}

// search is a walk through the tree. It goes down each branch that may hold a
// better route than the best one so far. As routes are ranked in the order in
// which it tries branches, that is one branch in most cases; it is more where
// the first one leads nowhere, or a {name...} stands in the middle.
//
// A route that ends in {$} or {name...} is one for a path with a last slash.
// For a path without, all of them rank behind those that match it as it is, and
// so the walk need not know whether one of these will be found.
//
// Each node is visited once for a path, and below a star once for each of the
// path's segments: no star follows another in the tree. So the work is bounded
// by the size of the table times that of the path.
type search struct {
	method  string
	best    int32 // rank
	escaped bool  // the path holds escapes
}

// visit looks for routes at n and below that match the rest of a path. The rest
// is empty, or begins with the slash after the segments that led to n.
func (s *search) visit(n *node, path string) {
	for n.best < s.best {
		if path == "" && n.ends != nil {
			s.end(n.ends.exact)
		}
		for path != "" && path[0] == '/' {
			path = path[1:]
		}
		if n.ends != nil {
			if path == "" {
				s.end(n.ends.slash)
			}
			s.end(n.ends.subtree)
		}
		if path == "" {
			return
		}
		slash := strings.IndexByte(path, '/')
		if slash < 0 {
			slash = len(path)
		}
		written := path[:slash]
		path = path[slash:]

		var next *node
		if s.escaped && strings.IndexByte(written, '%') >= 0 {
			next = n.escapedLiteral(written)
		} else {
			next = n.literal(written)
		}
		switch {
		case n.wild == nil && n.rare == nil: // no other way
			if next == nil {
				return
			}
			n = next
			continue
		case next != nil:
			s.visit(next, path)
		}
		if n.rare != nil {
			for i := range n.rare.mixed {
				if m := &n.rare.mixed[i]; m.node.best < s.best && m.segment.matches(written) {
					s.visit(m.node, path)
				}
			}
			if n.rare.star != nil {
				if n.wild != nil {
					s.visit(n.wild, path)
				}
				s.visitStar(n.rare.star, path)
				return
			}
		}
		if n.wild == nil {
			return
		}
		n = n.wild
	}
}

// escapedLiteral decodes into a buffer of its own, which is not needed, and not
// cleared, for most paths.
func (n *node) escapedLiteral(escaped string) *node {
	var buffer [128]byte
	decoded := buffer[:0]
	for after := escaped; after != ""; {
		if len(decoded) == int(n.longest) {
			return nil
		}
		if len(decoded) == len(buffer) {
			return n.longLiteral(escaped)
		}
		b, width := firstByte(after)
		decoded, after = append(decoded, b), after[width:]
	}
	if n.many != nil {
		return n.many[string(decoded)] // a conversion without a copy, as are those below
	}
	for i := range n.few {
		if n.few[i].text == string(decoded) {
			return n.few[i].node
		}
	}
	return nil
}

// longLiteral looks for a text that no buffer holds, one child after another.
func (n *node) longLiteral(escaped string) *node {
	for i := range n.few {
		if equalDecoded(escaped, n.few[i].text) {
			return n.few[i].node
		}
	}
	for text, next := range n.many {
		if equalDecoded(escaped, text) {
			return next
		}
	}
	return nil
}

// end looks for a route among those that end at the same place.
func (s *search) end(routes []endpoint) {
	for i := range routes {
		if routes[i].rank >= s.best {
			return
		}
		if allows(routes[i].method, s.method) {
			s.best = routes[i].rank
			return
		}
	}
}

// visitStar looks for routes that go on after a {name...}, which has taken one
// segment and may take more.
func (s *search) visitStar(star *star, path string) {
	for i := range star.tails {
		t := &star.tails[i]
		if t.rank >= s.best {
			break
		}
		if allows(t.method, s.method) && matchAfterRest(t.segments, path) {
			s.best = t.rank
			break
		}
	}
	if star.after == nil {
		return
	}
	for more := true; more && star.after.best < s.best; {
		s.visit(star.after, path)
		_, path, more = cutSegment(path)
	}
}

// matchPath reports whether segments match a path, to which a last slash may be
// added.
func matchPath(segments []segment, path string) bool {
	n := firstRest(segments)
	path, found := cutSegments(segments[:n], path)
	if !found || n == len(segments) {
		return found && path == ""
	}
	return matchRest(segments[n+1:], path)
}

// matchRest reports whether a {name...} and the segments after it match a path.
func matchRest(after []segment, path string) bool {
	if len(after) == 0 {
		return true // the wildcard takes all, or the empty segment at the end
	}
	_, path, found := cutSegment(path)
	return found && matchAfterRest(after, path)
}

// matchAfterRest reports whether segments match a path, or a part of it after
// some segments, which a {name...} before them takes. What stands before a
// further {name...} is looked for at the first place where it can stand, which
// leaves the most to what follows. So there is no going back.
func matchAfterRest(segments []segment, path string) bool {
	n := firstRest(segments)
	for more := true; more; _, path, more = cutSegment(path) {
		after, found := cutSegments(segments[:n], path)
		if found && n < len(segments) {
			return matchRest(segments[n+1:], after)
		}
		if found && after == "" {
			return true
		}
	}
	return false
}

// cutSegments cuts what segments match, none of which is a {name...}, off the
// beginning of a path.
func cutSegments(segments []segment, path string) (after string, found bool) {
	for i := range segments {
		var written string
		written, path, found = cutSegment(path)
		if found == (segments[i].kind == end) || found && !segments[i].matches(written) {
			return "", false
		}
	}
	return path, true
}

// cutSegment cuts a segment that is not empty off the beginning of a path, if
// there is one, with the slashes before it.
func cutSegment(path string) (written, after string, found bool) {
	path = strings.TrimLeft(path, "/")
	slash := strings.IndexByte(path, '/')
	if slash < 0 {
		slash = len(path)
	}
	return path[:slash], path[slash:], path != ""
}
