package roundtriptest

import (
	"net"
	"net/http"
	"net/url"
	"sync"
)

// redirectClauses say where a wrapper sends its credential when an http.Client
// follows redirects through it.
var redirectClauses = []clause{{
	name:     "redirect/other-host",
	requires: "no credential goes to another host that a redirect leads to, not even to one whose name only looks similar",
	reason:   "the server that answers chooses where a redirect leads (RFC 9110, section 15.4)",
	netHTTP: "a Client does not forward Authorization, WWW-Authenticate and Cookie to another domain; " +
		"it forwards every other field, such as X-Api-Key",
	check: keepsCredentialFromOtherHosts,
}, {
	name:     "redirect/further",
	requires: "no credential goes anywhere that another host redirects to, including that host itself",
	reason:   "two hops on the same host do not make it the right host",
	netHTTP:  "a Client compares each hop with the first request, and forwards nothing of that kind once a hop has left its domain",
	check:    keepsCredentialFromFurtherHops,
}, {
	name:     "redirect/subdomain",
	requires: "no credential goes to a subdomain that a redirect leads to",
	reason:   "a subdomain is another origin and may have another owner (RFC 9110, section 4.3.1)",
	netHTTP:  "a Client forwards Authorization to subdomains, as it does all other fields",
	check: keepsCredentialFrom(func(s *suite) *url.URL {
		return s.at("sub." + s.url.Host)
	}),
}, {
	name:     "redirect/port",
	requires: "no credential goes to another port that a redirect leads to",
	reason:   "another port is another origin and may be another user's server (RFC 9110, section 4.3.1)",
	netHTTP:  "a Client looks at the host's name alone, and forwards Authorization to its other ports",
	check: keepsCredentialFrom(func(s *suite) *url.URL {
		port := "8443"
		if s.url.Port() == port {
			port = "9443"
		}
		return s.at(net.JoinHostPort(s.url.Hostname(), port))
	}),
}, {
	name:     "redirect/downgrade",
	requires: "no credential goes to where a redirect from https to http leads",
	reason:   "anyone on the network path can read it there (RFC 6750, section 5.3: always TLS)",
	netHTTP:  "a Client looks at the host's name alone, and forwards Authorization from https to http",
	check:    keepsCredentialFromPlaintext,
}, {
	name:     "redirect/return",
	requires: "no credential goes with a redirect chain that left the host, or https, and comes back",
	reason:   "another server chose the URL that it goes to",
	netHTTP:  "a Client does not forward Authorization again once a hop has left the domain (CVE-2024-45336); it does after one over http",
	check:    keepsCredentialFromReturningChains,
}}

// hop is a request of a redirect chain as the base got it.
type hop struct {
	url        string
	credential bool
}

// follow sends a request with an http.Client through the wrapper. The base
// redirects it to each location in turn and answers the last with 200. It
// returns the requests that the base got, at least one, and the response that
// the client returned, or nil: a wrapper may refuse to follow.
func (s *suite) follow(locations ...*url.URL) ([]hop, *http.Response, error) {
	var mu sync.Mutex
	var hops []hop
	wrapper, err := s.over(roundTripFunc(func(sent *http.Request) (*http.Response, error) {
		mu.Lock()
		defer mu.Unlock()
		nth := len(hops)
		hops = append(hops, hop{sent.URL.String(), len(s.credentials(sent.Header)) > 0})
		if nth >= len(locations) {
			return answer(sent, http.StatusOK), nil
		}
		resp := answer(sent, http.StatusFound)
		resp.Header.Set("Location", locations[nth].String())
		return resp, nil
	}))
	if err != nil {
		return nil, nil, err
	}
	resp, err := (&http.Client{Transport: wrapper}).Do(s.get())
	discard(resp)
	mu.Lock()
	defer mu.Unlock()
	if len(hops) == 0 {
		return nil, nil, notArrived(err)
	}
	return hops, resp, nil
}

// carried adds a finding if the hop with this number carried the credential.
func (s *suite) carried(found *findings, hops []hop, nth int) {
	if nth < len(hops) && hops[nth].credential {
		found.addf("redirect %d, from %s to %s, carried %s", nth, hops[nth-1].url, hops[nth].url, s.credential)
	}
}

// anotherHost is in a domain that is nobody's (RFC 6761, section 6.4).
const anotherHost = "elsewhere.invalid"

// at returns the URL of the first request with another host.
func (s *suite) at(host string) *url.URL {
	u := *s.url
	u.Host = host
	return &u
}

// plain returns the URL of the first request over plain http.
func (s *suite) plain() *url.URL {
	u := *s.url
	u.Scheme = "http"
	return &u
}

// keepsCredentialFrom returns the check of a clause about one redirect.
func keepsCredentialFrom(target func(s *suite) *url.URL) func(s *suite) error {
	return func(s *suite) error {
		var found findings
		hops, _, err := s.follow(target(s))
		if err != nil {
			return err
		}
		s.carried(&found, hops, 1)
		return found.err()
	}
}

func keepsCredentialFromOtherHosts(s *suite) error {
	var found findings
	// With an IP address, the last two are nobody's names, which does no harm.
	for _, host := range []string{anotherHost, "not" + s.url.Host, s.url.Hostname() + "." + anotherHost} {
		hops, _, err := s.follow(s.at(host))
		if err != nil {
			return err
		}
		s.carried(&found, hops, 1)
	}
	return found.err()
}

func keepsCredentialFromFurtherHops(s *suite) error {
	var found findings
	hops, _, err := s.follow(s.at(anotherHost), s.at(anotherHost))
	if err != nil {
		return err
	}
	s.carried(&found, hops, 2)
	return found.err()
}

func keepsCredentialFromPlaintext(s *suite) error {
	if s.url.Scheme == "http" {
		return notApplicable("the URL of WithURL is plain http already")
	}
	return keepsCredentialFrom((*suite).plain)(s)
}

func keepsCredentialFromReturningChains(s *suite) error {
	var found findings
	hops, _, err := s.follow(s.at(anotherHost), s.url)
	if err != nil {
		return err
	}
	s.carried(&found, hops, 2)
	if s.url.Scheme == "http" {
		return found.err()
	}
	// Whoever reads plain http chooses where it leads. A wrapper that sends the
	// credential over it breaks redirect/downgrade.
	hops, _, err = s.follow(s.plain(), s.url)
	if err != nil {
		return err
	}
	if len(hops) > 1 && !hops[1].credential {
		s.carried(&found, hops, 2)
	}
	return found.err()
}
