package main

import (
	"maps"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// limits gives each user a token bucket: it holds so many passes, each request
// takes one, and they come back evenly over a minute.
//
// It is this process's own count. Several backends behind one balancer need one
// that they share.
type limits struct {
	passes int // in a full bucket

	mu    sync.Mutex
	users map[string]*rate.Limiter
	swept time.Time // when full buckets were last forgotten
}

// refillTime is how long an empty bucket takes to become full again.
const refillTime = time.Minute

func newLimits(passes int) *limits {
	return &limits{passes: passes, users: make(map[string]*rate.Limiter)}
}

// wait takes a pass of user. Where there is none it takes nothing, and returns
// how long the user has to wait for the next.
func (l *limits) wait(user string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.sweep(now)

	limiter := l.users[user]
	if limiter == nil {
		limiter = rate.NewLimiter(rate.Every(refillTime/time.Duration(l.passes)), l.passes)
		l.users[user] = limiter
	}
	pass := limiter.ReserveN(now, 1)
	wait := pass.DelayFrom(now)
	if wait > 0 {
		pass.CancelAt(now)
	}
	return wait
}

// sweep forgets the users whose buckets are full: a new bucket is full too. So
// no more users are held than came in the last two minutes.
func (l *limits) sweep(now time.Time) {
	if now.Sub(l.swept) < refillTime {
		return
	}
	l.swept = now
	maps.DeleteFunc(l.users, func(_ string, limiter *rate.Limiter) bool {
		return limiter.TokensAt(now) >= float64(l.passes)
	})
}
