package routeauth

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"weak"

	"example.com/routeauth/internal/problem"
	"example.com/routeauth/internal/redact"
	"example.com/routeauth/internal/sound"
)

// UnauthorizedFrom returns the error that a 401 response stands for, which a
// transport with [KeepUnauthorized] returned. It leaves the body as it is. It
// knows the response itself, whatever was put around its Body since, and else a
// copy of it by its Body.
func UnauthorizedFrom(resp *http.Response) (*UnauthorizedError, bool) {
	if resp == nil {
		return nil, false
	}
	if body, ok := resp.Body.(*keptBody); ok {
		return body.err, true
	}
	if e, ok := keptErrors.Load(weak.Make(resp)); ok {
		return e.(*UnauthorizedError), true
	}
	return nil, false
}

// keptErrors are the errors of kept responses, by weak pointers to them.
var keptErrors sync.Map

// keptBody is the body of a kept response, by which it is known.
type keptBody struct {
	io.ReadCloser
	err *UnauthorizedError
	// begun returns what was read of a body that is passed on, and setTrailer
	// sets the trailer at its end. Both are nil for any other body.
	begun      func() []byte
	setTrailer func()
}

func (b *keptBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF && b.setTrailer != nil {
		b.setTrailer()
		b.setTrailer = nil
	}
	return n, err
}

var errCutOff = errors.New("routeauth: the rest of the body of the 401 was not read, as the request was to be sent again")

// cutOff closes a body. What was read of it can still be read.
func (b *keptBody) cutOff() {
	if b.begun == nil {
		return // all of it was
	}
	_ = b.ReadCloser.Close()
	b.ReadCloser = ending(b.begun(), errCutOff)
}

// ending returns a body of data that ends with err.
func ending(data []byte, err error) io.ReadCloser {
	return io.NopCloser(io.MultiReader(bytes.NewReader(data), failing{err}))
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// without returns resp, whose body is not read yet, without the credential. It
// has no memory in common with resp: while the body is read, net/http adds the
// trailer to that.
func without(resp *http.Response, r redact.Redactor) *http.Response {
	kept := *resp
	kept.Status = r.Text(resp.Status)
	kept.Header = r.Header(resp.Header)
	kept.Trailer = r.Header(resp.Trailer)
	return &kept
}

// keep401 makes of resp, and of kept, which is resp without the credential, a
// response that can be read as e. What is not all there, or is coded, is passed on
// unchanged.
func keep401(e *UnauthorizedError, r redact.Redactor, req *http.Request, kept, resp *http.Response, body problem.Body) *http.Response {
	hidden := func() []byte { return body.Data }
	if !isEncoded(resp.Header) {
		hidden = func() []byte { return r.Body(body.Data, body.Whole) }
	}
	setTrailer := func() {
		trailer := r.Header(resp.Trailer)
		if kept.Trailer == nil {
			kept.Trailer = trailer
		}
		maps.Copy(kept.Trailer, trailer)
	}
	if body.Rest != nil {
		kept.Body = &keptBody{body.Rest, e, hidden, setTrailer}
		return remember(kept, e)
	}
	shown := hidden()
	if body.Whole && req.Method != http.MethodHead && len(shown) != len(body.Data) {
		if kept.ContentLength >= 0 {
			kept.ContentLength = int64(len(shown))
		}
		if kept.Header.Get("Content-Length") != "" {
			kept.Header.Set("Content-Length", strconv.Itoa(len(shown)))
		}
	}
	end := io.EOF
	if body.Err != nil {
		end = hideIn(sound.Error("routeauth: the body", body.Err), r)
	}
	setTrailer()
	kept.Body = &keptBody{ending(shown, end), e, nil, nil}
	return remember(kept, e)
}

// rejectionIn returns the API's 401 that an error of a transport stands for. The
// 401 in a [*CredentialError] is not the API's, which was not asked: it is that of
// whoever the source, or the ParamsFunc, asked in vain.
func rejectionIn(err error) (*UnauthorizedError, bool) {
	var rejected *UnauthorizedError
	if !errors.As(err, &rejected) || rejected == nil || holdsError(err, func(*CredentialError) bool { return true }) {
		return nil, false
	}
	return rejected, true
}

// responseOf returns a 401 without a body that stands for the error of somebody
// else's transport.
func responseOf(e *UnauthorizedError, req *http.Request) *http.Response {
	header := e.Header.Clone()
	if header == nil {
		header = make(http.Header)
	}
	header.Del("Content-Length")
	header.Del("Content-Encoding")
	return remember(&http.Response{
		Status:     "401 " + http.StatusText(http.StatusUnauthorized),
		StatusCode: http.StatusUnauthorized,
		Proto:      "HTTP/1.1",
		ProtoMajor: 1,
		ProtoMinor: 1,
		Header:     header,
		Body:       &keptBody{http.NoBody, e, nil, nil},
		Request:    req,
	}, e)
}

func remember(resp *http.Response, e *UnauthorizedError) *http.Response {
	key := weak.Make(resp)
	keptErrors.Store(key, e)
	runtime.AddCleanup(resp, func(key weak.Pointer[http.Response]) { keptErrors.Delete(key) }, key)
	return resp
}
