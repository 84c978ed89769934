package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// output runs the program against the API in its process, on a screen.
func output(t *testing.T, on screen) string {
	t.Helper()
	s, err := parseSettings(nil, noEnvironment, nil)
	require.NoError(t, err)
	s.interval = func(int) time.Duration { return 0 }
	s.screen = on
	var out bytes.Buffer
	require.NoError(t, perform(t.Context(), s, &out))
	return out.String()
}

func TestOnlyATerminalHasProgressAndColour(t *testing.T) {
	device, err := os.Open(os.DevNull) // a character device, as a terminal is
	require.NoError(t, err)
	defer device.Close()
	reader, pipe, err := os.Pipe()
	require.NoError(t, err)
	defer reader.Close()
	defer pipe.Close()
	file, err := os.Create(t.TempDir() + "/out")
	require.NoError(t, err)
	defer file.Close()

	xterm := map[string]string{"TERM": "xterm"}
	for name, test := range map[string]struct {
		out         io.Writer
		environment map[string]string
		want        screen
	}{
		"a terminal":         {device, xterm, screen{progress: true, colour: true}},
		"NO_COLOR":           {device, map[string]string{"TERM": "xterm", "NO_COLOR": "1"}, screen{progress: true}},
		"an empty NO_COLOR":  {device, map[string]string{"TERM": "xterm", "NO_COLOR": ""}, screen{progress: true, colour: true}},
		"a dumb terminal":    {device, map[string]string{"TERM": "dumb"}, screen{progress: true}},
		"a pipe":             {pipe, xterm, screen{}},
		"a file":             {file, xterm, screen{}},
		"no file of the OS":  {new(bytes.Buffer), xterm, screen{}},
		"a file that closed": {closed(t), xterm, screen{}},
	} {
		getenv := func(name string) string { return test.environment[name] }
		assert.Equal(t, test.want, screenOf(test.out, getenv), name)
		s, err := parseSettings(nil, getenv, test.out)
		require.NoError(t, err)
		assert.Equal(t, test.want, s.screen, name)
	}
}

func closed(t *testing.T) *os.File {
	file, err := os.Open(os.DevNull)
	require.NoError(t, err)
	require.NoError(t, file.Close())
	return file
}

func TestEachLineFitsInto80Columns(t *testing.T) {
	var help bytes.Buffer
	_, err := parseSettings([]string{"-h"}, noEnvironment, &help)
	require.Error(t, err)
	for name, text := range map[string]string{"output": output(t, screen{}), "help": help.String()} {
		assert.Greater(t, strings.Count(text, "\n"), 20, name)
		for line := range strings.Lines(strings.ReplaceAll(text, "\t", "        ")) {
			assert.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")), 80, "%s: %s", name, line)
		}
	}
}

func TestEachFieldAndTheRejectionHaveAColour(t *testing.T) {
	out := output(t, screen{colour: true})
	for _, coloured := range []string{
		"\x1b[32mAuthorization (jwt)     \x1b[0m 200",
		"\x1b[33mx-user-id (subscription)\x1b[0m 200",
		"\x1b[36mx-api-key (api-key)     \x1b[0m 200",
		"\x1b[32mAuthorization (jwt)     \x1b[0m \x1b[1;31m401\x1b[0m",
	} {
		assert.Contains(t, out, coloured)
	}
	withoutColour := regexp.MustCompile(`\x1b\[[\d;]*m`).ReplaceAllString(out, "")
	assert.Equal(t, withoutTimes(output(t, screen{})), withoutTimes(withoutColour))
}

func TestPlainOutputHasNoControlCharacters(t *testing.T) {
	assert.NotRegexp(t, `[^\P{C}\n]`, output(t, screen{}))
}

// What remains on a terminal is the table.
func TestProgressIsShownAndTakenAway(t *testing.T) {
	out := output(t, screen{progress: true})
	assert.NotContains(t, out, "\x1b")
	for _, progress := range []string{"uploading: 11 of 11 kB", "generating: started, 0.0 s", "generating: IN_PROGRESS"} {
		assert.Contains(t, out, progress)
	}
	var seen strings.Builder
	for line := range strings.Lines(out) {
		seen.WriteString(onTerminal(strings.TrimSuffix(line, "\n")) + "\n")
	}
	assert.Equal(t, withoutTimes(output(t, screen{})), withoutTimes(seen.String()))
}

// onTerminal is what a line looks like after each carriage return was obeyed.
func onTerminal(line string) string {
	var cells []rune
	for written := range strings.SplitSeq(line, "\r") {
		for i, r := range []rune(written) {
			cells = append(cells[:i], append([]rune{r}, cells[min(i+1, len(cells)):]...)...)
		}
	}
	return strings.TrimRight(string(cells), " ")
}

// withoutTimes takes out what differs from run to run.
func withoutTimes(out string) string {
	return regexp.MustCompile(` *[\d.]+ m?s\n|[0-9a-f]{32}`).ReplaceAllString(out, "\n")
}

// While the API is waited for, the time goes on.
func TestProgressIsShownAgainDuringAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shown := 0
		require.NoError(t, apiClient{}.pause(t.Context(), time.Second/4, func() { shown++ }))
		assert.Equal(t, 3, shown, "at once, and after each tenth of a second")

		ctx, cancel := context.WithTimeout(t.Context(), time.Second/4)
		defer cancel()
		require.ErrorIs(t, apiClient{}.pause(ctx, time.Hour, func() {}), context.DeadlineExceeded)
	})
}
