package roundtriptest

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

// crash is what a call of the wrapper ended with that did not return.
type crash string

func (c crash) Error() string { return string(c) }

// recovered returns what f returns, or a crash. It calls f in a goroutine of its
// own, since f may end it.
func recovered(f func() error) error {
	ended := make(chan error, 1)
	go func() {
		err := error(crash("the goroutine was ended with runtime.Goexit, as t.FailNow does"))
		defer func() {
			if p := recover(); p != nil {
				err = crash("panic: " + shortened(p) + where())
			}
			ended <- err
		}()
		err = f()
	}()
	return <-ended
}

// addresses are what differs from one run to the next.
var addresses = regexp.MustCompile(`0x[0-9a-f]{6,}`)

// shortened returns what a panic or an error says, on one line, and the same
// each time.
func shortened(p any) string {
	const most = 200
	text := strings.Join(strings.Fields(fmt.Sprint(p)), " ")
	text = addresses.ReplaceAllString(text, "0x…")
	if len(text) > most {
		text = text[:most] + "…"
	}
	return text
}

// where returns the innermost calls of a panic that is being recovered. A whole
// stack would be longer than all that the suite has to say.
func where() string {
	const most = 3
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(0, pcs)])
	panicked := false
	var calls []string
	for len(calls) < most {
		frame, more := frames.Next()
		switch {
		case frame.Function == "runtime.gopanic":
			panicked = true
		case panicked && frame.Function != "" && !strings.HasPrefix(frame.Function, "runtime."):
			calls = append(calls, fmt.Sprintf("%s (%s:%d)", frame.Function, filepath.Base(frame.File), frame.Line))
		}
		if !more {
			break
		}
	}
	if len(calls) == 0 {
		return ""
	}
	return ", in " + strings.Join(calls, ", called by ")
}

// crashed returns the crash that an error is, if it is one.
func crashed(err error) (c crash, ok bool) {
	ok = errors.As(err, &c)
	return c, ok
}
