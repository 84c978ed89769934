package main

import (
	"fmt"
	"io"

	"example.com/routeauth/benchmarks"
)

// reportGrowth prints how the cost of a request grows.
func reportGrowth(w io.Writer, e effort) error {
	var rows [][]string
	for _, growth := range benchmarks.Growths() {
		measured, err := measureGrowth(e, growth)
		if err != nil {
			return fmt.Errorf("%s: %w", growth.Name, err)
		}
		for i, size := range growth.Sizes {
			rows = append(rows, []string{
				growth.Name,
				fmt.Sprint(size),
				duration(measured[i].time()),
				fmt.Sprintf("%.2f ×", median(measured[i].ratios(measured[0]))),
				fmt.Sprintf("%.2f ×", measured[i].fastest()/measured[0].fastest()),
				count(measured[i].allocs),
			})
		}
	}
	printTable(w, "How the cost grows",
		[]string{"what grows", "size", "time", "against the first", "fastest rounds", "allocations"}, rows)
	return nil
}

func measureGrowth(e effort, growth benchmarks.Growth) ([]measurement, error) {
	var operations []benchmarks.Operation
	for _, size := range growth.Sizes {
		operation, err := growth.Prepare(size)
		if err != nil {
			return nil, err
		}
		operations = append(operations, operation)
	}
	return measure(e, operations)
}
