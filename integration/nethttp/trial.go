package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"example.com/routeauth/integration/nethttp/wrapped"
)

// trial is what becomes, with a wrapper in place, of the tests that pass without
// one.
type trial struct {
	choice wrapped.Choice
	wanted []testName // the tests
	listed []excepted // those of them that are on the list

	got   results
	again []testName // passed, but not at first
}

// newTrial returns a trial that did not run yet.
func newTrial(choice wrapped.Choice, wanted []testName) *trial {
	listed := slices.DeleteFunc(exceptionsOf(choice), func(e excepted) bool {
		return !slices.ContainsFunc(wanted, e.covers)
	})
	return &trial{choice: choice, wanted: wanted, listed: listed}
}

// run runs the tests of s. Those on the list run by themselves: one that fails
// can make others fail.
func (t *trial) run(ctx context.Context, s suite, sel selection) error {
	if err := t.checkInPlace(ctx, s, sel); err != nil {
		return err
	}
	rest := sel
	for _, e := range t.listed {
		rest.skip = either(rest.skip, pattern([]testName{e.test}))
	}
	var err error
	t.got, t.again, err = s.runTries(ctx, rest, t.choice.Env(), func(got results) []testName {
		return slices.DeleteFunc(slices.Clone(t.wanted), func(n testName) bool {
			return got[n].outcome == passed || slices.ContainsFunc(t.listed, func(e excepted) bool { return e.covers(n) })
		})
	})
	if err != nil {
		return err
	}
	return t.runListed(ctx, s, sel)
}

// checkInPlace makes sure that requests go through the wrapper. If they did not,
// every test would pass.
func (t *trial) checkInPlace(ctx context.Context, s suite, sel selection) error {
	sel.packages, sel.run = []string{inPlace.pkg}, pattern([]testName{inPlace})
	got, err := s.run(ctx, sel, t.choice.Env())
	if err == nil && got[inPlace].outcome != passed {
		err = fmt.Errorf("the wrapper is not in place: %s", got[inPlace].output)
	}
	return err
}

// listedTimeout bounds a test that may fail. Some then wait for ever.
const listedTimeout = 15 * time.Second

// runListed runs the tests on the list, each in a process of its own and all at
// the same time, for they mostly wait.
func (t *trial) runListed(ctx context.Context, s suite, sel selection) error {
	got := make([]results, len(t.listed))
	errs := make([]error, len(t.listed))
	var group sync.WaitGroup
	for i, e := range t.listed {
		choice, alone := t.choice, sel
		alone.packages, alone.run = []string{e.test.pkg}, pattern([]testName{e.test})
		if e.mayFail(choice.Wrapper) {
			alone.timeout = listedTimeout
		} else {
			choice.KeepUnauthorized = true
		}
		group.Go(func() { got[i], errs[i] = s.run(ctx, alone, choice.Env()) })
	}
	group.Wait()
	for _, r := range got {
		t.got.addMissing(r)
	}
	return errors.Join(errs...)
}
