package aiutatest

import (
	"encoding/json"
	"maps"
)

// maxProductImages is how many images a product has at most.
const maxProductImages = 20

// readProduct reads a description of a product and returns it as answers have
// it: image_urls are those of the uploaded images that were named. Images that
// were given as URLs are not there, as at the API while it has not fetched them:
// this server fetches nothing.
func readProduct(f *form, name string, images *imageStore) (object, *apiError) {
	product := f.nested(name)
	ids := field[[]string](product, "uploaded_image_ids")
	given := field[[]string](product, "image_urls")
	if product.has("uploaded_image_ids") && product.has("image_urls") {
		product.fault("image_urls", "value_error", "does not go together with uploaded_image_ids")
	}
	if len(ids) > maxProductImages || len(given) > maxProductImages {
		product.fault("image_urls", "too_long", "there are more than %d images", maxProductImages)
	}
	urls := []string{}
	for _, id := range ids {
		image, found := images.find(id)
		if !found || image.kind != uploaded {
			return nil, notFound("uploaded image")
		}
		urls = append(urls, image.URL)
	}
	answer := maps.Clone(product.fields)
	if answer == nil {
		answer = object{}
	}
	delete(answer, "uploaded_image_ids")
	answer["image_urls"], _ = json.Marshal(urls) // strings, which cannot fail
	return answer, nil
}
