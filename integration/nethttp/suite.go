package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"time"
)

// packages are those of net/http whose tests can have package http do something.
var packages = []string{
	"net/http",
	"net/http/cgi",
	"net/http/cookiejar",
	"net/http/fcgi",
	"net/http/httptest",
	"net/http/httptrace",
	"net/http/httputil",
	"net/http/pprof",
}

// suite is the compiled tests of one copy of Go's sources.
type suite struct {
	goCommand        // of that copy
	bin       string // the folder of the test binaries
	test2json string // the program that reads what they print
}

// selection says which tests run.
type selection struct {
	packages  []string
	run, skip string // patterns as for go test
	short     bool
	timeout   time.Duration // for the tests of one package
}

// compile compiles the tests of packages into the folder bin, with flags of go
// test.
func compile(ctx context.Context, g goCommand, bin string, packages []string, flags ...string) (suite, error) {
	s := suite{g, bin, filepath.Join(bin, "test2json")}
	if _, err := g.output(ctx, "build", "-o", s.test2json, "cmd/test2json"); err != nil {
		return suite{}, err
	}
	args := slices.Concat([]string{"test", "-c", "-vet=off", "-o", bin + string(filepath.Separator)}, flags, packages)
	_, err := g.output(ctx, args...)
	return s, err
}

// run runs the selected tests, with env added to the environment. Where a process
// ends in the middle of a test, that test has failed, and another process runs
// what is left.
func (s suite) run(ctx context.Context, sel selection, env []string) (results, error) {
	all := results{}
	for _, pkg := range sel.packages {
		for left := sel; ; {
			got, err := s.runOnce(ctx, pkg, left, env)
			if err != nil {
				return nil, err
			}
			crashed := got.failBegun(pkg)
			all.addMissing(got)
			if !crashed {
				break
			}
			left.skip = either(pattern(got.tops()), left.skip)
		}
	}
	return all, nil
}

// runOnce runs the test binary of a package once.
func (s suite) runOnce(ctx context.Context, pkg string, sel selection, env []string) (results, error) {
	args := []string{
		"-test.v=test2json", "-test.paniconexit0",
		"-test.run=" + sel.run, "-test.skip=" + sel.skip, "-test.timeout=" + sel.timeout.String(),
	}
	if sel.short {
		args = append(args, "-test.short")
	}
	test := exec.CommandContext(ctx, filepath.Join(s.bin, path.Base(pkg)+".test"), args...)
	test.Dir = filepath.Join(s.dir, filepath.FromSlash(pkg))
	test.Env = append(s.env(), env...)
	test.WaitDelay = 10 * time.Second // for what a test started and left behind

	got := results{}
	testErr, err := s.pipe(ctx, test, pkg, got)
	if err := errors.Join(ctx.Err(), err); err != nil {
		return nil, fmt.Errorf("the tests of %s: %w", pkg, err)
	}
	var exit *exec.ExitError
	switch {
	case testErr == nil:
		got.set(testName{pkg, testMain}, passed)
	case errors.As(testErr, &exit), errors.Is(testErr, exec.ErrWaitDelay):
		got.set(testName{pkg, testMain}, failed)
	default:
		return nil, fmt.Errorf("the tests of %s: %w", pkg, testErr)
	}
	return got, nil
}

// pipe runs test and adds what test2json makes of its output to got.
func (s suite) pipe(ctx context.Context, test *exec.Cmd, pkg string, got results) (testErr, err error) {
	convert := exec.CommandContext(ctx, s.test2json, "-p", pkg)
	text, err := convert.StdinPipe()
	if err != nil {
		return nil, err
	}
	events, err := convert.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := convert.Start(); err != nil {
		return nil, err
	}
	read := make(chan error, 1)
	go func() {
		err := got.read(pkg, events)
		_, _ = io.Copy(io.Discard, events) // whatever went wrong, the other side can write
		read <- err
	}()
	test.Stdout, test.Stderr = text, text
	testErr = test.Run()
	_ = text.Close()
	return testErr, errors.Join(<-read, convert.Wait())
}
