package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// callLog prints one line a call.
type callLog struct {
	mu      sync.Mutex
	out     io.Writer
	parts   int      // that have begun
	secrets []string // that went out, and that a server may send back
}

// row is one line of the table. Its lines are 79 columns wide.
type row struct{ method, path, requirement, credential, status, time string }

const (
	rowFormat = "  %-4s %-22s %-12s %-24s %-3s %7s"
	pathWidth = 22
)

// title begins a sequence. The second text says what to look at.
func (l *callLog) title(text, lookAt string) {
	if l.parts++; l.parts > 1 {
		l.printf("\n")
	}
	l.printf("%s\n  %s\n", text, lookAt)
	l.print(row{"", "path", "requirement", "credential", "", "time"})
}

func (l *callLog) print(r row) {
	shown := shorten(l.hide(r.path)) // in this order, or half a credential is left
	l.printf(rowFormat+"\n", r.method, shown, r.requirement, r.credential, r.status, r.time)
}

func (l *callLog) note(format string, args ...any) { l.printf("  "+format+"\n", args...) }

func (l *callLog) printf(format string, args ...any) {
	text := l.hide(fmt.Sprintf(format, args...))
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprint(l.out, text)
}

// shorten keeps the end of a path that is too long for its column: its last
// segment, or the end of that.
func shorten(urlPath string) string {
	if utf8.RuneCountInString(urlPath) <= pathWidth {
		return urlPath
	}
	last := []rune("/" + path.Base(urlPath))
	if len(last) >= pathWidth {
		last = last[len(last)-pathWidth+1:]
	}
	return "…" + string(last)
}

// milliseconds writes a duration in at most seven columns.
func milliseconds(d time.Duration) string {
	ms := d.Seconds() * 1000
	switch {
	case ms < 99.5:
		return fmt.Sprintf("%.1f ms", ms)
	case ms < 9999:
		return fmt.Sprintf("%.0f ms", ms)
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}

// sent takes note of the credentials that a request carries.
func (l *callLog) sent(h http.Header) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, value := range []string{h.Get("x-api-key"), strings.TrimPrefix(h.Get("Authorization"), "Bearer ")} {
		if value != "" {
			l.secrets = append(l.secrets, value, "REDACTED", url.PathEscape(value), "REDACTED")
		}
	}
}

// hide takes the credentials that were sent out of a text.
func (l *callLog) hide(text string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.NewReplacer(l.secrets...).Replace(text)
}

// network returns the transport below authentication. It learns the credentials
// that go out, only to hide them where a server sends one back.
func (l *callLog) network() http.RoundTripper { return network{l} }

type network struct{ log *callLog }

func (n network) RoundTrip(req *http.Request) (*http.Response, error) {
	n.log.sent(req.Header)
	return http.DefaultTransport.RoundTrip(req)
}
