package fleet

import (
	"context"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// trouble is one thing that happens to a fleet.
type trouble func(f *fleet, ctx context.Context) error

// recipe says which troubles a fleet has. Those that are named twice come twice
// as often.
type recipe struct {
	spoil     spoil
	always    []trouble // of processes, tokens and connections
	sometimes []trouble // of Redis, in which each process may have to work by itself
}

var recommended = recipe{
	always:    []trouble{killOne, killOne, freezeOne, revoke, cut, stallShortly},
	sometimes: []trouble{restartRedis, wipe, freezeRedis, stall},
}

// trouble troubles the fleet until the end. Redis has one of its troubles in each
// period of a few seconds and works for the rest of it, so that fetches without
// need can be told apart.
func (f *fleet) trouble(ctx context.Context, end time.Time) error {
	pause(ctx, f.Life) // in peace
	next := time.Now()
	for time.Now().Before(end) && ctx.Err() == nil {
		pause(ctx, time.Duration(200+f.draw.IntN(800))*time.Millisecond)
		if err := f.drawFrom(f.recipe.always)(f, ctx); err != nil {
			return err
		}
		if time.Now().Before(next) {
			continue
		}
		next = time.Now().Add(recovery + f.Life)
		if err := f.drawFrom(f.recipe.sometimes)(f, ctx); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (f *fleet) drawFrom(troubles []trouble) trouble {
	if len(troubles) == 0 {
		return func(*fleet, context.Context) error { return nil }
	}
	return troubles[f.draw.IntN(len(troubles))]
}

// length draws how long a trouble lasts.
func (f *fleet) length(least, most int) time.Duration {
	return time.Duration(least+f.draw.IntN(most-least)) * time.Millisecond
}

// killOne kills a process at whatever it is doing. Another takes its place.
func killOne(f *fleet, _ context.Context) error {
	i := f.draw.IntN(len(f.processes))
	p := f.processes[i]
	f.processes = append(f.processes[:i], f.processes[i+1:]...)
	p.kill()
	f.web.loseThoseOf(p.name)
	f.ledger.add(func(r *Report) { r.Kills++ })
	return f.start()
}

// freezeOne stops a process for longer than a lock lives, while others go on.
func freezeOne(f *fleet, _ context.Context) error {
	p := f.processes[f.draw.IntN(len(f.processes))]
	length := f.length(1000, 4000)
	f.ledger.noteFrozen(p.name, time.Now().Add(length))
	p.freeze()
	f.web.loseThoseOf(p.name)
	f.ledger.add(func(r *Report) { r.Freezes++ })
	time.AfterFunc(length, p.thaw)
	return nil
}

// revoke revokes the tokens of a user.
func revoke(f *fleet, _ context.Context) error {
	f.web.revoke(userMark + strconv.Itoa(f.draw.IntN(users)))
	f.ledger.add(func(r *Report) { r.Revocations++ })
	return nil
}

// cut closes some connections to Redis. Clients connect again.
func cut(f *fleet, _ context.Context) error {
	n := f.proxy.cut(1 + f.draw.IntN(2*f.Processes))
	f.ledger.add(func(r *Report) { r.Cuts += n })
	return nil
}

// stallShortly holds Redis's answers back for less than a process waits for them.
func stallShortly(f *fleet, ctx context.Context) error {
	goOn := f.proxy.stall()
	defer goOn()
	f.ledger.add(func(r *Report) { r.Stalls++ })
	pause(ctx, f.length(50, 300))
	return nil
}

// stall holds them back for longer.
func stall(f *fleet, ctx context.Context) error {
	defer f.ledger.beginTrouble()()
	f.ledger.add(func(r *Report) { r.LongStalls++ })
	goOn := f.proxy.stall()
	defer goOn()
	pause(ctx, f.length(500, 3000))
	return nil
}

// restartRedis kills Redis and starts it again a while later. What it held is
// gone.
func restartRedis(f *fleet, ctx context.Context) error {
	defer f.ledger.beginTrouble()()
	f.ledger.add(func(r *Report) { r.Restarts++ })
	if err := f.lookAtMemory(); err != nil {
		return err
	}
	f.redis.Kill()
	pause(ctx, f.length(0, 3000))
	f.web.lose()
	if err := f.redis.Start(); err != nil {
		return err
	}
	return f.watch()
}

// wipe takes away everything that Redis holds.
func wipe(f *fleet, ctx context.Context) error {
	defer f.ledger.beginTrouble()()
	f.ledger.add(func(r *Report) { r.Wipes++ })
	client := redis.NewClient(&redis.Options{Addr: f.redis.Addr()})
	defer func() { _ = client.Close() }()
	err := client.FlushAll(ctx).Err()
	f.web.lose()
	return err
}

// freezeRedis stops Redis, which then neither answers nor closes a connection.
func freezeRedis(f *fleet, ctx context.Context) error {
	defer f.ledger.beginTrouble()()
	f.ledger.add(func(r *Report) { r.RedisFreezes++ })
	if err := f.redis.Freeze(); err != nil {
		return err
	}
	pause(ctx, f.length(500, 3000))
	return f.redis.Thaw()
}
