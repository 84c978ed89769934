package main

import (
	"sync"
	"time"
)

// maxLimited is how many users are counted in one window.
const maxLimited = 100_000

// limit lets each user pass a number of times in each window of time.
//
// A window begins with the first caller after the last one and is the same for
// all, so that forgetting it is forgetting one map. The price is that a user who
// waits for its end passes twice as often around it. More users than can be
// counted are refused until the next window.
//
// It is this process's own count: several backends behind one balancer need a
// shared one. As a part of authorize it refuses with 403, which the app takes for
// final; a handler around the token handler could answer 429 with Retry-After.
type limit struct {
	passes int
	window time.Duration
	users  int // that are counted at most

	mu     sync.Mutex
	end    time.Time      // of this window
	passed map[string]int // in this window
}

func newLimit(passes int, window time.Duration) *limit {
	return &limit{passes: passes, window: window, users: maxLimited, passed: make(map[string]int)}
}

// allow counts a pass of user, unless there were too many.
func (l *limit) allow(user string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); !now.Before(l.end) {
		l.end = now.Add(l.window)
		clear(l.passed)
	}
	passed, counted := l.passed[user]
	if passed >= l.passes || !counted && len(l.passed) >= l.users {
		return false
	}
	l.passed[user] = passed + 1
	return true
}
