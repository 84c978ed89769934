package roundtriptest

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
)

// clause is one promise of the contract.
type clause struct {
	name   string // theme/promise
	wants  string // what the contract wants
	stands string // where it stands

	// check returns what the wrapper did wrong, or a notApplicable. It looks at
	// its own promise alone: what another clause reports is no error here.
	check func(s *suite) error
}

// notApplicable is why a clause has no meaning for a wrapper.
type notApplicable string

func (n notApplicable) Error() string { return string(n) }

var (
	commonClauses     = slices.Concat(requestClauses, bodyClauses, contextClauses, responseClauses, transportClauses)
	credentialClauses = slices.Concat(headerClauses, redirectClauses)
)

// clauseNames returns the names of all clauses.
func clauseNames() (names []string) {
	for _, c := range slices.Concat(commonClauses, credentialClauses) {
		names = append(names, c.name)
	}
	return names
}

// clauses returns those that the wrapper under test is put through.
func (s *suite) clauses() []clause {
	if s.credential == "" {
		return commonClauses
	}
	return slices.Concat(commonClauses, credentialClauses)
}

// verdict checks one clause. A panic is a failure of that clause alone.
func (s *suite) verdict(c clause) error {
	return recovered(func() error { return c.check(s) })
}

// recovered returns what f returns, or its panic as an error.
func recovered(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return f()
}

// findings collects what went wrong: a wrapper may call its base on another
// goroutine, or call it again.
type findings struct {
	mu   sync.Mutex
	errs []error
}

func (f *findings) addf(format string, args ...any) { f.add(fmt.Errorf(format, args...)) }

// add takes err, unless it is nil or was said before.
func (f *findings) add(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	said := func(earlier error) bool { return earlier.Error() == err.Error() }
	if err != nil && !slices.ContainsFunc(f.errs, said) {
		f.errs = append(f.errs, err)
	}
}

func (f *findings) err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return errors.Join(f.errs...)
}
