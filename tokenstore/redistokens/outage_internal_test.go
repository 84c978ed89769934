package redistokens

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
)

func TestAfterAFailureRedisIsLeftAloneForLongerAndLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o outage
		admitted, probe := o.admit()
		assert.True(t, admitted)
		o.note(probe, failed)
		for _, pause := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 4 * time.Second} {
			admitted, _ = o.admit()
			assert.False(t, admitted)
			time.Sleep(pause - time.Millisecond)
			admitted, _ = o.admit()
			assert.False(t, admitted, "after %v", pause)
			time.Sleep(time.Millisecond)
			admitted, probe = o.admit()
			assert.True(t, admitted, "after %v", pause)
			second, _ := o.admit()
			assert.False(t, second, "one call tries")
			o.note(probe, failed)
		}
		time.Sleep(4 * time.Second)
		_, probe = o.admit()
		o.note(probe, answered)
		for range 2 {
			admitted, probe = o.admit()
			assert.True(t, admitted)
			assert.False(t, probe)
		}
	})
}

func TestCommandsThatFailTogetherAreOneFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o outage
		for range 10 {
			admitted, _ := o.admit()
			assert.True(t, admitted)
		}
		for range 10 {
			o.note(false, failed)
		}
		time.Sleep(time.Second)
		admitted, probe := o.admit()
		assert.True(t, admitted)
		assert.True(t, probe)
	})
}

func TestACallThatLeavesWhileItTriesLetsTheNextOneTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o outage
		o.note(false, failed)
		time.Sleep(time.Second)
		_, probe := o.admit()
		o.note(probe, unheard)
		admitted, probe := o.admit()
		assert.True(t, admitted)
		assert.True(t, probe)
	})
}

func TestACommandHoldsUpACallForASecondAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		began := time.Now()
		_, err := within(t.Context(), newBudget(), func(context.Context) (int, error) {
			<-release // and ignores its context
			return 1, nil
		})
		assert.ErrorIs(t, err, errSlow)
		assert.Equal(t, time.Second, time.Since(began))
	})
}

func TestAllCommandsOfACallHaveASecondTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget()
		slow := func(context.Context) (int, error) {
			time.Sleep(310 * time.Millisecond)
			return 1, nil
		}
		began := time.Now()
		for range 3 {
			_, err := within(t.Context(), b, slow)
			assert.NoError(t, err)
		}
		_, err := within(t.Context(), b, slow)
		assert.ErrorIs(t, err, errSlow)
		assert.InDelta(t, time.Second, time.Since(began), float64(beat))
		_, err = within(t.Context(), b, func(context.Context) (int, error) {
			assert.Fail(t, "a command was sent that nobody waits for")
			return 1, nil
		})
		assert.ErrorIs(t, err, errSlow)
		time.Sleep(time.Second)
	})
}

func TestWhatACallWaitsForAnotherProcessItDoesNotWaitForRedis(t *testing.T) {
	b := budget{300 * time.Millisecond}
	b.earn(200 * time.Millisecond)
	assert.Equal(t, 500*time.Millisecond, b.left)
	b.earn(time.Hour)
	assert.Equal(t, time.Second, b.left)
}

func TestASpentBudgetIsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s store
		s.contact.made = true
		_, err := command(t.Context(), &s, &budget{100 * time.Millisecond}, func(context.Context) (int, error) {
			time.Sleep(200 * time.Millisecond)
			return 1, nil
		})
		assert.ErrorIs(t, err, errSlow)
		_, err = command(t.Context(), &s, newBudget(), func(context.Context) (int, error) { return 1, nil })
		assert.ErrorIs(t, err, errUnavailable)
		time.Sleep(200 * time.Millisecond)
	})
}

func TestWhatIsDoneAfterwardsHoldsUpACallForWhatIsLeftAndGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		done := make(chan error, 1)
		began := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		afterwards(ctx, &budget{100 * time.Millisecond}, func(ctx context.Context) {
			time.Sleep(400 * time.Millisecond)
			done <- ctx.Err()
		})
		assert.Equal(t, 100*time.Millisecond, time.Since(began))
		cancel() // as a flight does whose callers have their token
		assert.NoError(t, <-done)
		began = time.Now()
		afterwards(ctx, newBudget(), func(context.Context) { time.Sleep(40 * time.Millisecond) })
		assert.Equal(t, 40*time.Millisecond, time.Since(began), "what is quick is waited for")
	})
}

func TestAnAttemptThatHangsIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c contact
		hang := make(chan struct{})
		first := c.attempt(func() error { <-hang; return errSlow })
		assert.Same(t, first, c.attempt(nil))
		time.Sleep(2*patience + 1)
		second := c.attempt(func() error { return errSlow })
		<-second.done
		assert.ErrorIs(t, second.err, errSlow)
		<-c.attempt(func() error { return redis.Nil }).done
		assert.Nil(t, c.attempt(nil), "any answer will do")
		close(hang)
	})
}

func TestACommandThatNobodyWaitsForGetsADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		_, err := within(t.Context(), newBudget(), func(ctx context.Context) (int, error) {
			<-ctx.Done()
			ended <- ctx.Err()
			return 0, ctx.Err()
		})
		assert.ErrorIs(t, err, errSlow)
		assert.ErrorIs(t, <-ended, context.DeadlineExceeded)
	})
}

func TestACallerWhoseContextEndsWaitsForNoCommand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		began := time.Now()
		_, err := within(ctx, newBudget(), func(context.Context) (int, error) { <-release; return 1, nil })
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 300*time.Millisecond, time.Since(began))
	})
}

func TestWhatACommandReturnsIsPassedOn(t *testing.T) {
	want := errors.New("an error of the command")
	got, err := within(t.Context(), newBudget(), func(context.Context) (int, error) { return 7, want })
	assert.Equal(t, 7, got)
	assert.Equal(t, want, err)
}

func TestALeaseIsAQuarterOfTheFetchTimeoutAndTwoSecondsAtMost(t *testing.T) {
	for fetchTimeout, want := range map[time.Duration]time.Duration{
		time.Hour:              2 * time.Second,
		10 * time.Second:       2 * time.Second,
		4 * time.Second:        time.Second,
		100 * time.Millisecond: 25 * time.Millisecond,
		time.Nanosecond:        10 * time.Millisecond,
	} {
		assert.Equal(t, want, leaseFor(fetchTimeout), "%v", fetchTimeout)
	}
}

func TestPausesGrowAndAreSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w wait
		w.mayGoOn("a", time.Minute)
		for range 1000 {
			began := time.Now()
			longest := min(2*w.longest, longestWait)
			w.pause(t.Context())
			assert.GreaterOrEqual(t, time.Since(began), 10*time.Millisecond)
			assert.LessOrEqual(t, time.Since(began), longest)
		}
		assert.Equal(t, 250*time.Millisecond, w.longest)
		w.mayGoOn("b", time.Minute)
		assert.Equal(t, 10*time.Millisecond, w.longest, "for another holder it begins anew")
	})
}

func TestTheLaterABeatComesTheLessOfItCounts(t *testing.T) {
	for took, want := range map[time.Duration]time.Duration{
		20 * time.Millisecond:  20 * time.Millisecond,
		25 * time.Millisecond:  25 * time.Millisecond,
		32 * time.Millisecond:  12500 * time.Microsecond,
		100 * time.Millisecond: 10 * time.Millisecond,
		time.Hour:              10 * time.Millisecond,
	} {
		assert.Equal(t, want, counted(took), "%v", took)
	}
}
