package redistokens

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// contact is the first time that a client reaches Redis. Its zero value has not
// begun.
type contact struct {
	mu   sync.Mutex
	made bool
	last *attempt // nil before the first one
}

// attempt is one at making contact, for which many callers may wait.
type attempt struct {
	began time.Time
	done  chan struct{} // closed at its end
	err   error
}

// reach lets the client connect, with a command whose answer does not matter. One
// call tries it at a time and all others wait for that one: a thousand that begin
// at once would otherwise wait for each other's commands until their time is
// spent. The attempt goes on when its caller leaves, for the next one.
func (s *store) reach(ctx context.Context, b *budget) error {
	a := s.contact.attempt(func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), clientTimeout)
		defer cancel()
		return s.client.Get(ctx, "routeauth:none").Err()
	})
	if a == nil {
		return nil
	}
	_, err := within(ctx, b, func(ctx context.Context) (struct{}, error) {
		select {
		case <-a.done:
			return struct{}{}, a.err
		case <-ctx.Done():
			return struct{}{}, ctx.Err()
		}
	})
	return err
}

// attempt returns the attempt that is under way, or a new one, or nil once
// contact was made. An attempt for which nobody waits any more may hang for ever,
// so it is given up and another begun.
func (c *contact) attempt(try func() error) *attempt {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.made {
		return nil
	}
	if c.last != nil && !c.last.isOver() {
		return c.last
	}
	a := &attempt{began: time.Now(), done: make(chan struct{})}
	c.last = a
	go func() {
		defer close(a.done)
		a.err = try()
		if answer := redis.Error(nil); errors.As(a.err, &answer) {
			a.err = nil // it is there, whatever it says
		}
		if a.err == nil {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.made = true
		}
	}()
	return a
}

func (a *attempt) isOver() bool {
	select {
	case <-a.done:
		return true
	default:
		return time.Since(a.began) > 2*patience
	}
}
