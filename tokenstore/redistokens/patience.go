package redistokens

import (
	"context"
	"errors"
	"time"
)

const (
	// patience is how long one call waits for Redis, in all of its commands
	// together.
	patience = time.Second
	// beat is how often it looks at the time meanwhile.
	beat = 20 * time.Millisecond
	// clientTimeout ends a command that nobody waits for any more, in a client
	// that obeys deadlines.
	clientTimeout = 10 * patience
)

var errSlow = errors.New("redistokens: Redis did not answer in time")

// budget is how long a call may still wait for Redis. It is one goroutine's at a
// time.
type budget struct{ left time.Duration }

func newBudget() *budget { return &budget{patience} }

// earn gives back what a call waited for another process's fetch: it would have
// waited as long without asking Redis now and then.
func (b *budget) earn(waited time.Duration) { b.left = min(b.left+waited, patience) }

// within runs a command and waits for it, but no longer than the budget lasts,
// also where the client ignores its context. It returns errSlow after that, or
// ctx's error if that ends first; the command may then still be carried out.
// Where nothing is left, it is not sent.
//
// The later a beat comes, the less of it counts. A process that does not get to
// run, since the machine is busy or suspended it, does not wait for Redis: it has
// no chance to see its answer, and Redis may have to wait for the machine, too.
// Without that, the processes of a fleet that starts on a busy machine take a
// healthy Redis for dead.
func within[T any](ctx context.Context, b *budget, command func(context.Context) (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	var none T
	if b.left <= 0 {
		return none, errSlow
	}
	commandCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), clientTimeout)
	results := make(chan result, 1)
	go func() {
		defer cancel()
		value, err := command(commandCtx)
		results <- result{value, err}
	}()
	timer := time.NewTimer(beat)
	defer timer.Stop()
	for b.left > 0 {
		began := time.Now()
		select {
		case r := <-results:
			b.left -= counted(time.Since(began))
			return r.value, r.err
		case <-ctx.Done():
			return none, ctx.Err()
		case <-timer.C:
			b.left -= counted(time.Since(began))
			timer.Reset(beat)
		}
	}
	return none, errSlow
}

// counted returns how much of a beat counts that took so long.
func counted(took time.Duration) time.Duration {
	if took <= beat+beat/4 {
		return took
	}
	return max(beat*beat/took, beat/2)
}
