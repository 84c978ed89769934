package flight_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/routeauth/tokenstore/internal/flight"
	"github.com/stretchr/testify/assert"
)

func TestCallersForOneKeyShareTheWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := flight.NewGroup[int](time.Second)
		works := map[string]int{}
		var mu sync.Mutex
		for i := range 100 {
			key := []string{"a", "b"}[i%2]
			go func() {
				got, err := g.Do(t.Context(), key, func(flight.Contexts) (int, error) {
					time.Sleep(time.Second)
					mu.Lock()
					defer mu.Unlock()
					works[key]++
					return works[key], nil
				})
				assert.NoError(t, err)
				assert.Equal(t, 1, got)
			}()
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, map[string]int{"a": 1, "b": 1}, works)
	})
}

func TestACallAfterTheEndBeginsAnew(t *testing.T) {
	g := flight.NewGroup[int](time.Second)
	for want := range 3 {
		got, err := g.Do(t.Context(), "a", func(flight.Contexts) (int, error) { return want, nil })
		assert.NoError(t, err)
		assert.Equal(t, want, got)
	}
}

func TestAWorkThatNobodyWaitsForIsToldSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := flight.NewGroup[int](10 * time.Second)
		var waited, fetched time.Duration
		began := time.Now()
		work := func(c flight.Contexts) (int, error) {
			<-c.Waiting.Done()
			waited = time.Since(began)
			<-c.Fetching.Done()
			fetched = time.Since(began)
			return 0, nil
		}
		for _, patience := range []time.Duration{time.Second, 3 * time.Second} {
			go func() {
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				_, err := g.Do(ctx, "a", work)
				assert.ErrorIs(t, err, context.DeadlineExceeded)
				assert.Equal(t, patience, time.Since(began))
			}()
		}
		time.Sleep(4 * time.Second)
		got, err := g.Do(t.Context(), "a", func(flight.Contexts) (int, error) { return 7, nil })
		assert.NoError(t, err)
		assert.Equal(t, 7, got, "a new work, since the old one was given up")
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, 3*time.Second, waited)
		assert.Equal(t, 13*time.Second, fetched)
	})
}

func TestAWorkHasTheValuesOfTheFirstCaller(t *testing.T) {
	type key struct{}
	g := flight.NewGroup[any](time.Second)
	ctx := context.WithValue(t.Context(), key{}, "first")
	got, err := g.Do(ctx, "a", func(c flight.Contexts) (any, error) {
		assert.Equal(t, "first", c.Fetching.Value(key{}))
		return c.Waiting.Value(key{}), nil
	})
	assert.NoError(t, err)
	assert.Equal(t, "first", got)
}

func TestACallerLeavesWithTheCauseOfItsContext(t *testing.T) {
	why := errors.New("why")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	_, err := flight.NewGroup[int](0).Do(ctx, "a", func(flight.Contexts) (int, error) { return 0, nil })
	assert.ErrorIs(t, err, context.Canceled)
	assert.ErrorIs(t, err, why)
}

func TestAWorkThatDoesNotReturnIsAnError(t *testing.T) {
	var none map[string]int
	for what, test := range map[string]struct {
		work func()
		want string
	}{
		"a panic":            {func() { panic("secret") }, "the token source panicked (string)"},
		"a runtime error":    {func() { none["a"] = 1 }, "the token source panicked: assignment to entry in nil map"},
		"the goroutine ends": {runtime.Goexit, "the token source ended its goroutine"},
	} {
		t.Run(what, func(t *testing.T) {
			_, err := flight.NewGroup[int](0).Do(t.Context(), "a", func(flight.Contexts) (int, error) {
				test.work()
				return 1, nil
			})
			assert.EqualError(t, err, test.want)
		})
	}
}
