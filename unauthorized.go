package routeauth

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	maxDrain      = 64 << 10    // how much of a 401's body is read
	maxDrainTime  = time.Second // for how long
	maxErrorBody  = 4 << 10     // how much of the body, and of its detail, is kept
	maxEmptyReads = 100         // how many reads in a row may bring nothing
)

// newUnauthorizedError turns a 401 response into an error, draining and closing
// its body.
func newUnauthorizedError(scheme Scheme, r redactor, to *url.URL, req *http.Request, resp *http.Response) *UnauthorizedError {
	body, whole := drain(req.Context(), resp)

	e := &UnauthorizedError{
		Scheme:    scheme,
		Method:    methodOf(req),
		URL:       r.text(locationOf(to)),
		Header:    r.header(resp.Header),
		RequestID: r.text(cmp.Or(resp.Header.Get("X-Cloud-Trace-Context"), resp.Header.Get("X-Request-Id"))),
	}
	if isEncoded(resp.Header) {
		return e
	}
	e.Detail = limitText(r.text(oneLine(r.text(detailOf(body)))))
	e.Body = limitBody(r.body(body, whole))
	return e
}

// limitBody returns a copy of body's beginning: an error that is kept must not
// keep alive what it does not show.
func limitBody(body []byte) []byte {
	if body == nil {
		return nil
	}
	return append(make([]byte, 0, min(len(body), maxErrorBody)), body[:min(len(body), maxErrorBody)]...)
}

// limitText returns a copy of text's beginning.
func limitText(text string) string {
	return strings.Clone(strings.ToValidUTF8(text[:min(len(text), maxErrorBody)], ""))
}

func isEncoded(h http.Header) bool {
	for _, coding := range h.Values("Content-Encoding") {
		if coding != "" && !strings.EqualFold(coding, "identity") {
			return true
		}
	}
	return false
}

// drain reads the body of a response that nobody else will read, so that its
// connection can be used again, and closes it. It gives up, and closes the body
// unread, where that costs more than a new connection does. It returns what it
// read and whether that is all.
//
// A body that is given up may be closed while it is still being read. The bodies
// of net/http allow that. One that does not must end its reads by itself.
func drain(ctx context.Context, resp *http.Response) (body []byte, whole bool) {
	if resp.Body == nil {
		return nil, true
	}
	defer closeResponse(resp)

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
		chunk := make([]byte, maxErrorBody)
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
