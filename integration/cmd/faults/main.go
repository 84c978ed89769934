// Command faults runs routeauth under faults and prints what came of it: see
// the package faults. It ends with status 1 if anything happened that must not.
//
//	go run ./cmd/faults -calls 20000 -seed 7
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"example.com/routeauth/integration/faults"
)

func main() {
	var cfg faults.Config
	flag.IntVar(&cfg.Calls, "calls", 0, "how many calls are made (default 1000)")
	flag.IntVar(&cfg.Callers, "callers", 0, "how many goroutines make them (default 64)")
	flag.Uint64Var(&cfg.Seed, "seed", 0, "which faults are drawn (default 1)")
	flag.Parse()
	os.Exit(run(cfg))
}

func run(cfg faults.Config) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	report, err := faults.Run(ctx, cfg)
	if err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		return 1
	}
	fmt.Print(report)
	if report.Total() > 0 {
		return 1
	}
	return 0
}
