// Package replay lets the body of a request be read for its params and sent a
// second time, so that what is sent is certainly what the caller gave.
package replay

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// MaxParamsBody is how much of a body is read for its params, and held.
	MaxParamsBody = 1 << 20
	// maxBodyWait is how long a body may still be read after its request was
	// answered.
	maxBodyWait = time.Second
)

// Body is the body of one request, of which more than one copy may be
// needed: to read the params in it, and to send it again after a 401.
//
// [http.Request.GetBody] may be written so that all its copies are one reader
// that it rewinds, as those of go-retryablehttp are. So only one copy is ever
// in use. Before GetBody is called for the next one, the last is taken away
// from whoever reads it.
type Body struct {
	req *http.Request

	mu   sync.Mutex // guards the rest: a params function may call from several goroutines
	last *singleBody
	read []byte // what was read for the params
	done bool   // a copy was read for the params
	all  bool   // and read is the whole of it
}

var errBodyInUse = errors.New("the body that was had before is still being read")

// Of returns the body of req, or nil where req has none or it can be had only
// once.
func Of(req *http.Request) *Body {
	if !HasBody(req) || req.GetBody == nil {
		return nil
	}
	return &Body{req: req}
}

// CanSendAgain reports whether req can be sent twice.
func CanSendAgain(req *http.Request) bool { return !HasBody(req) || req.GetBody != nil }

// HasBody reports whether anything may come out of the body of req.
func HasBody(req *http.Request) bool { return req.Body != nil && req.Body != http.NoBody }

// ForParams is the GetBody that a params function sees. The first call reads the
// caller's body, and what it finds is also what is sent, if that is the whole.
func (b *Body) ForParams() (io.ReadCloser, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all {
		return newBytesBody(b.read), nil
	}
	b.done = true
	body, err := b.next()
	if err != nil {
		return nil, err
	}
	read, err := io.ReadAll(io.LimitReader(body, MaxParamsBody+1))
	if err == nil && len(read) <= MaxParamsBody {
		b.read, b.all = read, true
		_ = body.Close()
		return newBytesBody(read), nil
	}
	rest := io.Reader(body)
	if err != nil {
		rest = failingReader{err}
	}
	return &partlyRead{io.MultiReader(bytes.NewReader(read), rest), body}, nil
}

// partlyRead is a body of which the beginning was read already.
type partlyRead struct {
	io.Reader
	io.Closer
}

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }

// Prepare returns the request to send first: the caller's own, or a copy with a
// body in the place of the caller's where its params were read from it, or
// where it may be sent again. The copy's body and GetBody are the only ones
// that anybody reads from then on.
//
// The body of a nil Body stays the caller's.
func (b *Body) Prepare(req *http.Request, maySendAgain bool) (*http.Request, error) {
	if b == nil {
		return req, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.done && !maySendAgain {
		return req, nil
	}
	var body io.ReadCloser
	switch {
	case b.all:
		_ = req.Body.Close()
		body = newBytesBody(b.read)
	case b.done: // and the caller's own body may be where that copy ended
		var err error
		if body, err = b.next(); err != nil {
			return nil, err
		}
		_ = req.Body.Close()
	default:
		body = b.hand(req.Body)
	}
	return b.with(body), nil
}

// Again returns the request to send a second time. It waits until the first body
// is no longer being read, for a while.
func (b *Body) Again(req *http.Request) (*http.Request, error) {
	if b == nil {
		return req, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	body, err := b.copy()
	if err != nil {
		return nil, err
	}
	return b.with(body), nil
}

// WasRead reports whether anybody has begun to read the copy that was handed out
// last. It is false for a nil Body.
func (b *Body) WasRead() bool {
	if b == nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.last != nil && b.last.read.Load()
}

// with returns a copy of the caller's request with another body.
func (b *Body) with(body io.ReadCloser) *http.Request {
	req := *b.req
	req.Body = body
	req.GetBody = func() (io.ReadCloser, error) {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.copy()
	}
	return &req
}

// copy returns a copy of the body. The caller holds b.mu.
func (b *Body) copy() (io.ReadCloser, error) {
	if b.all {
		return newBytesBody(b.read), nil
	}
	return b.next()
}

// next takes the last copy away and asks for another one. The caller holds
// b.mu.
func (b *Body) next() (io.ReadCloser, error) {
	if b.last != nil && !b.last.takeAway(b.req.Context()) {
		return nil, errBodyInUse
	}
	body, err := b.req.GetBody()
	if err != nil {
		if body != nil {
			_ = body.Close()
		}
		return nil, err
	}
	if body == nil {
		return nil, errors.New("GetBody returned no body")
	}
	return b.hand(body), nil
}

// hand makes body the one copy in use. The caller holds b.mu.
func (b *Body) hand(body io.ReadCloser) io.ReadCloser {
	b.last = &singleBody{body: body, turn: make(chan struct{}, 1)}
	b.last.turn <- struct{}{}
	if to, ok := body.(io.WriterTo); ok {
		return &singleWriterToBody{b.last, to}
	}
	return b.last
}

// newBytesBody returns a body that is read from memory.
func newBytesBody(data []byte) io.ReadCloser {
	return io.NopCloser(bytes.NewReader(data)) // has WriteTo, as its reader does
}

// singleBody is a body that can be taken away from whoever reads it.
type singleBody struct {
	body io.ReadCloser
	turn chan struct{} // holds one value while nobody reads; closed once taken away
	left atomic.Bool   // nobody waits for a read that is still under way
	read atomic.Bool   // somebody has begun to read
	once sync.Once
	err  error // of Close
}

var errBodyTaken = errors.New("the body was taken away: its request has been answered")

func (b *singleBody) Read(p []byte) (int, error) {
	if !b.begin() {
		return 0, errBodyTaken
	}
	defer b.end()
	return b.body.Read(p)
}

func (b *singleBody) begin() bool {
	b.read.Store(true)
	_, ok := <-b.turn
	if ok && b.left.Load() {
		b.end()
		return false
	}
	return ok
}

func (b *singleBody) end() { b.turn <- struct{}{} }

// Close closes the body once. Like that of net/http's own bodies, it may be
// called while the body is read.
func (b *singleBody) Close() error {
	b.once.Do(func() { b.err = b.body.Close() })
	return b.err
}

// takeAway makes all later reads fail, and closes the body. It waits for a
// read that is under way, for a while, and reports whether that has ended.
func (b *singleBody) takeAway(ctx context.Context) bool {
	timer := time.NewTimer(maxBodyWait)
	defer timer.Stop()
	select {
	case _, ok := <-b.turn:
		if ok {
			close(b.turn)
		}
		_ = b.Close()
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	b.left.Store(true)
	return false
}

// singleWriterToBody is a singleBody over a body with a WriteTo of its own,
// which may be faster.
type singleWriterToBody struct {
	*singleBody
	to io.WriterTo
}

// WriteTo counts as one read, however long it takes.
func (b *singleWriterToBody) WriteTo(w io.Writer) (int64, error) {
	if !b.begin() {
		return 0, errBodyTaken
	}
	defer b.end()
	return b.to.WriteTo(w)
}
