package roundtriptest

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// waitClauses ask whether a wrapper that waits, for a token, a lock or a retry,
// stops when the caller's context ends, and how it says so.
var waitClauses = []clause{{
	name:     "context/wait",
	requires: "RoundTrip returns when the caller's context ends, also while the wrapper itself waits",
	quotes:   []sentence{contextCancels, contextLifetime},
	check:    endsItsWaits,
}, {
	name:     "context/timeout",
	requires: "where a deadline has passed, the error says that it is a timeout",
	quotes:   []sentence{contextCancels, errorTellsTimeout},
	check:    tellsTimeouts,
}, {
	name:     "context/cause",
	requires: "where the context was cancelled with a cause, errors.Is finds it in the error (no sentence asks for it, but a Transport does so)",
	quotes:   []sentence{contextCancels},
	check:    tellsCauses,
}}

// wait is a request whose context ended while the wrapper, or the base, had it.
type wait struct {
	what    string
	body    *trackedBody
	timeout bool // the context ended by its deadline; else it was cancelled with errCause

	endless bool          // RoundTrip did not return when the context ended
	ended   bool          // RoundTrip returned after that
	called  bool          // the request reached the base
	held    bool          // and the base had it when the context ended
	late    time.Duration // how much after that RoundTrip returned
	status  int           // of the response, or 0
	err     error
}

// refused reports whether the wrapper gave the request up by itself.
func (w wait) refused() bool {
	_, crash := crashed(w.err)
	return w.err != nil && !crash && !w.called && !w.endless
}

var errCause = errors.New("the caller's reason to cancel")

func endsItsWaits(s *suite) error {
	var found findings
	for _, w := range s.waits() {
		if w.endless {
			found.addf("%s: the caller's context ended, and RoundTrip did not return", w.what)
		}
	}
	return found.err()
}

func tellsTimeouts(s *suite) error {
	var found findings
	for _, w := range s.waits() {
		if !w.timeout || !w.ended || w.err == nil {
			continue
		}
		// An error of the base may have been wrapped. An error of the wrapper
		// itself is its own choice.
		var timeout interface{ Timeout() bool }
		tells := errors.As(w.err, &timeout) && timeout.Timeout()
		if !w.held {
			tells = (&url.Error{Err: w.err}).Timeout()
		}
		if !tells {
			found.addf("%s: the caller's deadline passed, and an http.Client's Timeout method would be false for %s",
				w.what, described(w.err))
		}
	}
	return found.err()
}

func tellsCauses(s *suite) error {
	var found findings
	for _, w := range s.waits() {
		if !w.timeout && w.ended && w.err != nil && !errors.Is(w.err, errCause) {
			found.addf("%s: the caller cancelled the context with the cause %q; errors.Is does not find it in %s",
				w.what, errCause, described(w.err))
		}
	}
	return found.err()
}

// waitsOf ends contexts wherever a wrapper may wait.
func (s *suite) waitsOf() (waits []wait) {
	for _, scene := range []scene{
		waitByItself,
		waitInBase,
		waitForOthers,
		waitAfter("a 503", func(sent *http.Request) (*http.Response, error) {
			return answer(sent, http.StatusServiceUnavailable), nil
		}),
		waitAfter("a 429 with Retry-After", func(sent *http.Request) (*http.Response, error) {
			return exhausted(answer(sent, http.StatusTooManyRequests)), nil
		}),
		waitAfter("a failure of the base", func(sent *http.Request) (*http.Response, error) {
			discardBody(sent)
			return nil, errBase
		}),
		waitBehind("a 503", func(sent *http.Request) (*http.Response, error) {
			return answer(sent, http.StatusServiceUnavailable), nil
		}),
		waitBehind("a 503 with Retry-After", func(sent *http.Request) (*http.Response, error) {
			return exhausted(answer(sent, http.StatusServiceUnavailable)), nil
		}),
		waitBehind("a 429 with Retry-After", func(sent *http.Request) (*http.Response, error) {
			return exhausted(answer(sent, http.StatusTooManyRequests)), nil
		}),
		waitBehind("a 401", func(sent *http.Request) (*http.Response, error) {
			return answer(sent, http.StatusUnauthorized), nil
		}),
		waitBehind("a 200 which says that no request is left", func(sent *http.Request) (*http.Response, error) {
			return exhausted(answer(sent, http.StatusOK)), nil
		}),
		waitBehind("a failure of the base", func(sent *http.Request) (*http.Response, error) {
			discardBody(sent)
			return nil, errBase
		}),
	} {
		for _, w := range s.play(scene) {
			waits = append(waits, w)
			if w.endless {
				return waits // the others are no better, and take their time
			}
		}
	}
	return waits
}

// play makes the waits of a scene: with a deadline, and with a cause. A busy
// machine makes RoundTrip late as well, but not time and again.
func (s *suite) play(scene scene) (waits []wait) {
	var both [2][]wait
	var playing sync.WaitGroup
	for i, timeout := range []bool{true, false} {
		playing.Go(func() {
			_ = recovered(func() error {
				for again := range 3 {
					w, waited := scene(s, timeout)
					if !waited {
						return nil
					}
					isLate := w.ended && !w.endless && w.late > lateness
					w.endless = w.endless || isLate && again == 2
					both[i] = []wait{w}
					if !isLate {
						return nil
					}
				}
				return nil
			})
		})
	}
	playing.Wait()
	return slices.Concat(both[:]...)
}

// scene is a place where a wrapper may wait. It reports whether there was
// something to wait for.
type scene = func(s *suite, timeout bool) (w wait, waited bool)

// exhausted gives a response the fields that say when to send the next request,
// which is in an hour.
func exhausted(resp *http.Response) *http.Response {
	const seconds = "3600"
	then := strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10)
	for name, value := range map[string]string{
		"Retry-After":           seconds,
		"Ratelimit-Remaining":   "0",
		"Ratelimit-Reset":       seconds,
		"X-Ratelimit-Remaining": "0",
		"X-Ratelimit-Reset":     then,
	} {
		resp.Header.Set(name, value)
	}
	return resp
}

// soon is when a context ends that is to end while RoundTrip is under way.
const soon = 30 * time.Millisecond

// endingContext returns a context that ends after d, with or without a cause.
func endingContext(d time.Duration, timeout bool) (context.Context, func()) {
	if timeout {
		return context.WithTimeout(context.Background(), d)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	timer := time.AfterFunc(d, func() { cancel(errCause) })
	return ctx, func() {
		timer.Stop()
		cancel(nil)
	}
}

// await sends a POST whose context ends after d, and waits for RoundTrip as long
// as may be.
func (s *suite) await(what string, wrapper http.RoundTripper, d time.Duration, timeout bool, calls *atomic.Int32) wait {
	ctx, cancel := endingContext(d, timeout)
	defer cancel()
	req, body := s.post()
	req = req.WithContext(ctx)
	type result struct {
		status int
		err    error
	}
	returned := make(chan result, 1)
	start := time.Now()
	go s.waiting.do(func() {
		var r result
		r.err = recovered(func() error {
			resp, err := wrapper.RoundTrip(req)
			if resp != nil {
				r.status = resp.StatusCode
			}
			discard(resp)
			return err
		})
		returned <- r
	})
	w := wait{what: what, body: body, timeout: timeout}
	select {
	case r := <-returned:
		w.status, w.err = r.status, r.err
		w.ended, w.late = ctx.Err() != nil, time.Since(start)-d
	case <-time.After(d + promptly):
		w.endless, w.ended = true, true
	}
	w.called = calls.Load() > 0
	if w.err != nil && strings.Contains(w.err.Error(), errBase.Error()) {
		w.ended = false // the base's error, and no word about the context
	}
	return w
}

// awaitAnswer is await where the base answers at once. An error that the wrapper
// makes of the one answer, and returns just so while the context goes on, is none
// about the context, which ended meanwhile because the machine is busy.
func (s *suite) awaitAnswer(what string, wrapper http.RoundTripper, d time.Duration, timeout bool, calls *atomic.Int32) wait {
	w := s.await(what, wrapper, d, timeout, calls)
	if !w.ended || w.endless || w.err == nil || isOfContext(w.err) {
		return w
	}
	before := calls.Load()
	unhurried := s.await(what, wrapper, promptly, timeout, calls)
	if calls.Load() == before+1 && !unhurried.ended && unhurried.err != nil && unhurried.err.Error() == w.err.Error() {
		w.ended = false
	}
	return w
}

// isOfContext saves the time of another request where there is no question.
func isOfContext(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, errCause)
}

// waitUntilEnd is what a base does that waits: it stops with the context, and
// says why.
func waitUntilEnd(sent *http.Request) (*http.Response, error) {
	discardBody(sent)
	select {
	case <-sent.Context().Done():
		return nil, context.Cause(sent.Context())
	case <-time.After(promptly / 2):
		return nil, errBase // context/cancel says so
	}
}

func discardBody(sent *http.Request) {
	if sent.Body != nil {
		_ = sent.Body.Close()
	}
}

// waitInBase ends the context of a request that the base has.
func waitInBase(s *suite, timeout bool) (wait, bool) {
	var calls atomic.Int32
	wrapper, err := s.over(roundTripFunc(func(sent *http.Request) (*http.Response, error) {
		calls.Add(1)
		return waitUntilEnd(sent)
	}))
	if err != nil {
		return wait{}, false
	}
	w := s.await("a request that the base has", wrapper, soon, timeout, &calls)
	w.held = w.called
	return w, true
}

// waitByItself looks for a request, among the first few, that the wrapper delays
// although the base answers at once, and ends the context of one like it before
// that time is over.
func waitByItself(s *suite, timeout bool) (wait, bool) {
	var calls atomic.Int32
	// over returns a new wrapper, and a function that sends a request through it
	// and returns how long that took.
	over := func() (http.RoundTripper, func() time.Duration) {
		wrapper, err := s.over(roundTripFunc(func(sent *http.Request) (*http.Response, error) {
			calls.Add(1)
			return answer(sent, http.StatusOK), nil
		}))
		return wrapper, func() time.Duration {
			if err != nil {
				return 0
			}
			req, _ := s.post()
			start := time.Now()
			_ = recovered(func() error {
				resp, err := wrapper.RoundTrip(req)
				discard(resp)
				return err
			})
			return time.Since(start)
		}
	}
	// A busy machine delays requests as well, but not the same one twice.
	before, took := 0, time.Duration(0)
	const requests = 16
	for _, send := over(); before < requests; before++ {
		if took = send(); took >= shortestWait {
			break
		}
	}
	_, send := over()
	for range before {
		send()
	}
	if again := send(); again < took {
		took = again
	}
	if took < shortestWait {
		return wait{}, false
	}

	var w wait
	for range 3 {
		wrapper, send := over()
		if wrapper == nil {
			return wait{}, false
		}
		for range before {
			send()
		}
		calls.Store(0)
		start := time.Now()
		w = s.await("a request that the wrapper delays", wrapper, took/4, timeout, &calls)
		w.endless = w.endless || time.Since(start) > took*3/4
		if !w.endless {
			break
		}
	}
	return w, true
}

// shortestWait is the shortest delay that counts: signing takes time too.
const shortestWait = 80 * time.Millisecond

// waitForOthers ends the context of a request while the base has many others: a
// wrapper that lets only some through at a time makes it wait.
func waitForOthers(s *suite, timeout bool) (wait, bool) {
	const others = 32
	var calls atomic.Int32
	var arrived atomic.Int32
	release := make(chan struct{})
	wrapper, err := s.over(roundTripFunc(func(sent *http.Request) (*http.Response, error) {
		if sent.Method == http.MethodPost {
			calls.Add(1)
			return waitUntilEnd(sent)
		}
		arrived.Add(1)
		<-release
		return answer(sent, http.StatusOK), nil
	}))
	if err != nil {
		return wait{}, false
	}
	var senders sync.WaitGroup
	for range others {
		senders.Go(func() {
			_ = recovered(func() error {
				resp, err := wrapper.RoundTrip(s.get())
				discard(resp)
				return err
			})
		})
	}
	defer senders.Wait()
	defer close(release)
	// Where not all of them arrive, the others wait in the wrapper.
	for start := time.Now(); arrived.Load() < others && time.Since(start) < lateness; {
		time.Sleep(time.Millisecond)
	}
	w := s.await("a request while the base has others", wrapper, soon, timeout, &calls)
	w.held = w.called
	return w, true
}

// waitAfter returns a scene in which the base answers in a way after which some
// wrappers wait and try again.
func waitAfter(what string, reply roundTripFunc) scene {
	return func(s *suite, timeout bool) (wait, bool) {
		var calls atomic.Int32
		wrapper, err := s.over(roundTripFunc(func(sent *http.Request) (*http.Response, error) {
			calls.Add(1)
			return reply(sent)
		}))
		if err != nil {
			return wait{}, false
		}
		return s.awaitAnswer("a request after "+what, wrapper, 3*soon, timeout, &calls), true
	}
}

// waitBehind returns a scene in which the base answers some requests in a way
// after which some wrappers keep the next one waiting.
func waitBehind(what string, reply roundTripFunc) scene {
	return func(s *suite, timeout bool) (wait, bool) {
		const before = 3
		var calls atomic.Int32
		var answers atomic.Bool
		wrapper, err := s.over(roundTripFunc(func(sent *http.Request) (*http.Response, error) {
			calls.Add(1)
			if answers.Load() {
				return answer(sent, http.StatusOK), nil
			}
			return reply(sent)
		}))
		if err != nil {
			return wait{}, false
		}
		for nth := range before + 1 {
			answers.Store(nth == before)
			calls.Store(0)
			w := s.awaitAnswer("a request behind "+what, wrapper, soon, timeout, &calls)
			if nth == before || nth > 0 && w.ended {
				return w, true
			}
		}
		return wait{}, false
	}
}
