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
	text string
	key  string // the same for patterns that match the same requests
}

// newPattern returns the pattern of an operation, or an error that says why none
// can say it.
func newPattern(method, path string) (pattern, error) {
	switch method {
	case "":
		return pattern{}, errors.New("it has no method")
	case http.MethodConnect:
		return pattern{}, errors.New("CONNECT matches no pattern")
	}
	segments, err := split(path)
	if err != nil {
		return pattern{}, err
	}
	text, key := method+" ", method+" "
	for i, s := range segments {
		switch {
		case len(s) > 0:
			text += "/" + s.text()
			key += "/" + s.key()
		case i == len(segments)-1:
			// A last slash, which in a pattern stands for everything below. Other
			// empty segments go: a path with doubled slashes is matched as its
			// clean form.
			text += "/{$}"
			key += "/{$}"
		}
	}
	return pattern{text, key}, checkPattern(text)
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
	for rest := path[1:]; rest != ""; {
		i := strings.IndexAny(rest, "/{}?#")
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
			*last() = append(*last(), part{text: name, template: true})
			rest = after
		case '}':
			return nil, errors.New("its path has a closing brace without an opening one")
		case '?':
			return nil, fmt.Errorf("its path has a query, which no pattern can say: make it part of %s", path[:len(path)-len(rest)])
		case '#':
			return nil, fmt.Errorf("its path has a fragment, which no pattern can say: make it part of %s", path[:len(path)-len(rest)])
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
			fmt.Fprintf(&text, "{%s}", wildcardName(p.text, len(s) == 1))
		case i == 0 && p.text[0] == ':':
			text.WriteString("%3A" + p.text[1:])
		default:
			text.WriteString(p.text)
		}
	}
	return text.String()
}

// wildcardName returns the name that a template has in a pattern. There, a name
// may not be empty or a dollar sign, have a slash in it, or end with three dots
// unless it is alone in its segment.
func wildcardName(name string, alone bool) string {
	several := strings.HasSuffix(name, "...")
	if several {
		name = strings.TrimRight(name, ".")
	}
	name = strings.ReplaceAll(name, "/", "_")
	if name == "" || name == "$" {
		name = "_"
	}
	if several && alone {
		name += "..."
	}
	return name
}

// key returns the same text for segments that match the same values: names make
// no difference, and texts are compared decoded.
func (s segment) key() string {
	var key strings.Builder
	for _, p := range s {
		switch {
		case !p.template:
			key.WriteString(url.PathEscape(unescape(p.text)))
		case len(s) == 1 && strings.HasSuffix(p.text, "..."):
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
