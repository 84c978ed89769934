package roundtriptest

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"runtime/pprof"
	"strconv"
	"sync/atomic"
	"time"
)

func leavesNoGoroutine(s *suite) error {
	// As long as the check lasts, the requests' context does not end: whoever
	// waits for it is left behind.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var failing atomic.Bool
	wrapper := s.over(roundTripFunc(func(sent *http.Request) (*http.Response, error) {
		resp := answer(sent, http.StatusOK)
		if failing.Load() {
			return nil, errBase
		}
		return resp, nil
	}))
	send := func(ctx context.Context) {
		req, _ := s.post()
		resp, _ := wrapper.RoundTrip(req.WithContext(ctx))
		discard(resp)
	}

	send(ctx) // What the first request starts may live as long as the wrapper.
	label := strconv.FormatInt(labels.Add(1), 10)
	pprof.Do(ctx, pprof.Labels(labelKey, label), func(ctx context.Context) {
		send(ctx)
		failing.Store(true)
		send(ctx)
	})
	return noneLabelled(label)
}

// A goroutine inherits the labels of the one that started it. This tells those
// of a request from whatever else the process is doing, other tests included.
const labelKey = "roundtriptest"

var labels atomic.Int64

// noneLabelled waits for all goroutines with a label to end.
func noneLabelled(label string) error {
	timeout := time.After(patience)
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		stacks, err := labelled(label)
		if err != nil || len(stacks) == 0 {
			return err
		}
		select {
		case <-again.C:
		case <-timeout:
			return fmt.Errorf("goroutines that a request started are still there:\n%s", bytes.Join(stacks, []byte("\n\n")))
		}
	}
}

// labelled returns the stacks of the goroutines with a label.
func labelled(label string) (stacks [][]byte, err error) {
	var profile bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
		return nil, fmt.Errorf("listing the goroutines: %w", err)
	}
	mark := fmt.Appendf(nil, "%q:%q", labelKey, label)
	for stack := range bytes.SplitSeq(profile.Bytes(), []byte("\n\n")) {
		if bytes.Contains(stack, mark) {
			stacks = append(stacks, stack)
		}
	}
	return stacks, nil
}
