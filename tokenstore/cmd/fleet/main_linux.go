// Command fleet runs many processes behind one Redis under troubles and prints
// what came of it: see the package fleet. It needs a redis-server, and ends with
// status 1 if anything happened that must not.
//
//	go run ./cmd/fleet -processes 50 -for 60s -seed 7
//	go run ./cmd/fleet -processes 50 -compare
//
// The second counts the fetches of a fleet in peace beside those of others.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"example.com/routeauth/tokenstore/internal/fleet"
)

func main() {
	fleet.RunWorker()
	var c fleet.Config
	flag.IntVar(&c.Processes, "processes", 10, "how many processes run at a time")
	flag.DurationVar(&c.For, "for", 0, "how long they run (default 10s)")
	flag.DurationVar(&c.Life, "life", 0, "how long a token lives (default 6s, or 10s with -compare)")
	flag.Float64Var(&c.Rate, "rate", 0, "how many tokens the issuer issues in a second (default 3 for each process)")
	flag.Uint64Var(&c.Seed, "seed", 0, "which troubles are drawn (default 1)")
	compare := flag.Bool("compare", false, "count fetches beside other libraries, without troubles")
	flag.Parse()
	os.Exit(run(c, *compare))
}

func run(c fleet.Config, compare bool) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var report fmt.Stringer
	var bad int
	var err error
	if compare {
		report, err = fleet.Compare(ctx, c)
	} else {
		var r *fleet.Report
		if r, err = fleet.Run(ctx, c); err == nil {
			report, bad = r, r.Total()
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "fleet:", err)
		return 1
	}
	fmt.Print(report)
	if bad > 0 {
		return 1
	}
	return 0
}
