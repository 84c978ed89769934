package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// readAll reads events, a line each: action, test, output.
func readAll(t *testing.T, events ...[3]string) results {
	t.Helper()
	var stream strings.Builder
	for _, e := range events {
		stream.WriteString(`{"Action":"` + e[0] + `","Package":"p","Test":"` + e[1] + `","Output":"` + e[2] + `"}` + "\n")
	}
	got := results{}
	require.NoError(t, got.read("p", strings.NewReader(stream.String())))
	return got
}

func TestAnOutcomeComesWithWhatTheTestPrinted(t *testing.T) {
	got := readAll(t,
		[3]string{"run", "TestX"}, [3]string{"output", "TestX", "one "}, [3]string{"output", "TestX", "two"},
		[3]string{"fail", "TestX"}, [3]string{"run", "TestY"}, [3]string{"pass", "TestY"})
	assert.Equal(t, result{failed, "one two"}, got[testName{"p", "TestX"}])
	assert.Equal(t, []testName{{"p", "TestY"}}, got.with(passed))
	assert.False(t, got.failBegun("p"))
}

func TestATestInWhichTheProcessEndedHasFailed(t *testing.T) {
	got := readAll(t,
		[3]string{"run", "TestParallel"}, [3]string{"pause", "TestParallel"},
		[3]string{"run", "TestX"}, [3]string{"pass", "TestX"},
		[3]string{"run", "TestY/sub"}, [3]string{"output", "", "panic"}, [3]string{"fail", ""})
	assert.True(t, got.failBegun("p"))
	assert.Equal(t, []testName{{"p", "TestY/sub"}}, got.with(failed), "the one that waits has not begun")
	assert.Equal(t, "panic", got[testName{"p", "TestY/sub"}].output)
	assert.Equal(t, []testName{{"p", "TestX"}, {"p", "TestY"}}, got.tops())
}

func TestWhatIsKnownIsKept(t *testing.T) {
	got := results{{"p", "TestX"}: {passed, ""}, {"p", "TestY"}: {"", "waits"}}
	got.addMissing(results{{"p", "TestX"}: {failed, ""}, {"p", "TestY"}: {passed, ""}, {"p", "TestZ"}: {skipped, ""}})
	assert.Equal(t, results{{"p", "TestX"}: {passed, ""}, {"p", "TestY"}: {passed, ""}, {"p", "TestZ"}: {skipped, ""}}, got)
}
