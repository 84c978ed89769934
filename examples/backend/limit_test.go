package main

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestAUserPassesSoManyTimesAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := newLimits(3)
		assertWait := func(want time.Duration, user string) {
			t.Helper()
			assert.InDelta(t, want, limits.wait(user), float64(time.Microsecond)) // rates are fractions
		}
		for range 3 {
			assert.Zero(t, limits.wait("alice"))
		}
		assertWait(20*time.Second, "alice")
		assertWait(20*time.Second, "alice") // what is refused does not count
		assert.Zero(t, limits.wait("bob"), "bob has passes of his own")

		<-time.After(19 * time.Second)
		assertWait(time.Second, "alice")
		<-time.After(time.Second)
		assert.Zero(t, limits.wait("alice"))
		assertWait(20*time.Second, "alice")

		<-time.After(time.Hour)
		for range 3 {
			assert.Zero(t, limits.wait("alice"))
		}
		assert.NotZero(t, limits.wait("alice"), "passes do not pile up")
	})
}

func TestAUserWhoseBucketIsFullIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := newLimits(2)
		for i := range 1000 {
			assert.Zero(t, limits.wait(fmt.Sprint("user ", i)))
		}
		<-time.After(50 * time.Second)
		limits.wait("alice")
		limits.wait("alice")
		assert.Len(t, limits.users, 1001)

		<-time.After(10 * time.Second)
		limits.wait("bob")
		assert.Len(t, limits.users, 2)
		assert.InDelta(t, 20*time.Second, limits.wait("alice"), float64(time.Microsecond), "her bucket is not full")
	})
}

func TestConcurrentPassesAreCountedOnceEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // in which no pass comes back meanwhile
		limits := newLimits(10)
		var passed atomic.Int32
		var wait sync.WaitGroup
		for range 100 {
			wait.Go(func() {
				if limits.wait("alice") == 0 {
					passed.Add(1)
				}
			})
		}
		wait.Wait()
		assert.EqualValues(t, 10, passed.Load())
	})
}
