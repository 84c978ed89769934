package problem

import (
	"context"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	maxDrain      = 64 << 10    // how much of a body is read
	maxDrainTime  = time.Second // for how long
	chunkSize     = 4 << 10     // at a time
	maxEmptyReads = 100         // how many reads in a row may bring nothing
)

// Close closes a response's body, which may be broken.
func Close(resp *http.Response) {
	defer func() { _ = recover() }()
	if resp.Body != nil {
		_ = resp.Body.Close()
	}
}

// Drain reads the body of a response that nobody else will read, so that its
// connection can be used again, and closes it. It gives up, and closes the body
// unread, where that costs more than a new connection does. It returns what it
// read and whether that is all.
//
// A body that is given up may be closed while it is still being read. The bodies
// of net/http allow that. One that does not must end its reads by itself.
func Drain(ctx context.Context, resp *http.Response) (body []byte, whole bool) {
	if resp.Body == nil {
		return nil, true
	}
	defer Close(resp)

	var (
		mu        sync.Mutex // guards the next two: a slow read is left behind
		read      []byte
		abandoned bool
		end       = make(chan error, 1)
	)
	go func() {
		defer func() {
			if recover() != nil { // nobody could catch it in this goroutine
				end <- io.ErrUnexpectedEOF
			}
		}()
		chunk := make([]byte, chunkSize)
		for empty := 0; ; {
			room := min(len(chunk), maxDrain-len(read))
			n, err := resp.Body.Read(chunk[:room:room])
			got := chunk[:room:room][:n] // before the lock: a bad n panics
			if empty++; n > 0 {
				empty = 0
			}
			mu.Lock()
			read = append(read, got...)
			switch {
			case err != nil:
			case len(read) >= maxDrain:
				err = io.ErrShortBuffer
			case empty >= maxEmptyReads:
				err = io.ErrNoProgress
			}
			stop := err != nil || abandoned
			mu.Unlock()
			if stop {
				end <- err
				return
			}
		}
	}()

	timer := time.NewTimer(maxDrainTime)
	defer timer.Stop()
	var err error
	select {
	case err = <-end:
	case <-timer.C:
	case <-ctx.Done():
	}
	mu.Lock()
	defer mu.Unlock()
	abandoned = true
	return slices.Clone(read), err == io.EOF
}
