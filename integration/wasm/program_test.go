package wasm_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"example.com/routeauth/integration/wasm"
	"github.com/stretchr/testify/require"
)

// environment is what net/http finds around the program.
type environment struct {
	name string // of run.js
	node string // the name that Node is started under
}

var (
	browser = environment{name: "browser", node: "node"}
	// fullPath is Node with its process, started under a name that does not begin
	// with "node". net/http does not recognize it.
	fullPath = environment{name: "node", node: "/usr/bin/node"}
	// underNode is where net/http does without fetch.
	underNode = environment{name: "node", node: "node"}
)

// tempDir holds the program, which is built once.
var tempDir string

func TestMain(m *testing.M) {
	code, err := func() (int, error) {
		var err error
		if tempDir, err = os.MkdirTemp("", "routeauth"); err != nil {
			return 1, err
		}
		defer os.RemoveAll(tempDir)
		return m.Run(), nil
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

var build = sync.OnceValues(func() (program string, err error) {
	program = filepath.Join(tempDir, "program.wasm")
	_, err = output(goCommand("build", "-o", program, "./program"))
	return program, err
})

// wasmExec is the toolchain's half of a program for GOOS=js.
var wasmExec = sync.OnceValues(func() (path string, err error) {
	root, err := output(goCommand("env", "GOROOT"))
	return filepath.Join(strings.TrimSpace(root), "lib", "wasm", "wasm_exec.js"), err
})

func goCommand(args ...string) *exec.Cmd {
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	return cmd
}

// findNode returns the path of Node.
func findNode(t *testing.T) string {
	path, err := exec.LookPath("node")
	if err != nil && os.Getenv("CI") == "" {
		t.Skip("no node on the PATH, which programs for GOOS=js need to run")
	}
	require.NoError(t, err, "CI needs Node: it must not skip this test")
	return path
}

// run runs the program and returns an outcome for each URL in args.
func run(t *testing.T, where environment, args ...string) (outcomes []wasm.Outcome) {
	node := findNode(t)
	program, err := build()
	require.NoError(t, err)
	wasmExec, err := wasmExec()
	require.NoError(t, err)

	cmd := exec.CommandContext(t.Context(), node, append([]string{"run.js", wasmExec, where.name, program}, args...)...)
	cmd.Args[0] = where.node
	out, err := output(cmd)
	require.NoError(t, err)
	for lines := json.NewDecoder(strings.NewReader(out)); ; {
		var outcome wasm.Outcome
		err := lines.Decode(&outcome)
		if errors.Is(err, io.EOF) {
			return outcomes
		}
		require.NoError(t, err, out)
		outcomes = append(outcomes, outcome)
	}
}

// output returns what cmd prints. Its error includes what cmd printed before it
// failed.
func output(cmd *exec.Cmd) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s%s", cmd, err, &stdout, &stderr)
	}
	return stdout.String(), nil
}
