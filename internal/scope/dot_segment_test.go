package scope

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestHoldsDotSegment(t *testing.T) {
	for path, segment := range map[string]string{ // the first one; "" for none
		"":                "",
		"/":               "",
		"/files/17":       "",
		"/...":            "",
		"/..a/.b/a..":     "",
		"/a%2Fb/%2F":      "",
		"/a;../b":         "",
		"/%20..":          "",
		"/a//b":           "",
		"/.":              ".",
		"/..":             "..",
		"..":              "..",
		"/a/./b":          ".",
		"/a/%2e/b":        "%2e",
		"/a/.%2E/b":       ".%2E",
		"/a%2f../b":       "a%2f..",
		"/..%2fa/..":      "..%2fa",
		`/a\..\b`:         `a\..\b`,
		"/a%5C.":          "a%5C.",
		"/..;a=1":         "..;a=1",
		"/..?a":           "..?a",
		"/..#a":           "..#a",
		"/.. a":           ".. a",
		"/..\na":          "..\na",
		"/..\x7fa":        "..\x7fa",
		"/..%3B/x":        "..%3B",
		"/a;b%2f..;c":     "a;b%2f..;c",
		"/a;b%2fc..;c":    "",
		"/．．/x":           "．．",
		"/a／．":            "a／．",
		"/\xc0\xae/x":     "\xc0\xae",
		"/%25252e/x":      "%25252e",
		"/%u002e%u002e":   "%u002e%u002e",
		"/....%2f....":    "",
		"/.%2f":           ".%2f",
		"/%2f%2f%2f..%2f": "%2f%2f%2f..%2f",
	} {
		assert.Equal(t, segment, dotSegmentIn(path), "%q", path)
		assert.Equal(t, segment != "", HoldsDotSegment(path), "%q", path)
	}
}

func TestLookingForADotSegmentNeedsNoMemory(t *testing.T) {
	for _, path := range []string{
		"/files/17", "/files/..a/.b", "/a%2Fb/caf%C3%A9", "/日本語/" + strings.Repeat("%25", 9),
		"/" + strings.Repeat("a", 1000) + "%2e", "/" + strings.Repeat("eyJ%2B.", 1000), strings.Repeat("/%2F.x", 1000),
	} {
		assert.Zero(t, testing.AllocsPerRun(5, func() { HoldsDotSegment(path) }), "%.40q", path)
	}
}
