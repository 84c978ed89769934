package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
)

// prepare copies the sources of goroot to dir, with the hooks or without, and
// compiles the tests.
func prepare(ctx context.Context, dir, goroot string, hooks, race bool) (suite, error) {
	copied, bin := filepath.Join(dir, "go"), filepath.Join(dir, "bin")
	if err := errors.Join(os.MkdirAll(copied, 0o700), os.MkdirAll(bin, 0o700)); err != nil {
		return suite{}, err
	}
	if err := copyGOROOT(copied, goroot); err != nil {
		return suite{}, err
	}
	g := goCommand{goroot: copied, dir: filepath.Join(copied, "src")}
	var flags []string
	if hooks {
		flags = append(flags, "-tags", hookTag)
		if err := addOurs(ctx, g.dir); err != nil {
			return suite{}, err
		}
	}
	if race {
		flags = append(flags, "-race")
	}
	return compile(ctx, g, bin, packages, flags...)
}

// addOurs puts our packages among the sources in src, and lets package http use
// them.
func addOurs(ctx context.Context, src string) error {
	all, err := findOurs(ctx, goCommand{})
	if err != nil {
		return err
	}
	if err := all.copyTo(src); err != nil {
		return err
	}
	return addHooks(src, packages, all)
}
