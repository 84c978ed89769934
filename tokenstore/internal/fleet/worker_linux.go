package fleet

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"example.com/routeauth"
)

// workerVariable is the environment variable that makes a program a process of
// the fleet: see [RunWorker].
const workerVariable = "ROUTEAUTH_FLEET_WORKER"

// job is what a process of the fleet is told to do.
type job struct {
	Name    string // of the process
	Kind    kind
	Redis   string // host:port
	Web     string // the URL of issuer and API
	Users   int
	Callers int
	Pause   time.Duration // of a caller between two requests, on average
	Life    time.Duration // of a token
	Spoil   spoil
}

// event is a line that a process prints.
type event struct {
	Kind    string // one of the kinds below
	Request string
	Error   string
	Count   int
	Slowest time.Duration
}

const (
	counted      = "counted"       // requests since the last such line
	failed       = "failed"        // a request, for another reason than the next
	notServed    = "not served"    // a request, since the issuer refused or is down
	unauthorized = "unauthorized"  // a request, with a 401
	knownRevoked = "known revoked" // a token that was returned though it was known to be rejected
)

// RunWorker runs a process of the fleet, if the environment says that this is
// one, and does not return then. Whatever program starts a fleet calls it first.
func RunWorker() {
	text := os.Getenv(workerVariable)
	if text == "" {
		return
	}
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		fmt.Fprintln(os.Stderr, "fleet:", err)
		os.Exit(1)
	}
	if err := work(j, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "fleet:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// worker is a process of the fleet.
type worker struct {
	job
	caller caller

	mu     sync.Mutex // guards what is written
	events *json.Encoder

	requests atomic.Int64
	slowest  atomic.Int64
	sent     atomic.Int64
}

// work makes requests until input ends.
func work(j job, input io.Reader, output io.Writer) error {
	w := &worker{job: j, events: json.NewEncoder(output)}
	var err error
	if w.caller, err = newCaller(w); err != nil {
		return err
	}
	if j.Spoil == crashes {
		return errors.New("as it was told to")
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		_, _ = bufio.NewReader(input).ReadByte() // its end: the fleet's end, in whatever way
		cancel()
	}()
	var calling sync.WaitGroup
	for range j.Callers {
		calling.Go(func() {
			for ctx.Err() == nil {
				w.call()
				pause(ctx, time.Duration((0.5+rand.Float64())*float64(j.Pause)))
			}
		})
	}
	calling.Go(func() {
		for ctx.Err() == nil {
			pause(ctx, 200*time.Millisecond)
			w.count()
		}
	})
	calling.Wait()
	w.count()
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func (w *worker) tell(e event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = w.events.Encode(e) // if nobody reads it, input ends too
}

func (w *worker) count() {
	w.tell(event{
		Kind:    counted,
		Count:   int(w.requests.Swap(0)),
		Slowest: time.Duration(w.slowest.Swap(0)),
	})
}

// patience of a request is longer than a cache's.
const patience = 45 * time.Second

// call makes one request, for one of the users, and tells how it failed.
func (w *worker) call() {
	user := userMark + strconv.Itoa(rand.IntN(w.Users))
	request := fmt.Sprintf("%s-%d", w.Name, w.sent.Add(1))
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	began := time.Now()
	err := w.get(ctx, user, request)
	took := time.Since(began)
	w.requests.Add(1)
	for slowest := w.slowest.Load(); int64(took) > slowest && !w.slowest.CompareAndSwap(slowest, int64(took)); {
		slowest = w.slowest.Load()
	}
	if err == nil {
		return
	}
	e := event{Kind: failed, Request: request, Error: err.Error()}
	var refused *refusal
	switch {
	case errors.As(err, &refused):
		e.Kind = notServed
	case errors.Is(err, routeauth.ErrUnauthorized), errors.Is(err, errUnauthorized):
		e.Kind = unauthorized
	}
	w.tell(e)
}

var errUnauthorized = errors.New("401")

func (w *worker) get(ctx context.Context, user, request string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.Web+"/api", nil)
	if err != nil {
		return err
	}
	req.Header.Set(headerUser, user)
	req.Header.Set(headerRequest, request)
	resp, err := w.caller.do(req, user)
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusUnauthorized:
		return errUnauthorized
	}
	return fmt.Errorf("the API answered %s", resp.Status)
}

// refusal is the error of an issuer that was asked and did not issue.
type refusal struct{ status int }

func (r *refusal) Error() string { return fmt.Sprintf("the issuer answered %d", r.status) }

// RetryAfter is how long the issuer asks to be left alone.
func (r *refusal) RetryAfter() time.Duration { return time.Second }

// fetch asks the issuer for a user's token.
func (w *worker) fetch(ctx context.Context, user string) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.Web+"/token", nil)
	if err != nil {
		return answer{}, err
	}
	req.Header.Set(headerUser, user)
	req.Header.Set(headerProcess, w.Name)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return answer{}, &refusal{resp.StatusCode}
	}
	var a answer
	err = json.NewDecoder(resp.Body).Decode(&a)
	return a, err
}
