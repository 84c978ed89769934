package openapi_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"example.com/routeauth/openapi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// within fails if reading a document and listing it take much longer than they
// should. Without a limit, the worst would take for ever.
func within(t *testing.T, text string) (*openapi.Document, error) {
	t.Helper()
	type result struct {
		document *openapi.Document
		err      error
	}
	done := make(chan result, 1)
	go func() {
		document, err := openapi.Load([]byte(text))
		if err == nil {
			document.Operations()
		}
		done <- result{document, err}
	}()
	select {
	case r := <-done:
		return r.document, r.err
	case <-time.After(5 * time.Minute):
		require.FailNow(t, "it takes too long")
		return nil, nil
	}
}

// repeat returns a text for each number below n.
func repeat(n int, format string) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, format, i)
	}
	return text.String()
}

func TestADocumentThatComesToFarMoreThanIsWrittenIsAnError(t *testing.T) {
	long, variables := strings.Repeat("x", 100_000), strings.Repeat("{v}", 20_000)
	for name, text := range map[string]string{
		"many paths with an item of many operations": `{"openapi": "3.2.0", "x": {"additionalOperations": {"A": {}` + repeat(2000, `, "A%d": {}`) + `}},
			"paths": {"/": {}` + repeat(2000, `, "/%d": {"$ref": "#/x"}`) + `}}`,
		"many aliases of an item of many operations": "openapi: 3.2.0\nx: &x\n  additionalOperations:\n" + repeat(2000, "    A%d: {}\n") + "paths:\n" + repeat(2000, "  /%d: *x\n"),
		"many operations of a long path":             `{"openapi": "3.2.0", "paths": {"/` + long + `": {"additionalOperations": {"A": {}` + repeat(2000, `, "A%d": {}`) + `}}}}`,
		"many aliases of an item of many fields":     "openapi: 3.2.0\nx: &x\n" + repeat(4000, "  x-%d: {}\n") + "paths:\n" + repeat(2000, "  /%d: *x\n"),
		"many merges of an item of many fields":      "openapi: 3.2.0\nx: &x\n" + repeat(4000, "  x-%d: {}\n") + "paths:\n" + repeat(2000, "  /%d: {<<: *x}\n"),
		"many merges of many mappings":               "openapi: 3.2.0\ny: &y {}\nx: &x [*y" + strings.Repeat(", *y", 4000) + "]\npaths:\n" + repeat(2000, "  /%d: {<<: *x}\n"),
		"many aliases of a long security":            "openapi: 3.2.0\nx: &x\n" + repeat(4000, "  - s%d: []\n") + "paths:\n" + repeat(2000, "  /%d: {get: {security: *x}}\n"),
		"many aliases of many servers":               "openapi: 3.2.0\nx: &x\n" + repeat(4000, "  - url: u%d\n") + "paths:\n" + repeat(2000, "  /%d: {servers: *x, get: {}}\n"),
		"many aliases of a long URL":                 "openapi: 3.2.0\nx: &x " + long + "\npaths:\n" + repeat(2000, "  /%d: {servers: [{url: *x}], get: {}}\n"),
		"many aliases of a long name":                "openapi: 3.2.0\nx: &x " + long + "\npaths:\n" + repeat(2000, "  /%d: {? *x : 1}\n"),
		"many times a long default":                  `{"openapi": "3.2.0", "servers": [{"url": "` + variables + `", "variables": {"v": {"default": "` + long + `"}}}]}`,
		"many pointers into a large object":          `{"openapi": "3.2.0", "paths": {"/": {}` + repeat(50, `, "/%d": {"$ref": "#/a`+strings.Repeat("/a", 1000)+`"}`) + `}, "a": ` + strings.Repeat(`{"a": `, 1000) + `"` + long + `"` + strings.Repeat("}", 1000) + `}`,
	} {
		_, err := within(t, text)
		assert.EqualError(t, err, "openapi: the document's references and aliases come to far more than is written: write out the largest", name)
	}
}

func TestAliasesAndReferencesOfManyPathsAreRead(t *testing.T) {
	const item = "{get: {}, put: {}, post: {}, patch: {}, delete: {}, head: {}, options: {}, trace: {}, query: {}}"
	for name, text := range map[string]string{
		"aliases":      "openapi: 3.2.0\nx: &x " + item + "\npaths:\n" + repeat(1000, "  /%d: *x\n"),
		"references":   "openapi: 3.2.0\nx: " + item + "\npaths:\n" + repeat(1000, "  /%d: {$ref: '#/x'}\n"),
		"of all kinds": "openapi: 3.2.0\nx: &x {x: &y {security: &s [{key: []}], servers: &u [{url: /v1}]}}\npaths:\n" + repeat(1000, "  /%d: {get: {<<: *y}, put: *y, post: {security: *s, servers: *u}, patch: {$ref: '#/x/x'}}\n"),
	} {
		document, err := within(t, text)
		require.NoError(t, err, name)
		assert.GreaterOrEqual(t, len(document.Operations()), 4_000, name)
	}
}

// Each alternative of the document's security, of which there are many, would be
// looked at for each operation, of which there are many.
func TestALongSecurityOfTheDocumentIsLookedAtOnce(t *testing.T) {
	document, err := within(t, "openapi: 3.2.0\nsecurity:\n"+repeat(3000, "  - s%d: []\n")+"paths:\n"+repeat(3000, "  /%d: {get: {}}\n"))
	require.NoError(t, err)
	assert.Equal(t, "the document's security asks for s0 or s1 or s2 or s3 or 2996 others", document.Operations()[0].Why)
}

// A default with variables in it would be twice as long with each of them.
func TestDefaultsAreNotFilledThemselves(t *testing.T) {
	document, err := within(t, "openapi: 3.2.0\nservers:\n- url: '{v0}'\n  variables:\n"+repeat(60, "    v%[1]d: {default: '{v%[1]d1}{v1}'}\n")+"")
	require.NoError(t, err)
	assert.Equal(t, []string{"{v01}{v1}"}, document.BaseURLs())
}
