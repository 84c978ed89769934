package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"example.com/routeauth"
)

// callLog prints one line a call.
type callLog struct {
	mu      sync.Mutex
	out     io.Writer
	secrets []string // that went out, and that a server may send back
}

const columns = "  %-4s  %-62s  %-12s  %-13s  %-6s  %9s\n"

// title begins a sequence.
func (l *callLog) title(text string) {
	l.printf("%s\n", text)
	l.printf(columns, "", "path", "requirement", "credential in", "status", "time")
}

func (l *callLog) note(format string, args ...any) { l.printf("  "+format+"\n", args...) }

func (l *callLog) printf(format string, args ...any) {
	text := l.hide(fmt.Sprintf(format, args...))
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprint(l.out, text)
}

// sent takes note of the credentials that a request carries.
func (l *callLog) sent(h http.Header) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, value := range []string{h.Get("x-api-key"), strings.TrimPrefix(h.Get("Authorization"), "Bearer ")} {
		if value != "" {
			l.secrets = append(l.secrets, value, "REDACTED")
		}
	}
}

// hide takes the credentials that were sent out of a text.
func (l *callLog) hide(text string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.NewReplacer(l.secrets...).Replace(text)
}

// base returns the transport below authentication: it sees each request as it
// goes on the wire.
func (l *callLog) base(policy *routeauth.Policy) http.RoundTripper {
	return loggedTransport{l, func(req *http.Request) string {
		requirement, inScope := policy.Requirement(req)
		if !inScope {
			return "not the API"
		}
		return requirement.String()
	}}
}

// backendClient returns the client for the app's own backend.
func (l *callLog) backendClient() *http.Client {
	return &http.Client{
		Timeout:   10 * time.Second,
		Transport: loggedTransport{l, func(*http.Request) string { return "your backend" }},
	}
}

// loggedTransport prints the calls that it sends.
type loggedTransport struct {
	log  *callLog
	kind func(*http.Request) string
}

func (t loggedTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	t.log.sent(req.Header)
	began := time.Now()
	resp, err := http.DefaultTransport.RoundTrip(req)
	status := "failed"
	if err == nil {
		status = fmt.Sprint(resp.StatusCode)
	}
	t.log.printf(columns, req.Method, req.URL.EscapedPath(), t.kind(req), credentialField(req.Header), status,
		fmt.Sprintf("%.1f ms", float64(time.Since(began).Microseconds())/1000))
	return resp, err
}

// credentialField names the header field that carries the credential, never
// its value.
func credentialField(h http.Header) string {
	var found []string
	for _, name := range []string{"Authorization", "x-user-id", "x-api-key"} {
		if h.Get(name) != "" {
			found = append(found, name)
		}
	}
	if len(found) == 0 {
		return "-"
	}
	return strings.Join(found, " and ")
}
