package openapi_test

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"example.com/routeauth"
	"example.com/routeauth/openapi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"
)

// api is what the OpenAPI document of a public API says of its operations.
type api struct {
	ID      string
	Version string
	Servers []struct {
		URL       string
		Variables map[string]string `json:"vars"`
	}
	Operations []apiOperation            `json:"ops"`
	Schemes    map[string]map[string]any `json:"schemes"`
}

type apiOperation struct {
	Method   string                 `json:"m"`
	Path     string                 `json:"p"`
	Security [][]struct{ N string } `json:"sec"` // nil: neither the operation nor the document has any
	Own      bool                   // the security is the operation's, not the document's
	Servers  []string
}

// publicAPIs returns the 101 APIs of testdata/apis.jsonl.gz that have operations.
func publicAPIs(t *testing.T) (apis []api) {
	t.Helper()
	file, err := os.Open("testdata/apis.jsonl.gz")
	require.NoError(t, err)
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	require.NoError(t, err)
	lines := bufio.NewScanner(unzipped)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var a api
		require.NoError(t, json.Unmarshal(lines.Bytes(), &a))
		if len(a.Operations) > 0 {
			apis = append(apis, a)
		}
	}
	require.NoError(t, lines.Err())
	require.Len(t, apis, 101)
	return apis
}

// document returns an OpenAPI document, or a Swagger one, with these operations.
func (a *api) document() map[string]any {
	requirements := func(alternatives [][]struct{ N string }) []any {
		list := []any{}
		for _, schemes := range alternatives {
			asked := map[string]any{}
			for _, scheme := range schemes {
				asked[scheme.N] = []any{}
			}
			list = append(list, asked)
		}
		return list
	}
	paths := map[string]any{}
	document := map[string]any{"info": map[string]any{"title": a.ID, "version": "1"}, "paths": paths}
	for _, op := range a.Operations {
		operation := map[string]any{"responses": map[string]any{}}
		switch {
		case op.Own:
			operation["security"] = requirements(op.Security)
		case op.Security != nil:
			document["security"] = requirements(op.Security)
		}
		if a.isOverridden(op) {
			operation["x-routeauth"] = "mandatory"
		}
		if op.Servers != nil {
			var servers []any
			for _, server := range op.Servers {
				servers = append(servers, map[string]any{"url": server})
			}
			operation["servers"] = servers
		}
		item, _ := paths[op.Path].(map[string]any)
		if item == nil {
			item = map[string]any{}
			paths[op.Path] = item
		}
		item[strings.ToLower(op.Method)] = operation
	}
	if strings.HasPrefix(a.Version, "2") {
		document["swagger"], document["securityDefinitions"] = a.Version, a.Schemes
		if len(a.Servers) > 0 {
			scheme, rest, _ := strings.Cut(a.Servers[0].URL, "://")
			host, path, _ := strings.Cut(rest, "/")
			document["schemes"], document["host"], document["basePath"] = []string{scheme}, host, "/"+path
		}
		return document
	}
	document["openapi"], document["components"] = a.Version, map[string]any{"securitySchemes": a.Schemes}
	var servers []any
	for _, server := range a.Servers {
		variables := map[string]any{}
		for name, byDefault := range server.Variables {
			variables[name] = map[string]any{"default": byDefault}
		}
		servers = append(servers, map[string]any{"url": server.URL, "variables": variables})
	}
	document["servers"] = servers
	return document
}

// overridden are operations that a document makes optional, and whose patterns
// overlap with those of mandatory ones: a request for /guilds/templates/bans
// matches GET /guilds/templates/{code} and GET /guilds/{guild_id}/bans. No policy
// takes that, so they are made mandatory with x-routeauth.
var overridden = map[string][]string{
	"discord": {"GET /guilds/templates/{code}", "GET /guilds/{guild_id}/widget.json", "GET /guilds/{guild_id}/widget.png"},
}

func (a *api) isOverridden(op apiOperation) bool {
	return slices.Contains(overridden[a.ID], op.Method+" "+op.Path)
}

// requirement is what an operation asks for by itself.
func (a *api) requirement(op apiOperation) routeauth.Requirement {
	if a.isOverridden(op) {
		return routeauth.Mandatory
	}
	for _, schemes := range op.Security {
		if len(schemes) == 0 {
			return routeauth.Optional
		}
	}
	if len(op.Security) == 0 {
		return routeauth.Public
	}
	return routeauth.Mandatory
}

var template = regexp.MustCompile(`\{[^{}]*\}`)

// unnamed is the same text for operations with the same pattern.
func unnamed(method, path string) string {
	path, _, _ = strings.Cut(template.ReplaceAllString(path, "{}"), "#")
	return method + " " + path
}

func TestEveryOperationOfAHundredAndOneAPIsHasItsRequirement(t *testing.T) {
	counts := map[routeauth.Requirement]int{}
	apis, listed, unsaid, fragments, stricter, policies := publicAPIs(t), 0, 0, 0, 0, 0
	for _, a := range apis {
		asJSON, err := json.Marshal(a.document())
		require.NoError(t, err)
		asYAML, err := yaml.Dump(a.document())
		require.NoError(t, err)
		document := load(t, string(asJSON))
		operations := document.Operations()
		if !assert.ObjectsAreEqual(operations, load(t, string(asYAML)).Operations()) {
			t.Errorf("%s: YAML says something else than JSON", a.ID)
		}

		want := map[string]routeauth.Requirement{}      // by method and path
		strictest := map[string]routeauth.Requirement{} // by method and path without names
		for _, op := range a.Operations {
			name, key, r := op.Method+" "+op.Path, unnamed(op.Method, op.Path), a.requirement(op)
			want[name] = r
			if before, found := strictest[key]; !found || r < before {
				strictest[key] = r
			}
		}
		require.Len(t, operations, len(a.Operations), a.ID)
		routes, err := document.Routes()
		table := routeauth.Routes{}
		for _, op := range operations {
			name := op.Method + " " + op.Path
			r, found := want[name]
			if !found {
				t.Errorf("%s: %s is none of its operations", a.ID, name)
			}
			listed++
			if op.Pattern == "" {
				unsaid++
				if !strings.Contains(op.Path, "?") || err == nil || !strings.Contains(err.Error(), name+": "+op.Why) {
					t.Errorf("%s: %s is not in the error, or a pattern could say it: %s", a.ID, name, op.Why)
				}
				continue
			}
			if strings.Contains(op.Path, "#") {
				fragments++
			}
			shared := strictest[unnamed(op.Method, op.Path)]
			if shared != r {
				stricter++
			}
			if op.Requirement != shared || op.Why == "" {
				t.Errorf("%s: %s is %s, want %s: %s", a.ID, name, op.Requirement, shared, op.Why)
			}
			counts[op.Requirement]++
			table[op.Pattern] = op.Requirement
		}
		if err == nil {
			assert.Equal(t, table, routes, a.ID)
		}
		checkPolicy(t, a.ID, document, table, operations)
		policies++
	}
	t.Logf("%d documents, %d operations: %d mandatory, %d optional, %d public, of these %d made stricter by another of the same pattern and %d with a fragment that is left out; %d that no pattern can say; %d policies",
		len(apis), listed, counts[routeauth.Mandatory], counts[routeauth.Optional], counts[routeauth.Public], stricter, fragments, unsaid, policies)
	assert.Equal(t, 11_750, listed)
}

// checkPolicy makes a policy of a table and asks it for a URL of each operation.
func checkPolicy(t *testing.T, id string, document *openapi.Document, table routeauth.Routes, operations []openapi.Operation) {
	t.Helper()
	baseURL := "https://api.example.com/v1"
	if urls := document.BaseURLs(); len(urls) > 0 && strings.HasPrefix(urls[0], "https://") {
		baseURL = urls[0]
	}
	policy, err := routeauth.NewPolicy(baseURL, table)
	if err != nil {
		t.Errorf("%s: %v", id, err)
		return
	}
	for _, op := range operations {
		if op.Pattern == "" {
			continue
		}
		path := template.ReplaceAllString(op.Path, "a1%2Fb")
		req, err := http.NewRequest(cmp.Or(op.Method, http.MethodGet), baseURL+path, nil)
		require.NoError(t, err)
		if match := policy.Match(req); match.Verdict != routeauth.InScope || match.Requirement != op.Requirement {
			t.Errorf("%s: %s %s is %s: %s, want %s", id, req.Method, req.URL, match.Requirement, match.Reason, op.Requirement)
		}
	}
}
