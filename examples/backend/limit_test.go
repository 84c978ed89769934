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

func TestAUserPassesSoManyTimesInAWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := newLimit(2, time.Minute)
		for range 3 { // windows
			assert.True(t, limit.allow("alice"))
			<-time.After(59 * time.Second)
			assert.True(t, limit.allow("alice"))
			assert.False(t, limit.allow("alice"))
			assert.True(t, limit.allow("bob"), "bob has passes of his own")
			<-time.After(time.Second - 1)
			assert.False(t, limit.allow("alice"), "the window has not ended")
			<-time.After(1)
		}
	})
}

func TestAWindowBeginsWithItsFirstCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := newLimit(1, time.Minute)
		assert.True(t, limit.allow("alice"))
		<-time.After(time.Hour + 59*time.Second)
		assert.True(t, limit.allow("alice"))
		<-time.After(59 * time.Second)
		assert.False(t, limit.allow("alice"))
	})
}

func TestTheMemoryOfALimitIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := newLimit(2, time.Minute)
		limit.users = 10
		for i := range 1000 {
			assert.Equal(t, i < 10, limit.allow(fmt.Sprint("user ", i)))
		}
		assert.Len(t, limit.passed, 10)
		assert.True(t, limit.allow("user 0"), "a counted user goes on")
		<-time.After(time.Minute)
		assert.True(t, limit.allow("user 999"))
		assert.Len(t, limit.passed, 1, "the last window is forgotten")
	})
}

func TestConcurrentPassesAreCountedOnceEach(t *testing.T) {
	limit := newLimit(10, time.Hour)
	var passed atomic.Int32
	var wait sync.WaitGroup
	for range 100 {
		wait.Go(func() {
			if limit.allow("alice") {
				passed.Add(1)
			}
		})
	}
	wait.Wait()
	assert.EqualValues(t, 10, passed.Load())
}
