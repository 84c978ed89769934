package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestANameIsReadAsItIsPrinted(t *testing.T) {
	for _, s := range []string{"net/http.TestX", "net/http/httputil.TestX/h1/a.b"} {
		assert.Equal(t, s, parseTestName(s).String())
	}
	assert.Equal(t, testName{"net/http", "TestX/h1"}, parseTestName("net/http.TestX/h1"))
	assert.Equal(t, testName{"net/http", "TestX"}, parseTestName("net/http.TestX/h1/y").top())
}

func TestASubtestIsWithinItsTest(t *testing.T) {
	test := parseTestName("net/http.TestX/h1")
	assert.True(t, test.within(test))
	assert.True(t, parseTestName("net/http.TestX/h1/y").within(test))
	assert.False(t, parseTestName("net/http.TestX/h1y").within(test))
	assert.False(t, parseTestName("net/http.TestX").within(test))
	assert.False(t, parseTestName("net/http/cgi.TestX/h1").within(test))
}

func TestAPatternMatchesWholeNames(t *testing.T) {
	assert.Empty(t, pattern(nil))
	assert.Equal(t, `^TestX$|^TestX$/^a\.b$|^TestY$`, pattern([]testName{
		{"p", "TestY"}, {"p", "TestX/a.b"}, {"p", "TestX"}, {"p", "TestY"},
	}))
	assert.Equal(t, "a", either("a", ""))
	assert.Equal(t, "a", either("", "a"))
	assert.Equal(t, "a|b", either("a", "b"))
}
