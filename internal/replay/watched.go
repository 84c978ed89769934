package replay

import (
	"bytes"
	"io"
	"sync/atomic"
)

// watched is a copy that a Body gave to another one below it. A Body that takes
// its own copies from such a one and reads it for params says so. What it sends
// later is sent in the place of that copy, and it tells the Body above then. So the
// one above knows reading from sending, whoever asked for its copies.
type watched interface {
	// readForParams is called before the copy is read, and returns whose it is.
	readForParams() *Body
}

// markSent says that what b gave out is being sent.
func (b *Body) markSent() {
	for ; b != nil; b = b.above.Load() {
		b.wasRead.Store(true)
	}
}

// sentBytes returns what was read for the params, to be sent. Only where a Body
// above watches is it of a type that net/http does not know to be in memory.
func (b *Body) sentBytes() io.ReadCloser {
	if b.above.Load() == nil {
		return newBytesBody(b.read)
	}
	return &memoryCopy{body: b, reader: bytes.NewReader(b.read)}
}

// memoryCopy is a copy that is read from memory.
type memoryCopy struct {
	body   *Body
	reader *bytes.Reader
	params atomic.Bool // it is read for params, and not sent
}

func (c *memoryCopy) readForParams() *Body {
	c.params.Store(true)
	return c.body
}

func (c *memoryCopy) markSent() {
	if !c.params.Load() {
		c.body.markSent()
	}
}

func (c *memoryCopy) Read(p []byte) (int, error) {
	c.markSent()
	return c.reader.Read(p)
}

func (c *memoryCopy) WriteTo(w io.Writer) (int64, error) {
	c.markSent()
	return c.reader.WriteTo(w)
}

func (c *memoryCopy) Close() error { return nil }
