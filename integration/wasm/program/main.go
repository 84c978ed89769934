//go:build js

// Command program sends requests with routeauth, one after the other, and
// prints a line of JSON for each: a wasm.Outcome. The tests of package wasm run
// it.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"example.com/routeauth/integration/wasm"
)

type settings struct {
	transport     string
	base          string
	credential    string
	apiURL        string
	tokenEndpoint string
	tokenClient   string
	method        string
	redirect      string
	retry         bool
	urls          []string
}

func main() {
	var s settings
	flag.StringVar(&s.transport, "transport", "", "what adds the credential: a `name` in transport.go")
	flag.StringVar(&s.base, "base", "nil", "what it sends with: a `name` in base.go")
	flag.StringVar(&s.credential, "credential", "", "the `secret`")
	flag.StringVar(&s.apiURL, "api", "", "the policy's base `URL`")
	flag.StringVar(&s.tokenEndpoint, "token-endpoint", "", "the `URL` where tokens come from; without it the credential is the token")
	flag.StringVar(&s.tokenClient, "token-client", "nil", "the client that asks for them: a `name` in token_source.go")
	flag.StringVar(&s.method, "method", http.MethodGet, "a `method`; a POST has a body")
	flag.StringVar(&s.redirect, "redirect", "", "the `mode` of redirects that the caller asks for")
	flag.BoolVar(&s.retry, "retry", false, "retry above the transport")
	flag.Parse()
	s.urls = flag.Args()
	if err := s.run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "program:", err)
		os.Exit(1)
	}
}

func (s *settings) run(out io.Writer) error {
	base, err := s.newBase()
	if err != nil {
		return err
	}
	transport, err := s.newTransport(base)
	if err != nil {
		return err
	}
	if s.retry {
		transport = retrying(transport)
	}
	client := &http.Client{Transport: transport}
	lines := json.NewEncoder(out)
	for _, url := range s.urls {
		if err := lines.Encode(s.send(client, url)); err != nil {
			return err
		}
	}
	return nil
}

func (s *settings) send(client *http.Client, url string) wasm.Outcome {
	failed := func(err error) wasm.Outcome { return wasm.Outcome{URL: url, Error: err.Error()} }
	var body io.Reader
	if s.method == http.MethodPost {
		body = strings.NewReader("{}")
	}
	req, err := http.NewRequest(s.method, url, body)
	if err != nil {
		return failed(err)
	}
	if s.redirect != "" {
		req.Header["js.fetch:redirect"] = []string{s.redirect}
	}
	resp, err := client.Do(req)
	if err != nil {
		return failed(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return failed(err)
	}
	return wasm.Outcome{URL: url, Status: resp.StatusCode, Body: string(text)}
}
