package scope

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
)

func TestTextIsDecodedToTheEnd(t *testing.T) {
	for text, want := range map[string]string{
		"":          "",
		"files":     "files",
		"caf%C3%A9": "café",
		"日本語":       "日本語",
		// Escapes, and what is none.
		"%2e%2E":  "..",
		"%":       "%",
		"%2":      "%2",
		"%2g":     "%2g",
		"%zz%2e":  "%zz.",
		"100%25":  "100%",
		"%00%7f~": "\x00\x7f~",
		// Escaped more than once.
		"%252e":     ".",
		"%25252e":   ".",
		"%25%32%65": ".",
		"%%32%65":   ".",
		"%2%35":     "%",
		// Four digits.
		"%u002e":       ".",
		"%U002E":       ".",
		"%u00e9":       "é",
		"%u65e5":       "日",
		"%uff0e":       ".",
		"%ud800":       "\ufffd",
		"%u002":        "%u002",
		"%u002g":       "%u002g",
		"%u00%32e":     ".",
		"%%75002e":     ".",
		"%u0025u002e":  ".",
		"%u%30%302e":   ".",
		"%u00u002e":    "%u00u002e",
		"%u00%u0032e":  ".",
		"%25u0025002e": "\x002e",
		// UTF-8 that is longer than it must be.
		"\xc0\xae":                     ".",
		"\xc1\xbf":                     "\x7f",
		"\xe0\x80\xae":                 ".",
		"\xe0\x81\x81":                 "A",
		"\xf0\x80\x80\xae":             ".",
		"\xf8\x80\x80\x80\xae":         ".",
		"\xfc\x80\x80\x80\x80\xae":     ".",
		"%c0%ae":                       ".",
		"%c0\xae":                      ".",
		"\xc0\xa52e":                   ".",
		"%\xc0\xb2\xe0\x81\xa5":        ".",
		"\xc0":                         "\xc0",
		"\xc0.":                        "\xc0.",
		"\xc0\xc0\xae":                 "\xc0.",
		"\xe0\x80":                     "\xe0\x80",
		"\xe0\x80.":                    "\xe0\x80.",
		"\xe0\x82\x80":                 "\xe0\x82\x80", // too long, but no ASCII character
		"\xe0\xa4\x85":                 "अ",
		"\xf0\x90\x80\xae":             "\U0001002e",
		"\xfe\x80\x80\x80\x80\x80\xae": "\xfe\x80\x80\x80\x80\x80\xae",
		// Full-width forms of the characters that matter, and of no others.
		"．／＼％；？＃": `./\%;?#`,
		"％2e":     ".",
		"Ａ１！＆：":   "Ａ１！＆：",
		"％２ｅ":     "%２ｅ",
	} {
		assert.Equal(t, want, string(slices.Collect(decoded(text))), "%q", text)
	}
}

func TestDecodingStopsWhenItIsToldTo(t *testing.T) {
	for c := range decoded("%2ea") {
		assert.Equal(t, byte('.'), c)
		break
	}
	for c := range decoded("%zz") {
		assert.Equal(t, byte('%'), c)
		break
	}
	for c := range decoded("%") { // what is left at the end
		assert.Equal(t, byte('%'), c)
		break
	}
}

// A path may be as long as it likes.
func TestDecodingNeedsNoMemory(t *testing.T) {
	for name, text := range map[string]string{
		"letters":            strings.Repeat("abc", 1000),
		"escapes":            strings.Repeat("%2F", 1000),
		"percent signs":      strings.Repeat("100%25.", 1000),
		"escaped often":      "%25" + strings.Repeat("25", 1000) + "2e",
		"another script":     strings.Repeat("日本語", 1000),
		"another, escaped":   strings.Repeat("%E6%97%A5", 1000),
		"four digits":        strings.Repeat("%u65e5", 1000),
		"ten levels of them": "%2%2%2%2%2%2%2%2%2%25",
	} {
		n := 0
		if allocations := testing.AllocsPerRun(5, func() {
			for range decoded(text) {
				n++
			}
		}); allocations > 0 {
			t.Errorf("%s: %v allocations for %d bytes", name, allocations, n)
		}
	}
}

// A server decodes in an order of its own, and decoded in another. What comes out
// in the end is the same.
func FuzzDecoded(f *testing.F) {
	for _, text := range []string{
		"", "files", "%2e", "%252e", "%%32%65", "%u002e", "%u00%32e", "%25u0025u002e", "\xc0\xae", "%c0%ae", "\xe0\x80\xae", "\xf0\x80\x80\xae",
		"\xf8\x80\x80\x80\xae", "\xfc\x80\x80\x80\x80\xae", "．／＼％；？＃", "％2e", "%uff052e", "\xc0\xc0\xae", "%\xc0\xb2\xe0\x81\xa5", "%u%30%302%65",
	} {
		f.Add(text, uint64(0))
		f.Add(text, uint64(0x9e3779b97f4a7c15))
	}
	f.Fuzz(func(t *testing.T, text string, order uint64) {
		if len(text) > 100 {
			t.Skip("too long for the model")
		}
		want := text
		for next, found := decodeSomewhere(want, order); found; next, found = decodeSomewhere(want, order) {
			want, order = next, order*6364136223846793005+1442695040888963407
		}
		if got := string(slices.Collect(decoded(text))); got != want {
			t.Fatalf("%q is decoded to %q, want %q", text, got, want)
		}
	})
}

// decodeSomewhere decodes one of the sequences in text.
func decodeSomewhere(text string, order uint64) (decoded string, found bool) {
	var all []string
	for i := range len(text) {
		for size := 2; size <= 6 && i+size <= len(text); size++ {
			if character, ok := decodeOne(text[i : i+size]); ok {
				all = append(all, text[:i]+character+text[i+size:])
			}
		}
	}
	if len(all) == 0 {
		return text, false
	}
	return all[order>>32%uint64(len(all))], true
}

// decodeOne decodes a text that is one sequence as a whole.
func decodeOne(sequence string) (character string, ok bool) {
	digits, isEscape := strings.CutPrefix(sequence, "%")
	if unicode, four := strings.CutPrefix(strings.ToLower(digits), "u"); isEscape && four && len(unicode) == 4 {
		value, err := strconv.ParseUint(unicode, 16, 32)
		return string(rune(value)), err == nil
	}
	if isEscape {
		value, err := strconv.ParseUint(digits, 16, 8)
		return string([]byte{byte(value)}), err == nil && len(digits) == 2
	}
	if i := strings.Index("．／＼％；？＃", sequence); i >= 0 && utf8.ValidString(sequence) && len(sequence) == 3 {
		return `./\%;?#`[i/3 : i/3+1], true
	}
	character, ok = overlong[sequence]
	return character, ok
}

// overlong are the ASCII characters in UTF-8 of two to six bytes.
var overlong = func() map[string]string {
	forms := make(map[string]string)
	for c := range utf8.RuneSelf {
		for size, lead := range map[int]byte{2: 0xc0, 3: 0xe0, 4: 0xf0, 5: 0xf8, 6: 0xfc} {
			form := append([]byte{lead}, bytes.Repeat([]byte{0x80}, size-1)...)
			form[size-1] |= byte(c & 0x3f)
			form[size-2] |= byte(c >> 6)
			forms[string(form)] = string(rune(c))
		}
	}
	return forms
}()
