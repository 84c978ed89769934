package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestARatioAboveItsGoalFallsShort(t *testing.T) {
	one := measurement{rounds: slices.Repeat([]float64{100}, minRounds)}
	two := measurement{rounds: slices.Repeat([]float64{200}, minRounds), allocs: 3}
	assert.Equal(t,
		[]string{"what", "2.000 × (200 ns / 100 ns)", "2.000 to 2.000", "2.000 ×", "1.50 ×", "FALLS SHORT", "3 / 0"},
		ratio("what", two, one, 1.5).cells())
	assert.True(t, ratio("what", two, one, 2).met)
}

func TestATimeAndACountAreJudgedToo(t *testing.T) {
	m := measurement{rounds: slices.Repeat([]float64{61}, minRounds)}
	assert.False(t, absolute("what", m, 60).met)
	assert.True(t, absolute("what", m, 61).met)
	assert.False(t, atMost("what", 2, 1).met)
	assert.True(t, atMost("what", 1, 1).met)
}

// A figure that was never measured would read as a goal that is met.
func TestEveryGoalIsMeasured(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, reportGoals(&out, effort{rounds: minRounds, benchtime: 10 * time.Microsecond}))
	assert.NotContains(t, out.String(), "NaN")
	assert.NotContains(t, out.String(), "Inf")
	assert.NotContains(t, out.String(), "| 0 ns")
	for _, goal := range []string{
		"against the minimum", "against oauth2", "against client-go", "against prometheus-common",
		"against cloud-auth", "wildcard", "out of scope", "of 10000, against 10 routes",
		"fetches of 10000 goroutines", "loopback",
	} {
		assert.Contains(t, out.String(), goal)
	}
}

func TestTheSettingNamesTheMachineAndEveryVersion(t *testing.T) {
	var out bytes.Buffer
	printSetting(&out, effort{rounds: 5, benchtime: time.Second})
	for _, line := range append([]string{"Machine: ", "Go: go1."}, peers...) {
		assert.Contains(t, out.String(), line)
	}
	assert.NotContains(t, out.String(), "unknown version")
}

func TestDurationsHaveThreeDigits(t *testing.T) {
	for ns, want := range map[float64]string{
		59.96: "60 ns", 412.4: "412 ns", 999.7: "1 µs", 1234: "1.23 µs", 999_900: "1 ms",
		12_345_678: "12.3 ms", 2.5e9: "2.5 s",
	} {
		assert.Equal(t, want, duration(ns))
	}
}

func TestWrongFlagsAreErrors(t *testing.T) {
	for _, args := range []string{"-rounds 5", "-benchtime 0s", "-benchtime -1s", "-unknown", "unexpected"} {
		var out bytes.Buffer
		assert.Error(t, run(&out, strings.Fields(args)), args)
		assert.Empty(t, out.String(), args)
	}
}
