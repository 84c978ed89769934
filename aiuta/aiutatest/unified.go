package aiutatest

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
)

// unifiedSKUs is how many SKUs one try-on of the Unified API takes.
const unifiedSKUs = 5

// unifiedEndpoints returns those of the Unified API.
func unifiedEndpoints(g *generator) endpoints {
	tryOns := newTryOns(g, "sku_try_on", showSKUTryOn)
	items := &skuItems{images: g.images}
	flatLays := flatLays{newFlatLays(g), items}
	all := g.images.endpoints()
	all["GET /sku_items"] = items.list
	all["POST /sku_items"] = items.create
	all["GET /sku_items/{sku_id}"] = items.get
	all["DELETE /sku_items/{sku_id}"] = items.delete
	all["PATCH /sku_items/{sku_id}/capabilities"] = items.replaceCapabilities
	all["PATCH /sku_items/{sku_id}/merchandising"] = items.replaceMerchandising
	all["GET /recommendations/outfits/{sku_id}"] = items.recommend
	all["POST /flat_lay_operations"] = flatLays.start
	all["GET /flat_lay_operations/{operation_id}"] = flatLays.operations.status
	all["POST /sku_try_on_operations"] = func(w http.ResponseWriter, req *http.Request) *apiError {
		read, err := readTryOn(w, req, g.images, unifiedSKUs)
		if err != nil {
			return err
		}
		return writeStarted(w, http.StatusOK, tryOns.start(read))
	}
	all["GET /sku_try_on_operations/{operation_id}"] = tryOns.status
	all["GET /predefined_try_on_models"] = unifiedModelCategories(g.images)
	all["GET /try_on_models"] = unifiedModels(g.images)
	return all
}

// showSKUTryOn returns the answer to a status call.
func showSKUTryOn(state operationState, images []imageInfo) any {
	return struct {
		operationState
		AbortReason     *string     `json:"abort_reason"`
		GeneratedImages []imageInfo `json:"generated_images"`
	}{state, nil, images}
}

// flatLay is what a flat lay operation of the Unified API is started with, and
// as its status shows it.
type flatLay struct {
	Product    object          `json:"product_info"`
	SKUID      *string         `json:"sku_id"`
	Priority   string          `json:"operation_priority"`
	QAMode     string          `json:"qa_mode"`
	Background json.RawMessage `json:"background_settings,omitempty"`
	Size       json.RawMessage `json:"output_image_size,omitempty"`
	Paddings   json.RawMessage `json:"output_image_paddings,omitempty"`
	Type       imageType       `json:"image_type"`
}

// newFlatLays returns operations that generate one image each.
func newFlatLays(g *generator) *operations[flatLay] {
	return &operations[flatLay]{
		generator: g,
		name:      "flatlay",
		count:     func(flatLay) int { return 1 },
		show: func(state operationState, r flatLay, images []imageInfo) any {
			answer := struct {
				operationState
				flatLay
				Image *imageInfo `json:"generated_image"` // null before SUCCESS
			}{operationState: state, flatLay: r}
			if images = g.images.existing(images); len(images) > 0 {
				answer.Image = &images[0]
			}
			return answer
		},
	}
}

// flatLays generates images of products that are described, or in the catalog.
type flatLays struct {
	operations *operations[flatLay]
	items      *skuItems
}

func (l flatLays) start(w http.ResponseWriter, req *http.Request) *apiError {
	f, err := readForm(w, req)
	if err != nil {
		return err
	}
	read, err := l.read(f)
	if err == nil && read.SKUID != nil {
		err = l.checkSKU(*read.SKUID, read.Type)
	}
	if err != nil {
		return err
	}
	return writeStarted(w, http.StatusCreated, l.operations.start(read))
}

func (l flatLays) read(f *form) (read flatLay, err *apiError) {
	f.require("image_type")
	f.requireOne("product_info", "sku_id")
	read = flatLay{
		SKUID:      field[*string](f, "sku_id"),
		Priority:   f.choice("operation_priority", "online", "offline"),
		QAMode:     f.choice("qa_mode", "auto", "none", "human"),
		Background: f.fields["background_settings"],
		Size:       f.fields["output_image_size"],
		Paddings:   f.fields["output_image_paddings"],
	}
	if f.has("image_type") {
		read.Type = readImageType(f.nested("image_type"), flatLayType)
	}
	if f.has("product_info") {
		read.Product, err = readProduct(f, "product_info", l.items.images)
	}
	return read, f.errBefore(err)
}

// checkSKU checks that a product is in the catalog and ready for an image of
// this type.
func (l flatLays) checkSKU(id string, t imageType) *apiError {
	item, err := l.items.find(id)
	if err != nil {
		return err
	}
	isType := func(ready imageType) bool { return maps.Equal(ready, t) }
	if !slices.ContainsFunc(item.Capabilities.OffFigure, isType) {
		return conflict("the SKU item has no off-figure images of this type enabled")
	}
	return nil
}
