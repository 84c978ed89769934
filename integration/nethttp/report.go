package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
)

// report prints what came of the trials, each as it ends.
type report struct {
	w       io.Writer
	verbose bool
	without results
	trials  []*trial
}

// rowFormat is that of the table: place, wrapper, and the numbers of tests.
const rowFormat = "%-6s %-32s %7v %14v %11v %6v %12v %7v\n"

func (r *report) printHead(goVersion string, wanted []testName) {
	fmt.Fprintf(r.w, "net/http's own tests, %s %s/%s: %d run, %d pass without us\n",
		goVersion, runtime.GOOS, runtime.GOARCH, r.run(), count(wanted))
	for _, n := range r.without.with(failed) {
		fmt.Fprintf(r.w, "  failed without us: %v\n", n)
	}
	fmt.Fprintf(r.w, "\n"+rowFormat, "place", "wrapper", "run", "passed without", "passed with", "again", "on the list", "failed")
}

func (r *report) run() int { return count(r.without.with(passed)) + count(r.without.with(failed)) }

func (r *report) printRow(t *trial) {
	r.trials = append(r.trials, t)
	excused, failed := t.failed()
	fmt.Fprintf(r.w, rowFormat, t.choice.Place, t.choice.Wrapper.Name, r.run(), count(t.wanted),
		count(t.passed()), count(t.again), count(excused), count(failed))
	for _, n := range failed {
		fmt.Fprintf(r.w, "  FAILED: %v\n", n)
	}
}

// count leaves out what is no test.
func count(names []testName) int {
	n := 0
	for _, name := range names {
		if name.test != testMain {
			n++
		}
	}
	return n
}

// printEnd prints the list, and everything that the table only counts. It
// reports whether all is well.
func (r *report) printEnd() (ok bool) {
	r.printList()
	ok = true
	for _, t := range r.trials {
		for _, n := range t.again {
			fmt.Fprintf(r.w, "passed when run again, %v: %v\n", t.choice, n)
		}
		excused, failed := t.failed()
		if r.verbose {
			for _, n := range excused {
				fmt.Fprintf(r.w, "on the list, %v: %v\n%s\n", t.choice, n, shortened(t.got[n].output))
			}
		}
		for _, n := range failed {
			ok = false
			fmt.Fprintf(r.w, "FAILED, %v: %v\n%s\n", t.choice, n, shortened(t.got[n].output))
		}
		for _, n := range t.idle() {
			ok = false
			fmt.Fprintf(r.w, "PASSED AND IS ON THE LIST, %v: %v\n", t.choice, n)
		}
	}
	return ok
}

// printList prints each reason on the list, and the tests that failed for it.
func (r *report) printList() {
	fmt.Fprintf(r.w, "\nThe list:\n")
	for i := range exceptions {
		var tests []string
		for _, t := range r.trials {
			for _, e := range t.listed {
				if e.exception == &exceptions[i] && e.mayFail(t.choice.Wrapper) {
					tests = append(tests, fmt.Sprintf("%v (%s)", e.test, t.choice.Place))
				}
			}
		}
		if len(tests) == 0 {
			continue
		}
		slices.Sort(tests)
		fmt.Fprintf(r.w, "- %s\n    %s\n", exceptions[i].reason, strings.Join(slices.Compact(tests), "\n    "))
	}
	fmt.Fprintln(r.w)
}

// shortened returns the beginning of what a test printed. A process that did not
// end says more than anybody reads.
func shortened(output string) string {
	const most = 4 << 10
	if len(output) > most {
		return output[:most] + "\n[and more]"
	}
	return output
}
