package routeauth

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// minPartial is how many bytes of a secret at the end of a text that was cut
// off count as the secret's beginning and not as chance.
const minPartial = 4

// replaceEchoes puts REDACTED in the place of each secret in text, as it is or
// escaped. If text is not the whole, its end may be the beginning of a secret.
func replaceEchoes(secrets []string, text string, whole bool) string {
	var out strings.Builder
	for len(text) > 0 {
		length := 0
		for _, secret := range secrets {
			length = max(length, echoLength(text, secret, whole))
		}
		if length > 0 {
			out.WriteString(redacted)
		} else {
			length = 1
			out.WriteByte(text[0])
		}
		text = text[length:]
	}
	return out.String()
}

// echoLength returns how many bytes at the beginning of text are the secret, as
// it is or escaped. A backslash or a percent sign begins an escape or stands
// for itself, so that there can be several places up to which a part of the
// secret reaches.
func echoLength(text, secret string, whole bool) int {
	var buffers [2][8]int
	ends, next := append(buffers[0][:0], 0), buffers[1][:0]
	for i := 0; i < len(secret); {
		r, size := utf8.DecodeRuneInString(secret[i:])
		char := secret[i : i+size]
		mayBeCutOff := !whole && i >= minPartial
		next = next[:0]
		for _, end := range ends {
			rest := text[end:]
			if mayBeCutOff && strings.HasPrefix(char, rest) {
				return len(text)
			}
			if strings.HasPrefix(rest, char) {
				next = appendNew(next, end+len(char))
			}
			if rest == "" || rest[0] != '\\' && rest[0] != '%' {
				continue
			}
			for _, escape := range escapesOf(char, r) {
				if mayBeCutOff && len(rest) < len(escape) && equalFoldASCII(rest, escape[:len(rest)]) {
					return len(text)
				}
				if len(rest) >= len(escape) && equalFoldASCII(rest[:len(escape)], escape) {
					next = appendNew(next, end+len(escape))
				}
			}
		}
		if len(next) == 0 {
			return 0
		}
		ends, next = next, ends
		i += size
	}
	return slices.Max(ends)
}

func appendNew(ends []int, end int) []int {
	if slices.Contains(ends, end) {
		return ends
	}
	return append(ends, end)
}

// escapesOf returns a character escaped as in a URL (RFC 3986, section 2.1) and
// as in a JSON string (RFC 8259, section 7). The case of the digits is free.
func escapesOf(char string, r rune) []string {
	var inURL, inJSON string
	for i := range len(char) {
		inURL += fmt.Sprintf("%%%02x", char[i])
	}
	for _, unit := range utf16.Encode([]rune{r}) {
		inJSON += fmt.Sprintf(`\u%04x`, unit)
	}
	switch r {
	case '"', '\\', '/':
		return []string{inURL, inJSON, `\` + char}
	case '\t':
		return []string{inURL, inJSON, `\t`}
	}
	return []string{inURL, inJSON}
}
