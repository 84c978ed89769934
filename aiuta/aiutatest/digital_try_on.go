package aiutatest

import "net/http"

// digitalTryOnSKUs is how many SKUs one try-on of the Digital Try-On API takes.
const digitalTryOnSKUs = 2

// digitalTryOnEndpoints returns those of the Digital Try-On API.
func digitalTryOnEndpoints(g *generator) endpoints {
	tryOns := newTryOns(g, "sku_images", showSKUImages)
	all := g.images.endpoints()
	all["POST /sku_images_operations"] = func(w http.ResponseWriter, req *http.Request) *apiError {
		read, err := readTryOn(w, req, g.images, digitalTryOnSKUs)
		if err != nil {
			return err
		}
		writeJSON(w, http.StatusOK, struct {
			startedOperation
			Details *string  `json:"details"`
			Errors  []string `json:"errors"`
		}{tryOns.start(read), nil, []string{}})
		return nil
	}
	all["GET /sku_images_operations/{operation_id}"] = tryOns.status
	all["GET /predefined_try_on_models"] = digitalTryOnModels(g.images)
	all["GET /subscription_details"] = subscriptionDetails
	return all
}

// showSKUImages returns the answer to a status call.
func showSKUImages(state operationState, images []imageInfo) any {
	type skuImage struct {
		imageInfo
		ImageURL string `json:"image_url"` // the same as url
	}
	skuImages := make([]skuImage, len(images))
	for i, image := range images {
		skuImages[i] = skuImage{image, image.URL}
	}
	return struct {
		operationState
		AbortReason     *string    `json:"abort_reason"`
		GeneratedImages []skuImage `json:"generated_images"`
	}{state, nil, skuImages}
}

// subscriptionDetails tells the mobile SDKs how to retry and to poll. The OpenAPI
// file does not have it; the names are those that the SDKs read, and the values
// those that they have by themselves.
func subscriptionDetails(w http.ResponseWriter, _ *http.Request) *apiError {
	type delay struct {
		Mode   string  `json:"mode"`
		Delay  float64 `json:"delay"` // in seconds
		Repeat int     `json:"repeat,omitempty"`
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"powered_by_sticker": map[string]any{"url_ios": nil, "url_android": nil, "is_visible": false},
		"retry_counts":       map[string]int{"photo_upload": 2, "operation_start": 0, "operation_status": 2, "result_download": 2},
		"operation_delays_sequence": []delay{
			{"recurring", 1, 4}, {"recurring", 0.5, 20}, {"infinite", 3, 0},
		},
	})
	return nil
}
