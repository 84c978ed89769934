package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// goCommand runs the go command of one GOROOT.
type goCommand struct {
	goroot string // "": the go command that is found in PATH
	dir    string
}

// env is the environment of the go command and of what it compiled.
func (g goCommand) env() []string {
	env := append(os.Environ(), "GOTOOLCHAIN=local")
	if g.goroot != "" {
		env = append(env, "GOROOT="+g.goroot, "GOFLAGS=", "GOWORK=off")
	}
	return env
}

func (g goCommand) output(ctx context.Context, args ...string) ([]byte, error) {
	name := "go"
	if g.goroot != "" {
		name = filepath.Join(g.goroot, "bin", "go")
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = g.dir, g.env()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w\n%s", args[0], err, stderr.Bytes())
	}
	return out, nil
}
