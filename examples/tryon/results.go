package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// results writes the images that were generated, each of which cost money.
type results struct {
	name  string // of the first file; empty to write none
	count int
}

// check finds before the first generation what would be in the way of its file.
func (r *results) check() error {
	folder := filepath.Dir(r.name)
	if info, err := os.Stat(folder); err != nil {
		return fmt.Errorf("-out: %w", err)
	} else if !info.IsDir() {
		return fmt.Errorf("-out: %s is not a folder", folder)
	}
	if info, err := os.Stat(r.name); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("-out: %s is there and is not a regular file", r.name)
	}
	return nil
}

// add writes an image, and says where.
func (r *results) add(image []byte, calls *callLog) error {
	if r.name == "" {
		calls.note("The result has %d bytes; -out result.png writes it.", len(image))
		return nil
	}
	r.count++
	name := r.name
	if r.count > 1 {
		extension := filepath.Ext(name)
		name = fmt.Sprintf("%s-%d%s", strings.TrimSuffix(name, extension), r.count, extension)
	}
	if err := os.WriteFile(name, image, 0o666); err != nil { // less what the umask takes
		return err
	}
	calls.note("The result has %d bytes and is in %s", len(image), name)
	return nil
}
