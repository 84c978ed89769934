package replay

import (
	"errors"
	"io"
	"reflect"
	"sync"
	"sync/atomic"
	"time"
)

// maxWait is how long a copy waits for a read of another one to end.
const maxWait = time.Second

var (
	errInUse  = errors.New("the body is still being read")
	errTaken  = errors.New("the body was taken away: its request has been answered")
	errClosed = errors.New("the body is closed")
)

// bodyCopy is a copy of a body. It has a reader of the caller's while it is the
// current one, and asks for another where it is not.
type bodyCopy struct {
	body   *Body
	params atomic.Bool // it is read for params, and not sent
	closed atomic.Bool
	taken  atomic.Bool                // away, for good
	reader atomic.Pointer[onceCloser] // nil while another copy is current

	// Guarded by the body's turn.
	offset int64 // how much was read
	end    error // with which the reading ended, such as io.EOF
	check  check
}

// onceCloser is a reader that is closed once, whoever closes it. Like the bodies
// of net/http, it may be closed while it is read.
type onceCloser struct {
	io.ReadCloser
	once sync.Once
	err  error
}

func (c *onceCloser) Close() error {
	c.once.Do(func() { c.err = c.ReadCloser.Close() })
	return c.err
}

// firstCopy returns a copy that begins with the caller's own body.
func (b *Body) firstCopy() io.ReadCloser {
	b.wasRead.Store(false)
	c := &bodyCopy{body: b, check: check{own: true}}
	c.reader.Store(&onceCloser{ReadCloser: b.req.Body})
	b.current, b.copies = c, append(b.copies, c)
	return c.withWriteTo(b.req.Body)
}

// newCopy returns one more copy, to be sent or to be read for params.
func (b *Body) newCopy(params bool) (io.ReadCloser, error) {
	if err := b.begin(); err != nil {
		return nil, err
	}
	defer b.end()
	c := b.another()
	c.params.Store(params)
	if err := c.takeOver(); err != nil {
		return nil, err
	}
	b.copies = append(b.copies, c)
	return c.withWriteTo(c.reader.Load().ReadCloser), nil
}

// onlyCopy takes all other copies away and returns a new one. They are taken away
// also where one is being read and there is no new one.
func (b *Body) onlyCopy() (io.ReadCloser, error) {
	for _, c := range b.copies {
		c.taken.Store(true)
	}
	return b.otherCopy()
}

// otherCopy returns a new copy and takes all others away, which are left alone
// where there is no new one.
func (b *Body) otherCopy() (io.ReadCloser, error) {
	if err := b.begin(); err != nil {
		return nil, err
	}
	defer b.end()
	c := b.another()
	if err := c.takeOver(); err != nil {
		return nil, err
	}
	for _, other := range b.copies {
		other.taken.Store(true)
	}
	b.wasRead.Store(false)
	b.copies = []*bodyCopy{c}
	return c.withWriteTo(c.reader.Load().ReadCloser), nil
}

// another returns a copy, without a reader yet, that is to agree with the ones
// before it. The caller has the turn.
func (b *Body) another() *bodyCopy {
	c := &bodyCopy{body: b}
	for _, earlier := range b.copies {
		c.check.like(earlier)
	}
	return c
}

// withWriteTo returns c with a WriteTo where the caller's reader has one.
func (c *bodyCopy) withWriteTo(reader io.Reader) io.ReadCloser {
	if _, ok := reader.(io.WriterTo); ok {
		return writerToCopy{c}
	}
	return c
}

// begin waits for the turn to read.
func (b *Body) begin() error {
	select {
	case <-b.turn:
		return nil
	default:
	}
	timer := time.NewTimer(maxWait)
	defer timer.Stop()
	select {
	case <-b.turn:
		return nil
	case <-timer.C:
		return errInUse
	case <-b.req.Context().Done():
		return errInUse
	}
}

func (b *Body) end() { b.turn <- struct{}{} }

// takeOver makes c the current copy, with a reader that is where c was. The
// caller has the turn.
func (c *bodyCopy) takeOver() error {
	body, err := c.body.getBody()
	if err != nil {
		return err // and who has a reader keeps it
	}
	if last := c.body.current; last != nil {
		if reader := last.reader.Swap(nil); reader != nil && !isSame(reader.ReadCloser, body) {
			_ = reader.Close()
		}
	}
	c.tellAbove(body)
	reader := &onceCloser{ReadCloser: body}
	c.reader.Store(reader)
	c.body.current = c
	if c.closed.Load() { // meanwhile, by another goroutine
		_ = reader.Close()
		return errClosed
	}
	return c.check.skip(reader, c.body.length, c.offset)
}

// isSame reports whether a GetBody that rewinds returned the very reader that it
// returned before.
func isSame(a, b io.ReadCloser) bool {
	return reflect.TypeOf(a) == reflect.TypeOf(b) && reflect.ValueOf(a).Comparable() && a == b
}

// ready makes c the current copy, or returns why it cannot be read. The caller has
// the turn.
func (c *bodyCopy) ready() error {
	switch {
	case c.taken.Load():
		return errTaken
	case c.end != nil:
		return c.end
	case c.closed.Load():
		return errClosed
	case c.body.current != c:
		return c.takeOver()
	}
	return nil
}

// markSent says that c is being sent. A copy that was taken away gives nothing.
func (c *bodyCopy) markSent() {
	if !c.params.Load() && !c.taken.Load() {
		c.body.markSent()
	}
}

func (c *bodyCopy) readForParams() *Body {
	c.params.Store(true)
	if reader := c.reader.Load(); reader != nil {
		c.tellAbove(reader.ReadCloser)
	}
	return c.body
}

// tellAbove says to the Body that reader is of, if any, what c is read for.
func (c *bodyCopy) tellAbove(reader io.Reader) {
	if above, ok := reader.(watched); ok && c.params.Load() {
		c.body.above.Store(above.readForParams())
	}
}

func (c *bodyCopy) Read(p []byte) (n int, err error) {
	c.markSent()
	if err := c.body.begin(); err != nil {
		return 0, err
	}
	defer c.body.end()
	return c.read(p)
}

// read is Read for a caller who has the turn.
func (c *bodyCopy) read(p []byte) (n int, err error) {
	if err := c.ready(); err != nil {
		return 0, c.fail(err)
	}
	p = p[:c.check.most(c.body.length, c.offset, len(p))]
	n, err = c.reader.Load().Read(p)
	c.offset += int64(n)
	if wrong := c.check.read(c.body.length, c.offset, p[:n], err == io.EOF); wrong != nil {
		return 0, c.fail(wrong)
	}
	c.end = err
	return n, err
}

// fail ends the reading with an error, which stays.
func (c *bodyCopy) fail(err error) error {
	c.end = err
	if reader := c.reader.Load(); reader != nil && err != io.EOF {
		_ = reader.Close()
	}
	return err
}

// Close closes the caller's reader, if c has one, also while it is read.
func (c *bodyCopy) Close() error {
	c.closed.Store(true)
	if reader := c.reader.Load(); reader != nil {
		return reader.Close()
	}
	return nil
}

// writerToCopy is a copy of a body whose reader has a WriteTo, which may be
// faster.
type writerToCopy struct{ *bodyCopy }

// WriteTo counts as one read, however long it takes.
func (c writerToCopy) WriteTo(w io.Writer) (n int64, err error) {
	c.markSent()
	if err := c.body.begin(); err != nil {
		return 0, err
	}
	defer c.body.end()
	if c.body.length <= 0 { // each piece is looked at
		return io.Copy(w, readFunc(c.read))
	}
	if err := c.ready(); err == io.EOF {
		return 0, nil
	} else if err != nil {
		return 0, c.fail(err)
	}
	n, err = io.Copy(w, c.reader.Load().ReadCloser)
	c.offset += n
	if err == nil {
		err = c.check.read(c.body.length, c.offset, nil, true)
	}
	if err != nil {
		return n, c.fail(err)
	}
	c.end = io.EOF
	return n, nil
}

// readFunc is a reader without a WriteTo.
type readFunc func(p []byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }
