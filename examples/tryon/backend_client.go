package main

import (
	"net/http"
	"strconv"
	"time"
)

// backendClient returns the client for the app's own backend. No policy decides
// about its calls, so there is no trace of them: it prints them itself.
func (l *callLog) backendClient() *http.Client {
	return &http.Client{Timeout: 10 * time.Second, Transport: backendTransport{l}}
}

type backendTransport struct{ log *callLog }

func (t backendTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	began := time.Now()
	resp, err := http.DefaultTransport.RoundTrip(req)
	status := "-"
	if err == nil {
		status = strconv.Itoa(resp.StatusCode)
	}
	t.log.print(row{req.Method, req.URL.EscapedPath(), "your backend", "-", status, milliseconds(time.Since(began))})
	return resp, err
}
