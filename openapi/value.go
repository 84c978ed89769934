package openapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// value is a value of a document. JSON is read no further than it is asked for:
// most of a document is schemas. The zero value is one that is absent.
//
// Once there has been too much work, objects and lists are as if they were empty.
type value struct {
	json json.RawMessage
	yaml *yaml.Node
	work *work // the document's
}

type kind uint8

const (
	absent kind = iota
	null
	scalar
	list
	object
)

// member is a name of an object, and its value.
type member struct {
	name  string
	value value
}

// parse returns the value that data is.
//
// JSON is almost YAML, but not quite: YAML knows no surrogate pairs, which are
// how JSON escapes an emoji. So what may be JSON is tried as JSON first.
func parse(data []byte) (value, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	looksLikeJSON := bytes.HasPrefix(bytes.TrimSpace(data), []byte("{"))
	work := newWork(len(data))
	var jsonErr error
	if looksLikeJSON {
		var raw json.RawMessage
		if jsonErr = json.Unmarshal(data, &raw); jsonErr == nil {
			return value{json: raw, work: work}, nil
		}
	}
	root, err := parseYAML(data)
	switch {
	case err == nil:
		return value{yaml: root, work: work}, nil
	case looksLikeJSON:
		return value{}, fmt.Errorf("it is not valid JSON: %w", atLine(data, jsonErr))
	}
	return value{}, fmt.Errorf("it is not valid YAML: %w", err)
}

// parseYAML returns the one YAML document in data. The parser promises no more
// than most do of what it makes of any input, so a panic of it is an error here.
func parseYAML(data []byte) (root *yaml.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			root, err = nil, fmt.Errorf("the parser gave up: %v", r)
		}
	}()
	var document yaml.Node
	if err := yaml.Load(data, &document); err != nil {
		return nil, err
	}
	if len(document.Content) == 0 {
		return nil, errors.New("it is empty")
	}
	return document.Content[0], nil
}

// atLine adds the line to an error of encoding/json, which knows the offset.
func atLine(data []byte, err error) error {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return err
	}
	offset := min(int(syntax.Offset), len(data))
	return fmt.Errorf("line %d: %w", 1+bytes.Count(data[:offset], []byte("\n")), err)
}

func (v value) kind() kind {
	if v.yaml != nil {
		switch node := resolveAlias(v.yaml); {
		case node.Kind == yaml.MappingNode:
			return object
		case node.Kind == yaml.SequenceNode:
			return list
		case node.ShortTag() == "!!null":
			return null
		}
		return scalar
	}
	switch first := bytes.TrimLeft(v.json, " \t\r\n"); {
	case len(first) == 0:
		return absent
	case first[0] == '{':
		return object
	case first[0] == '[':
		return list
	case first[0] == 'n':
		return null
	}
	return scalar
}

// text returns a scalar as it is written, without quotes: the version 3.0 is
// "3.0", also where it is written as a number. It is empty for other kinds.
func (v value) text() string {
	if v.kind() != scalar {
		return ""
	}
	if v.yaml != nil {
		return resolveAlias(v.yaml).Value
	}
	var text string
	if json.Unmarshal(v.json, &text) != nil {
		return string(v.json)
	}
	return text
}

// items returns the items of a list, and none for other kinds.
func (v value) items() (items []value) {
	if v.kind() != list {
		return nil
	}
	if v.yaml != nil {
		content := resolveAlias(v.yaml).Content
		if !v.work.spend(len(content)) {
			return nil
		}
		for _, node := range content {
			items = append(items, value{yaml: node, work: v.work})
		}
		return items
	}
	if !v.work.spend(len(v.json)) {
		return nil
	}
	var raws []json.RawMessage
	_ = json.Unmarshal(v.json, &raws) // it is valid: parse read all of it
	for _, raw := range raws {
		items = append(items, value{json: raw, work: v.work})
	}
	return items
}

// members returns the members of an object in the document's order, a name that
// comes twice twice, and none for other kinds.
func (v value) members() (members []member) {
	if v.kind() != object {
		return nil
	}
	if v.yaml != nil {
		return membersOf(resolveAlias(v.yaml), v.work)
	}
	if !v.work.spend(len(v.json)) {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(v.json))
	_, _ = decoder.Token() // the opening brace
	for decoder.More() {
		name, err := decoder.Token()
		var raw json.RawMessage
		if err != nil || decoder.Decode(&raw) != nil {
			break // it is valid: parse read all of it
		}
		text, _ := name.(string)
		members = append(members, member{text, value{json: raw, work: v.work}})
	}
	return members
}

// membersOf returns the members of a mapping, and those of the mappings that
// its merge keys ("<<") name, unless it has them itself. Each mapping is asked
// once, so that neither one that merges itself nor one that merges another a
// million times takes long. A name that is twice in one mapping stays twice.
func membersOf(mapping *yaml.Node, work *work) (members []member) {
	known := make(map[string]bool) // names
	asked := make(map[*yaml.Node]bool)
	for pending := []*yaml.Node{mapping}; len(pending) > 0; {
		node := resolveAlias(pending[len(pending)-1])
		pending = pending[:len(pending)-1]
		if node.Kind != yaml.MappingNode || asked[node] {
			continue
		}
		if !work.spend(len(node.Content)) {
			return nil
		}
		var merged []*yaml.Node
		before := len(members)
		for i := 0; i+1 < len(node.Content); i += 2 {
			key, v := resolveAlias(node.Content[i]), node.Content[i+1]
			if !work.spend(len(key.Value)) {
				return nil
			}
			switch {
			case key.ShortTag() != "!!merge":
				if !known[key.Value] {
					members = append(members, member{key.Value, value{yaml: v, work: work}})
				}
			case resolveAlias(v).Kind == yaml.SequenceNode:
				if !work.spend(len(resolveAlias(v).Content)) {
					return nil
				}
				merged = append(merged, resolveAlias(v).Content...)
			default:
				merged = append(merged, v)
			}
		}
		slices.Reverse(merged) // so that the first is asked first
		if pending = append(pending, merged...); len(pending) == 0 {
			break
		}
		asked[node] = true
		for _, m := range members[before:] {
			known[m.name] = true
		}
	}
	return members
}

// resolveAlias returns the node that an alias stands for.
func resolveAlias(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode && node.Alias != nil {
		return node.Alias
	}
	return node
}

// fields returns the members of an object by name: of those that come twice the
// last, as encoding/json has it. A name that is missing is an absent value.
func (v value) fields() map[string]value { return fieldsOf(v.members()) }

func fieldsOf(members []member) map[string]value {
	fields := make(map[string]value, len(members))
	for _, m := range members {
		fields[m.name] = m.value
	}
	return fields
}

// describe returns a value for a message.
func (v value) describe() string {
	switch v.kind() {
	case scalar:
		return strconv.Quote(shorten(v.text()))
	case list:
		return "a list"
	case object:
		return "an object"
	case null:
		return "null"
	}
	return "missing"
}

// maxShown is how much of a document's text a message shows.
const maxShown = 200

// shorten cuts a text that a message has no room for. Many operations may share
// one text, and each has a message of its own.
func shorten(text string) string {
	if len(text) <= maxShown {
		return text
	}
	return strings.ToValidUTF8(text[:maxShown], "") + "..."
}
