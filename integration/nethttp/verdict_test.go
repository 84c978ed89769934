package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/routeauth/integration/nethttp/wrapped"
)

func TestATrialTellsWhatMayFailFromWhatMayNot(t *testing.T) {
	listed := func(e exception, test string) excepted { return excepted{&e, parseTestName(test)} }
	trial := trial{
		choice: wrapped.Choice{Wrapper: wrapped.Wrapper{ByNew: true}},
		wanted: []testName{
			{"p", "TestFails"}, {"p", "TestIdle"}, {"p", "TestIsListed"}, {"p", "TestIsListed/sub"}, {"p", "TestPasses"},
			{"p", "TestMain"}, {"p", "TestSkips"}, {"p", "TestUnsteady"}, {"p", "TestVanishes"}, {"p", "TestWants401"}, {"p", "TestWants401/sub"},
		},
		listed: []excepted{
			listed(exception{}, "p.TestIdle"),
			listed(exception{}, "p.TestIsListed/sub"),
			listed(exception{sometimes: true}, "p.TestUnsteady"),
			listed(exception{wants401: true}, "p.TestWants401"),
		},
		got: results{
			{"p", "TestFails"}: {failed, ""}, {"p", "TestIdle"}: {passed, ""},
			{"p", "TestIsListed"}: {passed, ""}, {"p", "TestIsListed/sub"}: {failed, ""},
			{"p", "TestPasses"}: {passed, ""}, {"p", "TestSkips"}: {skipped, ""}, {"p", "TestUnsteady"}: {passed, ""},
			{"p", "TestWants401"}: {passed, ""}, {"p", "TestWants401/sub"}: {failed, ""},
		},
	}
	excused, failed := trial.failed()
	assert.Equal(t, []testName{{"p", "TestIsListed/sub"}}, excused)
	assert.Equal(t, []testName{{"p", "TestFails"}, {"p", "TestSkips"}, {"p", "TestVanishes"}, {"p", "TestWants401/sub"}}, failed,
		"and not TestMain, which fails with them")
	assert.Len(t, trial.passed(), 5)
	assert.Equal(t, []testName{{"p", "TestIdle"}}, trial.idle())
}

func TestAProcessThatFailsAloneHasFailed(t *testing.T) {
	trial := trial{wanted: []testName{{"p", "TestMain"}, {"p", "TestX"}}, got: results{{"p", "TestX"}: {passed, ""}}}
	_, failed := trial.failed()
	assert.Equal(t, []testName{{"p", "TestMain"}}, failed)
}
