package redistokens

import (
	"context"
	_ "embed"
	"errors"
	"time"

	"example.com/routeauth"
	"github.com/bsm/redislock"
	"github.com/redis/go-redis/v9"
)

var (
	//go:embed look.lua
	lookSource string
	//go:embed write.lua
	writeSource string
	//go:embed discard.lua
	discardSource string

	lookScript    = redis.NewScript(lookSource)
	writeScript   = redis.NewScript(writeSource)
	discardScript = redis.NewScript(discardSource)
)

// No caller of a Source gets to see these errors, nor any other of Redis: it is
// needed for no request.
var (
	errUnavailable = errors.New("redistokens: Redis is left alone after a failure")
	errGarbled     = errors.New("redistokens: a script returned something else")
)

// store is Redis as this package uses it.
type store struct {
	client  redis.UniversalClient
	locks   *redislock.Client
	seal    *sealer
	contact contact
	outage  outage
}

// seen is what Redis has at one moment.
type seen struct {
	record
	stored string        // the record's bytes, also where they are garbage
	left   time.Duration // how long the record still lives
	asked  time.Time     // before Redis looked
	holder string        // the value of the lock, "" if it is free
}

// lastMoment is how long before its end a token is not handed out if another can
// be had, so that it does not end on its way. It is what a cache above has as its
// own, and so never less.
func (s *seen) lastMoment() time.Duration { return min(time.Second, s.total/10) }

// isGood reports whether the token may be handed out at once.
func (s *seen) isGood() bool { return s.left > s.lastMoment() }

// isDue reports whether the token is to be replaced.
func (s *seen) isDue(refreshBefore time.Duration) bool {
	return s.left <= min(refreshBefore, s.total/2)
}

// obtained returns the token as callers get it. That it ends as long after the
// question as Redis said can only be too early.
func (s *seen) obtained() obtained {
	return obtained{Token: routeauth.Token{Value: s.token, Expiry: s.asked.Add(s.left).Round(0)}}
}

// orElse returns what was fetched, or, where that failed, the token that Redis
// had for as long as it lives.
func (s *seen) orElse(fetched obtained, err error) (obtained, error) {
	if err != nil && time.Since(s.asked) < s.left {
		return s.obtained(), nil
	}
	return fetched, err
}

// look returns what Redis has now.
func (s *store) look(ctx context.Context, b *budget, n names) (seen, error) {
	asked := time.Now()
	values, err := script(ctx, s, b, lookScript, []string{n.token, n.lock, n.none},
		[]any{longestLease.Milliseconds()}, (*redis.Cmd).Slice)
	if err != nil {
		return seen{}, err
	}
	if len(values) != 3 {
		return seen{}, errGarbled
	}
	now := seen{asked: asked}
	now.stored, _ = values[0].(string)
	now.holder, _ = values[2].(string)
	left, _ := values[1].(int64)
	if r, ok := s.seal.open(now.stored, n.token); ok && left > 0 {
		// Whoever can write to Redis can let a key live on, but not its token.
		now.record, now.left = r, min(time.Duration(left)*time.Millisecond, r.total)
	}
	return now, nil
}

// write writes a token and gives up the lock, if it is still held.
func (s *store) write(ctx context.Context, b *budget, n names, l *lease, r record, left time.Duration) error {
	args := []any{l.value(), s.seal.seal(r, n.token), left.Milliseconds(), l.length.Milliseconds()}
	_, err := script(ctx, s, b, writeScript, []string{n.token, n.lock}, args, (*redis.Cmd).Int)
	return err
}

// discard removes a token if its very bytes are still there.
func (s *store) discard(ctx context.Context, b *budget, n names, stored string) {
	_, _ = script(ctx, s, b, discardScript, []string{n.token}, []any{stored}, (*redis.Cmd).Int) // what could not be removed is remembered
}

// script runs a script, by its hash if Redis knows it.
func script[T any](ctx context.Context, s *store, b *budget, script *redis.Script, keys []string, args []any, read func(*redis.Cmd) (T, error)) (T, error) {
	value, err := command(ctx, s, b, func(ctx context.Context) (T, error) {
		return read(script.EvalSha(ctx, s.client, keys, args...))
	})
	if !isUnknownScript(err) {
		return value, err
	}
	return command(ctx, s, b, func(ctx context.Context) (T, error) {
		return read(script.Eval(ctx, s.client, keys, args...))
	})
}

func isUnknownScript(err error) bool {
	return errors.Is(err, redis.ErrNoScript) || redis.HasErrorPrefix(err, "NOSCRIPT")
}

// command sends a command unless Redis is left alone, and notes how it ended. A
// budget that is spent is a failure: a Redis that is slow in each command must not
// hold up every call.
func command[T any](ctx context.Context, s *store, b *budget, send func(context.Context) (T, error)) (T, error) {
	admitted, probe := s.outage.admit()
	if !admitted {
		var none T
		return none, errUnavailable
	}
	var value T
	err := s.reach(ctx, b)
	if err == nil {
		value, err = within(ctx, b, send)
	}
	s.outage.note(probe, verdictOf(ctx, err))
	return value, err
}

func verdictOf(ctx context.Context, err error) verdict {
	switch {
	case err == nil,
		errors.Is(err, redislock.ErrNotObtained), errors.Is(err, redislock.ErrLockNotHeld),
		isUnknownScript(err),
		redis.HasErrorPrefix(err, "WRONGTYPE"): // somebody's garbage, which a look removes
		return answered
	case ctx.Err() != nil:
		return unheard
	}
	return failed
}
