package aiutatest

import (
	"encoding/json"
	"net/http"
	"slices"
)

// maxPerType is how many images of one type an operation generates at most.
const maxPerType = 4

// productImages is what an operation of the Studio API is started with, and as
// its status shows it.
type productImages struct {
	Product        object          `json:"product_info"`
	Priority       string          `json:"operation_priority"`
	PerType        int             `json:"number_of_generations"`
	Background     json.RawMessage `json:"background_settings,omitempty"`
	Size           json.RawMessage `json:"output_image_size,omitempty"`
	Paddings       json.RawMessage `json:"output_image_paddings,omitempty"`
	Types          []imageType     `json:"image_types"`
	PresetID       json.RawMessage `json:"on_figure_model_preset_id,omitempty"`
	FigureSettings json.RawMessage `json:"on_figure_model_settings,omitempty"`
}

// productImagesOperation is the answer to a status call.
type productImagesOperation struct {
	operationState
	productImages
	Result []productImagesResult `json:"generation_result"` // null before SUCCESS
}

// productImagesResult are the images of one type.
type productImagesResult struct {
	Type   imageType   `json:"image_type"`
	Images []imageInfo `json:"generated_images"`
}

// newProductImages returns operations that generate images of each type.
func newProductImages(g *generator, name string) *operations[productImages] {
	return &operations[productImages]{
		generator: g,
		name:      name,
		count:     func(r productImages) int { return r.PerType * len(r.Types) },
		show: func(state operationState, r productImages, images []imageInfo) any {
			return productImagesOperation{state, r, resultsOf(r, images, g.images)}
		},
	}
}

// resultsOf sorts images by the types that they are of.
func resultsOf(r productImages, images []imageInfo, store *imageStore) []productImagesResult {
	if images == nil {
		return nil
	}
	var results []productImagesResult
	for ofType := range slices.Chunk(images, r.PerType) {
		results = append(results, productImagesResult{r.Types[len(results)], store.existing(ofType)})
	}
	return results
}

// readProductImages reads what flat lay and on-figure operations have in common.
func readProductImages(f *form, images *imageStore, maxTypes int, fields []imageTypeField) (productImages, *apiError) {
	f.require("product_info", "image_types")
	product, err := readProduct(f, "product_info", images)
	read := productImages{
		Product:    product,
		Priority:   f.choice("operation_priority", "offline", "online"),
		PerType:    f.number("number_of_generations", 1, 1, maxPerType),
		Background: f.fields["background_settings"],
		Size:       f.fields["output_image_size"],
		Paddings:   f.fields["output_image_paddings"],
		Types:      readImageTypes(f, "image_types", maxTypes, fields),
	}
	if f.has("image_types") && len(read.Types) == 0 {
		f.fault("image_types", "too_short", "is empty")
	}
	return read, f.errBefore(err)
}

// writeStarted answers with the operation that was started.
func writeStarted(w http.ResponseWriter, status int, started startedOperation) *apiError {
	writeJSON(w, status, started)
	return nil
}
