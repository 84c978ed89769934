package fleet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"example.com/routeauth/tokenstore/internal/redisserver"
	"github.com/redis/go-redis/v9"
)

// Config says what a fleet is made of. Its zero fields have defaults.
type Config struct {
	Processes int           // 10
	For       time.Duration // 10 s
	Seed      uint64        // 1
	Life      time.Duration // of a token: 6 s
	Rate      float64       // tokens that the issuer issues in a second: 3 for each process
}

func (c Config) withDefaults() Config {
	if c.Processes == 0 {
		c.Processes = 10
	}
	if c.For == 0 {
		c.For = 10 * time.Second
	}
	if c.Seed == 0 {
		c.Seed = 1
	}
	if c.Life == 0 {
		c.Life = 6 * time.Second
	}
	if c.Rate == 0 {
		c.Rate = 3 * float64(c.Processes)
	}
	return c
}

const users = 4

// fleet is a fleet under way.
type fleet struct {
	Config
	recipe   recipe
	draw     *rand.Rand
	ledger   *ledger
	web      *web
	redis    *redisserver.Server
	proxy    *proxy
	watching sync.WaitGroup

	processes []*process
	started   int
}

// Run runs a fleet and returns what came of it. It needs a redis-server.
func Run(ctx context.Context, c Config) (*Report, error) { return run(ctx, c, recommended) }

func run(ctx context.Context, c Config, r recipe) (*Report, error) {
	silence()
	dir, err := os.MkdirTemp("", "fleet")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	c = c.withDefaults()
	f := &fleet{Config: c, recipe: r, draw: rand.New(rand.NewPCG(c.Seed, 0))}
	f.ledger = &ledger{life: c.Life, frozen: map[string]time.Time{}}
	f.web = startWeb(c.Life, c.Rate, f.ledger)
	f.web.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	defer f.web.server.Close()
	if f.redis, err = redisserver.Start(dir); err != nil {
		return nil, err
	}
	defer func() { f.redis.Kill() }()
	if f.proxy, err = startProxy(f.redis.Addr()); err != nil {
		return nil, err
	}
	defer f.proxy.close()
	if err := f.watch(); err != nil {
		return nil, err
	}
	began := time.Now()
	defer f.killAll()
	for range c.Processes {
		if err := f.start(); err != nil {
			return nil, err
		}
	}
	if err := f.trouble(ctx, began.Add(c.For)); err != nil {
		return nil, err
	}
	f.stopAll()
	if err := f.lookAtWhatIsLeft(ctx); err != nil {
		return nil, err
	}
	f.ledger.mu.Lock()
	defer f.ledger.mu.Unlock()
	report := &f.ledger.report
	report.Processes, report.Seed, report.Duration = c.Processes, c.Seed, time.Since(began)
	return report, nil
}

// silence takes go-redis its logger, which reports failures that are brought about
// on purpose.
var silence = sync.OnceFunc(func() { redis.SetLogger(quiet{}) })

type quiet struct{}

// Printf does nothing.
func (quiet) Printf(context.Context, string, ...any) {}

// watch begins to read what Redis is told.
func (f *fleet) watch() error {
	_, err := monitor(f.redis.Addr(), f.ledger, &f.watching)
	return err
}

// start starts one more process.
func (f *fleet) start() error {
	f.started++
	p, err := startProcess(job{
		Name: strconv.Itoa(f.started), Kind: sharedTokens, Redis: f.proxy.addr(), Web: f.web.server.URL,
		Users: users, Callers: 2, Pause: 150 * time.Millisecond, Life: f.Life, Spoil: f.recipe.spoil,
	}, f.hear)
	if err == nil {
		f.processes = append(f.processes, p)
	}
	return err
}

// hear takes in what a process tells.
func (f *fleet) hear(e event) {
	overtaken := false
	if e.Kind == unauthorized {
		// Its second token was issued before the revocation, too.
		millis, isRevoked := strings.CutPrefix(f.web.said(e.Request), "revoked ")
		n, err := strconv.Atoi(millis)
		overtaken = isRevoked && err == nil && time.Duration(n)*time.Millisecond < shareTime
	}
	f.ledger.add(func(r *Report) {
		switch {
		case e.Kind == counted:
			r.Requests += e.Count
			r.Slowest = max(r.Slowest, e.Slowest)
		case e.Kind == notServed:
			r.NotServed++
		case e.Kind == knownRevoked:
			r.KnownRevoked++
		case overtaken:
			r.Overtaken++
		case e.Kind == failed || e.Kind == unauthorized:
			r.Failed++
			if len(r.Failures) < 5 {
				r.Failures = append(r.Failures, fmt.Sprintf("%s (%s)", e.Error, f.web.said(e.Request)))
			}
		}
	})
}

func (f *fleet) stopAll() {
	var stopping sync.WaitGroup
	for _, p := range f.processes {
		stopping.Go(func() {
			if err := p.stop(); err != nil {
				f.ledger.add(func(r *Report) {
					r.Crashes++
					r.Failures = append(r.Failures, err.Error())
				})
			}
		})
	}
	stopping.Wait()
	f.processes = nil
}

func (f *fleet) killAll() {
	for _, p := range f.processes {
		p.kill()
	}
}

// lookAtWhatIsLeft looks for secrets in Redis's memory, and for keys once every
// token has ended.
func (f *fleet) lookAtWhatIsLeft(ctx context.Context) error {
	if err := f.lookAtMemory(); err != nil {
		return err
	}
	pause(ctx, f.Life+lockTime)
	client := redis.NewClient(&redis.Options{Addr: f.redis.Addr()})
	defer func() { _ = client.Close() }()
	keys, err := client.Keys(ctx, "*").Result()
	f.ledger.add(func(r *Report) { r.KeysLeft += len(keys) })
	f.redis.Kill()
	f.watching.Wait()
	return err
}

// lockTime is how long a lock may outlive the last process.
const lockTime = 3 * time.Second

func (f *fleet) lookAtMemory() error {
	n, err := secretsInMemory(f.redis.PID())
	f.ledger.add(func(r *Report) { r.SecretsSeen += n })
	if errors.Is(err, os.ErrPermission) {
		return nil // only MONITOR shows then what Redis holds
	}
	return err
}
