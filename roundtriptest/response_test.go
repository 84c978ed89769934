package roundtriptest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
)

// responseFaults break one clause each.
var responseFaults = []fault{
	{name: "makes an error of a status", fails: []string{"response/status"},
		wrap: returning(func(_ *http.Request, resp *http.Response, err error) (*http.Response, error) {
			if resp != nil && resp.StatusCode == http.StatusNotFound {
				return nil, errors.New("not found")
			}
			return resp, err
		})},
	{name: "follows redirects itself", fails: []string{"response/status"},
		wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			resp, err := base.RoundTrip(req)
			if resp != nil && resp.StatusCode == http.StatusFound {
				return base.RoundTrip(req)
			}
			return resp, err
		})},
	{name: "counts the bytes of a response", fails: []string{"response/body"},
		wrap: withResponseBody(countBody)},
	{name: "reads the beginning of a response", fails: []string{"response/unread"},
		wrap: withResponseBody(func(resp *http.Response) io.ReadCloser {
			if resp.StatusCode == http.StatusOK {
				_, _ = io.ReadFull(resp.Body, make([]byte, 16))
			}
			return resp.Body
		})},
	{name: "closes the response", fails: []string{"response/unread"},
		wrap: withResponseBody(func(resp *http.Response) io.ReadCloser {
			if resp.StatusCode == http.StatusOK {
				_ = resp.Body.Close()
			}
			return resp.Body
		})},
	{name: "hides that a connection can be written to", fails: []string{"response/upgrade"},
		wrap: withResponseBody(func(resp *http.Response) io.ReadCloser {
			if resp.StatusCode == http.StatusSwitchingProtocols {
				return counted{resp.Body}
			}
			return resp.Body
		})},
	{name: "keeps the text of the base's error alone", fails: []string{"response/error"},
		wrap: returning(func(_ *http.Request, resp *http.Response, err error) (*http.Response, error) {
			if err != nil {
				return nil, fmt.Errorf("sending: %v", err)
			}
			return resp, nil
		})},
	{name: "makes a 502 of the base's error", fails: []string{"response/error"},
		wrap: returning(func(req *http.Request, resp *http.Response, err error) (*http.Response, error) {
			if err != nil {
				return respond(req, http.StatusBadGateway), nil
			}
			return resp, nil
		})},
	{name: "counts on a response", fails: []string{"response/missing"},
		wrap: returning(func(_ *http.Request, resp *http.Response, err error) (*http.Response, error) {
			if err == nil {
				resp.Header.Set("X-Wrapper", "1")
			}
			return resp, err
		})},
	{name: "counts on the body of a response", fails: []string{"response/missing"},
		wrap: returning(func(_ *http.Request, resp *http.Response, err error) (*http.Response, error) {
			if resp != nil && resp.StatusCode == http.StatusUnauthorized {
				_ = resp.Body.Close()
			}
			return resp, err
		})},
}

// counted hides what else the value can do.
type counted struct{ io.ReadCloser }

// countedWriter is counted for a body that can be written to.
type countedWriter struct{ io.ReadWriteCloser }

func countBody(resp *http.Response) io.ReadCloser {
	if rw, ok := resp.Body.(io.ReadWriteCloser); ok {
		return countedWriter{rw}
	}
	return counted{resp.Body}
}
