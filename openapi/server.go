package openapi

import (
	"slices"
	"strings"
)

// BaseURLs returns the base URLs that the document names, without a last slash:
// those of its servers in their order, then those that only paths and operations
// have. Each is there once.
//
// The variables of a server have their defaults. A server that is relative to
// where the document is, such as /v1, is returned as it is, because a Document
// does not know where it came from. Of Swagger, host, basePath and schemes make a
// base URL for each of the schemes https and http, https first; without schemes
// it is https, and without a host it is the basePath.
//
// A table of routes is for one base URL. Operation.Why names the server of an
// operation that has another one.
func (d *Document) BaseURLs() []string { return slices.Clone(d.baseURLs) }

func (r *reader) baseURLs(operations []operation) []string {
	urls := readServers(r.fields["servers"]).urls
	if r.fields["swagger"].kind() != absent {
		urls = swaggerURLs(r.fields)
	}
	for _, op := range operations {
		urls = append(urls, op.servers.urls...)
	}
	known := make(map[string]bool)
	return slices.DeleteFunc(urls, func(u string) bool {
		again := known[u]
		known[u] = true
		return again
	})
}

// servers are those of a document, a path item or an operation.
type servers struct {
	urls   []string
	unread bool // some of them cannot be read
}

// readServers reads a list of servers.
func readServers(v value) (s servers) {
	s.unread = v.kind() != absent && v.kind() != list
	for _, server := range v.items() {
		fields := server.fields()
		u := fields["url"].text()
		if u == "" || !v.work.spend(len(u)) {
			s.unread = true
			continue
		}
		s.urls = append(s.urls, withoutLastSlash(withDefaults(u, fields["variables"])))
	}
	return s
}

// withDefaults puts the defaults of variables into a URL. It does so once: a
// default that has a variable in it would come to any length with another.
func withDefaults(u string, variables value) string {
	fields := variables.fields()
	var filled strings.Builder
	for {
		before, rest, found := strings.Cut(u, "{")
		filled.WriteString(before)
		if !found {
			return filled.String()
		}
		u = rest
		name, after, closed := strings.Cut(rest, "}")
		byDefault := fields[name].fields()["default"]
		if !closed || byDefault.kind() != scalar || !variables.work.spend(len(byDefault.text())) {
			filled.WriteByte('{')
			continue
		}
		filled.WriteString(byDefault.text())
		u = after
	}
}

func swaggerURLs(fields map[string]value) (urls []string) {
	path := fields["basePath"].text()
	if path != "" && !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	host := fields["host"].text()
	if host == "" {
		if path == "" {
			return nil
		}
		return []string{withoutLastSlash(path)}
	}
	var schemes []string
	for _, scheme := range fields["schemes"].items() {
		schemes = append(schemes, strings.ToLower(scheme.text()))
	}
	if len(schemes) == 0 {
		schemes = []string{"https"}
	}
	for _, scheme := range []string{"https", "http"} {
		if slices.Contains(schemes, scheme) {
			urls = append(urls, withoutLastSlash(scheme+"://"+host+path))
		}
	}
	return urls
}

// withoutLastSlash cuts off a last slash, since paths begin with one.
func withoutLastSlash(u string) string {
	if trimmed := strings.TrimRight(u, "/"); trimmed != "" {
		return trimmed
	}
	return "/"
}
