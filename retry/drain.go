package retry

import (
	"context"
	"io"
	"net/http"
	"time"
)

// What a connection is worth, which is used again where its response was read to
// the end.
const (
	maxDrain     = 64 << 10
	maxDrainWait = time.Second
)

// drain reads and closes the body of a response that is not handed out. A body
// that stalls holds nobody up for long, nor past the context's end.
func drain(ctx context.Context, resp *http.Response) {
	if resp == nil || resp.Body == nil {
		return
	}
	defer closeResponse(resp)
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer func() { _ = recover() }() // a panic here would end the process
		discard(resp.Body)
	}()
	timer := time.NewTimer(maxDrainWait)
	defer timer.Stop()
	select {
	case <-read:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// discard reads body to its end, with a bound also on a reader that gives nothing.
func discard(body io.Reader) {
	chunk := make([]byte, 4<<10)
	for read, calls := 0, 0; read < maxDrain && calls < maxDrain/64; calls++ {
		n, err := body.Read(chunk)
		if err != nil {
			return
		}
		read += n
	}
}

// closeResponse closes the body of resp, which may be broken.
func closeResponse(resp *http.Response) {
	if resp == nil || resp.Body == nil {
		return
	}
	defer func() { _ = recover() }()
	_ = resp.Body.Close()
}

func closeBody(req *http.Request) {
	if req != nil && req.Body != nil {
		_ = req.Body.Close()
	}
}
