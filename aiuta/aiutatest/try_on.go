package aiutatest

import "net/http"

// tryOn is what a try-on is started with, once it was checked.
type tryOn struct {
	person storedImage
	skus   []string
}

// newTryOns returns operations that generate one image each.
func newTryOns(g *generator, name string, show func(operationState, []imageInfo) any) *operations[tryOn] {
	return &operations[tryOn]{
		generator: g,
		name:      name,
		count:     func(tryOn) int { return 1 },
		draw:      func(r tryOn) []byte { return dress(r.person.content(), r.skus) },
		show: func(state operationState, _ tryOn, images []imageInfo) any {
			return show(state, g.images.existing(images))
		},
	}
}

// readTryOn checks what a try-on is to be started with. Which SKUs exist is not
// known here: the catalogs of Digital Try-On come from elsewhere.
func readTryOn(w http.ResponseWriter, req *http.Request, images *imageStore, maxSKUs int) (tryOn, *apiError) {
	f, err := readForm(w, req)
	if err != nil {
		return tryOn{}, err
	}
	f.require("uploaded_image_id")
	imageID := field[string](f, "uploaded_image_id")
	sku, skus := field[string](f, "sku_id"), field[[]string](f, "sku_ids")
	switch {
	case sku == "" && len(skus) == 0:
		f.fault("sku_id", "missing", "either this or sku_ids is required")
	case len(skus) > maxSKUs:
		f.fault("sku_ids", "too_long", "has more than %d items", maxSKUs)
	}
	if err := f.err(); err != nil {
		return tryOn{}, err
	}
	image, found := images.find(imageID)
	if !found || image.kind == generated {
		return tryOn{}, notFound("uploaded image")
	}
	if sku != "" {
		skus = append([]string{sku}, skus...)
	}
	return tryOn{image, skus}, nil
}
