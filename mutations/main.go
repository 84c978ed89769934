// Command mutations breaks each rule of the project in turn and expects the
// tests to notice. It takes small edits from the lists beside it, applies them
// one by one to a copy of the module, and runs the tests of the package that
// was edited. An edit that survives is a rule without a test.
//
//	go run ./mutations              every edit, which takes a while
//	go run ./mutations -only 'rule 9'
//	go run ./mutations -check       only whether every edit can be applied, and
//	                                every rule of RULES.md has one
//
// It exits with status 1 if an edit survives, does not compile or cannot be
// applied, or if none was chosen.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

func main() {
	only := flag.String("only", "", "run only the edits whose name contains `text`")
	check := flag.Bool("check", false, "only check that every edit can be applied")
	workers := flag.Int("workers", 2, "how many edits are tried at the same time")
	timeout := flag.Duration("timeout", 2*time.Minute, "after which tests that hang count as failed")
	flag.Parse()
	ok, err := run(*only, *check, *workers, *timeout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutations:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

func run(only string, check bool, workers int, timeout time.Duration) (ok bool, err error) {
	mutations, err := readLists("mutations")
	if err != nil {
		return false, err
	}
	var chosen []mutation
	for _, m := range mutations {
		if strings.Contains(m.name, only) {
			chosen = append(chosen, m)
		}
	}
	if len(chosen) == 0 {
		return false, fmt.Errorf("no edit's name contains %q", only)
	}
	if check {
		errs := []error{everyRuleIsBroken(mutations)}
		for _, m := range chosen {
			_, err := m.apply(".")
			errs = append(errs, err)
		}
		if err := errors.Join(errs...); err != nil {
			return false, err
		}
		fmt.Printf("%d edits can be applied\n", len(chosen))
		return true, nil
	}

	queue := make(chan mutation)
	results := make(chan result)
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for m := range queue {
				results <- try(m, timeout)
			}
		})
	}
	go func() {
		for _, m := range chosen {
			queue <- m
		}
		close(queue)
		group.Wait()
		close(results)
	}()
	killed := 0
	for r := range results {
		fmt.Println(r)
		if r.verdict == "killed" {
			killed++
		}
	}
	fmt.Printf("%d edits tried, %d killed\n", len(chosen), killed)
	return killed == len(chosen), nil
}

type result struct {
	mutation mutation
	verdict  string
	took     time.Duration
}

func (r result) String() string {
	return fmt.Sprintf("%-14s %5.1fs  %s: %s", r.verdict, r.took.Seconds(), r.mutation.file, r.mutation.name)
}

// try applies an edit to a copy of the module and runs the tests there.
func try(m mutation, timeout time.Duration) result {
	began := time.Now()
	verdict := func() string {
		dir, err := os.MkdirTemp("", "mutation")
		if err != nil {
			return err.Error()
		}
		defer os.RemoveAll(dir)
		if err := os.CopyFS(dir, os.DirFS(".")); err != nil {
			return err.Error()
		}
		text, err := m.apply(dir)
		if err != nil {
			return err.Error()
		}
		if err := os.WriteFile(filepath.Join(dir, m.file), []byte(text), 0o600); err != nil {
			return err.Error()
		}
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		pkg := "./" + filepath.Dir(m.file)
		if goTool(ctx, dir, "build", pkg) != nil {
			return "DOES NOT BUILD"
		}
		if goTool(ctx, dir, "test", "-vet=off", "-failfast", "-count=1", pkg) == nil {
			return "SURVIVED"
		}
		return "killed"
	}()
	return result{m, verdict, time.Since(began)}
}

func goTool(ctx context.Context, dir string, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.WaitDelay = time.Second
	return cmd.Run()
}
