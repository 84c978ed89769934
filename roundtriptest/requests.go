package roundtriptest

import (
	"io"
	"net/http"
	"net/url"
	"strings"
)

// requests returns a trip for each kind of request.
func (s *suite) requests() (trips []*trip) {
	add := func(what string, req *http.Request, body *trackedBody, text string) *trip {
		t := &trip{what: what, req: req, body: body, text: text,
			reply: func(call int, sent *http.Request) (*http.Response, *trackedBody, error) {
				resp, body := s.answer(form{status: http.StatusOK}, sent)
				return resp, body, nil
			}}
		trips = append(trips, t)
		return t
	}
	add("a GET", s.get(), nil, "").hold = true

	head := s.get()
	head.Method = http.MethodHead
	head.Body = http.NoBody
	add("a HEAD with http.NoBody", head, nil, "")

	post, body := s.post()
	add("a POST", post, body, payload).hold = true

	put, body := s.sending(http.MethodPut, payload)
	chunk(put, body)
	add("a chunked PUT with trailers", put, body, payload)

	patch, body := s.sending(http.MethodPatch, small)
	patch.Header["Idempotency-Key"] = []string{}
	patch.Host = "Virtual.Example.com"
	add("a small PATCH with another Host", patch, body, small)

	remove, body := s.sending(http.MethodDelete, small)
	remove.Close = true
	remove.Header = http.Header{"X-Several": {"2", "1", ""}, "Cache-Control": {"no-store"}}
	add("a DELETE with a body and Close", remove, body, small)

	search, body := s.sending(http.MethodGet, small)
	add("a GET with a body", search, body, small)

	s.addHeaders(add)

	purge := s.get()
	purge.Method = "PURGE"
	add("a PURGE", purge, nil, "")

	// The method is case-sensitive (RFC 9110, section 9.1).
	for _, method := range []string{"patch", "Report"} {
		req, body := s.sending(method, small)
		add("a "+method+" in this case", req, body, small)
	}

	s.addBodies(add)
	s.addURLs(add)
	return trips
}

// addHeaders adds requests for what is in the header.
func (s *suite) addHeaders(add func(what string, req *http.Request, body *trackedBody, text string) *trip) {
	upgrade := s.get()
	upgrade.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"echo"}, "Cookie": {"a=1; b=2"}, "Range": {"bytes=0-9"}}
	add("a GET that asks for an upgrade", upgrade, nil, "")

	// Authorization and User-Agent are left out: wrappers set them.
	negotiating := s.get()
	negotiating.Header = http.Header{
		"Accept":            {"application/json;q=0.9", "*/*;q=0.1"},
		"Accept-Charset":    {"utf-8"},
		"Accept-Encoding":   {"identity"},
		"Accept-Language":   {"de, en;q=0.5"},
		"From":              {"ada@example.com"},
		"Keep-Alive":        {"timeout=5"},
		"Max-Forwards":      {"3"},
		"Origin":            {"https://origin.example.com"},
		"Pragma":            {"no-cache"},
		"Prefer":            {"return=minimal"},
		"Proxy-Connection":  {"keep-alive"},
		"Referer":           {"https://referer.example.com/a?b=c"},
		"Te":                {"trailers"},
		"Via":               {"1.1 proxy.example.com"},
		"X-Forwarded-For":   {"192.0.2.1"},
		"X-Forwarded-Proto": {"http"},
		"Forwarded":         {"for=192.0.2.1"},
		"X-Requested-With":  {"XMLHttpRequest"},
	}
	add("a GET that says what it accepts", negotiating, nil, "")

	conditional := s.get()
	conditional.Header = http.Header{
		"If-Match":            {`"a"`},
		"If-Modified-Since":   {"Mon, 02 Jan 2006 15:04:05 GMT"},
		"If-None-Match":       {`"b"`, `W/"c"`},
		"If-Range":            {`"a"`},
		"If-Unmodified-Since": {"Mon, 02 Jan 2006 15:04:05 GMT"},
	}
	add("a conditional GET", conditional, nil, "")

	expecting, body := s.sending(http.MethodPost, small)
	for name, value := range map[string]string{
		"Expect": "100-continue", "Content-Language": "en", "Content-Disposition": "inline",
		"Content-Location": "/here", "Digest": "sha-256=AA==", "Content-Md5": "AA==", "Content-Encoding": "identity",
	} {
		expecting.Header.Set(name, value)
	}
	add("a POST that expects a 100", expecting, body, small)

	empty := s.get()
	empty.Header = http.Header{
		"X-Empty": {""}, "X-Empty-First": {"", "1"}, "X-Empties": {"", ""},
		"X-List": {"a, b", "c"}, "X-Twice": {"1", "1"}, "X-Long": {strings.Repeat("0123456789", 1_000)},
	}
	add("a GET with empty values", empty, nil, "")
}

// addBodies adds requests for what is in the body, and for how much that is.
func (s *suite) addBodies(add func(what string, req *http.Request, body *trackedBody, text string) *trip) {
	post, body := s.sending(http.MethodPost, large)
	add("a POST of more than 1 MiB", post, body, large)
	put, body := s.sending(http.MethodPut, large)
	chunk(put, body)
	add("a chunked PUT of more than 1 MiB", put, body, large)

	uncopied, body := s.sending(http.MethodPost, small)
	uncopied.GetBody = func() (io.ReadCloser, error) { return nil, errBase }
	t := add("a POST whose GetBody fails", uncopied, body, small)
	t.noCopies, t.mayRefuse = true, true

	odd, body := s.sending(http.MethodPost, oddJSON)
	add("a POST of JSON with white space", odd, body, oddJSON)

	// Whoever looks into a body may not know what to make of these.
	for _, b := range []struct{ what, contentType, text string }{
		{"JSON with a large number", "application/json", `{"number":1e400}`},
		{"JSON with a key twice", "application/json", `{"key":1,"key":2}`},
		{"a form", "application/x-www-form-urlencoded", "b=2&a=1&c=%7E+%20&a"},
		{"text in Latin-1", "text/plain; charset=iso-8859-1", "caf\xe9\r\n"},
		{"bytes", "application/octet-stream", "\x00\xff\xfe\r\n\x1f\x8b"},
	} {
		req, body := s.sending(http.MethodPost, b.text)
		req.Header.Set("Content-Type", b.contentType)
		add("a POST of "+b.what, req, body, b.text).mayRefuse = true
	}
}

// addURLs adds requests for what is in the URL.
func (s *suite) addURLs(add func(what string, req *http.Request, body *trackedBody, text string) *trip) {
	query := s.get()
	query.URL.RawQuery = strings.TrimPrefix(query.URL.RawQuery+"&b=2&a=1&b=%2F&c", "&")
	add("a GET with a query that is not sorted", query, nil, "")

	if s.bound {
		return
	}
	for _, path := range []string{"/a%2Fb//c/", "/a/%7Etilde;v=1/", "/?"} {
		u, err := s.url.Parse(path)
		if err != nil {
			continue // none of these is malformed
		}
		req := s.get()
		req.URL = u
		add("a GET of "+path, req, nil, "")
	}
	for _, host := range []string{"API.Example.COM", "api.example.com:443", "api.example.com."} {
		req := s.get()
		req.URL.Host, req.Host = host, host
		add("a GET from "+host, req, nil, "")
	}
	user := s.get()
	user.URL.User = url.UserPassword("ada", "lovelace")
	add("a GET with user info", user, nil, "").mayRefuse = true

	opaque := s.get()
	opaque.URL.Opaque = "//" + s.url.Host + "/a%2Fb"
	add("a GET with an opaque URL", opaque, nil, "").mayRefuse = true
}

// chunk makes a request one of unknown length, with trailers.
func chunk(req *http.Request, body *trackedBody) {
	req.ContentLength = -1
	req.TransferEncoding = []string{"chunked"}
	req.Trailer = http.Header{"X-Checksum": nil, "X-Known": {"before"}}
	body.atEnd = func() { req.Trailer["X-Checksum"] = []string{"of the body"} }
}

// Bodies, of requests and of responses. They are JSON objects, since some wrappers
// look for fields in them.
var (
	// large is more than any buffer that a wrapper should have.
	large = `{"padding":"` + strings.Repeat("0123456789abcdef", (1<<20+1<<16)/16) + `"}`
	// small fits into any.
	small = `{"small":true}`
	// oddJSON is not what anybody would write who has parsed it.
	oddJSON = "{ \"b\" : 1.0,\n\t\"a\": \"<&>\\u00e9\\/\", \"c\": 12345678901234567890, \"d\": [ ] }\r\n"
)
