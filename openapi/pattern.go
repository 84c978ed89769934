package openapi

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"example.com/routeauth"
)

// pattern is an operation's method and path as a pattern.
type pattern struct {
	text     string
	key      string // the same for patterns that match the same requests
	fragment bool   // the path has a fragment, which the pattern leaves out
}

// patterns makes patterns. It checks each path once, and each method, since each
// check makes a policy and many operations share them.
type patterns struct {
	methods map[string]error
	paths   map[string]pathPattern
}

// pathPattern is a pattern without a method, or why there is none.
type pathPattern struct {
	pattern
	err error
}

func newPatterns() *patterns {
	return &patterns{methods: make(map[string]error), paths: make(map[string]pathPattern)}
}

// of returns the pattern of an operation, or an error that says why none can say
// it.
func (p *patterns) of(method, path string) (pattern, error) {
	err, found := p.methods[method]
	if !found {
		err = checkMethod(method)
		p.methods[method] = err
	}
	if err != nil {
		return pattern{}, err
	}
	known, found := p.paths[path]
	if !found {
		known.pattern, known.err = newPathPattern(path)
		p.paths[path] = known
	}
	if known.err != nil {
		return pattern{}, known.err
	}
	return pattern{method + " " + known.text, method + " " + known.key, known.fragment}, nil
}

// checkMethod says why no pattern has a method. One with a space in it would
// end there, and the rest be a path.
func checkMethod(method string) error {
	switch {
	case method == "":
		return errors.New("it has no method")
	case method == http.MethodConnect:
		return errors.New("CONNECT matches no pattern")
	case strings.ContainsAny(method, " \t/"):
		return fmt.Errorf("its method, %q, is not one that HTTP allows", shorten(method))
	}
	return checkPattern(method + " /")
}

// newPathPattern returns the pattern of a path.
func newPathPattern(path string) (pattern, error) {
	path, fragment := cutFragment(path)
	segments, err := split(path)
	if err != nil {
		return pattern{}, err
	}
	var text, key strings.Builder
	for i, s := range segments {
		switch {
		case len(s) > 0:
			text.WriteString("/" + s.text())
			key.WriteString("/" + s.key())
		case i == len(segments)-1:
			// A last slash, which in a pattern stands for everything below. Other
			// empty segments go: a path with doubled slashes is matched as its
			// clean form.
			text.WriteString("/{$}")
			key.WriteString("/{$}")
		}
	}
	return pattern{text.String(), key.String(), fragment}, checkPattern(text.String())
}

// cutFragment cuts off a fragment, which clients keep to themselves: what is sent
// is the same path. A number sign in a template's name begins none.
func cutFragment(path string) (before string, found bool) {
	for i := 0; i < len(path); i++ {
		switch path[i] {
		case '#':
			return path[:i], true
		case '?':
			return path, false // it has a query, of which no pattern can say more
		case '{':
			end := strings.IndexByte(path[i:], '}')
			if end < 0 {
				return path, false
			}
			i += end
		}
	}
	return path, false
}

// checkPattern returns why NewPolicy refuses a pattern, in its own words.
func checkPattern(text string) error {
	_, err := routeauth.NewPolicy("https://api.example.com", routeauth.Routes{text: routeauth.Mandatory})
	if err == nil {
		return nil
	}
	reason := err.Error()
	if _, after, found := strings.Cut(reason, "the pattern is malformed: "); found {
		reason = after
	}
	return errors.New(reason)
}

// part is a piece of a path's segment: a text or a template.
type part struct {
	text     string // or the template's name
	template bool
	several  bool // the template stands for one or more segments
}

type segment []part

// split splits a path into its segments. The last one is empty where the path
// has a last slash.
func split(path string) ([]segment, error) {
	if !strings.HasPrefix(path, "/") {
		return nil, errors.New("its path does not begin with a slash")
	}
	segments := []segment{nil}
	last := func() *segment { return &segments[len(segments)-1] }
	before := func(rest string) string { return path[:len(path)-len(rest)] }
	for rest := path[1:]; rest != ""; {
		i := strings.IndexAny(rest, "/{}?")
		if i < 0 {
			i = len(rest)
		}
		if i > 0 {
			*last() = append(*last(), part{text: rest[:i]})
		}
		if rest = rest[i:]; rest == "" {
			break
		}
		switch rest[0] {
		case '/':
			segments, rest = append(segments, nil), rest[1:]
		case '{':
			name, after, closed := strings.Cut(rest[1:], "}")
			if !closed || strings.Contains(name, "{") {
				return nil, errors.New("its path has a brace that is not closed")
			}
			p, err := newTemplate(name, before(rest))
			if err != nil {
				return nil, err
			}
			*last() = append(*last(), p)
			rest = after
		case '}':
			return nil, errors.New("its path has a closing brace without an opening one")
		case '?':
			return nil, fmt.Errorf("its path has a query, which no pattern can say: make it part of %s", shorten(before(rest)))
		}
	}
	for _, s := range segments {
		if err := s.check(); err != nil {
			return nil, err
		}
	}
	return segments, nil
}

// text returns a segment as it is written in a pattern.
func (s segment) text() string {
	if len(s) == 1 && !s[0].template {
		switch text := s[0].text; {
		case text == "*":
			return "%2A" // a segment that other routers take for a wildcard
		case text[0] == ':':
			return "%3A" + text[1:] // the same
		default:
			return text
		}
	}
	var text strings.Builder
	for i, p := range s {
		switch {
		case p.template:
			text.WriteString(p.wildcard())
		case i == 0 && p.text[0] == ':':
			text.WriteString("%3A" + p.text[1:])
		default:
			text.WriteString(p.text)
		}
	}
	return text.String()
}

// key returns the same text for segments that match the same values: names make
// no difference, and texts are compared decoded.
func (s segment) key() string {
	var key strings.Builder
	for _, p := range s {
		switch {
		case !p.template:
			key.WriteString(url.PathEscape(unescape(p.text)))
		case p.several:
			key.WriteString("{...}")
		default:
			key.WriteString("{}")
		}
	}
	return key.String()
}

// unescape decodes a text. One with a percent sign that begins no escape stands
// for itself, as in a pattern.
func unescape(text string) string {
	if decoded, err := url.PathUnescape(text); err == nil {
		return decoded
	}
	return text
}
