package main

import (
	"fmt"
	"io"
	"strings"
)

// printTable prints a Markdown table under a heading.
func printTable(w io.Writer, heading string, columns []string, rows [][]string) {
	fmt.Fprintf(w, "\n## %s\n\n", heading)
	printRow(w, columns)
	printRow(w, strings.Split(strings.Repeat("---\n", len(columns)-1)+"---", "\n"))
	for _, row := range rows {
		printRow(w, row)
	}
}

func printRow(w io.Writer, cells []string) {
	fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
}

// duration writes nanoseconds with three digits.
func duration(ns float64) string {
	units := []string{"ns", "µs", "ms", "s"}
	for len(units) > 1 && ns >= 999.5 {
		ns, units = ns/1000, units[1:]
	}
	return fmt.Sprintf("%.3g %s", ns, units[0])
}

func count(n float64) string { return fmt.Sprintf("%.0f", n) }
