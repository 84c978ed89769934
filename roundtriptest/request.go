package roundtriptest

import (
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"sync/atomic"
)

var requestClauses = []clause{{
	name:   "request/fields",
	wants:  "no field of the caller's request changes, neither while the base runs nor after",
	stands: "net/http, RoundTripper: RoundTrip does not modify the request",
	check:  leavesFields,
}, {
	name:   "request/header",
	wants:  "the caller's header map keeps its entries, neither more nor fewer nor others",
	stands: "net/http, RoundTripper: RoundTrip does not modify the request",
	check:  leavesHeader,
}, {
	name:   "request/header-values",
	wants:  "a header that is copied is copied whole: what is written or appended to its values is not seen by the caller",
	stands: "net/http, RoundTripper: RoundTrip does not modify the request; Header.Clone",
	check:  sharesNoHeaderValues,
}, {
	name:   "request/nil-header",
	wants:  "a request with a nil header map is sent or refused, without a panic, and keeps its nil map",
	stands: "net/http, RoundTripper: Header must be initialized; Transport.RoundTrip returns an error where it is not",
	check:  takesNilHeader,
}, {
	name:   "request/empty-method",
	wants:  "a request with an empty method is sent as a GET, and keeps its empty method",
	stands: "net/http, Request.Method: for client requests an empty string means GET",
	check:  takesEmptyMethod,
}, {
	name:   "request/trailers",
	wants:  "trailers that the caller sets while the body is read arrive at the server",
	stands: "net/http, Request.Trailer: values may change until the body ends; RFC 9110, section 6.5",
	check:  sendsTrailers,
}}

func leavesFields(s *suite) error {
	req, _ := s.post()
	req.Trailer = http.Header{"X-Checksum": nil}
	before := takeSnapshot(req)
	var found findings
	compare := func(when string) {
		for _, field := range before.changed(req) {
			found.addf("the field %s of the caller's request changed %s", field, when)
		}
	}
	found.add(s.observe(req, func(*http.Request) { compare("while the base ran") }))
	compare("before RoundTrip returned")
	return found.err()
}

func leavesHeader(s *suite) error {
	req, _ := s.post()
	header := req.Header // the map itself: another one in its place is request/fields
	header["X-Nil"] = nil
	before := s.withoutCredential(header)
	var found findings
	compare := func(when string) {
		after := s.withoutCredential(header)
		for name := range after {
			if _, existed := before[name]; !existed {
				found.addf("%s was added to the caller's header %s", name, when)
			}
		}
		for name, values := range before {
			if !reflect.DeepEqual(values, after[name]) {
				found.addf("%s of the caller's header changed %s", name, when)
			}
		}
	}
	found.add(s.observe(req, func(*http.Request) { compare("while the base ran") }))
	compare("before RoundTrip returned")
	return found.err()
}

// withoutCredential returns a copy of h without the field of the credential,
// which credential/request is about.
func (s *suite) withoutCredential(h http.Header) http.Header {
	h = h.Clone()
	for name := range h {
		if strings.EqualFold(name, s.credential) {
			delete(h, name)
		}
	}
	return h
}

func sharesNoHeaderValues(s *suite) error {
	values := make([]string, 2, 4)
	values[0], values[1] = "first", "second"
	spare := values[:4] // an append that does not copy ends up here
	req := s.get()
	req.Header = http.Header{"X-Several": values}

	var found findings
	found.add(s.observe(req, func(sent *http.Request) {
		if reflect.ValueOf(sent.Header).Pointer() == reflect.ValueOf(req.Header).Pointer() {
			return // the caller's own map, as it may be: nothing was copied
		}
		for name, vv := range sent.Header {
			if len(vv) > 0 {
				vv[0] = "written"
			}
			sent.Header[name] = append(vv, "appended")
		}
	}))
	if values[0] != "first" {
		found.addf("a value that was written into the base's header is in the caller's")
	}
	if spare[2] != "" {
		found.addf("a value that was appended to the base's header is in the memory of the caller's")
	}
	return found.err()
}

func takesNilHeader(s *suite) error {
	req := s.get()
	req.Header = nil
	resp, _ := s.over(roundTripFunc(func(sent *http.Request) (*http.Response, error) {
		return answer(sent, http.StatusOK), nil
	})).RoundTrip(req)
	discard(resp)
	if req.Header != nil {
		return errors.New("the nil header map of the caller's request was replaced")
	}
	return nil
}

func takesEmptyMethod(s *suite) error {
	req := s.get()
	req.Method = ""
	var found findings
	found.add(s.observe(req, func(sent *http.Request) {
		if sent.Method != "" && sent.Method != http.MethodGet {
			found.addf("the base got the method %s", sent.Method)
		}
	}))
	if req.Method != "" {
		found.addf("the empty method of the caller's request was replaced by %s", req.Method)
	}
	return found.err()
}

func sendsTrailers(s *suite) error {
	var arrived atomic.Value
	base, stop := serve(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the trailers come after it
		arrived.Store(r.Trailer.Get("X-Checksum"))
	})
	defer stop()

	req, _ := s.post()
	req.ContentLength = -1 // trailers are for chunked requests
	req.Trailer = http.Header{"X-Checksum": nil}
	req.Body = io.NopCloser(io.MultiReader(strings.NewReader(payload), atEnd(func() {
		req.Trailer.Set("X-Checksum", "of the body")
	})))
	resp, err := s.over(base).RoundTrip(req)
	discard(resp)
	switch arrived.Load() {
	case nil:
		return notArrived(err)
	case "":
		return errors.New("the server got the request without the trailer's value")
	}
	return nil
}

// atEnd is a reader that has nothing more to give and says so to a function.
type atEnd func()

func (f atEnd) Read([]byte) (int, error) {
	f()
	return 0, io.EOF
}
