package routeauth

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	maxDrain     = 64 << 10    // of a 401's body is read
	maxDrainTime = time.Second // is waited for it
	maxErrorBody = 4 << 10     // of it is kept
)

// newUnauthorizedError turns a 401 into an error and is done with the response.
func newUnauthorizedError(scheme Scheme, value string, resp *http.Response) *UnauthorizedError {
	var r redactor
	if scheme != SchemeSubscription {
		r = newRedactor(value)
	}
	body, whole := drain(resp)

	e := &UnauthorizedError{
		Scheme: scheme,
		Method: methodOf(resp.Request),
		URL:    r.text(locationOf(resp.Request)),
		Header: r.header(resp.Header),
	}
	if e.RequestID = e.Header.Get("X-Cloud-Trace-Context"); e.RequestID == "" {
		e.RequestID = e.Header.Get("X-Request-Id")
	}
	if coding := resp.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return e
	}
	e.Detail = r.text(oneLine(r.text(detailOf(body))))
	e.Body = r.body(body, whole)
	e.Body = e.Body[:min(len(e.Body), maxErrorBody)]
	return e
}

// drain reads the body of a response that nobody else will read, so that its
// connection can be used again, and closes it. It gives up, and closes the body
// unread, where that costs more than a new connection does. It returns what it
// read and whether that is all.
func drain(resp *http.Response) (body []byte, whole bool) {
	if resp.Body == nil {
		return nil, true
	}
	defer resp.Body.Close()

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
		for {
			n, err := resp.Body.Read(chunk)
			mu.Lock()
			read = append(read, chunk[:n]...)
			if err == nil && len(read) >= maxDrain {
				err = io.ErrShortBuffer
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
	case <-resp.Request.Context().Done():
	}
	mu.Lock()
	defer mu.Unlock()
	abandoned = true
	return slices.Clone(read), err == io.EOF
}
