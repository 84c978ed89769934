package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"example.com/routeauth/openapi"
)

// writeList writes operations as an aligned table.
func writeList(w io.Writer, operations []openapi.Operation) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "OPERATION\tREQUIREMENT\tWHY")
	for _, op := range operations {
		requirement := op.Requirement.String()
		if op.Pattern == "" {
			requirement = "-"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", oneLine(op.Method+" "+op.Path), requirement, oneLine(op.Why))
	}
	return table.Flush()
}

// oneLine keeps a document's text from breaking the table.
func oneLine(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, text))
}
