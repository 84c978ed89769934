package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// edit is a change that breaks a rule.
type edit struct {
	name   string // the rule, and how it is broken
	anchor string // the function that is changed, as package.Function or package.Type.Method
	dir    string // of the package, "." for the root

	oldLines, newLines []string
}

// readLists reads every list in a folder. A list is a text of blocks:
//
//	# rule 9: the port does not count
//	@ internal/origin.SameAuthority
//	-the text to take out: a part of a line, or several lines
//	+the text to put in its place; without it, nothing is put there
//
// The anchor names a function, so that moving code does not break an edit; the
// root package is ".". The text must stand in the function once. Empty lines
// between blocks are ignored.
func readLists(dir string) (all []edit, err error) {
	lists, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil {
		return nil, err
	}
	if len(lists) == 0 {
		return nil, fmt.Errorf("no lists in %s: run it from the root of the module", dir)
	}
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil {
			return nil, err
		}
		edits, err := parseList(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", list, err)
		}
		all = append(all, edits...)
	}
	return all, nil
}

func parseList(text string) (edits []edit, err error) {
	number := 0
	for line := range strings.Lines(text) {
		number++
		if strings.TrimSpace(line) == "" {
			continue
		}
		if line[0] == '#' {
			edits = append(edits, edit{name: strings.TrimSpace(line[1:])})
			continue
		}
		if len(edits) == 0 {
			return nil, fmt.Errorf("line %d: a block begins with #", number)
		}
		e := &edits[len(edits)-1]
		switch line[0] {
		case '@':
			e.anchor = strings.TrimSpace(line[1:])
			slash := strings.LastIndex(e.anchor, "/") + 1
			dot := strings.Index(e.anchor[slash:], ".")
			if dot < 0 {
				return nil, fmt.Errorf("line %d: an anchor is package.Function", number)
			}
			e.dir = e.anchor[:slash+dot]
			if e.dir == "" {
				e.dir = "."
			}
		case '-':
			e.oldLines = append(e.oldLines, strings.TrimSuffix(line[1:], "\n"))
		case '+':
			e.newLines = append(e.newLines, strings.TrimSuffix(line[1:], "\n"))
		default:
			return nil, fmt.Errorf("line %d: begins with none of # @ - +", number)
		}
	}
	for _, e := range edits {
		if e.anchor == "" || len(e.oldLines) == 0 {
			return nil, fmt.Errorf("%q lacks an anchor or the text to take out", e.name)
		}
	}
	return edits, nil
}

// module returns the folder of the module that the edited package is in, which
// may be a nested one, and the package's path there, as the go command takes it.
func (e edit) module() (folder, path string) {
	folder = e.dir
	for folder != "." {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			break
		}
		folder = filepath.Dir(folder)
	}
	path, _ = filepath.Rel(folder, e.dir) // one is in the other
	return folder, "./" + filepath.ToSlash(path)
}

// writeOverlay writes the changed file into dir, and beside it the file that
// tells the go command where it belongs.
func (e edit) writeOverlay(dir string) (overlay string, err error) {
	path, text, err := e.apply()
	if err != nil {
		return "", err
	}
	original, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	changed := filepath.Join(dir, filepath.Base(path))
	if err := os.WriteFile(changed, []byte(text), 0o600); err != nil {
		return "", err
	}
	data, err := json.Marshal(map[string]map[string]string{"Replace": {original: changed}})
	if err != nil {
		return "", err
	}
	overlay = filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, data, 0o600)
}

// apply returns the path and the new text of the file that the edit changes.
func (e edit) apply() (path, text string, err error) {
	function := strings.TrimPrefix(strings.TrimPrefix(e.anchor, e.dir), ".")
	files, err := filepath.Glob(filepath.Join(e.dir, "*.go"))
	if err != nil {
		return "", "", err
	}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return "", "", err
		}
		begin, end, found, err := find(path, source, function)
		if err != nil {
			return "", "", err
		}
		if !found {
			continue
		}
		body, old := string(source[begin:end]), strings.Join(e.oldLines, "\n")
		if n := strings.Count(body, old); n != 1 {
			return "", "", fmt.Errorf("the text stands in %s %d times, not once", e.anchor, n)
		}
		body = strings.Replace(body, old, strings.Join(e.newLines, "\n"), 1)
		return path, string(source[:begin]) + body + string(source[end:]), nil
	}
	return "", "", fmt.Errorf("there is no %s", e.anchor)
}

// find returns where in a file a function, or another declaration of this name,
// begins and ends.
func find(path string, source []byte, name string) (begin, end int, found bool, err error) {
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, path, source, parser.SkipObjectResolution)
	if err != nil {
		return 0, 0, false, err
	}
	for _, decl := range parsed.Decls {
		if slices.Contains(namesOf(decl), name) {
			return files.Position(decl.Pos()).Offset, files.Position(decl.End()).Offset, true, nil
		}
	}
	return 0, 0, false, nil
}

// namesOf returns the names of what is declared: one of a function, with its type
// if it is a method, or several of a const, var or type declaration.
func namesOf(decl ast.Decl) (names []string) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			return []string{d.Name.Name}
		}
		typ := d.Recv.List[0].Type
		if star, ok := typ.(*ast.StarExpr); ok {
			typ = star.X
		}
		if index, ok := typ.(*ast.IndexExpr); ok {
			typ = index.X
		}
		if ident, ok := typ.(*ast.Ident); ok {
			return []string{ident.Name + "." + d.Name.Name}
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.ValueSpec:
				for _, ident := range s.Names {
					names = append(names, ident.Name)
				}
			case *ast.TypeSpec:
				names = append(names, s.Name.Name)
			}
		}
	}
	return names
}

var (
	ruleLine = regexp.MustCompile(`(?m)^(\d+)\. `)
	ruleName = regexp.MustCompile(`rules? (\d+)`)
)

// everyRuleIsBroken returns an error that names the rules which no edit names.
func everyRuleIsBroken(edits []edit) error {
	rules, err := os.ReadFile("RULES.md")
	if err != nil {
		return err
	}
	broken := map[string]bool{}
	for _, e := range edits {
		if found := ruleName.FindStringSubmatch(e.name); found != nil {
			broken[found[1]] = true
		}
	}
	numbered := ruleLine.FindAllStringSubmatch(string(rules), -1)
	if len(numbered) == 0 {
		return errors.New("RULES.md has no rules")
	}
	var errs []error
	for _, rule := range numbered {
		if !broken[rule[1]] {
			errs = append(errs, fmt.Errorf("no edit breaks rule %s of RULES.md", rule[1]))
		}
	}
	return errors.Join(errs...)
}
