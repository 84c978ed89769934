//go:build js

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// newBase returns the base that the setting names. A nil base sends with
// http.DefaultTransport.
func (s *settings) newBase() (http.RoundTripper, error) {
	switch s.base {
	case "nil":
		return nil, nil
	case "http.Transport":
		return &http.Transport{}, nil
	case "unknown":
		return roundTripFunc(http.DefaultTransport.RoundTrip), nil
	case "retrying":
		return retrying(http.DefaultTransport), nil
	case "memory":
		return roundTripFunc(inMemory), nil
	case "Dial":
		//lint:ignore SA1019 net/http still obeys it
		return &http.Transport{Dial: dial}, nil
	case "DialContext":
		return &http.Transport{DialContext: dialContext}, nil
	case "DialTLS":
		//lint:ignore SA1019 net/http still obeys it
		return &http.Transport{DialTLS: dial}, nil
	case "DialTLSContext":
		return &http.Transport{DialTLSContext: dialContext}, nil
	case "nil, and http.DefaultTransport dials":
		http.DefaultTransport = &http.Transport{DialContext: dialContext}
		return nil, nil
	}
	return nil, fmt.Errorf("there is no base %q", s.base)
}

type roundTripFunc func(req *http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// retrying returns the README's retrying transport, but for how long it waits.
func retrying(transport http.RoundTripper) http.RoundTripper {
	client := retryablehttp.NewClient()
	client.Logger = nil
	client.RetryMax = 1
	client.RetryWaitMin, client.RetryWaitMax = time.Millisecond, time.Millisecond
	client.HTTPClient = &http.Client{
		Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
	return &retryablehttp.RoundTripper{Client: client}
}

// inMemory answers with the names of the header fields that it was sent.
func inMemory(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Request: req, ContentLength: -1,
		Body: io.NopCloser(strings.NewReader(fieldNames(req.Header))),
	}, nil
}

func fieldNames(header http.Header) string {
	return strings.Join(slices.Sorted(maps.Keys(header)), " ")
}

func dial(string, string) (net.Conn, error) { return dialContext(context.Background(), "", "") }

// dialContext connects to a server in this program, which answers one request
// as inMemory does.
func dialContext(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	go func() {
		defer server.Close()
		req, err := http.ReadRequest(bufio.NewReader(server))
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, req.Body)
		names := fieldNames(req.Header)
		_, _ = fmt.Fprintf(server, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(names), names)
	}()
	return client, nil
}
