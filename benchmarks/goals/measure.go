package main

import (
	"runtime"
	"slices"
	"testing"
	"time"

	"example.com/routeauth/benchmarks"
	"golang.org/x/perf/benchmath"
)

// measurement is what one operation took.
type measurement struct {
	rounds []float64 // nanoseconds per operation, round by round
	allocs float64   // per operation
}

// time returns the median of the rounds.
func (m measurement) time() float64 { return median(m.rounds) }

// fastest returns the round that the machine disturbed least.
func (m measurement) fastest() float64 { return slices.Min(m.rounds) }

// ratios returns how m compares with other in each round.
func (m measurement) ratios(other measurement) []float64 {
	ratios := make([]float64, len(m.rounds))
	for i := range ratios {
		ratios[i] = m.rounds[i] / other.rounds[i]
	}
	return ratios
}

// measure runs operations in turns, in an order that alternates from round to
// round.
func measure(e effort, operations []benchmarks.Operation) ([]measurement, error) {
	measurements := make([]measurement, len(operations))
	batches := make([]int, len(operations))
	for i, operation := range operations {
		var err error
		if batches[i], err = batchFor(e.benchtime/20, operation); err != nil {
			return nil, err
		}
		measurements[i].allocs = allocations(batches[i], operation)
	}
	for round := range e.rounds {
		for i := range operations {
			if round%2 == 1 {
				i = len(operations) - 1 - i
			}
			ns, err := timeOf(e.benchtime, batches[i], operations[i])
			if err != nil {
				return nil, err
			}
			measurements[i].rounds = append(measurements[i].rounds, ns)
		}
	}
	return measurements, nil
}

// timeOf repeats an operation for as long as d and returns the nanoseconds that
// one took. Every operation gets the same time and not a number of repetitions:
// on a busy machine a turn that happens to be short is interrupted less. The
// garbage of what ran before is collected first, and a batch that does not count
// fills the processor's caches again.
func timeOf(d time.Duration, batch int, operation benchmarks.Operation) (float64, error) {
	runtime.GC()
	if err := repeat(batch, operation); err != nil {
		return 0, err
	}
	start := time.Now()
	for count := batch; ; count += batch {
		if err := repeat(batch, operation); err != nil {
			return 0, err
		}
		if elapsed := time.Since(start); elapsed >= d {
			return float64(elapsed.Nanoseconds()) / float64(count), nil
		}
	}
}

// batchFor returns how often an operation is repeated between two looks at the
// clock, which then are about d apart.
func batchFor(d time.Duration, operation benchmarks.Operation) (int, error) {
	for batch := 1; ; batch *= 2 {
		start := time.Now()
		if err := repeat(batch, operation); err != nil {
			return 0, err
		}
		if time.Since(start) >= d/2 {
			return batch, nil
		}
	}
}

func repeat(count int, operation benchmarks.Operation) error {
	for range count {
		if err := operation(); err != nil {
			return err
		}
	}
	return nil
}

// allocations counts over few operations where one takes long.
func allocations(batch int, operation benchmarks.Operation) float64 {
	return testing.AllocsPerRun(min(20*batch, 1000), func() { _ = operation() })
}

// summary returns the median of values and the interval in which it lies with a
// confidence of 95 %, as benchstat has them.
func summary(values []float64) benchmath.Summary {
	sample := benchmath.NewSample(slices.Clone(values), &benchmath.DefaultThresholds)
	return benchmath.AssumeNothing.Summary(sample, 0.95)
}

func median(values []float64) float64 { return summary(values).Center }
