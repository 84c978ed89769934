package main

import (
	"errors"
	"testing"
	"time"

	"example.com/routeauth/benchmarks"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheMedianComesWithAnInterval(t *testing.T) {
	rounds := []float64{40, 10, 30, 20, 50, 60, 70}
	time := summary(rounds)
	assert.InDelta(t, 40, time.Center, 0)
	assert.InDelta(t, 10, time.Lo, 0)
	assert.InDelta(t, 70, time.Hi, 0)
	assert.Equal(t, []float64{40, 10, 30, 20, 50, 60, 70}, rounds, "the rounds keep their order")
}

func TestARatioIsTakenWithinARound(t *testing.T) {
	slow := measurement{rounds: []float64{20, 200, 2000}}
	fast := measurement{rounds: []float64{10, 100, 1000}}
	assert.Equal(t, []float64{2, 2, 2}, slow.ratios(fast))
}

func TestTheOrderAlternatesFromRoundToRound(t *testing.T) {
	var runs []string
	run := func(name string) benchmarks.Operation {
		return func() error {
			if n := len(runs); n == 0 || runs[n-1] != name {
				runs = append(runs, name)
			}
			return nil
		}
	}
	measured, err := measure(effort{rounds: 4, benchtime: time.Nanosecond},
		[]benchmarks.Operation{run("a"), run("b"), run("c")})
	require.NoError(t, err)
	require.Len(t, measured, 3)
	assert.Len(t, measured[0].rounds, 4)
	// One pass to find the batches, then a b c, c b a, a b c, c b a.
	assert.Equal(t, []string{"a", "b", "c", "a", "b", "c", "b", "a", "b", "c", "b", "a"}, runs)
}

func TestAnOperationThatFailsEndsTheMeasurement(t *testing.T) {
	broken := errors.New("broken")
	_, err := measure(effort{rounds: 5, benchtime: time.Millisecond},
		[]benchmarks.Operation{func() error { return broken }})
	assert.ErrorIs(t, err, broken)
}
