package roundtriptest

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"compress/zlib"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// form is what a response of the base looks like.
type form struct {
	status int
	method string // of the request
	http1  bool   // a chunked response over HTTP/1.1, else one with a length over HTTP/2

	with   string            // what is special about it, in words
	header map[string]string // fields of its own; without a value, it has none
	text   string            // of its body; empty for answerText
	user   bool              // the request's URL has user info
}

func (f form) String() string {
	what := fmt.Sprintf("a %d to a %s", f.status, f.method)
	if f.http1 {
		what += " over HTTP/1.1"
	}
	return what + f.with
}

// body returns the text of a response's body, if it has one.
func (f form) body() string {
	if f.text != "" {
		return f.text
	}
	return answerText
}

// forms lists every kind of response: each status that has a name and some that
// have none, and for those on which wrappers like to act a POST as well.
func forms() (all []form) {
	all = append(all, form{status: http.StatusSwitchingProtocols, method: http.MethodGet, http1: true})
	unnamed := map[int]bool{299: true, 399: true, 420: true, 499: true, 520: true, 599: true}
	for status := 200; status < 600; status++ {
		if http.StatusText(status) != "" || unnamed[status] {
			all = append(all, form{status: status, method: http.MethodGet})
		}
	}
	for _, status := range []int{200, 301, 302, 307, 401, 403, 407, 408, 409, 425, 429, 500, 502, 503, 504} {
		all = append(all, form{status: status, method: http.MethodPost})
	}
	for _, status := range []int{200, 404, 500, 503} {
		all = append(all,
			form{status: status, method: http.MethodHead},
			form{status: status, method: http.MethodGet, http1: true})
	}
	return slices.Concat(all, formsToRetry(), formsByHeader(), formsByBody())
}

// formsToRetry are such after which some wrappers send the request again.
func formsToRetry() (all []form) {
	retryAfter := func(status int, method, value string) form {
		return form{status: status, method: method, with: " with Retry-After: " + value, header: map[string]string{"Retry-After": value}}
	}
	for _, status := range []int{202, 403, 408, 413, 425, 429, 500, 502, 503, 504} {
		all = append(all, retryAfter(status, http.MethodGet, "0"))
	}
	for _, status := range []int{429, 503} {
		all = append(all,
			retryAfter(status, http.MethodGet, "1"),
			retryAfter(status, http.MethodPost, "1"),
			retryAfter(status, http.MethodGet, "Mon, 02 Jan 2006 15:04:05 GMT"),
			retryAfter(status, http.MethodHead, "0"))
		for _, method := range []string{http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions} {
			all = append(all, form{status: status, method: method})
		}
	}
	for _, status := range []int{403, 429} {
		all = append(all, form{status: status, method: http.MethodGet, with: " without a request left", header: map[string]string{
			"X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": "1136214245", "Ratelimit-Remaining": "0", "Ratelimit-Reset": "0",
		}})
	}
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		for _, challenge := range []string{`Basic realm="base"`, `Digest realm="base", qop="auth", nonce="1"`, "Negotiate", ""} {
			all = append(all,
				form{status: 401, method: method, user: true, with: " with user info", header: map[string]string{"Www-Authenticate": challenge}},
				form{status: 407, method: method, user: true, with: " with user info", header: map[string]string{"Proxy-Authenticate": challenge}})
		}
	}
	return all
}

// formsByHeader are such that differ in what the header says, and in statuses of
// no class.
func formsByHeader() (all []form) {
	for _, status := range []int{600, 666, 999} {
		all = append(all, form{status: status, method: http.MethodGet}, form{status: status, method: http.MethodPost})
	}
	for _, status := range []int{200, 404, 429, 503} {
		for contentType, text := range map[string]string{
			"text/html":                      "<!doctype html><title>caf\u00e9</title>",
			"text/plain; charset=iso-8859-1": "caf\xe9\r\n",
			"application/problem+json":       `{"title":"Not today"}`,
			"application/xml":                "<a><b/></a>",
			"application/octet-stream":       "\x00\xff\xfe\r\n",
			"text/event-stream":              "data: 1\n\n",
			"":                               "plain",
		} {
			what := " of " + contentType
			if contentType == "" {
				what = " without Content-Type"
			}
			all = append(all, form{status: status, method: http.MethodGet, with: what, text: text, header: map[string]string{"Content-Type": contentType}})
		}
	}
	slices.SortFunc(all, func(a, b form) int { return cmp.Or(cmp.Compare(a.status, b.status), cmp.Compare(a.with, b.with)) })
	return append(all, form{status: 200, method: http.MethodGet, with: " with warnings", header: map[string]string{
		"Warning": `299 - "old"`, "Deprecation": "true", "Sunset": "Mon, 02 Jan 2006 15:04:05 GMT", "X-Empty": " ",
	}})
}

// formsByBody are such that differ in their bodies.
func formsByBody() (all []form) {
	all = append(all,
		form{status: 200, method: http.MethodGet, with: ", of more than 1 MiB", text: large},
		form{status: 200, method: http.MethodGet, http1: true, with: ", of more than 1 MiB", text: large},
		form{status: 500, method: http.MethodPost, with: ", of more than 1 MiB", text: large},
		form{status: 200, method: http.MethodGet, with: ", of JSON with white space", text: oddJSON},
		form{status: 200, method: http.MethodGet, with: ", of JSON with a large number", text: `{"number":1e400}`},
		form{status: 200, method: http.MethodGet, with: ", of JSON that breaks off", text: `{"number":`},
		form{status: 200, method: http.MethodGet, with: ", of JSON that tells an error", text: `{"error":{"code":500},"errors":[{"message":"no"}],"success":false}`})
	for _, encoding := range []string{"gzip", "deflate", "br"} {
		for _, http1 := range []bool{false, true} {
			all = append(all, form{status: 200, method: http.MethodGet, http1: http1, with: " in " + encoding,
				text: encoded(encoding), header: map[string]string{"Content-Encoding": encoding}})
		}
	}
	return all
}

// encoded returns answerText in a content coding (RFC 9110, section 8.4.1). What
// is said to be in br is in none: the standard library does not have it.
func encoded(encoding string) string {
	var text bytes.Buffer
	var w io.WriteCloser
	switch encoding {
	case "gzip":
		w = gzip.NewWriter(&text)
	case "deflate":
		w = zlib.NewWriter(&text)
	default:
		return answerText
	}
	_, _ = io.WriteString(w, answerText) // a bytes.Buffer takes everything
	_ = w.Close()
	return text.String()
}

// hasBody reports whether a response of this form has one (RFC 9110, section
// 6.4.1).
func (f form) hasBody() bool {
	return f.method != http.MethodHead && f.status != http.StatusNoContent && f.status != http.StatusNotModified
}

// answers returns a trip for each kind of response.
func (s *suite) answers() (trips []*trip) {
	for _, f := range forms() {
		t := &trip{what: f.String(), form: &f}
		switch f.method {
		case http.MethodPost, http.MethodPut, http.MethodPatch:
			t.text = small
			t.req, t.body = s.sending(f.method, t.text)
		default:
			t.req = s.get()
			t.req.Method = f.method
		}
		if f.user {
			if s.bound {
				continue
			}
			t.req.URL.User, t.mayRefuse = url.UserPassword("ada", "lovelace"), true
		}
		t.reply = func(call int, sent *http.Request) (*http.Response, *trackedBody, error) {
			f := f
			if call > 1 && f.status/100 == 3 {
				f.status = http.StatusOK // the redirect was followed
			}
			resp, body := s.answer(f, sent)
			return resp, body, nil
		}
		trips = append(trips, t)
	}
	return trips
}

// answerText is the body of a response. It says nothing that a wrapper could
// take for a secret, and is short enough for one that has a reason to read it.
const answerText = `{"detail":"this is what the base says"}`

var tlsState = &tls.ConnectionState{Version: tls.VersionTLS13, HandshakeComplete: true, ServerName: "the base's"}

// answer returns a response of a form to sent, with every field set that such a
// response can have, and its body if that is tracked.
func (s *suite) answer(f form, sent *http.Request) (*http.Response, *trackedBody) {
	resp := &http.Response{
		Status:     fmt.Sprintf("%d As The Base Says", f.status),
		StatusCode: f.status,
		Proto:      "HTTP/2.0",
		ProtoMajor: 2,
		Header: http.Header{
			"Content-Type": {"application/json"},
			"X-Several":    {"1", "2"},
			"Set-Cookie":   {"a=1", "b=2"},
		},
		Body:    http.NoBody,
		Request: sent,
		TLS:     tlsState,
	}
	switch f.status {
	case http.StatusUnauthorized:
		resp.Header["Www-Authenticate"] = []string{`Bearer realm="base"`, `Basic realm="base"`, `Digest realm="base", qop="auth", nonce="1"`}
	case http.StatusProxyAuthRequired:
		resp.Header["Proxy-Authenticate"] = []string{`Basic realm="base"`}
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		if f.method == http.MethodPost { // with it, and without
			resp.Header["Retry-After"] = []string{"0"}
		}
	case http.StatusMultipleChoices, http.StatusNotModified:
	default:
		if f.status/100 == 3 {
			resp.Header["Location"] = []string{s.url.String()}
		}
	}
	for name, value := range f.header {
		resp.Header.Set(name, value)
		if value == "" {
			resp.Header.Del(name)
		}
	}
	if f.http1 {
		resp.Proto, resp.ProtoMajor, resp.ProtoMinor = "HTTP/1.1", 1, 1
	}
	if f.status == http.StatusSwitchingProtocols {
		resp.Header["Connection"], resp.Header["Upgrade"] = []string{"Upgrade"}, []string{"echo"}
		body := newTrackedBody("")
		resp.Body = body
		return resp, body
	}
	if !f.hasBody() {
		if f.method == http.MethodHead {
			resp.ContentLength = int64(len(answerText))
		}
		return resp, nil
	}
	body := newTrackedBody(f.body())
	resp.Body = body
	if f.http1 {
		resp.ContentLength, resp.TransferEncoding = -1, []string{"chunked"}
		resp.Close, resp.Uncompressed = true, true
	} else {
		resp.ContentLength = int64(len(f.body()))
		resp.Header["Content-Length"] = []string{strconv.Itoa(len(f.body()))}
	}
	trailer := http.Header{"X-Checksum": nil}
	resp.Trailer = trailer
	body.atEnd = func() { trailer["X-Checksum"] = []string{"of the answer"} }
	return resp, body
}
