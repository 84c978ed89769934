package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/routeauth/integration/nethttp/wrapped"
)

// printed returns what is printed of one trial below, with this outcome of the
// test on the list and of one that is not.
func printed(onList, other outcome, verbose bool) (text string, ok bool) {
	listed, unlisted := parseTestName("net/http.TestTransportFlushesBodyChunks"), parseTestName("net/http.TestHeader")
	main := testName{"net/http", testMain}
	without := results{listed: {passed, ""}, unlisted: {passed, ""}, main: {passed, ""}, {"net/http", "TestBroken"}: {failed, ""}}
	var w strings.Builder
	r := report{w: &w, verbose: verbose, without: without}
	t := newTrial(wrapped.Choice{Wrapper: wrapped.Wrapper{Name: "wrapper"}, Place: wrapped.Below}, without.with(passed))
	t.got = results{listed: {onList, "of the list"}, unlisted: {other, "of the other"}, main: {passed, ""}}
	r.printHead("go0.0", t.wanted)
	r.printRow(t)
	ok = r.printEnd()
	return w.String(), ok
}

func TestTheTableCountsTests(t *testing.T) {
	text, ok := printed(failed, passed, false)
	assert.True(t, ok)
	assert.Contains(t, text, ": 3 run, 2 pass without us\n  failed without us: net/http.TestBroken\n")
	assert.Regexp(t, `below +wrapper +3 +2 +1 +0 +1 +0\n`, text)
	assert.Contains(t, text, "net/http.TestTransportFlushesBodyChunks (below)")
	assert.NotContains(t, text, "of the list")
}

func TestWhatIsNotOnTheListIsShownAndCounts(t *testing.T) {
	text, ok := printed(failed, failed, false)
	assert.False(t, ok)
	assert.Contains(t, text, "FAILED, below wrapper: net/http.TestHeader\nof the other")
}

func TestWhatIsOnTheListAndPassesCounts(t *testing.T) {
	text, ok := printed(passed, passed, false)
	assert.False(t, ok)
	assert.Contains(t, text, "PASSED AND IS ON THE LIST, below wrapper: net/http.TestTransportFlushesBodyChunks")
}

func TestVerboseShowsWhatIsOnTheList(t *testing.T) {
	text, _ := printed(failed, passed, true)
	assert.Contains(t, text, "on the list, below wrapper: net/http.TestTransportFlushesBodyChunks\nof the list")
}

func TestALongOutputIsCut(t *testing.T) {
	assert.Equal(t, "short", shortened("short"))
	assert.Less(t, len(shortened(strings.Repeat("long ", 10_000))), 5000)
}
