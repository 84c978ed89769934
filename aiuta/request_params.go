package aiuta

import "example.com/routeauth"

// RequestParams returns the [routeauth.ParamsFunc] that binds a JWT to what a
// generation is started with: the body fields uploaded_image_id, sku_id and
// sku_ids, of which the first and the last are those that Aiuta's iOS SDK binds
// a token to. Its errors are those of [routeauth.BodyParams]. It is safe for
// concurrent use.
//
// The list sku_ids is joined by commas, as the iOS SDK does, so that ["a","b"]
// and "a,b" give the same param. A backend that decides by single IDs has to
// refuse IDs that hold a comma.
//
// Aiuta's documentation also speaks of a param product_id. No body of the three
// APIs has such a field, and a token that is bound to it would fit no request;
// the products of a generation are in sku_id and sku_ids.
func RequestParams() routeauth.ParamsFunc {
	return routeauth.BodyParams("uploaded_image_id", "sku_id", "sku_ids")
}
