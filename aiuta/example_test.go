package aiuta_test

import (
	"fmt"
	"log"
	"net/http"
	"strings"

	"example.com/routeauth"
	"example.com/routeauth/aiuta"
)

// A policy for the API that the mobile SDKs use.
func ExampleDigitalTryOnRoutes() {
	policy, err := routeauth.NewPolicy(aiuta.DigitalTryOnURL, aiuta.DigitalTryOnRoutes())
	if err != nil {
		log.Fatal(err)
	}
	start, _ := http.NewRequest("POST", aiuta.DigitalTryOnURL+"/sku_images_operations", nil)
	fmt.Println(policy.Requirement(start))
	status, _ := http.NewRequest("GET", aiuta.DigitalTryOnURL+"/sku_images_operations/1", nil)
	fmt.Println(policy.Requirement(status))
	result, _ := http.NewRequest("GET", "https://storage.example.com/1.png", nil)
	fmt.Println(policy.Requirement(result))
	// Output:
	// mandatory true
	// optional true
	// mandatory false
}

// A table is the caller's own: here, presets are to be read without the key.
func ExampleStudioRoutes() {
	routes := aiuta.StudioRoutes()
	routes["GET /on_figure_model_presets"] = routeauth.Optional
	policy, err := routeauth.NewPolicy(aiuta.StudioURL, routes)
	if err != nil {
		log.Fatal(err)
	}
	presets, _ := http.NewRequest("GET", aiuta.StudioURL+"/on_figure_model_presets", nil)
	fmt.Println(policy.Requirement(presets))
	// Output: optional true
}

// What has no row is mandatory.
func ExampleUnifiedRoutes() {
	policy, err := routeauth.NewPolicy(aiuta.UnifiedURL, aiuta.UnifiedRoutes())
	if err != nil {
		log.Fatal(err)
	}
	items, _ := http.NewRequest("GET", aiuta.UnifiedURL+"/sku_items", nil)
	fmt.Println(policy.Requirement(items))
	unlisted, _ := http.NewRequest("GET", aiuta.UnifiedURL+"/brand_new", nil)
	fmt.Println(policy.Requirement(unlisted))
	// Output:
	// mandatory true
	// mandatory true
}

// The params of the request that starts a generation.
func ExampleRequestParams() {
	body := `{"uploaded_image_id": "image-1", "sku_ids": ["shirt", "jeans"]}`
	req, err := http.NewRequest("POST", aiuta.DigitalTryOnURL+"/sku_images_operations", strings.NewReader(body))
	if err != nil {
		log.Fatal(err)
	}
	params, err := aiuta.RequestParams()(req)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(params["uploaded_image_id"])
	fmt.Println(params["sku_ids"])
	// Output:
	// image-1
	// shirt,jeans
}
