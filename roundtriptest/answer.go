package roundtriptest

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"strconv"
)

// form is what a response of the base looks like.
type form struct {
	status int
	method string // of the request
	http1  bool   // a chunked response over HTTP/1.1, else one with a length over HTTP/2
}

func (f form) String() string {
	what := fmt.Sprintf("a %d to a %s", f.status, f.method)
	if f.http1 {
		what += " over HTTP/1.1"
	}
	return what
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
	return all
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
		if f.method == http.MethodPost {
			t.text = `{"small":true}`
			t.req, t.body = s.sending(f.method, t.text)
		} else {
			t.req = s.get()
			t.req.Method = f.method
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
		resp.Header["Www-Authenticate"] = []string{`Bearer realm="base"`, `Basic realm="base"`}
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
	body := newTrackedBody(answerText)
	resp.Body = body
	if f.http1 {
		resp.ContentLength, resp.TransferEncoding = -1, []string{"chunked"}
		resp.Close, resp.Uncompressed = true, true
	} else {
		resp.ContentLength = int64(len(answerText))
		resp.Header["Content-Length"] = []string{strconv.Itoa(len(answerText))}
	}
	trailer := http.Header{"X-Checksum": nil}
	resp.Trailer = trailer
	body.atEnd = func() { trailer["X-Checksum"] = []string{"of the answer"} }
	return resp, body
}
