package route

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Pattern is a parsed pattern. It is immutable.
//
// A pattern is an optional method, which ends at a space or tab, and a path.
// The path's segments are texts, which are compared decoded, and wildcards:
//
//	{name}     at least one character within a segment; it may stand beside text
//	{name...}  one or more segments, of which the last may be empty
//	{$}        the empty segment at the end of a path with a last slash
//
// The last two are segments of their own, and {$} stands last. A last slash is
// a {name...} without a name.
type Pattern struct {
	text     string
	method   string // empty for every method
	segments []segment
}

// String returns the pattern as it was written.
func (p Pattern) String() string { return p.text }

// ParsePattern parses a pattern. The error says what is wrong and what to write
// instead. It does not name the pattern, and shows no part of one that looks
// like a URL with user info.
func ParsePattern(text string) (Pattern, error) {
	method, path := cutMethod(text)
	if err := checkMethod(method); err != nil {
		return Pattern{}, withoutUserInfo(err, text)
	}
	if !strings.HasPrefix(path, "/") {
		return Pattern{}, missingPath(path)
	}
	if clean := cleanPath(path); clean != path {
		return Pattern{}, withoutUserInfo(malformed("the path is not clean, so it can match nothing; write %s", clean), text)
	}
	p := Pattern{text: text, method: method, segments: make([]segment, 0, strings.Count(path, "/"))}
	for more, after := true, path[1:]; more; {
		var written string
		written, after, more = strings.Cut(after, "/")
		s, err := parseSegment(written, !more)
		if err != nil {
			return Pattern{}, withoutUserInfo(err, text)
		}
		p.segments = append(p.segments, s)
	}
	return p, nil
}

// cutMethod returns the method of a pattern, which may be empty, and the path.
func cutMethod(text string) (method, path string) {
	space := strings.IndexAny(text, " \t")
	if slash := strings.IndexByte(text, '/'); space < 0 || slash >= 0 && slash < space {
		return "", text
	}
	return text[:space], strings.TrimLeft(text[space:], " \t")
}

// checkMethod refuses what is not a method (RFC 9110, section 9.1), and one
// that is almost certainly a slip: methods are case-sensitive.
func checkMethod(method string) error {
	switch {
	case method == "*":
		return malformed("leave the method out for every method")
	case strings.ContainsAny(method, ",|"):
		return malformed("write one pattern for each method")
	}
	lower := false
	for _, c := range []byte(method) {
		lower = lower || 'a' <= c && c <= 'z'
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return malformed("its method is not one that HTTP allows")
		}
	}
	if lower {
		return malformed("write the method in capitals, %s for %s", strings.ToUpper(method), method)
	}
	return nil
}

func missingPath(path string) error {
	switch {
	case path == "":
		return malformed("it has no path; write one that begins with a slash, such as /files/{id}")
	case !strings.Contains(path, "/"):
		return malformed("its path does not begin with a slash; write /%s", path)
	}
	return malformed("it has a host, or no space after its method; write the path alone, relative to the base URL")
}

// parseSegment parses what stands between two slashes, or after the last one.
func parseSegment(written string, last bool) (segment, error) {
	switch {
	case written == "": // after the last slash
		return segment{kind: rest}, nil
	case written == "*":
		return segment{}, malformed("write {name} for one segment, {name...} for one or more, or %%2A for the asterisk itself")
	case written[0] == ':':
		return segment{}, malformed("write %s, or %%3A for the colon itself", wildcardFor(written))
	case written == "{$}" && last:
		return segment{kind: end}, nil
	case written == "{$}":
		return segment{}, malformed("{$} must stand last")
	}

	if !strings.ContainsAny(written, "{}?#") {
		return literalOf(written)
	}
	var texts []string
	for after := written; ; {
		i := strings.IndexAny(after, "{}?#")
		if i < 0 {
			return mixedOf(append(texts, unescape(after)))
		}
		switch after[i] {
		case '?':
			return segment{}, malformed("a pattern has no query; write %%3F for the question mark itself")
		case '#':
			return segment{}, malformed("a pattern has no fragment; write %%23 for the number sign itself")
		case '}':
			return segment{}, malformed("it has a closing brace without an opening one; write %%7D for the brace itself")
		}
		texts = append(texts, unescape(after[:i]))
		name, behind, closed := strings.Cut(after[i+1:], "}")
		if !closed || strings.Contains(name, "{") {
			return segment{}, malformed("a brace is not closed; a name has no slash and no brace in it")
		}
		if name == "$" {
			return segment{}, malformed("{$} must be a segment of its own")
		}
		name, several := strings.CutSuffix(name, "...")
		switch {
		case name == "" || name == "$":
			return segment{}, malformed("a wildcard has no name; write {name}, {name...} or {$}")
		case several && len(name)+len("{...}") != len(written):
			return segment{}, malformed("{%s...} must be a segment of its own", name)
		case several:
			return segment{kind: rest}, nil
		case len(name)+len("{}") == len(written):
			return segment{kind: wild}, nil
		}
		after = behind
	}
}

// literalOf returns the segment without wildcards.
func literalOf(written string) (segment, error) {
	text := unescape(written)
	if text == "." || text == ".." {
		return segment{}, malformed("its path has an escaped dot segment, so it can match nothing that is sent")
	}
	return segment{kind: literal, text: text}, nil
}

// mixedOf returns the segment with wildcards between texts, some of which may be
// empty.
func mixedOf(texts []string) (segment, error) {
	escaped := make([]string, len(texts))
	for i, text := range texts {
		if !utf8.ValidString(text) {
			return segment{}, malformed("the text beside a wildcard is not UTF-8")
		}
		escaped[i] = url.PathEscape(text) // braces, too
	}
	return segment{kind: mixed, texts: texts, text: strings.Join(escaped, "{}")}, nil
}

// wildcardFor says what to write for a segment of another router's form.
func wildcardFor(written string) string {
	name := written[1:]
	if i := strings.IndexFunc(name, endsName); i >= 0 {
		name = name[:i]
	}
	if name == "" {
		return "{name} for a wildcard"
	}
	return fmt.Sprintf("{%s} for :%s", name, name)
}

func endsName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-'
}

// unescape decodes a text, and leaves one with a percent sign that begins no
// escape unchanged, as ServeMux does.
func unescape(text string) string {
	if decoded, err := url.PathUnescape(text); err == nil {
		return decoded
	}
	return text
}

// cleanPath returns the clean form of a path. A last slash stays.
func cleanPath(written string) string {
	clean := path.Clean(written)
	if strings.HasSuffix(written, "/") && clean != "/" {
		clean += "/"
	}
	return clean
}

// sample returns a path that the pattern matches, with a letter that begins no
// escape in the place of each wildcard, and all else as it is written.
func (p *Pattern) sample() string {
	_, path := cutMethod(p.text)
	path = strings.TrimSuffix(path, "{$}")
	if !strings.Contains(path, "{") {
		return path
	}
	var b strings.Builder
	for {
		before, wildcard, found := strings.Cut(path, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteByte('x')
		_, path, _ = strings.Cut(wildcard, "}")
	}
}

func malformed(format string, args ...any) error {
	return fmt.Errorf("the pattern is malformed: "+format, args...)
}

// Quote returns a pattern as messages name it.
func Quote(text string) string {
	if holdsUserInfo(text) {
		text = "REDACTED" + text[strings.LastIndexByte(text, '@'):]
	}
	return strconv.Quote(text)
}

// holdsUserInfo reports whether a pattern looks like a whole URL with user
// info, which is a likely mistake and must not show a password.
func holdsUserInfo(text string) bool {
	at := strings.LastIndexByte(text, '@')
	return at >= 0 && strings.Contains(text[:at], ":")
}

// withoutUserInfo returns err, or one that quotes nothing where text may hold a
// password.
func withoutUserInfo(err error, text string) error {
	if holdsUserInfo(text) {
		return errors.New("the pattern is malformed")
	}
	return err
}
