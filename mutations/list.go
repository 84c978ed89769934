package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// mutation is an edit that breaks a rule.
type mutation struct {
	name string // the rule, and how it is broken
	file string

	oldLines, newLines []string
}

// readLists reads every list in a folder. A list is a text of blocks:
//
//	# rule 9: the port does not count
//	@ origin.go
//	-the text to take out: a part of a line, or several lines
//	+the text to put in its place; without it, nothing is put there
//
// Empty lines between blocks are ignored.
func readLists(dir string) ([]mutation, error) {
	lists, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil {
		return nil, err
	}
	if len(lists) == 0 {
		return nil, fmt.Errorf("no lists in %s: run it from the root of the module", dir)
	}
	var all []mutation
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil {
			return nil, err
		}
		mutations, err := parseList(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", list, err)
		}
		all = append(all, mutations...)
	}
	return all, nil
}

func parseList(text string) (mutations []mutation, err error) {
	number := 0
	for line := range strings.Lines(text) {
		number++
		if strings.TrimSpace(line) == "" {
			continue
		}
		if line[0] == '#' {
			mutations = append(mutations, mutation{name: strings.TrimSpace(line[1:])})
			continue
		}
		if len(mutations) == 0 {
			return nil, fmt.Errorf("line %d: a block begins with #", number)
		}
		m := &mutations[len(mutations)-1]
		switch line[0] {
		case '@':
			m.file = strings.TrimSpace(line[1:])
		case '-':
			m.oldLines = append(m.oldLines, strings.TrimSuffix(line[1:], "\n"))
		case '+':
			m.newLines = append(m.newLines, strings.TrimSuffix(line[1:], "\n"))
		default:
			return nil, fmt.Errorf("line %d: begins with none of # @ - +", number)
		}
	}
	for _, m := range mutations {
		if m.file == "" || len(m.oldLines) == 0 {
			return nil, fmt.Errorf("%q lacks a file or the text to take out", m.name)
		}
	}
	return mutations, nil
}

var (
	ruleLine = regexp.MustCompile(`(?m)^(\d+)\. `)
	ruleName = regexp.MustCompile(`rules? (\d+)`)
)

// everyRuleIsBroken returns an error that names the rules which no edit names.
func everyRuleIsBroken(mutations []mutation) error {
	rules, err := os.ReadFile("RULES.md")
	if err != nil {
		return err
	}
	broken := map[string]bool{}
	for _, m := range mutations {
		if found := ruleName.FindStringSubmatch(m.name); found != nil {
			broken[found[1]] = true
		}
	}
	numbered := ruleLine.FindAllStringSubmatch(string(rules), -1)
	if len(numbered) == 0 {
		return errors.New("RULES.md has no line that begins with a rule's number")
	}
	var missing []string
	for _, rule := range numbered {
		if !broken[rule[1]] {
			missing = append(missing, rule[1])
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("no edit breaks these rules: %s", strings.Join(missing, ", "))
	}
	return nil
}

// apply returns the file as it is after the edit.
func (m mutation) apply(dir string) (string, error) {
	data, err := os.ReadFile(filepath.Join(dir, m.file))
	if err != nil {
		return "", err
	}
	old, text := strings.Join(m.oldLines, "\n"), string(data)
	if n := strings.Count(text, old); n != 1 {
		return "", fmt.Errorf("%q: its text stands in %s %d times, not once", m.name, m.file, n)
	}
	return strings.Replace(text, old, strings.Join(m.newLines, "\n"), 1), nil
}
