package aiuta_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"example.com/routeauth"
	"example.com/routeauth/aiuta"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The operations of the three APIs, as their OpenAPI files list them. A line is
// a method, a path and, where the call may go without a secret, a star. Below
// the dashes are the operations that only Aiuta's SDKs know.
const (
	digitalTryOnOperations = `
		POST   /uploaded_images                       *
		GET    /uploaded_images/{image_id}            *
		DELETE /uploaded_images/{image_id}            *
		DELETE /generated_images/{image_id}           *
		POST   /sku_images_operations
		GET    /sku_images_operations/{operation_id}  *
		GET    /predefined_try_on_models              *
		--
		GET    /subscription_details                  *`

	studioOperations = `
		POST   /uploaded_images                       *
		GET    /uploaded_images/{image_id}            *
		DELETE /uploaded_images/{image_id}            *
		DELETE /generated_images/{image_id}           *
		POST   /flat_lay_operations
		GET    /flat_lay_operations/{operation_id}    *
		GET    /on_figure_model_presets
		POST   /on_figure_operations
		POST   /on_figure_operations/regenerate
		GET    /on_figure_operations/{operation_id}   *`

	unifiedOperations = `
		POST   /uploaded_images                       *
		GET    /uploaded_images/{image_id}            *
		DELETE /uploaded_images/{image_id}            *
		DELETE /generated_images/{image_id}           *
		GET    /sku_items
		POST   /sku_items
		GET    /sku_items/{sku_id}
		DELETE /sku_items/{sku_id}
		PATCH  /sku_items/{sku_id}/capabilities
		PATCH  /sku_items/{sku_id}/merchandising
		GET    /recommendations/outfits/{sku_id}
		POST   /flat_lay_operations
		GET    /flat_lay_operations/{operation_id}    *
		POST   /sku_try_on_operations
		GET    /sku_try_on_operations/{operation_id}  *
		GET    /predefined_try_on_models              *
		--
		GET    /try_on_models                         *`
)

var apis = []struct {
	name       string
	baseURL    string
	routes     func() routeauth.Routes
	operations string
}{
	{"Digital Try-On", aiuta.DigitalTryOnURL, aiuta.DigitalTryOnRoutes, digitalTryOnOperations},
	{"Studio", aiuta.StudioURL, aiuta.StudioRoutes, studioOperations},
	{"Unified", aiuta.UnifiedURL, aiuta.UnifiedRoutes, unifiedOperations},
}

// routesOf returns the table that a list of operations describes.
func routesOf(t *testing.T, operations string) routeauth.Routes {
	t.Helper()
	routes := routeauth.Routes{}
	for line := range strings.Lines(operations) {
		words := strings.Fields(line)
		if len(words) < 2 {
			continue
		}
		requirement := routeauth.Mandatory
		if len(words) == 3 {
			require.Equal(t, "*", words[2], line)
			requirement = routeauth.Optional
		}
		routes[words[0]+" "+words[1]] = requirement
	}
	return routes
}

func TestEveryOperationHasItsRow(t *testing.T) {
	for _, api := range apis {
		t.Run(api.name, func(t *testing.T) {
			assert.Equal(t, routesOf(t, api.operations), api.routes())
		})
	}
}

func TestEachCallReturnsATableOfItsOwn(t *testing.T) {
	for _, api := range apis {
		t.Run(api.name, func(t *testing.T) {
			changed := api.routes()
			for pattern := range changed {
				changed[pattern] = routeauth.Requirement(7)
			}
			changed["GET /more"] = routeauth.Optional
			assert.Equal(t, routesOf(t, api.operations), api.routes())
		})
	}
}

func TestPoliciesAcceptTheTablesAndAnswerFromThem(t *testing.T) {
	for _, api := range apis {
		t.Run(api.name, func(t *testing.T) {
			policy, err := routeauth.NewPolicy(api.baseURL, api.routes())
			require.NoError(t, err)
			for pattern, want := range routesOf(t, api.operations) {
				method, path, _ := strings.Cut(pattern, " ")
				path = strings.NewReplacer("{", "", "}", "").Replace(path)
				req, err := http.NewRequest(method, api.baseURL+path, nil)
				require.NoError(t, err)
				got, inScope := policy.Requirement(req)
				assert.True(t, inScope, pattern)
				assert.Equal(t, want, got, pattern)
			}
		})
	}
}

func TestOnlyWhatStartsAGenerationOrNeedsTheKeyIsMandatory(t *testing.T) {
	var mandatory []string
	for _, api := range apis {
		for pattern, requirement := range api.routes() {
			if requirement == routeauth.Mandatory {
				mandatory = append(mandatory, pattern)
			}
		}
	}
	slices.Sort(mandatory)
	assert.Equal(t, []string{
		"DELETE /sku_items/{sku_id}",
		"GET /on_figure_model_presets",
		"GET /recommendations/outfits/{sku_id}",
		"GET /sku_items",
		"GET /sku_items/{sku_id}",
		"PATCH /sku_items/{sku_id}/capabilities",
		"PATCH /sku_items/{sku_id}/merchandising",
		"POST /flat_lay_operations",
		"POST /on_figure_operations",
		"POST /on_figure_operations/regenerate",
		"POST /sku_images_operations",
		"POST /sku_items",
		"POST /sku_try_on_operations",
	}, slices.Compact(mandatory))
}

func TestNoAPIIsInTheScopeOfAnother(t *testing.T) {
	for _, api := range apis {
		policy, err := routeauth.NewPolicy(api.baseURL, api.routes())
		require.NoError(t, err)
		for _, other := range apis {
			req, err := http.NewRequest(http.MethodGet, other.baseURL+"/uploaded_images/1", nil)
			require.NoError(t, err)
			_, inScope := policy.Requirement(req)
			assert.Equal(t, api.name == other.name, inScope, "%s and %s", api.name, other.name)
		}
	}
}

func TestTheBaseURLsAreThoseOfTheOpenAPIFiles(t *testing.T) {
	assert.Equal(t, "https://api.aiuta.com/digital-try-on/v1", aiuta.DigitalTryOnURL)
	assert.Equal(t, "https://api.aiuta.com/studio/v1", aiuta.StudioURL)
	assert.Equal(t, "https://api.aiuta.com/v1", aiuta.UnifiedURL)
}
