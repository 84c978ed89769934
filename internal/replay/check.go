package replay

import (
	"errors"
	"hash/maphash"
	"io"
)

var (
	errTooLong   = errors.New("the body is longer than the request's ContentLength")
	errOtherBody = errors.New("a second copy of the body is not the same as the first")
)

// check holds a copy of a body against the request's ContentLength or, where that
// is not known, against what was read of an earlier copy. So a GetBody that
// returns the reader where the first copy left it, or half a body, makes an error
// of the request, and nobody takes a part of the body for the whole: not every
// base compares lengths, net/http's HTTP/2 does not.
type check struct {
	own  bool         // the caller's own body, whose length is the base's to judge
	hash maphash.Hash // of what was read, where the length is not known
	// wrong is set when the copy was found to be another one, and so no measure.
	wrong bool

	// What was read of the earlier copy.
	size  int64
	sum   uint64
	ended bool
}

// like compares with an earlier copy, or with what that one was compared with, if
// more was read of it than of others.
func (k *check) like(earlier *bodyCopy) {
	e := &earlier.check
	size, sum, ended := earlier.offset, e.hash.Sum64(), earlier.end == io.EOF
	if e.wrong || size < e.size || size == e.size && e.ended {
		size, sum, ended = e.size, e.sum, e.ended
	}
	if size < k.size || size == k.size && !ended {
		return
	}
	k.hash.SetSeed(e.hash.Seed())
	k.size, k.sum, k.ended = size, sum, ended
}

// most returns how much may be read at once, out of n, so that the end of what was
// read of the earlier copy is not passed over.
func (k *check) most(length, offset int64, n int) int {
	if left := k.size - offset; length <= 0 && left > 0 {
		return int(min(int64(n), left))
	}
	return n
}

// read is told of a piece that was read, up to that offset, and whether it was the
// last. It returns what is wrong with it.
func (k *check) read(length, offset int64, piece []byte, last bool) error {
	if length > 0 {
		switch {
		case k.own:
		case offset > length:
			return errTooLong
		case last && offset < length:
			return io.ErrUnexpectedEOF
		}
		return nil
	}
	_, _ = k.hash.Write(piece) // never fails
	switch {
	case last && offset < k.size:
		k.wrong = true
		return io.ErrUnexpectedEOF
	case offset == k.size && offset > 0 && k.hash.Sum64() != k.sum, k.ended && offset > k.size:
		k.wrong = true
		return errOtherBody
	}
	return nil
}

// skip reads from another reader what was read of the copy before.
func (k *check) skip(reader io.Reader, length, offset int64) error {
	var again maphash.Hash
	again.SetSeed(k.hash.Seed())
	switch _, err := io.CopyN(&again, reader, offset); {
	case err == io.EOF:
		return io.ErrUnexpectedEOF
	case err != nil:
		return err
	case length <= 0 && again.Sum64() != k.hash.Sum64():
		return errOtherBody
	}
	return nil
}
