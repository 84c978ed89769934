package roundtriptest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// clause is one promise that a wrapper is held to.
type clause struct {
	name     string // theme/promise
	requires string // the promise, about the wrapper

	// A clause of the contract quotes the sentences that ask for it. Any other
	// has a reason, and says what net/http itself does.
	quotes  []sentence
	reason  string
	netHTTP string

	// check returns what the wrapper did wrong, or a notApplicable. It looks at
	// its own promise alone: what another clause reports is not an error here.
	check func(s *suite) error
}

// notApplicable is why a clause has no meaning for a wrapper.
type notApplicable string

func (n notApplicable) Error() string { return string(n) }

var (
	contract = slices.Concat(sentClauses, requestClauses, bodyClauses, contextClauses, waitClauses,
		statusClauses, responseClauses, responseBodyClauses, concurrencyClauses)
	credential = slices.Concat(credentialClauses, redirectClauses)
	advice     = adviceClauses
)

// clauses returns those that the wrapper under test is put through.
func (s *suite) clauses() []clause {
	clauses := slices.Clone(contract)
	if s.credential != "" {
		clauses = append(clauses, credential...)
	}
	if s.strict {
		clauses = append(clauses, advice...)
	}
	return clauses
}

// clauseNames returns the names of all clauses.
func clauseNames() (names []string) {
	for _, c := range slices.Concat(contract, credential, advice) {
		names = append(names, c.name)
	}
	return names
}

func (c clause) theme() string {
	theme, _, _ := strings.Cut(c.name, "/")
	return theme
}

// report says what went wrong, and what it breaks.
func (c clause) report(found error) string {
	lines := []string{found.Error()}
	switch c.theme() {
	case "advice":
		lines = append(lines, "advice, which net/http's documentation does not ask for: "+c.requires)
	case "credential", "redirect":
		lines = append(lines, "a credential requires: "+c.requires)
	default:
		lines = append(lines, "the contract requires: "+c.requires)
	}
	for _, quote := range c.quotes {
		lines = append(lines, quote.String())
	}
	if c.reason != "" {
		lines = append(lines, "why: "+c.reason)
	}
	if c.netHTTP != "" {
		lines = append(lines, "net/http itself: "+c.netHTTP)
	}
	return strings.Join(lines, "\n")
}

// findings collects what one clause found, in the order in which it was found,
// which is the same at every run. A wrapper that breaks a promise for every
// status breaks it once: only the first few are shown.
type findings struct {
	texts   []string
	crashes []crash
}

const shownFindings = 4

// about adds what went wrong with one of many requests. A crash that they share
// is told once.
func (f *findings) about(what string, err error) {
	if c, ok := crashed(err); ok {
		if slices.Contains(f.crashes, c) {
			return
		}
		f.crashes = append(f.crashes, c)
	}
	f.addf("%s: %v", what, err)
}

func (f *findings) addf(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(f.texts, text) {
		f.texts = append(f.texts, text)
	}
}

func (f *findings) err() error {
	switch n := len(f.texts); {
	case n == 0:
		return nil
	case n > shownFindings+1:
		return fmt.Errorf("%s\nand %d more like these", strings.Join(f.texts[:shownFindings], "\n"), n-shownFindings)
	}
	return errors.New(strings.Join(f.texts, "\n"))
}
