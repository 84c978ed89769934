package roundtriptest

import (
	"errors"
	"io"
	"strings"
	"sync"
)

// trackedBody is a body, of a request or of a response, that counts what is done
// to it. As a file, it cannot be read once it is closed.
type trackedBody struct {
	mu     sync.Mutex
	unread *strings.Reader
	reads  int
	closes int
	atEnd  func() // called before the end is told, if not nil
	end    error  // told after the text
}

func newTrackedBody(text string) *trackedBody {
	return &trackedBody{unread: strings.NewReader(text), end: io.EOF}
}

var errClosed = errors.New("the body is closed")

func (b *trackedBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reads++
	if b.closes > 0 {
		return 0, errClosed
	}
	n, err := b.unread.Read(p)
	if err == io.EOF {
		if b.atEnd != nil {
			b.atEnd()
		}
		err = b.end
	}
	return n, err
}

func (b *trackedBody) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closes++
	return nil
}

// count returns how often the body was read and closed so far.
func (b *trackedBody) count() (reads, closes int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.reads, b.closes
}

func (b *trackedBody) closed() bool {
	_, closes := b.count()
	return closes > 0
}
