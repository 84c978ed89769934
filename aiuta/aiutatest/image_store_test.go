package aiutatest_test

import (
	"bytes"
	"image/png"
	"io"
	"net/http"
	"strings"
	"testing"

	"example.com/routeauth/aiuta/aiutatest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnUploadedImageCanBeDescribedDownloadedAndDeleted(t *testing.T) {
	server := newServer(t, aiutatest.Config{})
	for baseURL := range apisOf(server) {
		image := upload(t, server, baseURL, "the picture")
		require.Equal(t, http.StatusOK, image.status, image.body)
		id := image.text(t, "id")
		assert.Equal(t, map[string]any{"id": id, "owner_type": "user", "url": server.URL + "/storage/" + id}, image.decoded(t))

		described := send(t, server, "GET", baseURL+"/uploaded_images/"+id, subscription(), "")
		assert.Equal(t, http.StatusOK, described.status)
		assert.JSONEq(t, image.body, described.body)

		content := send(t, server, "GET", image.text(t, "url"), nil, "")
		assert.Equal(t, "the picture", content.body)
		assert.Equal(t, "image/jpeg", content.header.Get("Content-Type"))

		deleted := send(t, server, "DELETE", baseURL+"/uploaded_images/"+id, subscription(), "")
		assert.Equal(t, http.StatusNoContent, deleted.status)
		assert.Empty(t, deleted.body)
		for _, gone := range []answer{
			send(t, server, "GET", baseURL+"/uploaded_images/"+id, subscription(), ""),
			send(t, server, "DELETE", baseURL+"/uploaded_images/"+id, subscription(), ""),
			send(t, server, "GET", image.text(t, "url"), nil, ""),
		} {
			assert.Equal(t, http.StatusNotFound, gone.status)
		}
	}
}

func TestEachUploadHasAnIDOfItsOwn(t *testing.T) {
	server := newServer(t, aiutatest.Config{})
	first := upload(t, server, server.DigitalTryOnURL(), "same").text(t, "id")
	require.Equal(t, http.StatusNoContent, send(t, server, "DELETE", server.StudioURL()+"/uploaded_images/"+first, apiKey(), "").status)
	assert.NotEqual(t, first, upload(t, server, server.UnifiedURL(), "same").text(t, "id"))
}

func TestAnUploadWithoutTheFileIs422(t *testing.T) {
	server := newServer(t, aiutatest.Config{})
	otherName, otherType := form(t, "image", "me.png", "", "content")
	noFile, noFileType := form(t, "image_data", "", "", "content")
	for name, test := range map[string]struct{ body, contentType string }{
		"no form":      {"content", "image/png"},
		"another name": {otherName, otherType},
		"not a file":   {noFile, noFileType},
	} {
		for baseURL := range apisOf(server) {
			a := send(t, server, "POST", baseURL+"/uploaded_images", append(apiKey(), "Content-Type", test.contentType), test.body)
			assert.Equal(t, http.StatusUnprocessableEntity, a.status, name)
			assert.JSONEq(t, `{"detail": [{
				"loc": ["body", "image_data"], "msg": "is required, as a file of a multipart form", "type": "missing"
			}]}`, a.body, name)
		}
	}
}

func TestAFormThatIsCutOffIs400(t *testing.T) {
	server := newServer(t, aiutatest.Config{})
	body, formType := form(t, "image_data", "me.png", "", "content")
	a := send(t, server, "POST", server.StudioURL()+"/uploaded_images", append(apiKey(), "Content-Type", formType), body[:len(body)-20])
	assert.Equal(t, http.StatusBadRequest, a.status)
	assert.JSONEq(t, `{"detail": "the body cannot be read"}`, a.body)
}

func TestAnUploadWithoutAContentTypeIsAPNG(t *testing.T) {
	server := newServer(t, aiutatest.Config{})
	body, formType := form(t, "image_data", "me", "", "content")
	a := send(t, server, "POST", server.StudioURL()+"/uploaded_images", append(apiKey(), "Content-Type", formType), body)
	assert.Equal(t, "image/png", send(t, server, "GET", a.text(t, "url"), nil, "").header.Get("Content-Type"))
}

func TestAnUploadThatIsTooLargeIs413(t *testing.T) {
	server := newServer(t, aiutatest.Config{})
	head := "--edge\r\nContent-Disposition: form-data; name=\"image_data\"; filename=\"me.png\"\r\n\r\n"
	body := io.MultiReader(strings.NewReader(head), bytes.NewReader(make([]byte, 16<<20)), strings.NewReader("\r\n--edge--\r\n"))
	a, err := trySend(server, "POST", server.UnifiedURL()+"/uploaded_images", append(apiKey(), "Content-Type", "multipart/form-data; boundary=edge"), body)
	require.NoError(t, err)
	assert.Equal(t, http.StatusRequestEntityTooLarge, a.status)
	assert.JSONEq(t, `{"code": "payload_too_large", "message": "the body is larger than 16777216 bytes", "details": null}`, a.body)
}

func TestAPredefinedImageIsAPictureThatCannotBeDeleted(t *testing.T) {
	server := newServer(t, aiutatest.Config{})
	content := send(t, server, "GET", server.URL+"/storage/"+aiutatest.ModelImageID, nil, "")
	_, err := png.Decode(strings.NewReader(content.body))
	require.NoError(t, err)
	for _, path := range []string{"/uploaded_images/", "/generated_images/"} {
		a := send(t, server, "DELETE", server.UnifiedURL()+path+aiutatest.ModelImageID, apiKey(), "")
		assert.Equal(t, http.StatusNotFound, a.status)
	}
}

func TestOnlyUploadedImagesAreDescribed(t *testing.T) {
	server := newServer(t, aiutatest.Config{StatusCalls: 1})
	send(t, server, "GET", startTryOn(t, server), subscription(), "") // makes gen_image-1
	for _, id := range []string{aiutatest.ModelImageID, "gen_image-1"} {
		require.Equal(t, http.StatusOK, send(t, server, "GET", server.URL+"/storage/"+id, nil, "").status)
		a := send(t, server, "GET", server.DigitalTryOnURL()+"/uploaded_images/"+id, subscription(), "")
		assert.Equal(t, http.StatusNotFound, a.status)
		assert.JSONEq(t, `{"detail": "there is no such uploaded image"}`, a.body)
	}
}

func TestAnUploadedImageIsNoGeneratedOne(t *testing.T) {
	server := newServer(t, aiutatest.Config{})
	id := upload(t, server, server.UnifiedURL(), "content").text(t, "id")
	a := send(t, server, "DELETE", server.UnifiedURL()+"/generated_images/"+id, apiKey(), "")
	assert.Equal(t, http.StatusNotFound, a.status)
	assert.JSONEq(t, `{"code": "not_found", "message": "there is no such image that can be deleted here", "details": null}`, a.body)
}
