package problem

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	maxBody       = 64 << 10    // how much of a body is read
	maxTime       = time.Second // for how long
	chunkSize     = 4 << 10     // at a time
	maxEmptyReads = 100         // how many reads in a row may bring nothing
)

// Body is what was read of a response's body.
type Body struct {
	Data  []byte        // 64 KiB at most
	Whole bool          // Data is all of it
	Err   error         // with which it broke off: Data is all that came
	Rest  io.ReadCloser // else the body from its beginning, for who reads it on
}

// Close closes a response's body, which may be broken.
func Close(resp *http.Response) {
	if resp.Body != nil {
		_ = closeBody(resp.Body)
	}
}

func closeBody(body io.Closer) error {
	defer func() { _ = recover() }()
	return body.Close()
}

// Drain reads and closes a response's body so that its connection can be reused.
// It gives up, and closes the body unread, where that costs more than a new
// connection does: after 64 KiB or a second.
//
// A body that is given up may be closed while it is still being read. The bodies
// of net/http allow that. One that does not must end its reads by itself.
func Drain(ctx context.Context, resp *http.Response) Body {
	if resp.Body == nil {
		return Body{Whole: true}
	}
	defer Close(resp)
	r := startReading(resp.Body, maxBody)
	r.wait(ctx)
	return r.stop()
}

// Read is Drain for a body that somebody reads on. It reads one byte more, which
// tells a body of 64 KiB from a larger one. A body that came to its end, or broke
// off, is closed.
func Read(ctx context.Context, resp *http.Response) Body {
	if resp.Body == nil {
		return Body{Whole: true}
	}
	r := startReading(resp.Body, maxBody+1)
	r.wait(ctx)
	body := r.stop()
	if body.Whole || body.Err != nil {
		Close(resp)
	} else {
		body.Rest = r
	}
	return body
}

var errGivenUp = errors.New("the body is larger than is read of it")

// reading is a body that a goroutine reads, until it is stopped.
type reading struct {
	body  io.ReadCloser
	limit int           // how much is read
	ended chan struct{} // closed when the goroutine does not read any more

	mu      sync.Mutex // guards the rest
	read    []byte
	stopped bool
	err     error // with which the reading ended
	given   int   // how much of read somebody has read on
}

func startReading(body io.ReadCloser, limit int) *reading {
	r := &reading{body: body, limit: limit, ended: make(chan struct{})}
	go r.run()
	return r
}

func (r *reading) run() {
	defer close(r.ended)
	defer func() {
		if recover() != nil { // a panic here would kill the process
			r.mu.Lock()
			defer r.mu.Unlock()
			r.err = io.ErrUnexpectedEOF
		}
	}()
	chunk := make([]byte, chunkSize)
	for empty := 0; ; {
		room := min(len(chunk), r.limit-len(r.read))
		n, err := r.body.Read(chunk[:room:room])
		got := chunk[:room:room][:n] // before the lock: a bad n panics
		if empty++; n > 0 {
			empty = 0
		}
		if r.add(got, err, empty) {
			return
		}
	}
}

// add adds what was read, and reports whether that is enough.
func (r *reading) add(got []byte, err error, empty int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.read = append(r.read, got...)
	switch {
	case err != nil:
		r.err = err
	case len(r.read) >= r.limit:
		r.err = errGivenUp
	case empty >= maxEmptyReads:
		r.err = io.ErrNoProgress
	}
	return r.err != nil || r.stopped
}

// wait waits for the end of the body, for a while.
func (r *reading) wait(ctx context.Context) {
	timer := time.NewTimer(maxTime)
	defer timer.Stop()
	select {
	case <-r.ended:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// stop ends the reading after the read that is under way.
func (r *reading) stop() Body {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
	body := Body{Data: slices.Clone(r.read[:min(len(r.read), maxBody)]), Whole: r.err == io.EOF}
	if !body.Whole && r.err != errGivenUp {
		body.Err = r.err
	}
	return body
}

// Read gives the body to somebody who reads on: first what was read, then the
// rest.
func (r *reading) Read(p []byte) (int, error) {
	if n := r.take(p); n > 0 {
		return n, nil
	}
	<-r.ended
	if n := r.take(p); n > 0 {
		return n, nil
	}
	if r.err != nil && r.err != errGivenUp {
		return 0, r.err
	}
	return r.body.Read(p)
}

// take copies what was read and not given yet.
func (r *reading) take(p []byte) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := copy(p, r.read[r.given:])
	r.given += n
	return n
}

// Close closes the body.
func (r *reading) Close() error { return closeBody(r.body) }
