package aiutatest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"example.com/routeauth/aiuta/aiutatest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// createItem adds a product to the catalog.
func createItem(t *testing.T, server *aiutatest.Server, body string) answer {
	t.Helper()
	created := send(t, server, "POST", server.UnifiedURL()+"/sku_items", apiKey(), body)
	require.Equal(t, http.StatusCreated, created.status, created.body)
	return created
}

// withoutTimes removes the times of an answer after it checked that each is one.
func withoutTimes(t *testing.T, value any) any {
	t.Helper()
	switch value := value.(type) {
	case map[string]any:
		for name, inner := range value {
			if name == "created_at" || name == "updated_at" {
				assert.Regexp(t, `^20\d\d-\d\d-\d\dT[\d:.]+Z$`, inner)
				delete(value, name)
				continue
			}
			value[name] = withoutTimes(t, inner)
		}
	case []any:
		for i := range value {
			value[i] = withoutTimes(t, value[i])
		}
	}
	return value
}

func TestAnSKUItemCanBeCreatedReadChangedAndDeleted(t *testing.T) {
	server := newServer(t, aiutatest.Config{})
	url := server.UnifiedURL() + "/sku_items"
	created := createItem(t, server, `{"sku_id": "shirt", "product_info": {"title": "Shirt"}, "metadata": {"a": 1},
		"capabilities": {"try_on": true, "off_figure_product_images": [{"flat_lay_type": "flat", "viewpoint": "front"}]}}`)
	want := map[string]any{
		"internal_id":  "sku_item-1",
		"sku_id":       "shirt",
		"product_info": map[string]any{"title": "Shirt", "image_urls": []any{}},
		"capabilities": map[string]any{
			"try_on": true, "outfit_recommendations": false, "size_and_fit": false,
			"off_figure_product_images": []any{map[string]any{"flat_lay_type": "flat", "viewpoint": "front"}},
			"on_figure_product_images":  []any{},
		},
		"capabilities_readiness": map[string]any{
			"try_on":                 map[string]any{"status": "ready"},
			"outfit_recommendations": map[string]any{"status": "absent"},
			"size_and_fit":           map[string]any{"status": "absent"},
			"off_figure_product_images": []any{map[string]any{
				"image_type": map[string]any{"flat_lay_type": "flat", "viewpoint": "front"}, "readiness": map[string]any{"status": "ready"},
			}},
			"on_figure_product_images": []any{},
		},
		"merchandising": map[string]any{"availability": "in_stock"},
		"metadata":      map[string]any{"a": 1.0},
	}
	assert.Equal(t, want, withoutTimes(t, created.decoded(t)))
	assert.JSONEq(t, created.body, send(t, server, "GET", url+"/shirt", apiKey(), "").body)

	changed := send(t, server, "PATCH", url+"/shirt/merchandising", apiKey(), `{"availability": "preorder"}`)
	assert.Equal(t, http.StatusOK, changed.status)
	want["merchandising"] = map[string]any{"availability": "preorder"}
	assert.Equal(t, want, withoutTimes(t, changed.decoded(t)))

	// A replacement sets what it leaves out back to its default.
	changed = send(t, server, "PATCH", url+"/shirt/capabilities", apiKey(), `{"size_and_fit": true}`)
	assert.Equal(t, http.StatusOK, changed.status)
	got := changed.decoded(t)
	assert.Equal(t, map[string]any{
		"try_on": false, "outfit_recommendations": false, "size_and_fit": true,
		"off_figure_product_images": []any{}, "on_figure_product_images": []any{},
	}, got["capabilities"])
	assert.Equal(t, "preorder", got["merchandising"].(map[string]any)["availability"])

	deleted := send(t, server, "DELETE", url+"/shirt", apiKey(), "")
	assert.Equal(t, http.StatusNoContent, deleted.status)
	for _, request := range [][2]string{{"GET", "/shirt"}, {"DELETE", "/shirt"}, {"PATCH", "/shirt/merchandising"}, {"PATCH", "/shirt/capabilities"}} {
		a := send(t, server, request[0], url+request[1], apiKey(), `{}`)
		assert.Equal(t, http.StatusNotFound, a.status)
		assert.JSONEq(t, `{"code": "not_found", "message": "there is no such SKU item", "details": null}`, a.body)
	}
}

func TestAnSKUItemCannotBeCreatedTwice(t *testing.T) {
	server := newServer(t, aiutatest.Config{})
	createItem(t, server, `{"sku_id": "shirt", "product_info": {}}`)
	a := send(t, server, "POST", server.UnifiedURL()+"/sku_items", apiKey(), `{"sku_id": "shirt", "product_info": {}}`)
	assert.Equal(t, http.StatusConflict, a.status)
	assert.JSONEq(t, `{"code": "conflict", "message": "there is an SKU item of this ID", "details": null}`, a.body)
}

func TestAnSKUItemThatIsNotWhatItShouldBeIs422(t *testing.T) {
	server := newServer(t, aiutatest.Config{})
	createItem(t, server, `{"sku_id": "shirt", "product_info": {}}`)
	for name, test := range map[string]struct{ method, path, body string }{
		"an empty object":         {"POST", "", `{}`},
		"an empty ID":             {"POST", "", `{"sku_id": "", "product_info": {}}`},
		"metadata that is a list": {"POST", "", `{"sku_id": "a", "product_info": {}, "metadata": []}`},
		"a capability as text":    {"PATCH", "/shirt/capabilities", `{"try_on": "yes"}`},
		"an unknown availability": {"PATCH", "/shirt/merchandising", `{"availability": "soon"}`},
		"a body that is no JSON":  {"PATCH", "/shirt/merchandising", `availability`},
		"a negative offset":       {"GET", "?offset=-1", ""},
		"a limit of 0":            {"GET", "?limit=0", ""},
		"a limit over 500":        {"GET", "?limit=501", ""},
		"a limit that is a word":  {"GET", "?limit=all", ""},
	} {
		a := send(t, server, test.method, server.UnifiedURL()+"/sku_items"+test.path, apiKey(), test.body)
		assert.Equal(t, http.StatusUnprocessableEntity, a.status, name)
		assert.Contains(t, a.body, `{"detail":[{"loc":[`, name)
	}
}

func TestSKUItemsAreListedInPages(t *testing.T) {
	server := newServer(t, aiutatest.Config{})
	for i := range 12 {
		createItem(t, server, fmt.Sprintf(`{"sku_id": "%d", "product_info": {}}`, i))
	}
	for query, want := range map[string]struct {
		ids  []string
		next string
	}{
		"":                   {[]string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}, "10"},
		"?offset=10":         {[]string{"10", "11"}, "null"},
		"?limit=2":           {[]string{"0", "1"}, "2"},
		"?offset=2&limit=2":  {[]string{"2", "3"}, "4"},
		"?offset=10&limit=2": {[]string{"10", "11"}, "null"},
		"?offset=99":         {nil, "null"},
	} {
		a := send(t, server, "GET", server.UnifiedURL()+"/sku_items"+query, apiKey(), "")
		var page struct {
			Items []struct {
				ID string `json:"sku_id"`
			}
			Total int
			Next  json.RawMessage `json:"next_offset"`
		}
		require.NoError(t, json.Unmarshal([]byte(a.body), &page))
		var ids []string
		for _, item := range page.Items {
			ids = append(ids, item.ID)
		}
		assert.Equal(t, want.ids, ids, query)
		assert.Equal(t, 12, page.Total)
		assert.Equal(t, want.next, string(page.Next), query)
		assert.NotContains(t, a.body, `"items":null`)
	}
}

func TestRecommendationsBeginWithTheItemThatIsAskedFor(t *testing.T) {
	server := newServer(t, aiutatest.Config{})
	createItem(t, server, `{"sku_id": "shirt", "product_info": {}, "capabilities": {"outfit_recommendations": true}}`)
	createItem(t, server, `{"sku_id": "plain", "product_info": {}}`)
	url := server.UnifiedURL() + "/recommendations/outfits/"
	a := send(t, server, "GET", url+"shirt?count=2&user_id=5", apiKey(), "")
	assert.Equal(t, http.StatusOK, a.status)
	assert.JSONEq(t, `[{"id": "outfit-1", "sku_ids": ["shirt"]}, {"id": "outfit-2", "sku_ids": ["shirt"]}]`, a.body)
	for path, want := range map[string]int{"plain": 409, "unknown": 404, "shirt?count=0": 422, "shirt?count=6": 422} {
		assert.Equal(t, want, send(t, server, "GET", url+path, apiKey(), "").status, path)
	}
}

func TestAFlatLayOfTheUnifiedAPIIsOfAProductOrOfAnSKUItem(t *testing.T) {
	server := newServer(t, aiutatest.Config{StatusCalls: 2})
	url := server.UnifiedURL() + "/flat_lay_operations"
	createItem(t, server, `{"sku_id": "shirt", "product_info": {},
		"capabilities": {"off_figure_product_images": [{"flat_lay_type": "flat", "viewpoint": "front"}]}}`)
	started := send(t, server, "POST", url, apiKey(), `{"sku_id": "shirt", "image_type": {"flat_lay_type": "flat", "viewpoint": "front"}}`)
	assert.Equal(t, http.StatusCreated, started.status)
	assert.JSONEq(t, `{"operation_id": "flatlay_op-1"}`, started.body)

	want := map[string]any{
		"id": "flatlay_op-1", "status": "CREATED", "error": nil,
		"product_info": nil, "sku_id": "shirt", "operation_priority": "online", "qa_mode": "auto",
		"image_type":      map[string]any{"flat_lay_type": "flat", "viewpoint": "front"},
		"generated_image": nil,
	}
	assert.Equal(t, want, send(t, server, "GET", url+"/flatlay_op-1", subscription(), "").decoded(t))
	want["status"], want["generated_image"] = "SUCCESS", imagesOf(server, 1)[0]
	assert.Equal(t, want, send(t, server, "GET", url+"/flatlay_op-1", subscription(), "").decoded(t))

	a := send(t, server, "POST", url, apiKey(), `{"sku_id": "shirt", "image_type": {"flat_lay_type": "flat", "viewpoint": "back"}}`)
	assert.Equal(t, http.StatusConflict, a.status)
	a = send(t, server, "POST", url, apiKey(), `{"product_info": {"title": "Hat"}, "image_type": {"flat_lay_type": "flat", "viewpoint": "back"}}`)
	assert.Equal(t, http.StatusCreated, a.status)
	assert.Equal(t, 2, server.Generations())
}
