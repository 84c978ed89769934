package redistokens

import (
	"context"
	"errors"
	"time"
)

const (
	// patience is how long a call waits for one command.
	patience = time.Second
	// beat is how often it looks at the time meanwhile.
	beat = 20 * time.Millisecond
	// clientTimeout ends a command that nobody waits for any more, in a client
	// that obeys deadlines.
	clientTimeout = 4 * patience
)

var errSlow = errors.New("redistokens: Redis did not answer in time")

// within runs a command and waits for it, but no longer than patience, also where
// the client ignores its context. It returns errSlow after that, or ctx's error
// if that ends first; the command may then still be carried out.
//
// Of each beat that came late only its own length counts, and a little. A
// process that did not get to run, since the machine was busy or suspended it,
// did not wait for Redis: it had no chance to see its answer. Without that, the
// processes of a fleet that starts on a busy machine take a healthy Redis for
// dead.
func within[T any](ctx context.Context, command func(context.Context) (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	var none T
	commandCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), clientTimeout)
	results := make(chan result, 1)
	go func() {
		defer cancel()
		value, err := command(commandCtx)
		results <- result{value, err}
	}()
	timer := time.NewTimer(beat)
	defer timer.Stop()
	for left := patience; left > 0; {
		began := time.Now()
		select {
		case r := <-results:
			return r.value, r.err
		case <-ctx.Done():
			return none, ctx.Err()
		case <-timer.C:
			left -= min(time.Since(began), beat+beat/4)
			timer.Reset(beat)
		}
	}
	return none, errSlow
}
