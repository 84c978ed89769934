package aiutatest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"example.com/routeauth/aiuta/aiutatest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAFlatLayOperationShowsItsRequestAndItsImagesByType(t *testing.T) {
	server := newServer(t, aiutatest.Config{StatusCalls: 2})
	url := server.StudioURL() + "/flat_lay_operations"
	product := upload(t, server, server.StudioURL(), "a dress")
	started := send(t, server, "POST", url, apiKey(), `{
		"product_info": {"id": "5", "title": "Dress", "uploaded_image_ids": ["`+product.text(t, "id")+`"]},
		"number_of_generations": 2,
		"background_settings": {"background_type": "transparent"},
		"image_types": [{"flat_lay_type": "flat", "viewpoint": "front"}, {"flat_lay_type": "detail", "viewpoint": "back"}]}`)
	require.Equal(t, http.StatusOK, started.status, started.body)
	assert.JSONEq(t, `{"operation_id": "flatlay_op-1"}`, started.body)

	want := map[string]any{
		"id": "flatlay_op-1", "status": "CREATED", "error": nil,
		"product_info":          map[string]any{"id": "5", "title": "Dress", "image_urls": []any{product.text(t, "url")}},
		"operation_priority":    "offline",
		"number_of_generations": 2.0,
		"background_settings":   map[string]any{"background_type": "transparent"},
		"image_types": []any{
			map[string]any{"flat_lay_type": "flat", "viewpoint": "front"},
			map[string]any{"flat_lay_type": "detail", "viewpoint": "back"},
		},
		"generation_result": nil,
	}
	assert.Equal(t, want, send(t, server, "GET", url+"/flatlay_op-1", subscription(), "").decoded(t))

	want["status"] = "SUCCESS"
	want["generation_result"] = []any{
		map[string]any{"image_type": map[string]any{"flat_lay_type": "flat", "viewpoint": "front"}, "generated_images": imagesOf(server, 1, 2)},
		map[string]any{"image_type": map[string]any{"flat_lay_type": "detail", "viewpoint": "back"}, "generated_images": imagesOf(server, 3, 4)},
	}
	assert.Equal(t, want, send(t, server, "GET", url+"/flatlay_op-1", subscription(), "").decoded(t))

	send(t, server, "DELETE", server.StudioURL()+"/generated_images/gen_image-1", apiKey(), "")
	want["generation_result"].([]any)[0].(map[string]any)["generated_images"] = imagesOf(server, 2)
	assert.Equal(t, want, send(t, server, "GET", url+"/flatlay_op-1", subscription(), "").decoded(t))
	assert.Equal(t, 1, server.Generations())
}

// imagesOf returns generated images as answers have them.
func imagesOf(server *aiutatest.Server, numbers ...int) []any {
	images := []any{}
	for _, n := range numbers {
		id := fmt.Sprintf("gen_image-%d", n)
		images = append(images, map[string]any{"id": id, "owner_type": "user", "url": server.URL + "/storage/" + id})
	}
	return images
}

const onFigureBody = `{"product_info": {"image_urls": ["https://shop.example.com/1.png"]},
	"on_figure_model_preset_id": "preset-1", "image_types": [{"viewpoint": "side", "pose": "walking"}]}`

func TestAnOnFigureOperationCanBeRegenerated(t *testing.T) {
	server := newServer(t, aiutatest.Config{StatusCalls: 1})
	url := server.StudioURL() + "/on_figure_operations"
	started := send(t, server, "POST", url, apiKey(), onFigureBody)
	require.Equal(t, http.StatusOK, started.status, started.body)
	want := map[string]any{
		"id": started.text(t, "operation_id"), "status": "SUCCESS", "error": nil,
		"product_info":              map[string]any{"image_urls": []any{}}, // not fetched
		"operation_priority":        "offline",
		"number_of_generations":     1.0,
		"on_figure_model_preset_id": "preset-1",
		"image_types":               []any{map[string]any{"viewpoint": "side", "pose": "walking"}},
		"generation_result": []any{map[string]any{
			"image_type": map[string]any{"viewpoint": "side", "pose": "walking"}, "generated_images": imagesOf(server, 1),
		}},
	}
	assert.Equal(t, want, send(t, server, "GET", url+"/"+started.text(t, "operation_id"), subscription(), "").decoded(t))

	again := send(t, server, "POST", url+"/regenerate", apiKey(), `{"original_operation_id": "`+started.text(t, "operation_id")+`",
		"number_of_generations": 2, "image_types": [{"viewpoint": "back", "pose": "sitting"}]}`)
	require.Equal(t, http.StatusOK, again.status, again.body)
	want["id"], want["number_of_generations"] = again.text(t, "operation_id"), 2.0
	want["image_types"] = []any{map[string]any{"viewpoint": "back", "pose": "sitting"}}
	want["generation_result"] = []any{map[string]any{
		"image_type": map[string]any{"viewpoint": "back", "pose": "sitting"}, "generated_images": imagesOf(server, 2, 3),
	}}
	assert.Equal(t, want, send(t, server, "GET", url+"/"+again.text(t, "operation_id"), subscription(), "").decoded(t))
	assert.Equal(t, 2, server.Generations())
}

func TestOnFigureModelPresetsAreThoseThatOperationsTake(t *testing.T) {
	server := newServer(t, aiutatest.Config{})
	a := send(t, server, "GET", server.StudioURL()+"/on_figure_model_presets", apiKey(), "")
	assert.JSONEq(t, `[{"preset_id": "preset-1", "sample_image": "`+server.URL+`/storage/model_image-1", "settings": {"gender": "female"}}]`, a.body)
}

func TestAProductImageOperationThatIsNotWhatItShouldBeIsNotStarted(t *testing.T) {
	server := newServer(t, aiutatest.Config{})
	flatLay, onFigure := server.StudioURL()+"/flat_lay_operations", server.StudioURL()+"/on_figure_operations"
	unified := server.UnifiedURL() + "/flat_lay_operations"
	const front = `{"flat_lay_type": "flat", "viewpoint": "front"}`
	manyURLs := `"u"` + strings.Repeat(`,"u"`, 20)
	for name, test := range map[string]struct {
		url, body string
		loc       string // of each thing that is wrong; empty for a 404
	}{
		"an empty object":             {flatLay, `{}`, `[["body","product_info"],["body","image_types"]]`},
		"no types":                    {flatLay, `{"product_info": {}, "image_types": []}`, `[["body","image_types"]]`},
		"too many types":              {flatLay, `{"product_info": {}, "image_types": [` + front + `,` + front + `,` + front + `,` + front + `,` + front + `,` + front + `,` + front + `]}`, `[["body","image_types"]]`},
		"a type without viewpoint":    {flatLay, `{"product_info": {}, "image_types": [` + front + `, {"flat_lay_type": "flat"}]}`, `[["body","image_types",1,"viewpoint"]]`},
		"an unknown viewpoint":        {flatLay, `{"product_info": {}, "image_types": [{"flat_lay_type": "flat", "viewpoint": "above"}]}`, `[["body","image_types",0,"viewpoint"]]`},
		"too many images":             {flatLay, `{"product_info": {}, "number_of_generations": 5, "image_types": [` + front + `]}`, `[["body","number_of_generations"]]`},
		"an unknown priority":         {flatLay, `{"product_info": {}, "operation_priority": "high", "image_types": [` + front + `]}`, `[["body","operation_priority"]]`},
		"images and URLs":             {flatLay, `{"product_info": {"image_urls": [], "uploaded_image_ids": []}, "image_types": [` + front + `]}`, `[["body","product_info","image_urls"]]`},
		"a product that is no object": {flatLay, `{"product_info": 5, "image_types": [` + front + `]}`, `[["body","product_info"]]`},
		"too many URLs":               {flatLay, `{"product_info": {"image_urls": [` + manyURLs + `]}, "image_types": [` + front + `]}`, `[["body","product_info","image_urls"]]`},
		"a model's image":             {flatLay, `{"product_info": {"uploaded_image_ids": ["model_image-1"]}, "image_types": [` + front + `]}`, ``},
		"an unknown image":            {flatLay, `{"product_info": {"uploaded_image_ids": ["x"]}, "image_types": [` + front + `]}`, ``},
		"neither preset nor settings": {onFigure, `{"product_info": {}, "image_types": [{"viewpoint": "side", "pose": "walking"}]}`, `[["body","on_figure_model_preset_id"]]`},
		"preset and settings":         {onFigure, `{"product_info": {}, "on_figure_model_preset_id": "preset-1", "on_figure_model_settings": {"gender": "male"}, "image_types": [{"viewpoint": "side", "pose": "walking"}]}`, `[["body","on_figure_model_preset_id"]]`},
		"settings without a gender":   {onFigure, `{"product_info": {}, "on_figure_model_settings": {}, "image_types": [{"viewpoint": "side", "pose": "walking"}]}`, `[["body","on_figure_model_settings","gender"]]`},
		"an unknown preset":           {onFigure, `{"product_info": {}, "on_figure_model_preset_id": "x", "image_types": [{"viewpoint": "side", "pose": "walking"}]}`, ``},
		"nothing to regenerate":       {onFigure + "/regenerate", `{}`, `[["body","original_operation_id"],["body","image_types"]]`},
		"regenerating no types":       {onFigure + "/regenerate", `{"original_operation_id": "x", "image_types": [], "number_of_generations": 1}`, `[["body","image_types"]]`},
		"an unknown operation":        {onFigure + "/regenerate", `{"original_operation_id": "x", "image_types": [{"viewpoint": "side", "pose": "walking"}]}`, ``},
		"neither product nor SKU":     {unified, `{"image_type": ` + front + `}`, `[["body","product_info"]]`},
		"product and SKU":             {unified, `{"product_info": {}, "sku_id": "a", "image_type": ` + front + `}`, `[["body","product_info"]]`},
		"no type":                     {unified, `{"product_info": {}}`, `[["body","image_type"]]`},
		"an unknown mode":             {unified, `{"product_info": {}, "image_type": ` + front + `, "qa_mode": "x"}`, `[["body","qa_mode"]]`},
		"an unknown SKU":              {unified, `{"sku_id": "x", "image_type": ` + front + `}`, ``},
	} {
		t.Run(name, func(t *testing.T) {
			a := send(t, server, "POST", test.url, apiKey(), test.body)
			if test.loc == "" {
				assert.Equal(t, http.StatusNotFound, a.status, a.body)
				return
			}
			assert.Equal(t, http.StatusUnprocessableEntity, a.status, a.body)
			locs := []any{}
			for _, invalid := range a.decoded(t)["detail"].([]any) {
				locs = append(locs, invalid.(map[string]any)["loc"])
			}
			got, err := json.Marshal(locs)
			require.NoError(t, err)
			assert.JSONEq(t, test.loc, string(got))
		})
	}
	assert.Zero(t, server.Generations())
}
