package roundtriptest

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// label marks the goroutines that a wrapper starts: a goroutine inherits the
// labels of the one that started it. This tells them from the goroutines of other
// tests.
type label string

const labelKey = "roundtriptest"

var labels atomic.Int64

func newLabel() label { return label(strconv.FormatInt(labels.Add(1), 10)) }

// do calls f with the label.
func (l label) do(f func()) {
	pprof.Do(context.Background(), pprof.Labels(labelKey, string(l)), func(context.Context) { f() })
}

// goroutines returns the innermost calls of each goroutine with the label.
func (l label) goroutines() (all []string) {
	var profile bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
		return nil // a bytes.Buffer takes everything
	}
	mark := fmt.Appendf(nil, "%q:%q", labelKey, string(l))
	for stack := range bytes.SplitSeq(profile.Bytes(), []byte("\n\n")) {
		if bytes.Contains(stack, mark) {
			all = append(all, innermost(stack))
		}
	}
	return all
}

// innermost returns the last calls of a stack as a goroutine profile lists them:
// an address, a function and a position.
func innermost(stack []byte) string {
	const most = 4
	var calls []string
	for line := range bytes.Lines(stack) {
		fields := strings.Fields(string(line))
		if len(fields) < 4 || fields[0] != "#" || len(calls) == most {
			continue
		}
		function, _, _ := strings.Cut(fields[2], "+0x")
		calls = append(calls, function+" ("+filepath.Base(fields[len(fields)-1])+")")
	}
	return strings.Join(calls, ", called by ")
}

// settle waits for done to report true, which may come after RoundTrip has
// returned. Where no goroutine with the label is left to bring that about, it
// waits for less long. Once it is done, it waits a little for what is still at
// work.
func (l label) settle(done func() bool) {
	pause := time.Millisecond
	for start := time.Now(); ; time.Sleep(pause) {
		pause = min(2*pause, 50*time.Millisecond)
		isDone, waited := done(), time.Since(start)
		enough, most := afterwards, promptly
		if isDone {
			enough, most = 0, lateness
		}
		if waited > most || waited >= enough && len(l.goroutines()) == 0 {
			return
		}
	}
}
