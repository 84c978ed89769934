package main

import (
	_ "embed"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
)

var (
	//go:embed hook.go.txt
	hook []byte // declares the hooks, in package http

	//go:embed in_place_test.go.txt
	inPlaceTest []byte // holds the test named inPlace
)

// inPlace is a test of our own among net/http's.
var inPlace = testName{"net/http", "TestTheWrapperIsInPlace"}

// edits make package http ask the hooks.
var edits = []edit{{
	file: "net/http/client.go",
	old: `
func (c *Client) transport() RoundTripper {
`,
	new: `
func (c *Client) transport() RoundTripper {
	if HookClient != nil {
		return HookClient(c.Transport)
	}
`,
}, {
	file: "net/http/roundtrip.go",
	old: `
	return t.roundTrip(req)
`,
	new: `
	if HookTransport != nil {
		return HookTransport(unhooked{t}).RoundTrip(req)
	}
	return t.roundTrip(req)
`,
}}

// edit replaces a text of one of Go's files.
type edit struct{ file, old, new string }

// apply returns source edited. It is an error if the old text is not there
// exactly once: then the file has changed, and somebody has to look.
func (e edit) apply(source string) (string, error) {
	if n := strings.Count(source, e.old); n != 1 {
		return "", fmt.Errorf("%s: the text to replace is there %d times instead of once:%s", e.file, n, e.old)
	}
	return strings.Replace(source, e.old, e.new, 1), nil
}

// addHooks edits the sources in src, and has the tests of packages linked with
// what sets the hooks.
func addHooks(src string, packages []string, all ours) error {
	for _, e := range edits {
		name := filepath.Join(src, filepath.FromSlash(e.file))
		source, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		edited, err := e.apply(string(source))
		if err != nil {
			return err
		}
		if err := writeFile(name, []byte(edited)); err != nil {
			return err
		}
	}
	test, err := all.moveImports(inPlaceTest)
	if err != nil {
		return err
	}
	added := map[string][]byte{
		"net/http/routeauth_hook.go":          hook,
		"net/http/routeauth_in_place_test.go": test,
	}
	for _, pkg := range packages {
		added[pkg+"/routeauth_link_test.go"] = fmt.Appendf(nil,
			"package %s_test\n\nimport _ %q\n", path.Base(pkg), importRoot+wrappedPath)
	}
	for name, content := range added {
		if err := writeFile(filepath.Join(src, filepath.FromSlash(name)), content); err != nil {
			return err
		}
	}
	return nil
}
