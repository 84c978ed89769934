package roundtriptest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"
)

// WrapFunc returns a new wrapper over base, or an error if it cannot make one.
type WrapFunc = func(base http.RoundTripper) (http.RoundTripper, error)

// Test puts a wrapping [http.RoundTripper] through the contract. Each clause is
// a subtest with its name; one that fails says what happened, what the contract
// requires, and the sentence of net/http's documentation that was broken.
//
// wrap is called several times, from one goroutine at a time, and returns a new
// wrapper each time: what a clause sees does not depend on what another one did.
// A wrapper that sends requests of its own through its base, such as one for a
// token, needs a wrap that answers them before they reach base, since each
// request that reaches base counts.
//
// The requests go to the URL of [WithURL] with different methods, bodies and
// header fields. The bases keep the contract themselves, but for the one of
// advice/broken-base, and none of them needs a network. Bodies are JSON objects
// and come with a GetBody, so that a wrapper can look into them; only where it may
// refuse is there another one, or one without. It may refuse a URL with user info
// or with Opaque, too. Where a clause needs no particular status, the base
// answers 200.
//
// What should happen at once is waited for a few seconds at most, and only where
// it does not happen.
//
// A wrong option, or a wrap that fails, is a failure of t, and no clause is run.
func Test(t *testing.T, wrap WrapFunc, opts ...Option) {
	t.Helper()
	s, err := newSuite(wrap, opts...)
	if err != nil {
		t.Fatal(err)
	}
	if err := recovered(func() error { _, err := s.over(nowhere); return err }); err != nil {
		t.Fatalf("roundtriptest: %v", err)
	}
	for _, c := range s.clauses() {
		t.Run(c.name, func(t *testing.T) {
			t.Helper()
			if reason, skipped := s.skips[c.name]; skipped {
				t.Skip(reason)
			}
			err := s.verdict(c)
			var reason notApplicable
			switch {
			case errors.As(err, &reason):
				t.Skip(reason)
			case err != nil:
				t.Error(c.report(err))
			}
		})
	}
}

// suite is a wrapper under test, what is to be known about it, and what the
// clauses that look at the same requests share.
type suite struct {
	config
	trips   func() trips  // see travelAll
	waits   func() []wait // see waitsOf
	making  sync.Mutex    // of a wrapper
	waiting label         // of what waits
	stuck   bool          // a clause was given up
}

// How long a check waits for what should come at once. Only a check that fails
// waits that long.
const (
	// patience is for RoundTrip to return.
	patience = 5 * time.Second
	// promptly is for what is under way to end: for RoundTrip to return once the
	// context has ended, for a goroutine to close a body.
	promptly = 2 * time.Second
	// afterwards is for a body that nobody seems to be about to close: the wrapper
	// may have left it to a timer, or to a goroutine that it had before.
	afterwards = time.Second
	// lateness is for what is not waited for any longer.
	lateness = 200 * time.Millisecond
)

func newSuite(wrap WrapFunc, opts ...Option) (*suite, error) {
	c, err := newConfig(wrap, opts...)
	s := &suite{config: c, waiting: newLabel()}
	s.trips = sync.OnceValue(s.travelAll)
	s.waits = sync.OnceValue(s.waitsOf)
	return s, err
}

// verdict checks one clause. A panic, and a call that never returns, is a
// failure of that clause alone.
func (s *suite) verdict(c clause) error {
	limit := 6 * patience
	if s.stuck {
		limit = patience // it will be stuck again
	}
	checked := make(chan error, 1)
	go func() { checked <- recovered(func() error { return c.check(s) }) }()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case err := <-checked:
		return err
	case <-timer.C:
		s.stuck = true
		return fmt.Errorf("after %v, a call of the wrapper has not returned", limit)
	}
}

// over returns a new wrapper under test over base.
func (s *suite) over(base http.RoundTripper) (http.RoundTripper, error) {
	s.making.Lock()
	defer s.making.Unlock()
	return apply(s.wrap, base)
}

// apply returns a new wrapper, or why there is none.
func apply(wrap WrapFunc, base http.RoundTripper) (http.RoundTripper, error) {
	wrapper, err := wrap(base)
	switch {
	case err != nil:
		return nil, fmt.Errorf("wrap failed: %w", err)
	case wrapper == nil:
		return nil, errors.New("wrap returned neither a wrapper nor an error")
	}
	return wrapper, nil
}

// nowhere is the base of a wrapper that is made to see whether it can be made.
var nowhere = roundTripFunc(func(sent *http.Request) (*http.Response, error) {
	if sent.Body != nil {
		_ = sent.Body.Close()
	}
	return nil, context.Canceled
})
