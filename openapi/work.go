package openapi

import "errors"

// work is how much of a document may still be read. A reference or an alias of a
// few bytes stands for as much as there is, and a document of a kilobyte can so
// come to gigabytes. So what is read is counted, again each time, and may be no
// more than workPerByte times what is written.
type work struct{ left int }

// workPerByte leaves a document that is written out far from the limit: an object
// of JSON is read once for each of the few levels that it is below the root, and
// a path item has nine operations at the most that share their path.
const workPerByte = 64

var errTooMuch = errors.New("the document's references and aliases come to far more than is written: write out the largest")

func newWork(size int) *work { return &work{left: workPerByte * (size + 256)} }

// spend counts what is read, and says whether it may be.
func (w *work) spend(cost int) bool {
	if cost > w.left {
		w.left = -1
		return false
	}
	w.left -= cost
	return true
}

func (w *work) exceeded() bool { return w.left < 0 }
