package routeauth

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// route is a requirement as the handler of its patterns in a ServeMux, which is
// only asked for it and never serves.
type route Requirement

func (route) ServeHTTP(http.ResponseWriter, *http.Request) {}

// checkRoutes returns everything that is wrong with routes.
func checkRoutes(routes Routes) (errs []error) {
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	all := http.NewServeMux()
	var inside, outside []string // of all, which takes no pattern that conflicts
	for _, pattern := range slices.Sorted(maps.Keys(routes)) {
		if routes[pattern] > Public {
			wrong("route %s: %v is neither Mandatory nor Optional nor Public", quotePattern(pattern), routes[pattern])
		}
		if err := checkPattern(pattern); err != nil {
			wrong("route %s: %w", quotePattern(pattern), err)
			continue
		}
		rivals := outside
		if register(all, pattern) == nil {
			inside = append(inside, pattern)
		} else {
			rivals = slices.Concat(inside, outside)
			outside = append(outside, pattern)
		}
		for _, rival := range rivals {
			if reason := conflictOf(pattern, rival); reason != "" {
				wrong("route %q conflicts with route %q: %s", pattern, rival, reason)
			}
		}
	}
	return errs
}

// checkPattern says what is wrong with a pattern by itself.
func checkPattern(pattern string) error {
	_, path := splitPattern(pattern)
	if strings.Index(path, "/") > 0 {
		return errors.New("the pattern has a host; it must be relative to the base URL and begin with a slash")
	}
	if err := register(http.NewServeMux(), pattern); err != nil {
		if inner := errors.Unwrap(err); inner != nil && !holdsUserInfo(pattern) {
			return fmt.Errorf("the pattern is malformed: %w", inner)
		}
		return errors.New("the pattern is malformed")
	}
	if path != cleanPath(path) {
		return errors.New("the path is not clean, so it can match nothing")
	}
	return nil
}

// quotePattern returns a pattern as messages name it.
func quotePattern(pattern string) string {
	if holdsUserInfo(pattern) {
		pattern = redacted + pattern[strings.LastIndex(pattern, "@"):]
	}
	return strconv.Quote(pattern)
}

// holdsUserInfo reports whether a pattern looks like a whole URL with user
// info, which is a likely mistake and must not show a password.
func holdsUserInfo(pattern string) bool {
	at := strings.LastIndex(pattern, "@")
	return at >= 0 && strings.Contains(pattern[:at], ":")
}

// conflictOf returns why two patterns conflict, or "" if they do not.
func conflictOf(a, b string) string {
	mux := http.NewServeMux()
	_ = register(mux, b)
	err := register(mux, a)
	if err == nil {
		return ""
	}
	// ServeMux's message has a first line with source positions in it, which
	// are places in this package, and a second line with the reason.
	if _, reason, found := strings.Cut(err.Error(), ":\n"); found {
		return strings.ReplaceAll(reason, "\n", " ")
	}
	return "both match some request, and neither is more specific"
}

// register adds a pattern to mux and returns, as an error, what ServeMux panics
// with.
func register(mux *http.ServeMux, pattern string) (err error) {
	defer func() {
		switch v := recover().(type) {
		case nil:
		case error:
			err = v
		default:
			err = fmt.Errorf("%v", v)
		}
	}()
	mux.Handle(pattern, route(Mandatory))
	return nil
}

// splitPattern splits a well-formed pattern into its method, which may be
// empty, and the rest.
func splitPattern(pattern string) (method, rest string) {
	if i := strings.IndexAny(pattern, " \t"); i >= 0 {
		return pattern[:i], strings.TrimLeft(pattern[i:], " \t")
	}
	return "", pattern
}

// literalPath returns the one path that a pattern's path matches, if there is
// one and every server reads it alike.
func literalPath(path string) (literal string, ok bool) {
	if strings.HasSuffix(path, "/") || decodeSlashes(path) != path {
		return "", false
	}
	literal, err := url.PathUnescape(path) // as ServeMux does with each segment
	return literal, err == nil && isPlain(literal)
}
