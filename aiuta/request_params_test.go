package aiuta_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"example.com/routeauth"
	"example.com/routeauth/aiuta"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Rule 15.
func TestRequestParamsAreTheFieldsThatATokenIsBoundTo(t *testing.T) {
	for _, test := range []struct {
		name string
		body string
		want routeauth.Params
	}{
		{"one SKU", `{"uploaded_image_id": "image", "sku_id": "a"}`,
			routeauth.Params{"uploaded_image_id": "image", "sku_id": "a"}},
		{"several SKUs are joined by commas", `{"uploaded_image_id": "image", "sku_ids": ["a", "b"]}`,
			routeauth.Params{"uploaded_image_id": "image", "sku_ids": "a,b"}},
		{"a string with commas gives the same param", `{"uploaded_image_id": "image", "sku_ids": "a,b"}`,
			routeauth.Params{"uploaded_image_id": "image", "sku_ids": "a,b"}},
		{"other fields are left out", `{"sku_id": "a", "sku_catalog_name": "main", "hijab_protection": true, "product_id": "p"}`,
			routeauth.Params{"sku_id": "a"}},
		{"null is left out", `{"sku_id": "a", "sku_ids": null}`,
			routeauth.Params{"sku_id": "a"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			req, err := http.NewRequest(http.MethodPost, aiuta.DigitalTryOnURL, strings.NewReader(test.body))
			require.NoError(t, err)
			params, err := aiuta.RequestParams()(req)
			require.NoError(t, err)
			assert.Equal(t, test.want, params)
		})
	}
}

func TestRequestParamsOfARequestWithoutABodyAreNone(t *testing.T) {
	req, err := http.NewRequest(http.MethodGet, aiuta.UnifiedURL+"/sku_items", nil)
	require.NoError(t, err)
	params, err := aiuta.RequestParams()(req)
	require.NoError(t, err)
	assert.Empty(t, params)
}

func TestRequestParamsRefuseWhatIsNoJSONObject(t *testing.T) {
	req, err := http.NewRequest(http.MethodPost, aiuta.UnifiedURL, bytes.NewReader([]byte("--form--")))
	require.NoError(t, err)
	_, err = aiuta.RequestParams()(req)
	assert.Error(t, err)
}
