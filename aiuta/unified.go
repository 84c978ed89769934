package aiuta

import "example.com/routeauth"

// UnifiedURL is the base URL of the Unified API, which the web SDK uses.
const UnifiedURL = "https://api.aiuta.com/v1"

// UnifiedRoutes returns the routes of the Unified API: all operations of its
// OpenAPI file, and GET /try_on_models, which the web SDK calls and the file
// does not have.
//
// The file knows no credential but the API key; the web SDK uses the bearer
// token and the subscription ID on the same API. The optional rows follow it,
// the documentation and the other SDKs. The rows of the catalog (/sku_items,
// /recommendations) are mandatory, since nothing is known to send them without
// the key.
//
// Each call returns a table of its own, which the caller may change.
func UnifiedRoutes() routeauth.Routes {
	return routeauth.Routes{
		"POST /uploaded_images":                     routeauth.Optional,
		"GET /uploaded_images/{image_id}":           routeauth.Optional,
		"DELETE /uploaded_images/{image_id}":        routeauth.Optional,
		"DELETE /generated_images/{image_id}":       routeauth.Optional,
		"GET /sku_items":                            routeauth.Mandatory,
		"POST /sku_items":                           routeauth.Mandatory,
		"GET /sku_items/{sku_id}":                   routeauth.Mandatory,
		"DELETE /sku_items/{sku_id}":                routeauth.Mandatory,
		"PATCH /sku_items/{sku_id}/capabilities":    routeauth.Mandatory,
		"PATCH /sku_items/{sku_id}/merchandising":   routeauth.Mandatory,
		"GET /recommendations/outfits/{sku_id}":     routeauth.Mandatory,
		"POST /flat_lay_operations":                 routeauth.Mandatory,
		"GET /flat_lay_operations/{operation_id}":   routeauth.Optional,
		"POST /sku_try_on_operations":               routeauth.Mandatory,
		"GET /sku_try_on_operations/{operation_id}": routeauth.Optional,
		"GET /predefined_try_on_models":             routeauth.Optional,
		"GET /try_on_models":                        routeauth.Optional,
	}
}
