// Command goals compares routeauth with other libraries and with a hand-written
// minimum, and prints what it measured beside the project's goals, as Markdown.
//
// What is compared is measured in rounds: in each round every subject runs for
// a moment, one after the other, in turns from first to last and from last to
// first. A ratio is taken within a round, where both sides met the same
// machine, and the median of all rounds is printed.
//
// It ends with status 0 whether or not the goals are met.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"
)

func main() {
	if err := run(os.Stdout, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "goals:", err)
		os.Exit(1)
	}
}

// minRounds is how few rounds give a median with an interval around it.
const minRounds = 6

// effort is how long is measured.
type effort struct {
	rounds    int
	benchtime time.Duration // of a subject in a round
	picture   string        // where the ratios are drawn; empty for nowhere
}

func run(w io.Writer, args []string) error {
	flags := flag.NewFlagSet("goals", flag.ContinueOnError)
	var e effort
	flags.IntVar(&e.rounds, "rounds", 15, "rounds in which everything is measured, at least 5")
	flags.DurationVar(&e.benchtime, "benchtime", 100*time.Millisecond, "time for each subject in each round")
	flags.StringVar(&e.picture, "picture", "", "draw the ratios to the minimum into this SVG `file`")
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return err
	case flags.NArg() > 0:
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case e.rounds < minRounds:
		return fmt.Errorf("-rounds is %d; the least is %d", e.rounds, minRounds)
	case e.benchtime <= 0:
		return fmt.Errorf("-benchtime is %v; it must be more than 0", e.benchtime)
	}
	return report(w, e)
}

// report measures everything and prints it.
func report(w io.Writer, e effort) error {
	printSetting(w, e)
	for _, section := range []func(io.Writer, effort) error{reportGoals, reportGrowth} {
		if err := section(w, e); err != nil {
			return err
		}
	}
	return nil
}
