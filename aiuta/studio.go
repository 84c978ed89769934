package aiuta

import "example.com/routeauth"

// StudioURL is the base URL of the Studio API, which makes product images.
const StudioURL = "https://api.aiuta.com/studio/v1"

// StudioRoutes returns the routes of the Studio API: all operations of its
// OpenAPI file.
//
// That file knows no credential but the API key. The optional rows follow the
// documentation, by which uploads, the images and the status of an operation
// take a subscription ID. GET /on_figure_model_presets is mandatory, since
// nothing is known to send it without the key.
//
// Each call returns a table of its own, which the caller may change.
func StudioRoutes() routeauth.Routes {
	return routeauth.Routes{
		"POST /uploaded_images":                    routeauth.Optional,
		"GET /uploaded_images/{image_id}":          routeauth.Optional,
		"DELETE /uploaded_images/{image_id}":       routeauth.Optional,
		"DELETE /generated_images/{image_id}":      routeauth.Optional,
		"POST /flat_lay_operations":                routeauth.Mandatory,
		"GET /flat_lay_operations/{operation_id}":  routeauth.Optional,
		"GET /on_figure_model_presets":             routeauth.Mandatory,
		"POST /on_figure_operations":               routeauth.Mandatory,
		"POST /on_figure_operations/regenerate":    routeauth.Mandatory,
		"GET /on_figure_operations/{operation_id}": routeauth.Optional,
	}
}
