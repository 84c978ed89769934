package main

import (
	"context"
	"slices"
)

// tries is how often a test runs before it counts as failed. Some of net/http's
// measure time, and on a busy machine they fail now and then.
const tries = 3

// runTries runs the selected tests, and packages again in which missed names
// tests that did not pass, until there are none or nobody expects it any more. It
// also returns the tests that did not pass at first.
func (s suite) runTries(ctx context.Context, sel selection, env []string, missed func(results) []testName) (got results, again []testName, err error) {
	if got, err = s.run(ctx, sel, env); err != nil {
		return nil, nil, err
	}
	for range tries - 1 {
		names := missed(got)
		if len(names) == 0 {
			break
		}
		sel.packages = nil
		for _, n := range names {
			if !slices.Contains(sel.packages, n.pkg) {
				sel.packages = append(sel.packages, n.pkg)
			}
		}
		more, err := s.run(ctx, sel, env)
		if err != nil {
			return nil, nil, err
		}
		for _, n := range names {
			if more[n].outcome == passed {
				got[n] = more[n]
				again = append(again, n)
			}
		}
	}
	return got, again, nil
}
