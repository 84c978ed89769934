package redistokens

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/bsm/redislock"
)

const (
	longestLease  = 2 * time.Second
	shortestLease = 10 * time.Millisecond // Redis counts in milliseconds
)

// leaseFor returns how long a lock lives without being renewed. A process that
// was killed holds up the others for that long.
func leaseFor(fetchTimeout time.Duration) time.Duration {
	return max(shortestLease, min(longestLease, fetchTimeout/4))
}

// lease is a lock that this process holds for the time of one fetch.
type lease struct {
	lock   *redislock.Lock
	length time.Duration
	gone   bool // given up
	stays  bool // until its end, if no token was written

	mu      sync.Mutex
	renewed time.Time // when Redis last said that the lock has its whole length
	unsure  bool      // whether it was renewed since: Redis did not say
	lost    bool
}

// obtain returns the lock for a token, or redislock.ErrNotObtained.
func (s *store) obtain(ctx context.Context, b *budget, n names, length time.Duration) (*lease, error) {
	lock, err := command(ctx, s, b, func(ctx context.Context) (*redislock.Lock, error) {
		return s.locks.Obtain(ctx, n.lock, length, nil)
	})
	if err != nil {
		return nil, err
	}
	return &lease{lock: lock, length: length, renewed: time.Now()}, nil
}

// value is what the lock's key holds.
func (l *lease) value() string { return l.lock.Token() + l.lock.Metadata() }

// keep renews the lock until it is told to stop, but for no longer than limit.
// Who holds it longer holds up everybody for a token that may never come.
func (l *lease) keep(ctx context.Context, s *store, limit time.Duration) (stop func()) {
	stopping := make(chan struct{})
	var renewing sync.WaitGroup
	renewing.Go(func() {
		ticker := time.NewTicker(l.length / 3)
		defer ticker.Stop()
		end := time.NewTimer(limit)
		defer end.Stop()
		for {
			select {
			case <-stopping:
				return
			case <-end.C:
				return
			case <-ticker.C:
			}
			if !l.renew(ctx, s) {
				return
			}
		}
	})
	return func() {
		close(stopping)
		renewing.Wait() // so that it is known whether the last renewal took place
	}
}

// renew reports whether the lock is still held, as far as is known.
func (l *lease) renew(ctx context.Context, s *store) bool {
	_, err := command(ctx, s, newBudget(), func(ctx context.Context) (struct{}, error) {
		return struct{}{}, l.lock.Refresh(ctx, l.length, nil)
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err == nil:
		l.renewed, l.unsure = time.Now(), false
	case errors.Is(err, redislock.ErrNotObtained):
		l.lost = true
	default:
		l.unsure = true
	}
	return !l.lost
}

// whole returns when the lock last had its whole length, at the latest. It
// reports false where that is not known, or the lock is lost.
func (l *lease) whole() (at time.Time, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.renewed, !l.lost && !l.unsure
}

// release gives up the lock, unless that was done before or it is to stay.
func (l *lease) release(ctx context.Context, s *store, b *budget) {
	if l.gone || l.stays {
		return
	}
	_, _ = command(ctx, s, b, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, l.lock.Release(ctx)
	}) // otherwise it ends by itself
}
