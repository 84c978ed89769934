package routeauth_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Rule 26.
func TestDetailIsWhatTheBodySaysWentWrong(t *testing.T) {
	for body, want := range map[string]string{
		// the five forms
		`{"detail": "Token expired."}`:                                                              "Token expired.",
		`{"detail": [{"loc": ["a"], "msg": "field required", "type": "x"}]}`:                        "field required",
		`{"detail": [{"msg": "first"}, {"msg": "second"}]}`:                                         "first; second",
		`{"code": "unauthorized", "message": "No key.", "details": {}}`:                             "No key.",
		`{"error": "invalid_token", "error_description": "It has expired."}`:                        "invalid_token: It has expired.",
		`{"error": "invalid_token"}`:                                                                "invalid_token",
		`{"error_description": "It has expired."}`:                                                  "It has expired.",
		`{"type": "about:blank", "title": "Unauthorized", "status": 401, "detail": "No such key."}`: "No such key.",
		`{"type": "about:blank", "title": "Unauthorized", "status": 401}`:                           "Unauthorized",

		// precedence
		`{"title": "t", "error": "e", "error_description": "d", "message": "m", "detail": "D"}`:            "D",
		`{"title": "t", "error": "e", "error_description": "d", "message": "m", "detail": [{"msg": "D"}]}`: "D",
		`{"title": "t", "error": "e", "error_description": "d", "message": "m"}`:                           "m",
		`{"title": "t", "error": "e", "error_description": "d"}`:                                           "e: d",

		// wrong types give way to what is readable
		`{"detail": 17, "message": "m"}`:                             "m",
		`{"detail": null, "message": "m"}`:                           "m",
		`{"detail": {"msg": "x"}, "message": "m"}`:                   "m",
		`{"detail": ["a", "b"], "message": "m"}`:                     "m",
		`{"detail": [], "message": "m"}`:                             "m",
		`{"detail": "", "message": "m"}`:                             "m",
		`{"detail": " \n\t", "message": "m"}`:                        "m",
		`{"detail": "\u200b\u202e", "message": "m"}`:                 "m",
		`{"detail": [{"msg": 1}, {"msg": "b"}, null, {"loc": []}]}`:  "b",
		`{"message": {"text": "x"}, "error": "e"}`:                   "e",
		`{"error": {"message": "x"}, "error_description": "d"}`:      "d",
		`{"error": {"message": "x"}, "title": "t"}`:                  "t",
		`{"error": true, "error_description": ["x"], "title": "t"}`:  "t",
		`{"detail": false, "message": 1, "error": [], "title": 2.5}`: "",

		// no object that says something
		``:                          "",
		`{}`:                        "",
		`null`:                      "",
		`"detail"`:                  "",
		`["detail"]`:                "",
		`17`:                        "",
		`{"detail": "x"`:            "",
		`{"detail": "x"} trailer`:   "",
		`<html>Unauthorized</html>`: "",
		"\xff\xfe":                  "",
	} {
		assert.Equal(t, want, keyRejection(t, "0123456789", withBody(body)).Detail, body)
	}
}

// Rule 26: a line of a log stays a line.
func TestDetailIsOneLineOfWhatPrints(t *testing.T) {
	for text, want := range map[string]string{
		"a\nb":                       "a b",
		"a\r\n\r\nb":                 "a b",
		"  a \t b  ":                 "a b",
		"a\u2028b\u2029c\u0085d":     "a b c d",               // line and paragraph separators
		"a\x00b\x1b[31mc\x7fd":       "a b [31mc d",           // a terminal's escapes
		"a\u202eb\u2066c\u200fd":     "a b c d",               // directions of writing
		"a\u200bb\ufeffc\u00add":     "a b c d",               // of no width
		"a\u00a0b\u3000c":            "a b c",                 // spaces that are none
		"schlüssel, 鍵, ключ, 🔑":      "schlüssel, 鍵, ключ, 🔑", // what prints is left
		"ERROR forged=1\nERROR real": "ERROR forged=1 ERROR real",
	} {
		body, err := json.Marshal(map[string]string{"detail": text})
		require.NoError(t, err)
		e := keyRejection(t, "0123456789", withBody(string(body)))
		assert.Equal(t, want, e.Detail, "%q", text)
		assertOnePrintableLine(t, e.Error())
	}
	e := keyRejection(t, "0123456789", withBody("{\"detail\": \"a\xffb\"}")) // no UTF-8
	assert.Equal(t, "a\ufffdb", e.Detail)
}

func assertOnePrintableLine(t testing.TB, text string) {
	t.Helper()
	for _, r := range text {
		if !unicode.IsPrint(r) {
			assert.Fail(t, "not one line of printable characters", "%q in %q", r, text)
			return
		}
	}
}

// A server does not decide how long a line of a log is.
func TestDetailIsAtMost4KiB(t *testing.T) {
	for _, letter := range []string{"x", "鍵"} {
		e := keyRejection(t, "0123456789", withBody(`{"detail": "`+strings.Repeat(letter, 30_000/len(letter))+`"}`))
		assert.LessOrEqual(t, len(e.Detail), 4<<10)
		assert.Greater(t, len(e.Detail), 4<<10-4)
		assert.Empty(t, strings.Trim(e.Detail, letter), "cut off inside a character")
	}
}
