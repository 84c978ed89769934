package routeauth

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// route is a requirement as the handler of its patterns in a ServeMux, which is
// only asked for it and never serves.
type route Requirement

func (route) ServeHTTP(http.ResponseWriter, *http.Request) {}

// checkRoutes returns everything that is wrong with routes.
func checkRoutes(routes Routes) (errs []error) {
	var accepted []string
	all := http.NewServeMux()
	for _, pattern := range slices.Sorted(maps.Keys(routes)) {
		if routes[pattern] > Optional {
			errs = append(errs, fmt.Errorf("route %q: %v is neither Mandatory nor Optional", pattern, routes[pattern]))
		}
		if err := checkPattern(pattern); err != nil {
			errs = append(errs, fmt.Errorf("route %q: %w", pattern, err))
			continue
		}
		if register(all, pattern) != nil {
			for _, other := range accepted {
				if conflict := conflictOf(pattern, other); conflict != "" {
					errs = append(errs, fmt.Errorf("route %q conflicts with route %q: %s", pattern, other, conflict))
				}
			}
		}
		accepted = append(accepted, pattern)
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
		if inner := errors.Unwrap(err); inner != nil {
			err = inner // without the pattern, which the caller names
		}
		return fmt.Errorf("the pattern is malformed: %w", err)
	}
	if path != cleanPath(path) {
		return errors.New("the path is not clean, so it can match nothing")
	}
	return nil
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
