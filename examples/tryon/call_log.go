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
	screen screen

	mu      sync.Mutex
	out     io.Writer
	shown   int      // how wide the progress is that stands in the last line
	parts   int      // that have begun
	secrets []string // that went out, and that a server may send back
}

// row is one line of the table. Its lines are 79 columns wide.
type row struct{ method, path, requirement, credential, status, time string }

const (
	rowFormat = "  %-4s %-22s %-12s %s %s %7s\n"
	pathWidth = 22
)

// title begins a sequence. The second text says what to look at.
func (l *callLog) title(text, lookAt string) {
	if l.parts++; l.parts > 1 {
		l.printf("\n")
	}
	l.printf("%s\n  %s\n", l.screen.styled(text, bold), lookAt)
	l.print(row{"", "path", "requirement", "credential", "", "time"})
}

func (l *callLog) print(r row) {
	shown := shorten(l.hide(r.path)) // in this order, or half a credential is left
	l.printf(rowFormat, r.method, shown, r.requirement,
		l.screen.styled(fmt.Sprintf("%-24s", r.credential), styleOfCredential(r.credential)),
		l.screen.styled(fmt.Sprintf("%-3s", r.status), styleOfStatus(r.status)), r.time)
}

// styleOfCredential gives each field a colour of its own, so that a change of
// the credential meets the eye.
func styleOfCredential(credential string) style {
	field, _, _ := strings.Cut(credential, " ")
	return map[string]style{"Authorization": green, "x-user-id": yellow, "x-api-key": cyan}[field]
}

func styleOfStatus(status string) style {
	if status == "401" {
		return red
	}
	return ordinary
}

func (l *callLog) note(format string, args ...any) { l.printf("  "+format+"\n", args...) }

func (l *callLog) printf(format string, args ...any) {
	text := l.hide(fmt.Sprintf(format, args...))
	l.mu.Lock()
	defer l.mu.Unlock()
	l.erase()
	fmt.Fprint(l.out, text)
}

// progress shows what is being done, until the next line or progress. Only a
// terminal shows it; elsewhere the lines of the table have to do.
func (l *callLog) progress(format string, args ...any) {
	if !l.screen.progress {
		return
	}
	text := "  " + l.hide(fmt.Sprintf(format, args...))
	l.mu.Lock()
	defer l.mu.Unlock()
	l.erase()
	fmt.Fprint(l.out, text)
	l.shown = utf8.RuneCountInString(text)
}

// erase takes the progress away. It does so without an escape sequence, which
// not every terminal knows.
func (l *callLog) erase() {
	if l.shown > 0 {
		fmt.Fprint(l.out, "\r"+strings.Repeat(" ", l.shown)+"\r")
		l.shown = 0
	}
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
