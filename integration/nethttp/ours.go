package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

const (
	wrappedPath = "example.com/routeauth/integration/nethttp/wrapped"

	// hookTag is the build tag under which wrapped uses the hooks.
	hookTag = "nethttphook"

	// importRoot is where our packages stand among Go's sources. Package http's
	// tests can import the standard library alone. To the go command a package of
	// GOROOT is part of it if the path's first element has no dot.
	importRoot = "routeauthtest/"
)

// ours is the package wrapped and every package that it imports, however
// indirectly, and that is not of the standard library: routeauth, its internal
// packages, golang-jwt.
type ours []sourcePackage

// sourcePackage is a package as go list -json describes it.
type sourcePackage struct {
	Dir, ImportPath     string
	Standard            bool
	GoFiles, EmbedFiles []string
}

// findOurs asks the go command, which finds them from within our module.
func findOurs(ctx context.Context, g goCommand) (ours, error) {
	out, err := g.output(ctx, "list", "-deps", "-json", "-tags", hookTag, wrappedPath)
	if err != nil {
		return nil, err
	}
	var all ours
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p sourcePackage
		err := decoder.Decode(&p)
		switch {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, err
		case !p.Standard:
			all = append(all, p)
		}
	}
}

// copyTo copies the packages to src and makes them import each other there.
func (all ours) copyTo(src string) error {
	for _, p := range all {
		dir := filepath.Join(src, filepath.FromSlash(importRoot+p.ImportPath))
		for _, name := range slices.Concat(p.GoFiles, p.EmbedFiles) {
			content, err := os.ReadFile(filepath.Join(p.Dir, name))
			if err != nil {
				return err
			}
			if slices.Contains(p.GoFiles, name) {
				if content, err = all.moveImports(content); err != nil {
					return fmt.Errorf("%s: %s: %w", p.ImportPath, name, err)
				}
			}
			if err := writeFile(filepath.Join(dir, name), content); err != nil {
				return err
			}
		}
	}
	return nil
}

// moveImports puts importRoot before each import of one of the packages.
func (all ours) moveImports(source []byte) ([]byte, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "", source, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	var moved []byte
	copied := 0
	for _, spec := range file.Imports {
		importPath, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		if all.has(importPath) {
			afterQuote := files.Position(spec.Path.Pos()).Offset + 1
			moved = append(append(moved, source[copied:afterQuote]...), importRoot...)
			copied = afterQuote
		}
	}
	return append(moved, source[copied:]...), nil
}

func (all ours) has(importPath string) bool {
	return slices.ContainsFunc(all, func(p sourcePackage) bool { return p.ImportPath == importPath })
}

// writeFile writes a file in a folder that it makes.
func writeFile(name string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	return os.WriteFile(name, content, 0o600)
}
