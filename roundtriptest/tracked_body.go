package roundtriptest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// trackedBody is a request body that counts how often it is closed. As a file,
// it cannot be read after that.
type trackedBody struct {
	closed chan struct{} // closed by the first Close

	mu     sync.Mutex
	unread *strings.Reader
	closes int
}

func newTrackedBody(text string) *trackedBody {
	return &trackedBody{closed: make(chan struct{}), unread: strings.NewReader(text)}
}

var errClosed = errors.New("the body is closed")

func (b *trackedBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closes > 0 {
		return 0, errClosed
	}
	return b.unread.Read(p)
}

func (b *trackedBody) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closes++
	if b.closes == 1 {
		close(b.closed)
	}
	return nil
}

// closedOnce waits for the body to be closed, which may come after RoundTrip
// has returned, and says so if it was never closed or more than once.
func (b *trackedBody) closedOnce() error {
	select {
	case <-b.closed:
	case <-time.After(patience):
		return errors.New("was never closed")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closes != 1 {
		return fmt.Errorf("was closed %d times", b.closes)
	}
	return nil
}
