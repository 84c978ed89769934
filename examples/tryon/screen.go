package main

import (
	"io"
	"os"
	"runtime"
)

// screen is what may be written beside plain lines.
type screen struct {
	progress bool // a line that is written over
	colour   bool
}

// screenOf says what out takes. A pipe and a file take plain lines alone, and
// NO_COLOR (https://no-color.org) is obeyed.
func screenOf(out io.Writer, getenv func(string) string) screen {
	file, isFile := out.(*os.File)
	if !isFile {
		return screen{}
	}
	info, err := file.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return screen{}
	}
	knowsEscapes := getenv("TERM") != "" && getenv("TERM") != "dumb"
	if runtime.GOOS == "windows" { // where its old console does not
		knowsEscapes = knowsEscapes || getenv("WT_SESSION") != ""
	}
	return screen{progress: true, colour: knowsEscapes && getenv("NO_COLOR") == ""}
}

// style is a colour, by its parameters of ECMA-48's "select graphic rendition".
type style string

const (
	ordinary style = ""
	bold     style = "1"
	red      style = "1;31"
	green    style = "32"
	yellow   style = "33"
	cyan     style = "36"
)

// styled writes a text in a style, where the screen has colours.
func (s screen) styled(text string, with style) string {
	if !s.colour || with == ordinary {
		return text
	}
	return "\x1b[" + string(with) + "m" + text + "\x1b[0m"
}
