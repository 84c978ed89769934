package main

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// testName is a test, a subtest, an example or a fuzz target of a package.
type testName struct{ pkg, test string }

// String returns the name as parseTestName reads it: net/http.TestX/h1.
func (n testName) String() string { return n.pkg + "." + n.test }

func parseTestName(s string) testName {
	pkg, test, _ := strings.Cut(s, ".")
	return testName{pkg, test}
}

// top returns the test of which n is a subtest, or n.
func (n testName) top() testName {
	test, _, _ := strings.Cut(n.test, "/")
	return testName{n.pkg, test}
}

// within reports whether n is other or a subtest of it.
func (n testName) within(other testName) bool {
	return n.pkg == other.pkg && (n.test == other.test || strings.HasPrefix(n.test, other.test+"/"))
}

// pattern returns the regular expression for -test.run and -test.skip that
// matches these tests and their subtests. If nothing else than a subtest is to
// be skipped, the test around it still runs.
func pattern(names []testName) string {
	var alternatives []string
	for _, n := range names {
		elements := strings.Split(n.test, "/")
		for i, element := range elements {
			elements[i] = "^" + regexp.QuoteMeta(element) + "$"
		}
		alternatives = append(alternatives, strings.Join(elements, "/"))
	}
	slices.Sort(alternatives) // package testing takes the first that matches, and a test's is the beginning of its subtests'
	return strings.Join(slices.Compact(alternatives), "|")
}

// either returns the pattern that matches what a or b does. An empty one matches
// nothing.
func either(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "|" + b
}

func compareNames(a, b testName) int {
	return cmp.Or(cmp.Compare(a.pkg, b.pkg), cmp.Compare(a.test, b.test))
}
