// Routes writes the routes of an OpenAPI document as Go code, for
// [routeauth.NewPolicy], and checks that the code is still what the document
// says.
//
//	go run example.com/routeauth/openapi/cmd/routes -spec openapi.yaml -package api -out routes_gen.go
//
// The file has the package api with a constant BaseURL, if the document names a
// base URL with a host, and a function Routes that returns a table with every
// operation of the document. The package openapi says how an operation's
// security becomes a requirement, and its path a pattern.
//
// The flags are:
//
//	-spec file
//		The document: OpenAPI 3.0, 3.1 or 3.2, or Swagger 2.0, as JSON or YAML.
//	-package name
//		The package of the Go file.
//	-out file
//		The Go file. Without it the code goes to standard output. A file that has
//		the right content already is not touched.
//	-base-url url
//		The base URL, where it is not the document's first: https comes before
//		http, and a relative one does not count.
//	-optional-scheme name
//		A security scheme that is the weaker credential: operations that take it
//		are optional. It may be given several times.
//	-check
//		Write nothing, and compare the Go file with what would be written.
//	-list
//		Write no Go file, and print a table of all operations: the requirement of
//		each and why it is that one. One without a route has a dash. Of the other
//		flags only -spec and -optional-scheme count.
//
// To keep the file up to date with go generate, put this beside it:
//
//	//go:generate go run example.com/routeauth/openapi/cmd/routes -spec openapi.yaml -package api -out routes_gen.go
//
// and to be told when they have parted, run the same command with -check in the
// same folder, because the file's first line repeats the command.
//
// The exit status is 0 if all is well. It is 1 if -check finds that the file and
// the document have parted: the file is missing, or differs in a single byte. It
// is 2 if something is broken, such as the command line, the document, or an
// operation for which there is no route; then no file is written, so that a stale
// one stays rather than a wrong one.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"example.com/routeauth/openapi"
)

// Exit statuses.
const (
	ok     = 0
	parted = 1
	broken = 2
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	var c command
	switch err := c.parse(args, stderr); {
	case errors.Is(err, flag.ErrHelp):
		return ok
	case err != nil:
		return broken // parse said it
	}
	status, err := c.run(stdout)
	if err != nil {
		fmt.Fprintf(stderr, "routes: %v\n", err)
	}
	return status
}

// command is what the command line asks for.
type command struct {
	spec, packageName, out, baseURL string
	optionalSchemes                 []string
	check, list                     bool
}

// parse reads the command line. What is wrong with it is written to stderr.
func (c *command) parse(args []string, stderr io.Writer) error {
	flags := flag.NewFlagSet("routes", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintln(stderr, "usage: routes -spec file -package name [-out file] [-base-url URL] [-optional-scheme name]... [-check]\n"+
			"       routes -spec file [-optional-scheme name]... -list")
		flags.PrintDefaults()
	}
	flags.StringVar(&c.spec, "spec", "", "the OpenAPI document, a `file` of JSON or YAML")
	flags.StringVar(&c.packageName, "package", "", "the `name` of the Go file's package")
	flags.StringVar(&c.out, "out", "", "the Go `file`; without it the code goes to standard output")
	flags.StringVar(&c.baseURL, "base-url", "", "the base `URL`, where it is not the document's first")
	flags.Func("optional-scheme", "the `name` of a security scheme that is the weaker credential; may be given several times", func(name string) error {
		c.optionalSchemes = append(c.optionalSchemes, name)
		return nil
	})
	flags.BoolVar(&c.check, "check", false, "compare the Go file with what would be written; exit status 1 if they differ")
	flags.BoolVar(&c.list, "list", false, "list all operations, with their requirements and why")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if err := c.validate(flags.Args()); err != nil {
		fmt.Fprintf(stderr, "routes: %v\n", err)
		flags.Usage()
		return err
	}
	return nil
}

func (c *command) validate(args []string) error {
	switch {
	case len(args) > 0:
		return fmt.Errorf("%q is not a flag", args[0])
	case c.spec == "":
		return errors.New("-spec is missing: which document?")
	case c.list && c.check:
		return errors.New("-list and -check do different things: give one of them")
	case c.list:
		return nil
	case !token.IsIdentifier(c.packageName) || c.packageName == "_":
		return fmt.Errorf("-package is %q: it must be the name of a Go package", c.packageName)
	case c.check && c.out == "":
		return errors.New("-check needs -out: which file is to be checked?")
	}
	return nil
}

func (c *command) run(stdout io.Writer) (status int, err error) {
	data, err := os.ReadFile(c.spec)
	if err != nil {
		return broken, err
	}
	document, err := openapi.Load(data)
	if err != nil {
		return broken, fmt.Errorf("%s: %w", c.spec, err)
	}
	var opts []openapi.Option
	for _, name := range c.optionalSchemes {
		opts = append(opts, openapi.WithOptionalScheme(name))
	}
	routes, err := document.Routes(opts...)
	if c.list {
		// The table is worth seeing also where there can be no routes.
		if writeErr := writeList(stdout, document.Operations(opts...)); writeErr != nil {
			err = writeErr
		}
		return statusOf(err), err
	}
	if err != nil {
		return broken, fmt.Errorf("%s: %w", c.spec, err)
	}
	code, err := c.generate(c.chooseBaseURL(document.BaseURLs()), routes)
	switch {
	case err != nil:
		return broken, err
	case c.check:
		return c.compare(code)
	case c.out == "":
		_, err = stdout.Write(code)
	default:
		err = write(c.out, code)
	}
	return statusOf(err), err
}

func statusOf(err error) int {
	if err != nil {
		return broken
	}
	return ok
}

// compare says whether the Go file is code, to the byte.
func (c *command) compare(code []byte) (status int, err error) {
	found, err := os.ReadFile(c.out)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return parted, fmt.Errorf("%s does not exist; this writes it:\n%s", c.out, c.line())
	case err != nil:
		return broken, err
	case bytes.Equal(found, code):
		return ok, nil
	}
	return parted, fmt.Errorf("%s is not what %s says: %s; this writes it again:\n%s", c.out, c.spec, firstDifference(found, code), c.line())
}

// firstDifference shows the first line in which two files differ.
func firstDifference(found, want []byte) string {
	foundLines, wantLines := strings.SplitAfter(string(found), "\n"), strings.SplitAfter(string(want), "\n")
	line := func(lines []string, i int) string {
		if i >= len(lines) || lines[i] == "" {
			return "the end of the file"
		}
		return fmt.Sprintf("%.200q", lines[i])
	}
	i := 0
	for i < len(foundLines) && i < len(wantLines) && foundLines[i] == wantLines[i] {
		i++
	}
	return fmt.Sprintf("line %d is %s, want %s", i+1, line(foundLines, i), line(wantLines, i))
}

// write writes a file as a whole or not at all, and not if it has that content.
func write(name string, content []byte) error {
	if found, err := os.ReadFile(name); err == nil && bytes.Equal(found, content) {
		return nil
	}
	temporary, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name()) // fails once it is renamed
	_, err = temporary.Write(content)
	err = errors.Join(err, temporary.Chmod(0o644), temporary.Close())
	if err != nil {
		return err
	}
	return os.Rename(temporary.Name(), name)
}
