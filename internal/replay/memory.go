package replay

import (
	"bytes"
	"io"
	"net/http"
	"reflect"
	"strings"
)

// maxOneWrite is how large a body may be that net/http sends in one write with
// its header: what its buffer holds.
const maxOneWrite = 4 << 10

// The types of what io.NopCloser returns, in which [http.NewRequest] puts a reader.
var (
	nopCloser         = reflect.TypeOf(io.NopCloser(nil))
	nopCloserWriterTo = reflect.TypeOf(io.NopCloser(new(bytes.Reader)))
)

// readSmall returns a reader of what is left of the body of req, if that is small
// and of a type that net/http knows to be in memory, and nil otherwise. net/http
// sends the header of any other body ahead of it, so with a bodyCopy such a
// request would leave in two writes.
func readSmall(req *http.Request) io.Reader {
	if req.ContentLength <= 0 || req.ContentLength > maxOneWrite {
		return nil
	}
	t := reflect.TypeOf(req.Body)
	if t != nopCloser && t != nopCloserWriterTo {
		return nil
	}
	switch inner := reflect.ValueOf(req.Body).Field(0).Interface().(type) {
	case *bytes.Reader, *bytes.Buffer, *strings.Reader:
		data, err := io.ReadAll(io.LimitReader(inner.(io.Reader), req.ContentLength+1))
		if err == nil {
			return bytes.NewReader(data)
		}
	}
	return nil
}
