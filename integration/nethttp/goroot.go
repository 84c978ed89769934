package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// release is the Go release whose sources the edits and the list of exceptions
// are for. Change it when you have looked at another one.
const release = "go1.26"

// findGOROOT returns the folder of the Go toolchain, which must be of the
// release.
func findGOROOT(ctx context.Context) (dir, version string, err error) {
	out, err := goCommand{}.output(ctx, "env", "GOROOT", "GOVERSION")
	if err != nil {
		return "", "", err
	}
	dir, version, _ = strings.Cut(strings.TrimSpace(string(out)), "\n")
	if version != release && !strings.HasPrefix(version, release+".") {
		return "", "", fmt.Errorf("the go command is %s, and this program is for %s", version, release)
	}
	return dir, version, nil
}

// copyGOROOT makes dir, an empty folder, a GOROOT with a copy of the sources of
// goroot. Everything else, such as the compiler, is a link to goroot's.
func copyGOROOT(dir, goroot string) error {
	entries, err := os.ReadDir(goroot)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.Name() == "src" {
			continue
		}
		if err := os.Symlink(filepath.Join(goroot, entry.Name()), filepath.Join(dir, entry.Name())); err != nil {
			return err
		}
	}
	return os.CopyFS(filepath.Join(dir, "src"), os.DirFS(filepath.Join(goroot, "src")))
}
