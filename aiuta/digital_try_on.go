package aiuta

import "example.com/routeauth"

// DigitalTryOnURL is the base URL of the Digital Try-On API, which the mobile
// SDKs use.
const DigitalTryOnURL = "https://api.aiuta.com/digital-try-on/v1"

// DigitalTryOnRoutes returns the routes of the Digital Try-On API: all
// operations of its OpenAPI file, and GET /subscription_details, which the
// mobile SDKs call and the file does not have.
//
// Each call returns a table of its own, which the caller may change.
func DigitalTryOnRoutes() routeauth.Routes {
	return routeauth.Routes{
		"POST /uploaded_images":                     routeauth.Optional,
		"GET /uploaded_images/{image_id}":           routeauth.Optional,
		"DELETE /uploaded_images/{image_id}":        routeauth.Optional,
		"DELETE /generated_images/{image_id}":       routeauth.Optional,
		"POST /sku_images_operations":               routeauth.Mandatory,
		"GET /sku_images_operations/{operation_id}": routeauth.Optional,
		"GET /predefined_try_on_models":             routeauth.Optional,
		"GET /subscription_details":                 routeauth.Optional,
	}
}
