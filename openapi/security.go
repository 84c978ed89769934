package openapi

import (
	"fmt"
	"slices"
	"strings"

	"example.com/routeauth"
)

// security is what an operation or a document asks for.
type security struct {
	alternatives [][]string // schemes that are asked for together; an empty one asks for nothing
	own          bool       // the operation's, not the document's
	missing      bool       // there is none
	malformed    bool       // some of it cannot be read, and may ask for anything, as null may
}

// readSecurity reads a list of security requirements, and remembers the schemes
// that it names.
func (r *reader) readSecurity(v value) *security {
	s := &security{}
	switch v.kind() {
	case absent:
		s.missing = true
		return s
	case list:
	default:
		s.malformed = true
		return s
	}
	for _, alternative := range v.items() {
		if alternative.kind() != object {
			s.malformed = true
			continue
		}
		schemes := []string{}
		for _, m := range alternative.members() {
			r.schemes[m.name] = true
			schemes = append(schemes, m.name)
		}
		s.alternatives = append(s.alternatives, schemes)
	}
	return s
}

// requirement returns the requirement that follows from a security, and why.
func (s *security) requirement(optional []string) (routeauth.Requirement, string) {
	if s.missing {
		return routeauth.Public, "neither the operation nor the document has a security"
	}
	whose := "the document's security"
	if s.own {
		whose = "its security"
	}
	if len(s.alternatives) == 0 && !s.malformed {
		return routeauth.Public, whose + " is empty"
	}
	for _, schemes := range s.alternatives {
		if len(schemes) == 0 {
			return routeauth.Optional, whose + " has {}, no credential, among the alternatives"
		}
	}
	for _, schemes := range s.alternatives {
		if !slices.ContainsFunc(schemes, func(name string) bool { return !slices.Contains(optional, name) }) {
			return routeauth.Optional, fmt.Sprintf("%s takes %s, which is optional", whose, together(schemes))
		}
	}
	if s.malformed {
		return routeauth.Mandatory, whose + " cannot be read: it must be a list of objects"
	}
	return routeauth.Mandatory, whose + " asks for " + s.asked()
}

// maxAsked is how many alternatives a reason names, and how many schemes of each.
const maxAsked = 4

// together names schemes that are asked for together.
func together(schemes []string) string {
	var names []string
	for _, name := range schemes[:min(len(schemes), maxAsked)] {
		names = append(names, shorten(name))
	}
	if more := len(schemes) - maxAsked; more > 0 {
		names = append(names, fmt.Sprintf("%d others", more))
	}
	return strings.Join(names, " with ")
}

func (s *security) asked() string {
	var asked []string
	for _, schemes := range s.alternatives[:min(len(s.alternatives), maxAsked)] {
		asked = append(asked, together(schemes))
	}
	if more := len(s.alternatives) - maxAsked; more > 0 {
		asked = append(asked, fmt.Sprintf("%d others", more))
	}
	return strings.Join(asked, " or ")
}
