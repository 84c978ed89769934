package fleet

import (
	"os"
	"testing"
	"time"

	"example.com/routeauth/tokenstore/internal/redistest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) {
	RunWorker() // this program is also the processes of the fleet
	os.Exit(m.Run())
}

func TestAShortFleetDoesNothingThatItMustNot(t *testing.T) {
	redistest.Require(t)
	report, err := Run(t.Context(), Config{Processes: 10, For: 10 * time.Second, Life: 4 * time.Second})
	require.NoError(t, err)
	t.Log("\n", report)
	assert.Zero(t, report.Total())
	assert.Positive(t, report.Requests)
	assert.Positive(t, report.Fetches)
	assert.Positive(t, report.Kills+report.Freezes+report.Revocations+report.Cuts+report.Stalls)
}

// Every count must be able to be another number than zero: in each of these fleets
// something is broken.
func TestEachViolationIsCountedWhereItHappens(t *testing.T) {
	redistest.Require(t)
	for name, test := range map[string]struct {
		recipe recipe
		count  func(Violations) int
	}{
		"a request that needs Redis": {
			recipe{spoil: needsRedis, sometimes: []trouble{restartRedis}},
			func(v Violations) int { return v.Failed },
		},
		"one user's token for everybody": {
			recipe{spoil: oneForAll},
			func(v Violations) int { return v.ForeignToken },
		},
		"a cache that is not told of a 401": {
			recipe{spoil: forgetsNothing, always: []trouble{revoke}},
			func(v Violations) int { return v.KnownRevoked },
		},
		"tokens in the clear": {
			recipe{spoil: inTheClear},
			func(v Violations) int { return v.SecretsSeen },
		},
		"a key without an end": {
			recipe{spoil: leavesKeys},
			func(v Violations) int { return v.KeysLeft },
		},
		"processes that share nothing": {
			recipe{spoil: sharesNothing},
			func(v Violations) int { return v.Unneeded },
		},
		"processes that end by themselves": {
			recipe{spoil: crashes},
			func(v Violations) int { return v.Crashes },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report, err := run(t.Context(), Config{Processes: 3, For: 5 * time.Second, Life: 3 * time.Second}, test.recipe)
			require.NoError(t, err)
			assert.Positive(t, test.count(report.Violations), "\n%v", report)
			assert.Positive(t, report.Total())
		})
	}
}

func TestAFleetWithoutFaultsOrTroublesCountsNothing(t *testing.T) {
	redistest.Require(t)
	t.Parallel()
	report, err := run(t.Context(), Config{Processes: 3, For: 5 * time.Second, Life: 3 * time.Second}, recipe{})
	require.NoError(t, err)
	assert.Zero(t, report.Total(), "\n%v", report)
}

func TestAFleetMakesOneFetchWhereOthersMakeOneForEachProcess(t *testing.T) {
	redistest.Require(t)
	for _, test := range []struct {
		kind    kind
		fetches int
	}{
		{sharedTokens, 1},
		{cachedTokens, 5},
		{oauth2Tokens, 5},
		{smithyTokens, 5},
	} {
		t.Run(string(test.kind), func(t *testing.T) {
			t.Parallel()
			comparison, err := compare(t.Context(), Config{Processes: 5, Life: 24 * time.Second}, test.kind)
			require.NoError(t, err)
			require.Len(t, comparison.Rows, 1)
			got := comparison.Rows[0]
			assert.Zero(t, got.Failed)
			if test.kind == sharedTokens {
				assert.Equal(t, Fetches{Kind: string(test.kind), Cold: 1, Life: 1, Revocation: 1}, got)
				return
			}
			for _, n := range []int{got.Cold, got.Life, got.Revocation} {
				assert.GreaterOrEqual(t, n, test.fetches) // some of them renew a token twice
			}
		})
	}
}
