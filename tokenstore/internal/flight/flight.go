// Package flight lets the callers who want the same thing share the work of
// getting it.
package flight

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"
)

// Group is a set of works under way, by their keys. The zero Group is not
// usable; see [NewGroup]. It is safe for concurrent use.
type Group[T any] struct {
	grace time.Duration

	mu    sync.Mutex
	works map[string]*work[T]
}

// NewGroup returns a Group in which a fetch may outlive its callers by grace.
func NewGroup[T any](grace time.Duration) *Group[T] {
	return &Group[T]{grace: grace, works: make(map[string]*work[T])}
}

// Contexts are those of one work. Both have the values of the first caller's
// context, but not its cancellation, since the others still wait.
type Contexts struct {
	// Waiting ends when nobody waits for the work any more.
	Waiting context.Context
	// Fetching ends a while later, since what was begun with it may be of use to
	// somebody else.
	Fetching context.Context
}

// work is one that callers share.
type work[T any] struct {
	waiting int // callers; guarded by the group's mutex
	abandon func()
	done    chan struct{} // closed when the result is there
	result  T
	err     error
}

var errExited = errors.New("the token source ended its goroutine")

// Do does the work for key, or joins the one that is under way, and returns its
// result. A caller whose context ends leaves at once, with that context's error
// and cause. A panic in the work is returned as an error.
func (g *Group[T]) Do(ctx context.Context, key string, do func(Contexts) (T, error)) (T, error) {
	var none T
	if ctx.Err() != nil {
		return none, contextError(ctx)
	}
	g.mu.Lock()
	w := g.works[key]
	if w == nil {
		w = g.begin(ctx, key, do)
	}
	w.waiting++
	g.mu.Unlock()
	select {
	case <-w.done:
		return w.result, w.err
	case <-ctx.Done():
		g.leave(key, w)
		return none, contextError(ctx)
	}
}

// begin starts a work. The caller holds g.mu.
func (g *Group[T]) begin(ctx context.Context, key string, do func(Contexts) (T, error)) *work[T] {
	fetching, cancelFetching := context.WithCancel(context.WithoutCancel(ctx))
	waiting, cancelWaiting := context.WithCancel(fetching)
	w := &work[T]{done: make(chan struct{}), err: errExited}
	w.abandon = func() {
		cancelWaiting()
		timer := time.AfterFunc(g.grace, cancelFetching)
		context.AfterFunc(fetching, func() { timer.Stop() })
	}
	g.works[key] = w
	go func() {
		defer func() {
			if v := recover(); v != nil {
				w.err = panicError(v)
			}
			cancelFetching()
			g.forget(key, w)
			close(w.done)
		}()
		w.result, w.err = do(Contexts{waiting, fetching})
	}()
	return w
}

// leave is called by a caller who waits no longer.
func (g *Group[T]) leave(key string, w *work[T]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	w.waiting--
	if w.waiting == 0 {
		w.abandon()
		g.forgetLocked(key, w) // the next caller begins anew
	}
}

func (g *Group[T]) forget(key string, w *work[T]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.forgetLocked(key, w)
}

func (g *Group[T]) forgetLocked(key string, w *work[T]) {
	if g.works[key] == w {
		delete(g.works, key)
	}
}

// panicError returns what a panic becomes: an error without the program's data.
func panicError(v any) error {
	if err, ok := v.(runtime.Error); ok {
		return fmt.Errorf("the token source panicked: %w", err)
	}
	return fmt.Errorf("the token source panicked (%T)", v)
}

// contextError returns the error of a context that has ended, with its cause.
func contextError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}
