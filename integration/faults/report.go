package faults

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Report is what came out of a run.
type Report struct {
	Seed     uint64
	Duration time.Duration

	Calls          int            // that the callers made
	Starts         int            // of them, POSTs that start an operation
	Acted          int            // starts that the API acted on
	Succeeded      int            // starts whose caller got the operation
	Failed         int            // starts whose caller was told that it may have been acted on
	NotStarted     int            // starts whose caller was told that nothing happened
	ServerRequests int            // that reached a server: the API, the token endpoint, another host
	Connections    int            // that were opened
	Faults         map[string]int // by kind

	Violations
}

// Violations are the things that must not happen. Each counts how often it did.
type Violations struct {
	StartedTwice     int // starts that the API acted on more than once
	LostSilently     int // starts that the API acted on and whose caller was not told so
	NeverStarted     int // starts that the caller was told of and the API never acted on
	WrongCredential  int // requests to the API with another credential than their route's
	ForeignToken     int // requests to the API with a token of another user
	ForeignBody      int // requests to the API whose body was not the caller's
	LeakedCredential int // requests to anyone but the API with a credential
	SecretInError    int // errors that show a credential
	OpenRequests     int // request bodies that were not closed
	OpenResponses    int // response bodies that were not closed
	OpenConnections  int // connections that were not closed
	Goroutines       int // goroutines that were left behind
}

// Total is zero if nothing happened that must not.
func (v Violations) Total() (total int) {
	for _, row := range v.rows() {
		total += row.count
	}
	return total
}

type row struct {
	what  string
	count int
}

func (v Violations) rows() []row {
	return []row{
		{"starts that were acted on twice", v.StartedTwice},
		{"starts that were acted on and lost silently", v.LostSilently},
		{"starts that were reported and never acted on", v.NeverStarted},
		{"requests with another credential than the route's", v.WrongCredential},
		{"requests with another user's token", v.ForeignToken},
		{"requests whose body was not the caller's", v.ForeignBody},
		{"credentials seen by a host that is not the API", v.LeakedCredential},
		{"errors that show a credential", v.SecretInError},
		{"request bodies left open", v.OpenRequests},
		{"response bodies left open", v.OpenResponses},
		{"connections left open", v.OpenConnections},
		{"goroutines left behind", v.Goroutines},
	}
}

func (r *Report) traffic() []row {
	return []row{
		{"calls", r.Calls},
		{"of them starts", r.Starts},
		{"starts acted on", r.Acted},
		{"starts told as succeeded", r.Succeeded},
		{"starts told as failed", r.Failed},
		{"starts told as not started", r.NotStarted},
		{"requests at the servers", r.ServerRequests},
		{"connections", r.Connections},
		{"faults", r.faultCount()},
	}
}

func (r *Report) faultCount() (total int) {
	for _, n := range r.Faults {
		total += n
	}
	return total
}

// String is the report as a table.
func (r *Report) String() string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	section := func(title string, rows []row) {
		fmt.Fprintf(w, "%s\n", title)
		for _, row := range rows {
			fmt.Fprintf(w, "%d\t  %s\n", row.count, row.what)
		}
	}
	section(fmt.Sprintf("traffic (seed %d, %v)", r.Seed, r.Duration.Round(time.Millisecond)), r.traffic())
	var faults []row
	for _, kind := range slices.Sorted(maps.Keys(r.Faults)) {
		faults = append(faults, row{kind, r.Faults[kind]})
	}
	section("faults", faults)
	section("must be zero", r.rows())
	_ = w.Flush() // into memory
	return text.String()
}
