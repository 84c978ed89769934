package routeauth

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"example.com/routeauth/internal/origin"
	"example.com/routeauth/internal/route"
	"example.com/routeauth/internal/scope"
)

// Policy says which requests are an API's and which of its endpoints require the
// credential. It is immutable and safe for concurrent use. The zero value has
// nothing in scope.
//
// The scope is the base URL's scheme, host, port and path prefix:
//
//   - The prefix ends at a segment boundary: /v1 has /v1 and /v1/files below it,
//     not /v10. It is compared as text, so escapes in a base URL are best written
//     as net/url writes them, with capital letters and only where needed.
//   - The case of ASCII letters in the host and the scheme's default port make no
//     difference. Internationalized names, spellings of an IPv6 address and a
//     trailing dot are compared as text, and what differs is out of scope. Only
//     [url.URL.Host] counts; [http.Request.Host] plays no part.
//   - A request whose path lies below the prefix as text, and in which some server
//     may see a dot segment, is refused: it is not sent at all. Servers decode a
//     path once or several times, also %u002e and UTF-8 that is longer than it
//     must be; some take a backslash for a slash, or end a segment at a semicolon,
//     a question mark, a number sign, a space or a control character. If a segment
//     is . or .. after all of that, the path is refused, also where it is written
//     so. Clean a path first, as [url.JoinPath] does. A URL of this origin with
//     Opaque set is refused too.
type Policy struct {
	scope  scope.Scope
	table  *route.Table
	routes []compiledRoute
}

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

// maxPolicyErrors is how many mistakes of a policy are named. The rest are
// counted.
const maxPolicyErrors = 100

// NewPolicy returns the policy of the API at baseURL. Later changes of routes
// have no effect on it.
//
// The error joins everything that is wrong, in the order of the messages' texts,
// the first hundred and a count of the rest: a base URL that is malformed,
// relative, neither https nor http, plaintext (see [AllowPlaintext]), has user
// info, a query, a fragment, an empty host, an invalid port, or a path that is
// not clean, that servers may read in different ways or that has a brace; a
// pattern that is malformed, has a host, can match nothing or conflicts with
// another; an unknown requirement; an option that is nil. A message about a route
// names its pattern and says what to write. No message shows the base URL, which
// may hold a password.
func NewPolicy(baseURL string, routes Routes, opts ...PolicyOption) (*Policy, error) {
	var config policyConfig
	errs := apply(&config, "policy", opts)
	scope, scopeErrs := scope.New(baseURL, config.allowPlaintext)
	compiled, table, routeErrs := compile(routes)
	errs = slices.DeleteFunc(slices.Concat(errs, scopeErrs, routeErrs), func(err error) bool { return err == nil })
	if len(errs) > 0 {
		return nil, joinErrors(firstErrors(errs)...)
	}
	return &Policy{scope, table, compiled}, nil
}

// firstErrors returns errors in the order of their texts, and a count of those
// that are too many.
func firstErrors(errs []error) []error {
	slices.SortFunc(errs, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
	if more := len(errs) - maxPolicyErrors; more > 0 {
		errs = append(errs[:maxPolicyErrors], fmt.Errorf("and %d more mistakes", more))
	}
	return errs
}

// Match is what a policy says about a request, and why.
type Match struct {
	Verdict     Verdict
	Requirement Requirement // Mandatory unless in scope
	Pattern     string      // of the route that matched, as in Routes; "" where none did
	// Reason is one sentence for a person: the part of the URL that decided, and
	// what the policy wants there. It shows no user info and no query.
	Reason string
}

// Verdict says how a request lies to a policy's scope.
type Verdict uint8

const (
	// OutOfScope is a request to somebody else. It is sent unchanged, without a
	// credential.
	OutOfScope Verdict = iota
	// InScope is a request to the API.
	InScope
	// Refused is a request to the API by the text of its URL, and to somebody else
	// as some server may read it. It is not sent.
	Refused
)

// String returns "out of scope", "in scope" or "refused".
func (v Verdict) String() string {
	switch v {
	case OutOfScope:
		return "out of scope"
	case InScope:
		return "in scope"
	case Refused:
		return "refused"
	}
	return fmt.Sprintf("Verdict(%d)", uint8(v))
}

// Requirement returns which credential req takes, and whether it is the API's at
// all. What is not in scope, or refused, is reported as mandatory, and takes
// none. It reads req's method and URL and changes nothing. A request takes no
// credential, whatever Requirement says, where it is a redirect hop whose chain
// left the scope.
func (p *Policy) Requirement(req *http.Request) (r Requirement, inScope bool) {
	if p == nil || req == nil || req.URL == nil {
		return Mandatory, false
	}
	d := p.decide(req.Method, req.URL)
	return d.requirement, d.verdict == InScope
}

// Match is Requirement with the verdict, the route and the reason. It tells what
// is refused from what is out of scope.
func (p *Policy) Match(req *http.Request) Match {
	switch {
	case p == nil || p.table == nil:
		return Match{Reason: "the policy was not made by NewPolicy"}
	case req == nil:
		return Match{Reason: "there is no request"}
	case req.URL == nil:
		return Match{Reason: errNoURL.Error()}
	}
	d := p.decide(req.Method, req.URL)
	return d.match(p, req.URL)
}

// String is the base URL, and a line for each route in the order of the patterns.
func (p *Policy) String() string {
	if p == nil || p.table == nil {
		return "no policy"
	}
	var text strings.Builder
	text.WriteString(p.scope.BaseURL())
	for _, route := range p.routes {
		fmt.Fprintf(&text, "\n  %-9s  %s", route.requirement, route.pattern)
	}
	return text.String()
}

// decision is what a policy says about a URL, in the form in which it costs
// nothing.
type decision struct {
	verdict     Verdict
	requirement Requirement
	route       *compiledRoute // that matched; nil for none
	segment     string         // why the path is refused
}

func (p *Policy) decide(method string, u *url.URL) decision {
	reading := p.scope.Read(u)
	switch reading.Verdict {
	case scope.Outside:
		return decision{}
	case scope.Refused:
		return decision{verdict: Refused, segment: reading.Segment}
	}
	i, found := p.table.Match(method, reading.Path)
	if !found {
		return decision{verdict: InScope}
	}
	route := &p.routes[i]
	return decision{InScope, route.requirement, route, ""}
}

func (d *decision) match(p *Policy, u *url.URL) Match {
	m := Match{Verdict: d.verdict, Requirement: d.requirement}
	switch {
	case d.verdict == OutOfScope:
		m.Reason = p.reasonOutOfScope(u)
	case d.verdict == Refused:
		m.Reason = d.reasonRefused()
	case d.route == nil:
		m.Reason = "no route matches, so it is mandatory"
	default:
		m.Pattern, m.Reason = d.route.pattern, d.route.reason
	}
	return m
}

// reasonOutOfScope names the first part of a URL that is not the policy's.
func (p *Policy) reasonOutOfScope(u *url.URL) string {
	switch {
	case u.Scheme != p.scope.Scheme():
		return fmt.Sprintf("the scheme is %s, the policy's is %s", shown(u.Scheme), p.scope.Scheme())
	case !p.scope.HasOrigin(u):
		host := u.Host[strings.LastIndexByte(u.Host, '@')+1:] // of a URL that was put together by hand
		return fmt.Sprintf("the host is %s, the policy's is %s", shown(host), shown(p.scope.Host()))
	default:
		return "the path is not below " + cmp.Or(p.scope.Prefix(), "/")
	}
}

// shown returns a part of a URL as a sentence names it: unchanged, unless it is
// missing or has something in it that cannot be seen.
func shown(part string) string {
	if part == "" {
		return "missing"
	}
	if quoted := strconv.Quote(part); quoted[1:len(quoted)-1] != part {
		return quoted
	}
	return part
}

func (d *decision) reasonRefused() string {
	if d.segment == "" {
		return "the URL is opaque, so that its path cannot be judged"
	}
	return fmt.Sprintf("the segment %q may be read as a dot segment", d.segment)
}

// leftScope reports whether req is a hop of a redirect chain of which some hop
// was not in scope.
func (p *Policy) leftScope(req *http.Request) bool {
	return !origin.EveryHopBefore(req, func(hop *url.URL) bool {
		return p.scope.Read(hop).Verdict == scope.Inside
	})
}

// firstOptional returns the first route that is optional, or nil.
func (p *Policy) firstOptional() *compiledRoute {
	for i := range p.routes {
		if p.routes[i].requirement == Optional {
			return &p.routes[i]
		}
	}
	return nil
}
