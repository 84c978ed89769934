package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// compiler reports whether packages compile. It reads what they import once, and
// so is much faster than a call of the go command for each edit.
type compiler struct {
	mu      sync.Mutex // guards the rest
	modules map[string]*module
}

type module struct {
	exports  map[string]string // by import path: the file with what a package exports
	files    *token.FileSet
	importer types.Importer
}

// check returns an error if the edited package does not compile.
func (c *compiler) check(e edit) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	changed, text, err := e.apply()
	if err != nil {
		return err
	}
	folder, _ := e.module()
	m, err := c.module(folder)
	if err != nil {
		return err
	}
	var parsed []*ast.File
	paths, err := filepath.Glob(filepath.Join(e.dir, "*.go"))
	if err != nil {
		return err
	}
	for _, path := range paths {
		included, err := build.Default.MatchFile(filepath.Split(path))
		if err != nil {
			return err
		}
		if !included || strings.HasSuffix(path, "_test.go") {
			continue
		}
		var source any // the file itself
		if path == changed {
			source = text
		}
		file, err := parser.ParseFile(m.files, path, source, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		parsed = append(parsed, file)
	}
	config := types.Config{Importer: m.importer}
	_, err = config.Check(e.dir, m.files, parsed, nil)
	return err
}

// module returns what the packages of a module import.
func (c *compiler) module(folder string) (*module, error) {
	if m := c.modules[folder]; m != nil {
		return m, nil
	}
	var list bytes.Buffer
	cmd := exec.CommandContext(context.Background(), "go", "list", "-export", "-deps", "-f", "{{.ImportPath}}\t{{.Export}}", "./...")
	cmd.Dir, cmd.Stdout, cmd.Stderr = folder, &list, os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("go list in %s: %w", folder, err)
	}
	m := &module{exports: make(map[string]string), files: token.NewFileSet()}
	for line := range strings.Lines(list.String()) {
		path, file, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		m.exports[path] = file
	}
	m.importer = importer.ForCompiler(m.files, "gc", func(path string) (io.ReadCloser, error) {
		if m.exports[path] == "" {
			return nil, errors.New("it is no package that the module needs")
		}
		return os.Open(m.exports[path])
	})
	if c.modules == nil {
		c.modules = make(map[string]*module)
	}
	c.modules[folder] = m
	return m, nil
}
