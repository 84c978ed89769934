package openapi_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"example.com/routeauth"
	"example.com/routeauth/aiuta"
	"example.com/routeauth/openapi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"
)

// onlyInSDKs are operations that Aiuta's SDKs call and its OpenAPI files do not
// have.
var onlyInSDKs = map[string]string{
	"digital-try-on": "GET /subscription_details",
	"unified":        "GET /try_on_models",
}

func TestAiutasTablesAgreeWithItsOpenAPIFiles(t *testing.T) {
	var overrides map[string]map[string]map[string]any // by file, path and method
	readYAML(t, "testdata/aiuta/overrides.yaml", &overrides)
	apis := []struct {
		name, baseURL string
		routes        routeauth.Routes
	}{
		{"digital-try-on", aiuta.DigitalTryOnURL, aiuta.DigitalTryOnRoutes()},
		{"studio", aiuta.StudioURL, aiuta.StudioRoutes()},
		{"unified", aiuta.UnifiedURL, aiuta.UnifiedRoutes()},
	}
	require.Len(t, overrides, len(apis))
	for _, api := range apis {
		t.Run(api.name, func(t *testing.T) {
			data, err := os.ReadFile("testdata/aiuta/" + api.name + ".json")
			require.NoError(t, err)
			document := load(t, string(data))
			assert.Equal(t, []string{api.baseURL}, document.BaseURLs())
			written, err := document.Routes()
			require.NoError(t, err)

			routes, err := override(t, data, overrides[api.name]).Routes()
			require.NoError(t, err)
			assert.Equal(t, api.routes, routes)

			for path, item := range overrides[api.name] {
				for method := range item {
					pattern := strings.ToUpper(method) + " " + path
					requirement, found := written[pattern]
					assert.Equal(t, pattern != onlyInSDKs[api.name], found, pattern)
					assert.NotEqual(t, routeauth.Optional, requirement, "the override of %s is not needed", pattern)
				}
			}
		})
	}
}

// override returns a document with operations merged into it.
func override(t *testing.T, data []byte, paths map[string]map[string]any) *openapi.Document {
	t.Helper()
	var document struct {
		OpenAPI string                               `json:"openapi"`
		Paths   map[string]map[string]map[string]any `json:"paths"`
	}
	require.NoError(t, json.Unmarshal(data, &document))
	for path, item := range paths {
		for method, operation := range item {
			if document.Paths[path] == nil {
				document.Paths[path] = make(map[string]map[string]any)
			}
			if document.Paths[path][method] == nil {
				document.Paths[path][method] = make(map[string]any)
			}
			for name, value := range operation.(map[string]any) {
				document.Paths[path][method][name] = value
			}
		}
	}
	merged, err := json.Marshal(document)
	require.NoError(t, err)
	return load(t, string(merged))
}

func readYAML(t *testing.T, file string, into any) {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, yaml.Load(data, into))
}
