package openapi

import (
	"errors"
	"fmt"
	"strings"
)

// newTemplate returns the template of a name, which stands behind a part of a
// path. OpenAPI's templates are names, each for a segment or a part of one. In
// documents there are also the forms of URI templates (RFC 6570) and those of
// routers, of which some stand for several segments, and some for what is no path
// or not always there.
func newTemplate(name, before string) (part, error) {
	if name != "" && strings.Trim(name, ".") != "" {
		switch bare := name[1:]; name[0] {
		case '?', '&':
			return part{}, fmt.Errorf("its path has a query, {%s}, which no pattern can say: make it part of %s", shorten(name), shorten(before))
		case '#':
			return part{}, fmt.Errorf("its path has a fragment, {%s}, which is never sent: write %s without it", shorten(name), shorten(before))
		case '/':
			return part{}, fmt.Errorf("its path has {%s}, which brings slashes of its own: write /{%s}, and another path where it may be missing", shorten(name), shorten(bare))
		case '.':
			return part{}, fmt.Errorf("its path has {%s}, which brings a dot of its own: write .{%s}, and another path where it may be missing", shorten(name), shorten(bare))
		case ';':
			return part{}, fmt.Errorf("its path has {%s}, which brings a name of its own: write ;%s={%s}, and another path where it may be missing", shorten(name), shorten(bare), shorten(bare))
		}
	}
	name, several := cutSeveral(name)
	return part{text: name, template: true, several: several}, nil
}

// severalSuffixes are how a template says that it stands for several segments:
// as in a pattern, in an exploded list, in gateways, and in the expressions and
// types of routers.
var severalSuffixes = []string{"...", "*", "+", ":.*", ":.+", ":path"}

// cutSeveral returns a template's name alone, and whether it is for several
// segments.
func cutSeveral(name string) (alone string, several bool) {
	if alone = strings.TrimLeft(name, "+*"); alone != name {
		several = true
	}
	for _, suffix := range severalSuffixes {
		if before, found := strings.CutSuffix(alone, suffix); found {
			alone, several = before, true
		}
	}
	if several {
		alone = strings.TrimRight(alone, ".:")
	}
	return alone, several
}

// check says why no pattern can say a segment.
func (s segment) check() error {
	for _, p := range s {
		if p.several && len(s) > 1 {
			return errors.New("its path has a template for several segments, " + p.wildcard() + ", with other text beside it: " +
				"give it a segment of its own, or name it without the sign for several where it is for one")
		}
	}
	return nil
}

// wildcard returns a template as it is written in a pattern. There, a name may
// not be empty or a dollar sign, have a slash in it, or end with three dots that
// mean nothing.
func (p part) wildcard() string {
	name := strings.ReplaceAll(p.text, "/", "_")
	if name == "" || name == "$" {
		name = "_"
	}
	if p.several {
		name += "..."
	}
	return "{" + name + "}"
}
