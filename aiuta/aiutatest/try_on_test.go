package aiutatest_test

import (
	"fmt"
	"image/png"
	"net/http"
	"strings"
	"testing"

	"example.com/routeauth/aiuta/aiutatest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// startTryOn starts a try-on of the Digital Try-On API and returns the URL of
// its status.
func startTryOn(t *testing.T, server *aiutatest.Server) string {
	t.Helper()
	url := server.DigitalTryOnURL() + "/sku_images_operations"
	started := send(t, server, "POST", url, apiKey(), `{"uploaded_image_id": "model_image-1", "sku_id": "a"}`)
	require.Equal(t, http.StatusOK, started.status, started.body)
	return url + "/" + started.text(t, "operation_id")
}

func TestATryOnOfTheDigitalTryOnAPIGoesThroughItsStatuses(t *testing.T) {
	server := newServer(t, aiutatest.Config{})
	url := server.DigitalTryOnURL() + "/sku_images_operations"
	image := upload(t, server, server.DigitalTryOnURL(), "me").text(t, "id")
	started := send(t, server, "POST", url, apiKey(), `{"uploaded_image_id": "`+image+`", "sku_ids": ["a", "b"]}`)
	assert.Equal(t, http.StatusOK, started.status)
	assert.JSONEq(t, `{"operation_id": "sku_images_op-1", "details": null, "errors": []}`, started.body)
	assert.Equal(t, 1, server.Generations())

	for _, status := range []string{"CREATED", "IN_PROGRESS"} {
		a := send(t, server, "GET", url+"/sku_images_op-1", subscription(), "")
		assert.JSONEq(t, `{"id": "sku_images_op-1", "status": "`+status+`", "error": null, "abort_reason": null, "generated_images": []}`, a.body)
	}
	a := send(t, server, "GET", url+"/sku_images_op-1", subscription(), "")
	picture := server.URL + "/storage/gen_image-1"
	assert.JSONEq(t, fmt.Sprintf(`{"id": "sku_images_op-1", "status": "SUCCESS", "error": null, "abort_reason": null,
		"generated_images": [{"id": "gen_image-1", "owner_type": "user", "url": %q, "image_url": %q}]}`, picture, picture), a.body)

	content := send(t, server, "GET", picture, nil, "")
	_, err := png.Decode(strings.NewReader(content.body))
	require.NoError(t, err)
	assert.Equal(t, "image/png", content.header.Get("Content-Type"))
	assert.Equal(t, 1, server.Generations())
}

func TestATryOnOfTheUnifiedAPIGoesThroughItsStatuses(t *testing.T) {
	server := newServer(t, aiutatest.Config{StatusCalls: 1})
	url := server.UnifiedURL() + "/sku_try_on_operations"
	started := send(t, server, "POST", url, bearer(token(t, nil)), `{"uploaded_image_id": "model_image-2", "sku_ids": ["a", "b", "c", "d", "e"]}`)
	assert.Equal(t, http.StatusOK, started.status)
	assert.JSONEq(t, `{"operation_id": "sku_try_on_op-1"}`, started.body)
	a := send(t, server, "GET", url+"/sku_try_on_op-1", subscription(), "")
	assert.JSONEq(t, fmt.Sprintf(`{"id": "sku_try_on_op-1", "status": "SUCCESS", "error": null, "abort_reason": null,
		"generated_images": [{"id": "gen_image-1", "owner_type": "user", "url": %q}]}`, server.URL+"/storage/gen_image-1"), a.body)
}

func TestAGeneratedImageThatWasDeletedIsGoneFromItsOperation(t *testing.T) {
	server := newServer(t, aiutatest.Config{StatusCalls: 1})
	operation := startTryOn(t, server)
	require.Contains(t, send(t, server, "GET", operation, subscription(), "").body, "gen_image-1")
	deleted := send(t, server, "DELETE", server.DigitalTryOnURL()+"/generated_images/gen_image-1", subscription(), "")
	assert.Equal(t, http.StatusNoContent, deleted.status)
	assert.Contains(t, send(t, server, "GET", operation, subscription(), "").body, `"generated_images":[]`)
	assert.Equal(t, http.StatusNotFound, send(t, server, "GET", server.URL+"/storage/gen_image-1", nil, "").status)
}

func TestAnOperationIsKnownOnlyWhereItWasStarted(t *testing.T) {
	server := newServer(t, aiutatest.Config{})
	operation := startTryOn(t, server)
	id := operation[strings.LastIndex(operation, "/")+1:]
	for _, url := range []string{
		server.UnifiedURL() + "/sku_try_on_operations/" + id,
		server.StudioURL() + "/flat_lay_operations/" + id,
		server.DigitalTryOnURL() + "/sku_images_operations/unknown",
	} {
		assert.Equal(t, http.StatusNotFound, send(t, server, "GET", url, apiKey(), "").status, url)
	}
}

func TestATryOnThatIsNotWhatItShouldBeIsNotStarted(t *testing.T) {
	missing := func(name string) string {
		return `{"loc": ["body", "` + name + `"], "msg": "is required", "type": "missing"}`
	}
	const noSKU = `{"loc": ["body", "sku_id"], "msg": "either this or sku_ids is required", "type": "missing"}`
	for name, test := range map[string]struct {
		body   string
		status int
		detail string
	}{
		"nothing":              {``, 422, `[{"loc": ["body"], "msg": "is not a JSON object", "type": "json_invalid"}]`},
		"null":                 {`null`, 422, `[{"loc": ["body"], "msg": "is not a JSON object", "type": "json_invalid"}]`},
		"a list":               {`[]`, 422, `[{"loc": ["body"], "msg": "is not a JSON object", "type": "json_invalid"}]`},
		"an empty object":      {`{}`, 422, `[` + missing("uploaded_image_id") + `, ` + noSKU + `]`},
		"no SKU":               {`{"uploaded_image_id": "model_image-1", "sku_ids": []}`, 422, `[` + noSKU + `]`},
		"no image":             {`{"sku_id": "a"}`, 422, `[` + missing("uploaded_image_id") + `]`},
		"null for an image":    {`{"uploaded_image_id": null, "sku_id": "a"}`, 422, `[` + missing("uploaded_image_id") + `]`},
		"a name in upper case": {`{"UPLOADED_IMAGE_ID": "model_image-1", "sku_id": "a"}`, 422, `[` + missing("uploaded_image_id") + `]`},
		"the wrong type": {
			`{"uploaded_image_id": 5, "sku_id": "a"}`, 422,
			`[{"loc": ["body", "uploaded_image_id"], "msg": "is of the wrong type", "type": "type_error"}]`,
		},
		"too many SKUs": {
			`{"uploaded_image_id": "model_image-1", "sku_ids": ["a", "b", "c"]}`, 422,
			`[{"loc": ["body", "sku_ids"], "msg": "has more than 2 items", "type": "too_long"}]`,
		},
		"an unknown image": {`{"uploaded_image_id": "unknown", "sku_id": "a"}`, 404, `"there is no such uploaded image"`},
		"a body that is too large": {
			`{"uploaded_image_id": "` + strings.Repeat("x", 1<<20) + `"}`, 413,
			`"the body is larger than 1048576 bytes"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := newServer(t, aiutatest.Config{})
			a := send(t, server, "POST", server.DigitalTryOnURL()+"/sku_images_operations", apiKey(), test.body)
			assert.Equal(t, test.status, a.status)
			assert.JSONEq(t, `{"detail": `+test.detail+`}`, a.body)
			assert.Zero(t, server.Generations())
		})
	}
}

func TestTheUnifiedAPIHasErrorsOfItsOwnForm(t *testing.T) {
	server := newServer(t, aiutatest.Config{})
	url := server.UnifiedURL() + "/sku_try_on_operations"
	a := send(t, server, "POST", url, apiKey(), `{"uploaded_image_id": "unknown", "sku_id": "a"}`)
	assert.Equal(t, http.StatusNotFound, a.status)
	assert.JSONEq(t, `{"code": "not_found", "message": "there is no such uploaded image", "details": null}`, a.body)
	a = send(t, server, "PUT", url, apiKey(), "")
	assert.Equal(t, http.StatusMethodNotAllowed, a.status)
	assert.JSONEq(t, `{"code": "method_not_allowed", "message": "the path does not take this method", "details": null}`, a.body)
	a = send(t, server, "POST", url, apiKey(), `{"uploaded_image_id": "model_image-1", "sku_ids": ["a", "b", "c", "d", "e", "f"]}`)
	assert.Equal(t, http.StatusUnprocessableEntity, a.status)
	assert.JSONEq(t, `{"detail": [{"loc": ["body", "sku_ids"], "msg": "has more than 5 items", "type": "too_long"}]}`, a.body)
}
