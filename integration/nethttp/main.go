// Command nethttp runs the tests of Go's own package net/http through routeauth.
//
// It copies the sources of the Go toolchain to a temporary folder and runs the
// tests of net/http there, as they are. Then it lets package http of a second
// copy wrap its transports, and runs the same tests with each transport of
// routeauth at each of two places: above, around the transport of every
// http.Client, and below, inside of http.Transport, where it takes part in tests
// that use no Client and in those of net/http's internals.
//
// A test that passes without us has to pass with us. Those that cannot are on a
// list, with the reason: see exceptions.go. The program ends with status 1 if
// another one fails, or if one that is on the list passes.
//
//	go run ./nethttp                               all of it
//	go run ./nethttp -wrapper JWT -place below     the wrappers whose name contains JWT, at one place
//	go run ./nethttp -run 'Redirect|Cookie' -v     some tests; what those on the list print
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"example.com/routeauth/integration/nethttp/wrapped"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ok, err := run(ctx, os.Stdout, os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "nethttp:", err)
	}
	if err != nil || !ok {
		stop()
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	wrapper string
	place   string
	run     string
	short   bool
	race    bool
	verbose bool
	timeout time.Duration
}

func run(ctx context.Context, w io.Writer, args []string) (ok bool, err error) {
	var o options
	flags := flag.NewFlagSet("nethttp", flag.ContinueOnError)
	flags.StringVar(&o.wrapper, "wrapper", "", "only wrappers whose name contains `text`")
	flags.StringVar(&o.place, "place", "", "only above or only below")
	flags.StringVar(&o.run, "run", "", "only tests that match `pattern`, as for go test")
	flags.BoolVar(&o.short, "short", false, "run net/http's tests with -short, which leaves out slow ones and its search for goroutines left behind")
	flags.BoolVar(&o.race, "race", false, "run them with the race detector")
	flags.BoolVar(&o.verbose, "v", false, "print what the tests on the list print")
	flags.DurationVar(&o.timeout, "timeout", 2*time.Hour, "give up after this time")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return true, nil
	case err != nil:
		return false, err
	case flags.NArg() > 0:
		return false, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	choices := chosen(o)
	if len(choices) == 0 {
		return false, fmt.Errorf("no wrapper's name contains %q, or no place is %q", o.wrapper, o.place)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.timeout, fmt.Errorf("not done after %v", o.timeout))
	defer cancel()
	ok, err = runTrials(ctx, w, o, choices)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return ok, err
}

// chosen returns the wrappers at the places that the options leave.
func chosen(o options) []wrapped.Choice {
	var choices []wrapped.Choice
	for _, place := range []wrapped.Place{wrapped.Above, wrapped.Below} {
		for _, wrapper := range wrapped.Wrappers() {
			if strings.Contains(wrapper.Name, o.wrapper) && (o.place == "" || o.place == string(place)) {
				choices = append(choices, wrapped.Choice{Wrapper: wrapper, Place: place})
			}
		}
	}
	return choices
}
