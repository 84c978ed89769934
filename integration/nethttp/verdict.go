package main

import "slices"

// passed returns the tests that passed.
func (t *trial) passed() []testName {
	return slices.DeleteFunc(slices.Clone(t.wanted), func(n testName) bool { return t.got[n].outcome != passed })
}

// failed returns the tests that did not pass: those that may fail, and the rest.
func (t *trial) failed() (excused, failed []testName) {
	failedIn := map[string]bool{} // packages
	for _, n := range t.wanted {
		mayFail := func(e excepted) bool { return e.covers(n) && e.mayFail(t.choice.Wrapper) }
		switch {
		case t.got[n].outcome == passed:
		case slices.ContainsFunc(t.listed, mayFail):
			excused = append(excused, n)
		default:
			failed = append(failed, n)
			failedIn[n.pkg] = failedIn[n.pkg] || n.test != testMain
		}
	}
	// A process fails if one of its tests does. That alone is no news.
	failed = slices.DeleteFunc(failed, func(n testName) bool { return n.test == testMain && failedIn[n.pkg] })
	return excused, failed
}

// idle returns the tests that are on the list and need not be.
func (t *trial) idle() []testName {
	var idle []testName
	for _, e := range t.listed {
		fails := slices.ContainsFunc(t.wanted, func(n testName) bool { return e.covers(n) && t.got[n].outcome != passed })
		if !fails && !e.sometimes && e.mayFail(t.choice.Wrapper) {
			idle = append(idle, e.test)
		}
	}
	return idle
}
