// Command mutations breaks each rule of the project in turn and expects the tests
// to notice. An edit that survives is a rule without a test.
//
//	go run ./internal/mutations                 every edit, which takes a while
//	go run ./internal/mutations -only 'rule 9'  those whose name has this text
//	go run ./internal/mutations -sample 10      ten, other ones for each commit
//	go run ./internal/mutations -check          only whether each edit compiles,
//	                                            and each rule of RULES.md has one
//
// The edits are in the lists beside this file. They are applied with an overlay,
// so nothing is copied and no file is changed. It exits with status 1 if an edit
// survives, does not compile or cannot be applied, or if none was chosen.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"
)

func main() {
	only := flag.String("only", "", "try only the edits whose name contains `text`")
	sample := flag.Int("sample", 0, "try only `n` edits, which depend on the commit")
	check := flag.Bool("check", false, "only check that every edit compiles and every rule has one")
	workers := flag.Int("workers", 2, "how many edits are tried at the same time")
	timeout := flag.Duration("timeout", 3*time.Minute, "after which tests that hang count as failed")
	flag.Parse()
	ok, err := run(*only, *sample, *check, *workers, *timeout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutations:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

func run(only string, sample int, check bool, workers int, timeout time.Duration) (ok bool, err error) {
	edits, err := readLists("internal/mutations")
	if err != nil {
		return false, err
	}
	chosen := slices.DeleteFunc(slices.Clone(edits), func(e edit) bool { return !strings.Contains(e.name, only) })
	if len(chosen) == 0 {
		return false, fmt.Errorf("no edit's name contains %q", only)
	}
	if sample > 0 {
		chosen = pick(chosen, sample)
	}
	if check {
		if err := everyRuleIsBroken(edits); err != nil {
			return false, err
		}
	}
	var c compiler
	results := tryAll(chosen, workers, func(e edit) string {
		if check {
			if err := c.check(e); err != nil {
				return "DOES NOT BUILD: " + err.Error()
			}
			return "compiles"
		}
		return e.try(timeout)
	})
	want, good := "killed", 0
	if check {
		want = "compiles"
	}
	for r := range results {
		if r.verdict == want {
			good++
		}
		if !check || r.verdict != want {
			fmt.Println(r)
		}
	}
	fmt.Printf("%d edits, %d %s\n", len(chosen), good, want)
	return good == len(chosen), nil
}

// pick returns n edits, other ones for each commit.
func pick(edits []edit, n int) []edit {
	commit, _ := exec.Command("git", "rev-parse", "HEAD").Output()
	order := func(e edit) uint64 {
		hash := fnv.New64a()
		fmt.Fprintf(hash, "%s %s", commit, e.name)
		return hash.Sum64()
	}
	slices.SortFunc(edits, func(a, b edit) int {
		if order(a) < order(b) {
			return -1
		}
		return 1
	})
	return edits[:min(n, len(edits))]
}

type result struct {
	edit    edit
	verdict string
	took    time.Duration
}

func (r result) String() string {
	return fmt.Sprintf("%-14s %5.1fs  %s: %s", r.verdict, r.took.Seconds(), r.edit.anchor, r.edit.name)
}

// tryAll calls try for each edit, some at the same time.
func tryAll(edits []edit, workers int, try func(edit) string) <-chan result {
	queue, results := make(chan edit), make(chan result)
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for e := range queue {
				began := time.Now()
				verdict := try(e)
				results <- result{e, verdict, time.Since(began)}
			}
		})
	}
	go func() {
		for _, e := range edits {
			queue <- e
		}
		close(queue)
		group.Wait()
		close(results)
	}()
	return results
}

// try runs the tests of the edited package, and, for one in internal, those of
// the root package, which see the parts at work.
func (e edit) try(timeout time.Duration) string {
	return e.withOverlay(func(overlay string) string {
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		module, dir := e.module()
		if goTool(ctx, module, "build", "-overlay", overlay, "-o", os.DevNull, dir) != nil {
			return "DOES NOT BUILD"
		}
		packages := []string{dir}
		if strings.HasPrefix(e.dir, "internal/") {
			packages = append(packages, ".")
		}
		for _, p := range packages {
			if goTool(ctx, module, "test", "-overlay", overlay, "-vet=off", "-failfast", "-count=1", p) != nil {
				return "killed"
			}
		}
		return "SURVIVED"
	})
}

// withOverlay calls use with the file that tells the go command about the edit.
func (e edit) withOverlay(use func(overlay string) string) string {
	dir, err := os.MkdirTemp("", "mutation")
	if err != nil {
		return err.Error()
	}
	defer os.RemoveAll(dir)
	overlay, err := e.writeOverlay(dir)
	if err != nil {
		return err.Error()
	}
	return use(overlay)
}

// goTool runs the go command in the folder of a module.
func goTool(ctx context.Context, module string, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = module
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	if errors.Is(err, exec.ErrNotFound) {
		fmt.Fprintln(os.Stderr, "mutations:", err)
		os.Exit(1)
	}
	return err
}
