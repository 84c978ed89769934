package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"slices"
)

// results is what became of tests.
type results map[testName]result

type result struct {
	outcome outcome
	output  string
}

// outcome of a test, in test2json's words.
type outcome string

const (
	begun   outcome = "run" // and did not end
	passed  outcome = "pass"
	failed  outcome = "fail"
	skipped outcome = "skip"
)

// testMain is the name for the process that runs the tests of a package. It can
// fail where every test passed: net/http's looks at its end for goroutines that
// were left behind.
const testMain = "TestMain"

// read adds what test2json prints of the tests of one package.
func (all results) read(pkg string, r io.Reader) error {
	for lines := bufio.NewReader(r); ; {
		line, err := lines.ReadBytes('\n')
		var event struct{ Action, Test, Output string }
		if json.Unmarshal(line, &event) == nil {
			all.add(testName{pkg, event.Test}, event.Action, event.Output)
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

func (all results) add(name testName, action, output string) {
	if name.test == "" {
		name.test = testMain
	}
	switch action {
	case "run", "pass", "fail", "skip":
		all.set(name, outcome(action))
	case "pause": // until the tests before it are done, and other tests run meanwhile
		all.set(name, "")
	case "cont":
		all.set(name, begun)
	case "output":
		all[name] = result{all[name].outcome, all[name].output + output}
	}
}

func (all results) set(name testName, o outcome) { all[name] = result{o, all[name].output} }

// failBegun makes each test that did not end one that failed, with what the
// process said at last. It reports whether there are any.
func (all results) failBegun(pkg string) bool {
	main := testName{pkg, testMain}
	last := all[main].output
	any := false
	for name, r := range all {
		if r.outcome == begun {
			all[name] = result{failed, r.output + last}
			any = true
		}
	}
	if any {
		delete(all, main) // it is another process that tells
	}
	return any
}

// addMissing adds what other knows of tests of which all knows nothing.
func (all results) addMissing(other results) {
	for name, r := range other {
		if all[name].outcome == "" && r.outcome != "" {
			all[name] = r
		}
	}
}

// with returns the names of the tests with this outcome, sorted.
func (all results) with(o outcome) []testName {
	return all.names(func(r result) bool { return r.outcome == o })
}

// tops returns the names of the tests, without subtests, that are not to be run
// again.
func (all results) tops() []testName {
	names := all.names(func(r result) bool { return r.outcome != "" })
	for i, name := range names {
		names[i] = name.top()
	}
	return slices.Compact(names)
}

func (all results) names(want func(result) bool) []testName {
	var names []testName
	for name, r := range all {
		if want(r) {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, compareNames)
	return names
}
