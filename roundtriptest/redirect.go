package roundtriptest

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
)

// redirectClauses say where a wrapper sends its credential when an http.Client
// follows redirects through it.
var redirectClauses = []clause{{
	name:   "redirect/cross-origin",
	wants:  "no credential goes to another host, a subdomain or another port that a redirect leads to, nor any further from there",
	stands: "RFC 9110, sections 4.3.1 (scheme, host and port) and 15.4; net/http, Client, on sensitive headers; CVE-2024-45336",
	check:  keepsCredentialFromOtherOrigins,
}, {
	name:   "redirect/downgrade",
	wants:  "no credential goes to where a redirect from https to http leads",
	stands: "RFC 6750, section 5.3 (always TLS); RFC 9110, section 4.3.1",
	check:  keepsCredentialFromPlaintext,
}, {
	name:   "redirect/return",
	wants:  "no credential goes with a redirect chain that left the origin, or https, and comes back: somebody else chose where it goes",
	stands: "RFC 9110, section 15.4; net/http, Client: sensitive headers that were dropped stay dropped",
	check:  keepsCredentialFromReturningChains,
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
	client := &http.Client{Transport: s.over(roundTripFunc(func(sent *http.Request) (*http.Response, error) {
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
	}))}
	resp, err := client.Do(s.get())
	discard(resp)
	mu.Lock()
	defer mu.Unlock()
	if len(hops) == 0 {
		return nil, nil, notArrived(err)
	}
	return hops, resp, nil
}

// at returns the URL of the first request with another host.
func (s *suite) at(host string) *url.URL {
	u := *s.url
	u.Host = host
	return &u
}

func keepsCredentialFromOtherOrigins(s *suite) error {
	host := s.url.Hostname()
	port := "8443"
	if s.url.Port() == port {
		port = "9443"
	}
	elsewhere := []string{
		anotherHost,
		net.JoinHostPort(host, port),
		// For an IP address these are nobody's names, which does no harm.
		"sub." + host,
		"not" + host,
		host + "." + anotherHost,
	}
	var found findings
	for _, target := range elsewhere {
		hops, _, err := s.follow(s.at(target), s.at(target))
		found.add(err)
		for i, hop := range hops {
			if i > 0 && hop.credential {
				found.addf("redirect %d, to %s, carried %s", i, hop.url, s.credential)
			}
		}
	}
	return found.err()
}

// anotherHost is in a domain that is nobody's (RFC 6761, section 6.4).
const anotherHost = "elsewhere.invalid"

func keepsCredentialFromPlaintext(s *suite) error {
	if s.url.Scheme == "http" {
		return notApplicable("the URL of WithURL is plain http already")
	}
	hops, _, err := s.follow(s.plain())
	if err != nil {
		return err
	}
	if len(hops) > 1 && hops[1].credential {
		return fmt.Errorf("the redirect to %s carried %s", hops[1].url, s.credential)
	}
	return nil
}

// plain returns the URL of the first request over plain http.
func (s *suite) plain() *url.URL {
	u := *s.url
	u.Scheme = "http"
	return &u
}

func keepsCredentialFromReturningChains(s *suite) error {
	var found findings
	hops, _, err := s.follow(s.at(anotherHost), s.url)
	found.add(err)
	if len(hops) > 2 && hops[2].credential {
		found.addf("after a redirect to %s, the one back to %s carried %s", hops[1].url, hops[2].url, s.credential)
	}
	if s.url.Scheme == "http" {
		return found.err()
	}
	// Whoever reads plain http chooses where it leads. A wrapper that sends the
	// credential over it breaks redirect/downgrade.
	hops, _, err = s.follow(s.plain(), s.url)
	found.add(err)
	if len(hops) > 2 && hops[2].credential && !hops[1].credential {
		found.addf("after a redirect to %s, the one back to %s carried %s", hops[1].url, hops[2].url, s.credential)
	}
	return found.err()
}
