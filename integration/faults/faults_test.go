package faults

import (
	"context"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// settings are those of the test below. ROUTEAUTH_FAULT_CALLS makes it as long
// as one likes, and ROUTEAUTH_FAULT_SEED brings other faults.
func settings(t *testing.T) (cfg Config) {
	number := func(name string) uint64 {
		text := os.Getenv(name)
		if text == "" {
			return 0
		}
		n, err := strconv.ParseUint(text, 10, 31)
		require.NoError(t, err, name)
		return n
	}
	return Config{Seed: number("ROUTEAUTH_FAULT_SEED"), Calls: int(number("ROUTEAUTH_FAULT_CALLS"))}
}

// Rules 8, 11, 24, 25, 26, 28 and 29, all at once and under faults.
func TestNothingHappensUnderFaultsThatMustNot(t *testing.T) {
	report, err := Run(t.Context(), settings(t))
	require.NoError(t, err)
	t.Log("\n" + report.String())
	assert.Equal(t, Violations{}, report.Violations)

	// The zeros are not those of a run in which nothing happened.
	assert.Positive(t, report.Acted)
	assert.Positive(t, report.Succeeded)
	assert.Positive(t, report.NotStarted)
	assert.Greater(t, report.faultCount(), report.Calls/4)
	missing := kindsOfFaults()
	missing = slices.DeleteFunc(missing, func(kind string) bool { return report.Faults[kind] > 0 })
	if report.Calls < 5000 {
		assert.Less(t, len(missing), 5, "kinds of faults that did not occur: %q", missing)
	} else {
		assert.Empty(t, missing, "kinds of faults that did not occur")
	}
}

// kindsOfFaults are those that are drawn from tables.
func kindsOfFaults() []string {
	return slices.Concat(namesIn(answerFaults), namesIn(elsewhereAnswers), namesIn(backendFaults), namesIn(sourceFaults))
}

func namesIn[T ~string](table []weight[T]) (names []string) {
	for _, w := range table {
		if w.value != "" { // which stands for no fault
			names = append(names, string(w.value))
		}
	}
	return names
}

func TestARunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	report, err := Run(ctx, Config{})
	require.NoError(t, err)
	assert.Zero(t, report.Calls)
	assert.Equal(t, Violations{}, report.Violations)
}

func TestASeedBringsTheSameDecisions(t *testing.T) {
	decisions := func(seed uint64) (d []answerFault) {
		for nth := range 100 {
			d = append(d, choose(draw(seed, "answer", nth), answerFaults))
		}
		return d
	}
	assert.Equal(t, decisions(1), decisions(1))
	assert.NotEqual(t, decisions(1), decisions(2))
}

func TestAReportShowsEveryCount(t *testing.T) {
	report := &Report{
		Seed: 17, Calls: 1001, Starts: 1002, Acted: 1003, Succeeded: 1004, Failed: 1005, NotStarted: 1006,
		ServerRequests: 1007, Connections: 1008, Faults: map[string]int{"a kind": 1009},
		Violations: Violations{2001, 2002, 2003, 2004, 2005, 2006, 2007, 2008, 2009, 2010, 2011, 2012},
	}
	assert.Equal(t, 12*2006+6, report.Total())
	for n := 1001; n <= 1009; n++ {
		assert.Contains(t, report.String(), strconv.Itoa(n))
	}
	for n := 2001; n <= 2012; n++ {
		assert.Contains(t, report.String(), strconv.Itoa(n))
	}
	assert.Contains(t, report.String(), "seed 17")
}
