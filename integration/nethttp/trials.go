package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"example.com/routeauth/integration/nethttp/wrapped"
)

// packageTimeout is for the tests of one package. Those of net/http take half a
// minute on a quiet machine.
const packageTimeout = 5 * time.Minute

// runTrials runs the tests without us and then with each choice, and prints what
// comes of it. It reports whether all is well.
func runTrials(ctx context.Context, w io.Writer, o options, choices []wrapped.Choice) (ok bool, err error) {
	goroot, version, err := findGOROOT(ctx)
	if err != nil {
		return false, err
	}
	dir, err := os.MkdirTemp("", "nethttp")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	with, err := prepare(ctx, filepath.Join(dir, "with"), goroot, true, o.race)
	if err != nil {
		return false, err
	}
	without, err := prepare(ctx, filepath.Join(dir, "without"), goroot, false, o.race)
	if err != nil {
		return false, err
	}

	sel := selection{packages: packages, run: o.run, short: o.short, timeout: packageTimeout}
	r := &report{w: w, verbose: o.verbose}
	r.without, _, err = without.runTries(ctx, sel, nil, func(got results) []testName { return got.with(failed) })
	if err != nil {
		return false, err
	}
	wanted := r.without.with(passed)
	if count(wanted) == 0 {
		return false, fmt.Errorf("no test that passes without us matches %q", o.run)
	}
	r.printHead(version, wanted)
	for _, choice := range choices {
		t := newTrial(choice, wanted)
		if err := t.run(ctx, with, sel); err != nil {
			return false, fmt.Errorf("%v: %w", choice, err)
		}
		r.printRow(t)
	}
	return r.printEnd(), nil
}
