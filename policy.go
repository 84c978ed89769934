package routeauth

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Policy says which requests are an API's and which of its endpoints demand the
// credential. It is immutable and safe for concurrent use. The zero value has
// nothing in scope.
//
// The scope is the base URL's scheme, host, port and path prefix. The prefix
// ends at a segment boundary: /v1 covers /v1 and /v1/files, not /v10. The case
// of ASCII letters in the host and the scheme's default port make no
// difference; internationalized names, spellings of an IPv6 address and a
// trailing dot are compared as text, and what differs is out of scope. Only
// [url.URL.Host] counts; [http.Request.Host] plays no part.
//
// Servers differ in how they read a path: which escapes they decode, whether a
// backslash is a slash, whether a segment ends at a semicolon, whether the path
// ends at an escaped space, question mark or number sign, whether slashes are
// merged. A path is in scope only if it lies under the prefix as it is written
// and in each of these readings, by one server after another. A path of more
// than 8 KiB in which some server sees a dot segment is out of scope. So is one
// that holds a dot, a slash, a backslash or a semicolon encoded twice, or an
// escaped control character, and a URL with Opaque set. The prefix is compared
// as text: escapes in a base URL are best written as net/url writes them, with
// capital letters and only where they are needed.
type Policy struct {
	scope   scope
	literal map[string][]literalRoute // by path; answers without asking mux
	mux     *http.ServeMux            // holds every route
}

// Requirement says which credential an endpoint takes.
type Requirement uint8

const (
	// Mandatory marks an endpoint that demands the credential. It is the zero
	// value, and what an endpoint without a route is.
	Mandatory Requirement = iota
	// Optional marks an endpoint that takes the weaker one.
	Optional
	// Public marks an endpoint that is the API's and takes none.
	Public
)

// String returns "mandatory", "optional" or "public".
func (r Requirement) String() string {
	switch r {
	case Mandatory:
		return "mandatory"
	case Optional:
		return "optional"
	case Public:
		return "public"
	}
	return fmt.Sprintf("Requirement(%d)", uint8(r))
}

// literalRoute is a route without wildcards at some path.
type literalRoute struct {
	method      string // empty for every method
	requirement Requirement
}

// Routes are patterns of [http.ServeMux] without a host, with paths relative to
// the base URL, such as "POST /operations" or "GET /operations/{id}".
//
// ServeMux's precedence holds: the most specific pattern wins, and GET also
// matches HEAD. What matches no pattern is mandatory; so are the method CONNECT
// and a path with an encoded dot segment. A path that is not clean is matched
// as its clean form, and sent as it is. The path /files, where only /files/ has
// a route, takes the requirement of /files/.
type Routes map[string]Requirement

// PolicyOption changes what [NewPolicy] accepts.
type PolicyOption func(*policyConfig) error

type policyConfig struct{ allowPlaintext bool }

// AllowPlaintext lets a policy have an http:// base URL on a host that is not
// loopback. Anyone on the network path can then read the credential.
func AllowPlaintext() PolicyOption {
	return func(c *policyConfig) error {
		c.allowPlaintext = true
		return nil
	}
}

// NewPolicy returns the policy of the API at baseURL. Later changes of routes
// have no effect on it.
//
// The error joins everything that is wrong, in the order of the messages'
// texts: a base URL that is malformed, relative, neither https nor http,
// plaintext (see [AllowPlaintext]), has user info, a query, a fragment, an
// empty host, a port that is none, or a path that is not clean, that servers
// may read differently or that holds a brace; a pattern that is malformed, has
// a host, can match nothing or conflicts with another; a requirement that is
// none; an option that is nil. A message about a route names its pattern. No
// message shows the base URL, which may hold a password.
func NewPolicy(baseURL string, routes Routes, opts ...PolicyOption) (*Policy, error) {
	var config policyConfig
	errs := apply(&config, "policy", opts)
	scope, scopeErrs := newScope(baseURL, config.allowPlaintext)
	routeErrs := checkRoutes(routes)
	if errs = slices.Concat(errs, scopeErrs, routeErrs); len(errs) > 0 {
		slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
		return nil, joinErrors(errs...)
	}

	p := &Policy{scope: scope, literal: make(map[string][]literalRoute), mux: http.NewServeMux()}
	for pattern, requirement := range routes {
		method, path := splitPattern(pattern)
		path = scope.prefix + path
		p.mux.Handle(method+" "+path, route(requirement))
		if literal, ok := literalPath(path); ok && scope.covers(literal) {
			p.literal[literal] = append(p.literal[literal], literalRoute{method, requirement})
		}
	}
	// What no route matches is mandatory. ServeMux is much faster at finding a
	// route for it than at finding none, where it looks through other methods.
	// Its error, that some route matches everything already, is as good.
	_ = register(p.mux, "/")
	return p, nil
}

// Requirement returns which credential req takes, and whether it is the API's
// at all. What is not in scope is reported as mandatory, and takes none. It
// reads req's method and URL and changes nothing.
func (p *Policy) Requirement(req *http.Request) (r Requirement, inScope bool) {
	if p == nil || p.mux == nil || req == nil || req.URL == nil {
		return Mandatory, false
	}
	return p.requirement(req.Method, req.URL)
}

func (p *Policy) requirement(method string, u *url.URL) (r Requirement, inScope bool) {
	if !p.scope.hasOrigin(u) {
		return Mandatory, false
	}
	if r, found := p.literalRequirement(method, u); found {
		return r, true
	}
	reading, inScope := p.scope.read(u)
	if !inScope || reading.encodedDots || method == http.MethodConnect || hasSlashSegment(reading.written) {
		return Mandatory, inScope
	}
	return p.routedRequirement(method, reading.written), true
}

// leftScope reports whether req is a hop of a redirect chain of which some hop
// was not in scope.
func (p *Policy) leftScope(req *http.Request) bool {
	return !everyHopBefore(req, func(hop *url.URL) bool {
		if !p.scope.hasOrigin(hop) {
			return false
		}
		_, inScope := p.scope.read(hop)
		return inScope
	})
}

// hasSlashSegment reports whether a segment is nothing but an escaped slash,
// which ServeMux takes for the end of the path.
func hasSlashSegment(written string) bool {
	for segment := range strings.SplitSeq(written, "/") {
		if strings.EqualFold(segment, "%2f") {
			return true
		}
	}
	return false
}

// literalRequirement answers for a path that is itself a route. Every server
// reads such a path alike, it lies under the prefix, and no other pattern that
// matches it is more specific: ServeMux refuses, say, "POST /{id}" beside
// "/files", of which neither is.
func (p *Policy) literalRequirement(method string, u *url.URL) (Requirement, bool) {
	if u.RawPath != "" || u.Opaque != "" || method == http.MethodConnect {
		return Mandatory, false
	}
	routes := p.literal[u.Path]
	if len(routes) == 0 {
		return Mandatory, false
	}
	method = cmp.Or(method, http.MethodGet)
	for {
		for _, route := range routes {
			if route.method == method {
				return route.requirement, true
			}
		}
		switch method {
		case http.MethodHead:
			method = http.MethodGet
		case "":
			return Mandatory, false
		default:
			method = ""
		}
	}
}

// routedRequirement asks ServeMux. For a path that is not clean or lacks a
// trailing slash ServeMux would redirect; here, the place where it would
// redirect to is asked for.
func (p *Policy) routedRequirement(method, written string) Requirement {
	clean := cleanPath(written)
	for _, path := range []string{clean, clean + "/"} {
		decoded, err := url.PathUnescape(path)
		if err != nil {
			return Mandatory
		}
		asked := &http.Request{Method: cmp.Or(method, http.MethodGet), URL: &url.URL{Path: decoded, RawPath: path}}
		handler, _ := p.mux.Handler(asked)
		if r, found := handler.(route); found {
			return Requirement(r)
		}
	}
	return Mandatory
}
