package fleet

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"example.com/routeauth/tokenstore/internal/redisserver"
)

// Comparison is how many tokens fleets fetched that keep them in different ways.
type Comparison struct {
	Processes int
	Rows      []Fetches
}

// Fetches are those of one fleet, for one user.
type Fetches struct {
	Kind       string
	Cold       int // until every process had a token
	Life       int // until the first token's end, after that
	Revocation int // after a revocation
	Failed     int // requests
}

// String is the comparison as a table.
func (c *Comparison) String() string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "fetches of %d processes\tcold\ta token's life\ta revocation\trequests that failed\n", c.Processes)
	for _, row := range c.Rows {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\n", row.Kind, row.Cold, row.Life, row.Revocation, row.Failed)
	}
	_ = w.Flush() // into memory
	return text.String()
}

// Compare runs a fleet of each kind, one after the other, without troubles. A
// token must live long enough for all processes to start, and for each to renew it
// before it ends.
func Compare(ctx context.Context, c Config) (*Comparison, error) {
	return compare(ctx, c, sharedTokens, cachedTokens, oauth2Tokens, smithyTokens)
}

func compare(ctx context.Context, c Config, kinds ...kind) (*Comparison, error) {
	silence()
	if c.Life == 0 {
		c.Life = 10 * time.Second
	}
	c = c.withDefaults()
	comparison := &Comparison{Processes: c.Processes}
	for _, k := range kinds {
		row, err := countFetches(ctx, c, k)
		if err != nil {
			return nil, err
		}
		comparison.Rows = append(comparison.Rows, row)
	}
	return comparison, nil
}

func countFetches(ctx context.Context, c Config, k kind) (Fetches, error) {
	row := Fetches{Kind: string(k)}
	dir, err := os.MkdirTemp("", "fleet")
	if err != nil {
		return row, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	server, err := redisserver.Start(dir)
	if err != nil {
		return row, err
	}
	defer server.Kill()
	ledger := &ledger{life: c.Life, frozen: map[string]time.Time{}}
	web := startWeb(c.Life, 0, ledger)
	defer web.server.Close()

	var mu sync.Mutex
	served := make(map[string]bool)
	allServed := make(chan struct{})
	began := time.Now()
	for i := range c.Processes {
		name := strconv.Itoa(i)
		p, err := startProcess(job{
			Name: name, Kind: k, Redis: server.Addr(), Web: web.server.URL,
			Users: 1, Callers: 1, Pause: 100 * time.Millisecond, Life: c.Life,
		}, func(e event) {
			mu.Lock()
			defer mu.Unlock()
			switch {
			case e.Kind != counted:
				row.Failed++
			case e.Count > 0 && !served[name]:
				served[name] = true
				if len(served) == c.Processes {
					close(allServed)
				}
			}
		})
		if err != nil {
			return row, err
		}
		defer p.kill()
	}
	select {
	case <-allServed:
	case <-ctx.Done():
		return row, ctx.Err()
	}
	cold := web.fetches()
	pause(ctx, time.Until(began.Add(c.Life+time.Second)))
	life := web.fetches()
	web.revoke(userMark + "0")
	pause(ctx, time.Second)
	mu.Lock()
	defer mu.Unlock()
	row.Cold, row.Life, row.Revocation = cold, life-cold, web.fetches()-life
	return row, ctx.Err()
}
