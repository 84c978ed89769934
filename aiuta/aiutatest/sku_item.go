package aiutatest

import (
	"encoding/json"
	"time"
)

// skuItem is a product in the catalog of the Unified API.
type skuItem struct {
	InternalID    string           `json:"internal_id"`
	SKUID         string           `json:"sku_id"`
	CreatedAt     time.Time        `json:"created_at"`
	Product       object           `json:"product_info"`
	Capabilities  skuCapabilities  `json:"capabilities"`
	Readiness     skuReadiness     `json:"capabilities_readiness"`
	Merchandising skuMerchandising `json:"merchandising"`
	Metadata      json.RawMessage  `json:"metadata,omitempty"`
}

// skuCapabilities is what can be done with a product.
type skuCapabilities struct {
	TryOn           bool        `json:"try_on"`
	Recommendations bool        `json:"outfit_recommendations"`
	SizeAndFit      bool        `json:"size_and_fit"`
	OffFigure       []imageType `json:"off_figure_product_images"`
	OnFigure        []imageType `json:"on_figure_product_images"`
}

// skuMerchandising is how a product is sold.
type skuMerchandising struct {
	Availability string `json:"availability"`
}

// skuReadiness says of each capability whether it is ready. Here it is as soon
// as it is enabled.
type skuReadiness struct {
	TryOn           readiness            `json:"try_on"`
	Recommendations readiness            `json:"outfit_recommendations"`
	SizeAndFit      readiness            `json:"size_and_fit"`
	OffFigure       []imageTypeReadiness `json:"off_figure_product_images"`
	OnFigure        []imageTypeReadiness `json:"on_figure_product_images"`
}

type readiness struct {
	UpdatedAt time.Time `json:"updated_at"`
	Status    string    `json:"status"`
}

type imageTypeReadiness struct {
	Type      imageType `json:"image_type"`
	Readiness readiness `json:"readiness"`
}

// enable gives a product its capabilities.
func (i *skuItem) enable(c skuCapabilities) {
	now := time.Now().UTC()
	of := func(enabled bool) readiness {
		if enabled {
			return readiness{now, "ready"}
		}
		return readiness{now, "absent"}
	}
	each := func(types []imageType) []imageTypeReadiness {
		all := []imageTypeReadiness{}
		for _, t := range types {
			all = append(all, imageTypeReadiness{t, of(true)})
		}
		return all
	}
	i.Capabilities = c
	i.Readiness = skuReadiness{of(c.TryOn), of(c.Recommendations), of(c.SizeAndFit), each(c.OffFigure), each(c.OnFigure)}
}

// readItem reads a new product.
func readItem(f *form, images *imageStore) (skuItem, *apiError) {
	f.require("sku_id", "product_info")
	item := skuItem{
		SKUID:         field[string](f, "sku_id"),
		CreatedAt:     time.Now().UTC(),
		Merchandising: readMerchandising(f.nested("merchandising")),
		Metadata:      f.fields["metadata"],
	}
	if f.has("sku_id") && item.SKUID == "" {
		f.fault("sku_id", "value_error", "is empty")
	}
	field[object](f, "metadata")
	item.enable(readCapabilities(f.nested("capabilities")))
	product, err := readProduct(f, "product_info", images)
	item.Product = product
	return item, f.errBefore(err)
}

func readCapabilities(f *form) skuCapabilities {
	const anyNumber = maxJSON // the file names no limit but that of the body
	return skuCapabilities{
		TryOn:           field[bool](f, "try_on"),
		Recommendations: field[bool](f, "outfit_recommendations"),
		SizeAndFit:      field[bool](f, "size_and_fit"),
		OffFigure:       readImageTypes(f, "off_figure_product_images", anyNumber, flatLayType),
		OnFigure:        readImageTypes(f, "on_figure_product_images", anyNumber, onFigureType),
	}
}

func readMerchandising(f *form) skuMerchandising {
	return skuMerchandising{f.choice("availability", "in_stock", "out_of_stock", "preorder", "backorder")}
}
