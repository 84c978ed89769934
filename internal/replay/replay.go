// Package replay lets the body of a request be read for its params and sent a
// second time, so that what is sent is certainly what the caller gave.
package replay

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
)

// MaxParamsBody is how much of a body is read for its params, and held.
const MaxParamsBody = 1 << 20

// Body is the body of one request, of which more than one copy may be needed: to
// read the params in it, to send it again after a 401, and for a base that asks
// for one by itself.
//
// [http.Request.GetBody] may be written so that all its copies are one reader
// that it rewinds, as those of go-retryablehttp are. So only one of the caller's
// readers is ever in use. A copy that is read while another one has the reader
// asks for a new one, and goes on where it was.
type Body struct {
	req     *http.Request
	length  int64                // its ContentLength; not known if it is not more than 0
	wasRead atomic.Bool          // a copy that is in use, and not for params
	above   atomic.Pointer[Body] // whose copy was read for params; nil for none
	turn    chan struct{}        // holds one value while nobody reads

	current *bodyCopy // which has the caller's reader; guarded by turn, nil for none

	mu     sync.Mutex // guards the rest: a params function may call from several goroutines
	copies []*bodyCopy
	read   []byte // what was read for the params
	done   bool   // a copy was read for the params
	all    bool   // and read is the whole of it
}

// Of returns the body of req, or nil where req has none or it can be had only
// once.
func Of(req *http.Request) *Body {
	if !HasBody(req) || req.GetBody == nil {
		return nil
	}
	b := &Body{req: req, length: req.ContentLength, turn: make(chan struct{}, 1)}
	b.turn <- struct{}{}
	return b
}

// HasBody reports whether anything may come out of the body of req.
func HasBody(req *http.Request) bool { return req.Body != nil && req.Body != http.NoBody }

// CanSendAgain reports whether req can be sent twice.
func CanSendAgain(req *http.Request) bool { return !HasBody(req) || req.GetBody != nil }

// ForParams is the GetBody that a params function sees. The first call reads the
// caller's body, and what it finds is also what is sent, if that is the whole.
func (b *Body) ForParams() (io.ReadCloser, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all {
		return newBytesBody(b.read), nil
	}
	b.done = true
	body, err := b.newCopy(true)
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
// body in the place of the caller's where its params were read from it, or where
// it may be sent again. The copy's body and GetBody are the only ones that anybody
// reads from then on. The body of a nil Body stays the caller's.
func (b *Body) Prepare(req *http.Request, maySendAgain bool) (*http.Request, error) {
	if b == nil {
		return req, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.all:
		_ = req.Body.Close()
		return b.with(b.sentBytes()), nil
	case b.done: // and the caller's own reader may be where that copy ended
		body, err := b.onlyCopy()
		if err != nil {
			return nil, err
		}
		_ = req.Body.Close()
		return b.with(body), nil
	case maySendAgain:
		if small := readSmall(req); small != nil {
			_ = req.Body.Close()
			return b.with(io.NopCloser(small)), nil
		}
		return b.with(b.firstCopy()), nil
	}
	return req, nil
}

// PrepareWatched is Prepare for a request that may be sent again, with a body of
// which WasRead knows.
func (b *Body) PrepareWatched(req *http.Request) *http.Request {
	if b == nil {
		return req
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.with(b.firstCopy())
}

// Again returns the request to send a second time. It waits until the first body
// is no longer being read, for a while, and takes it away.
func (b *Body) Again(req *http.Request) (*http.Request, error) {
	if b == nil {
		return req, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all {
		return b.with(b.sentBytes()), nil
	}
	body, err := b.onlyCopy()
	if err != nil {
		return nil, err
	}
	return b.with(body), nil
}

// AgainIfIdle is Again, but where there is no second body it leaves the first one
// to whoever still reads it.
func (b *Body) AgainIfIdle(req *http.Request) (*http.Request, error) {
	if b == nil {
		return req, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	body, err := b.otherCopy()
	if err != nil {
		return nil, err
	}
	return b.with(body), nil
}

// WasRead reports whether anybody has begun to send what PrepareWatched or
// AgainIfIdle prepared last: to read it, or in its place what another Body read of
// it for params. That reading itself does not count. It is false for a nil Body.
func (b *Body) WasRead() bool { return b != nil && b.wasRead.Load() }

// with returns a copy of the caller's request with another body.
func (b *Body) with(body io.ReadCloser) *http.Request {
	req := *b.req
	req.Body = body
	req.GetBody = func() (io.ReadCloser, error) {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.all {
			return b.sentBytes(), nil
		}
		return b.newCopy(false)
	}
	return &req
}

// newBytesBody returns a body that is read from memory.
func newBytesBody(data []byte) io.ReadCloser {
	return io.NopCloser(bytes.NewReader(data)) // has WriteTo, as its reader does
}

// getBody asks the caller for a reader.
func (b *Body) getBody() (io.ReadCloser, error) {
	body, err := b.req.GetBody()
	switch {
	case err != nil:
		if body != nil {
			_ = body.Close()
		}
		return nil, err
	case body == nil:
		return nil, errors.New("GetBody returned no body")
	}
	return body, nil
}
