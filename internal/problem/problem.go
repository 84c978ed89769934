// Package problem reads what the body of an error response says went wrong.
package problem

import (
	"encoding/json"
	"strings"
	"unicode"
)

// Detail returns what the body of an error response says went wrong, or "".
func Detail(body []byte) string {
	var problem struct {
		Detail           json.RawMessage `json:"detail"`
		Message          json.RawMessage `json:"message"`
		Error            json.RawMessage `json:"error"`
		ErrorDescription json.RawMessage `json:"error_description"`
		Title            json.RawMessage `json:"title"`
	}
	if json.Unmarshal(body, &problem) != nil {
		return ""
	}
	for _, text := range []string{
		stringIn(problem.Detail),
		messagesIn(problem.Detail),
		stringIn(problem.Message),
		joinNonEmpty(": ", stringIn(problem.Error), stringIn(problem.ErrorDescription)),
		stringIn(problem.Title),
	} {
		if OneLine(text) != "" {
			return text
		}
	}
	return ""
}

// stringIn returns the string that value is, or "".
func stringIn(value json.RawMessage) string {
	var text string
	_ = json.Unmarshal(value, &text)
	return text
}

// messagesIn returns the messages of a list of validation errors, or "".
func messagesIn(value json.RawMessage) string {
	var list []struct {
		Msg string `json:"msg"`
	}
	_ = json.Unmarshal(value, &list)
	var messages []string
	for _, item := range list {
		messages = append(messages, item.Msg)
	}
	return joinNonEmpty("; ", messages...)
}

func joinNonEmpty(separator string, texts ...string) string {
	var found []string
	for _, text := range texts {
		if text != "" {
			found = append(found, text)
		}
	}
	return strings.Join(found, separator)
}

// OneLine makes text fit into a log line: what does not print becomes a space.
func OneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
	return strings.Join(strings.Fields(text), " ")
}
