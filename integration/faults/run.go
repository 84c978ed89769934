package faults

import (
	"context"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"example.com/routeauth"
)

// Config says how large a run is. The zero value of a field is its default.
type Config struct {
	Seed    uint64 // the default is 1
	Calls   int    // how many calls are made; the default is 1000
	Callers int    // how many goroutines make them; the default is 64
}

func (c Config) withDefaults() Config {
	if c.Seed == 0 {
		c.Seed = 1
	}
	if c.Calls <= 0 {
		c.Calls = 1000
	}
	if c.Callers <= 0 {
		c.Callers = 64
	}
	return c
}

// Run makes the calls and reports what came of them. It ends early if ctx does.
// The error says that the run could not be set up; what went wrong in it is in
// the report.
//
// It counts goroutines of the whole process, so nothing else should start or
// end while it runs.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	return runWith(ctx, cfg, recommended)
}

// run is a run under way.
type run struct {
	seed   uint64
	recipe recipe
	ledger *ledger
	watch  *watch

	api, elsewhere, backend *httptest.Server
	tokenNetwork            *http.Transport
	policy                  *routeauth.Policy
	stacks                  []*stack

	dials, started atomic.Int64
}

func runWith(ctx context.Context, cfg Config, recipe recipe) (*Report, error) {
	cfg = cfg.withDefaults()
	began, goroutines := time.Now(), runtime.NumGoroutine()

	r := &run{seed: cfg.Seed, recipe: recipe, ledger: newLedger(), watch: &watch{}}
	if err := r.setUp(); err != nil {
		r.closeServers()
		return nil, err
	}
	calls := r.makeCalls(ctx, cfg)
	r.settle(func() bool {
		r.closeIdleConnections()
		return r.watch.requests.Load() == 0 && r.watch.responses.Load() == 0 && r.watch.connections.Load() == 0
	})
	report := &Report{Seed: cfg.Seed, Calls: calls, Starts: int(r.started.Load())}
	r.ledger.balance(report)
	report.Connections = int(r.watch.dialed.Load())
	report.OpenRequests = int(r.watch.requests.Load())
	report.OpenResponses = int(r.watch.responses.Load())
	report.OpenConnections = int(r.watch.connections.Load())

	r.closeServers()
	r.settle(func() bool { return runtime.NumGoroutine() <= goroutines })
	report.Goroutines = max(0, runtime.NumGoroutine()-goroutines)
	report.Duration = time.Since(began)
	return report, nil
}

func (r *run) setUp() (err error) {
	r.elsewhere = newServer(&elsewhere{r.seed, r.ledger, func() string { return r.api.URL }})
	r.api = newServer(&api{seed: r.seed, ledger: r.ledger, answers: r.recipe.answers, elsewhere: r.elsewhere.URL})
	tokens, err := newBackend(r.seed, r.ledger, r.elsewhere.URL)
	if err != nil {
		return err
	}
	r.backend = newServer(tokens)
	r.tokenNetwork = r.newNetwork(false)
	r.policy, err = routeauth.NewPolicy(r.api.URL+"/v1", routeauth.Routes{
		"POST /operations":     routeauth.Mandatory,
		"GET /operations/{id}": routeauth.Optional,
	})
	if err != nil {
		return err
	}
	for _, kind := range kinds() {
		stack, err := r.newStack(kind)
		if err != nil {
			return err
		}
		r.stacks = append(r.stacks, stack)
	}
	return nil
}

// makeCalls makes the calls and returns how many there were.
func (r *run) makeCalls(ctx context.Context, cfg Config) int {
	var next, made atomic.Int64
	var callers sync.WaitGroup
	for range cfg.Callers {
		callers.Go(func() {
			for nth := next.Add(1); nth <= int64(cfg.Calls) && ctx.Err() == nil; nth = next.Add(1) {
				r.call(ctx, int(nth))
				made.Add(1)
			}
		})
	}
	callers.Wait()
	return int(made.Load())
}

// settle waits until done, for as long as something may still be under way.
func (r *run) settle(done func() bool) {
	deadline := time.NewTimer(r.recipe.settleTime)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-deadline.C:
			return
		}
	}
}

func (r *run) closeIdleConnections() {
	r.tokenNetwork.CloseIdleConnections()
	for _, stack := range r.stacks {
		stack.closeIdleConnections()
	}
}

func (r *run) closeServers() {
	for _, server := range []*httptest.Server{r.api, r.elsewhere, r.backend} {
		if server != nil {
			server.CloseClientConnections()
			server.Close()
		}
	}
}
