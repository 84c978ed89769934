package routeauth

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"weak"

	"example.com/routeauth/internal/problem"
	"example.com/routeauth/internal/redact"
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
}

// keep401 makes of a 401 a response without the credential that can be read as
// e. What was not read whole, or is coded, is passed on unchanged.
func keep401(e *UnauthorizedError, r redact.Redactor, req *http.Request, resp *http.Response, body problem.Body) *http.Response {
	resp.Header = r.Header(resp.Header)
	if body.Whole && !isEncoded(resp.Header) {
		shown := r.Body(body.Data, true)
		if req.Method != http.MethodHead && len(shown) != len(body.Data) {
			if resp.ContentLength >= 0 {
				resp.ContentLength = int64(len(shown))
			}
			if resp.Header.Get("Content-Length") != "" {
				resp.Header.Set("Content-Length", strconv.Itoa(len(shown)))
			}
		}
		body.Rest = io.NopCloser(bytes.NewReader(shown))
	}
	if resp.Trailer != nil {
		trailer := r.Header(resp.Trailer)
		clear(resp.Trailer)
		maps.Copy(resp.Trailer, trailer)
	}
	resp.Body = &keptBody{body.Rest, e}
	return remember(resp, e)
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
		Body:       &keptBody{http.NoBody, e},
		Request:    req,
	}, e)
}

func remember(resp *http.Response, e *UnauthorizedError) *http.Response {
	key := weak.Make(resp)
	keptErrors.Store(key, e)
	runtime.AddCleanup(resp, func(key weak.Pointer[http.Response]) { keptErrors.Delete(key) }, key)
	return resp
}
