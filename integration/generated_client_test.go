package integration_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"testing"

	"example.com/routeauth"
	"example.com/routeauth/integration/measure"
	"example.com/routeauth/integration/tryonapi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var oapiCodegen = measure.Neighbour{
	Module: "github.com/oapi-codegen/oapi-codegen/v2",
	File:   "generated_client_test.go",
	Server: measure.Server{Sends: measure.APIKey},
	Call: func(t *testing.T, baseURL string, client *http.Client) measure.Answer {
		started, err := newTryOnClient(t, baseURL, client).StartTryOnWithResponse(t.Context(), tryonapi.TryOn{})
		answer := measure.Answer{Err: err}
		if err == nil {
			answer.Resp = started.HTTPResponse
		}
		return answer
	},
	Facts: []measure.Fact{
		{Says: "each route gets its credential from a [generated client](tryonapi)", Test: generatedRoutes},
	},
}

func newTryOnClient(t *testing.T, baseURL string, client *http.Client) *tryonapi.ClientWithResponses {
	api, err := tryonapi.NewClientWithResponses(baseURL, tryonapi.WithHTTPClient(client))
	require.NoError(t, err)
	return api
}

// A generated client knows nothing of credentials, and needs to know nothing.
func generatedRoutes(t *testing.T) {
	for name, auth := range auths(t) {
		t.Run(name, func(t *testing.T) {
			api := newAPI(t)
			client := newTryOnClient(t, api.DigitalTryOnURL(), newClient(t, api, auth))

			contentType, form := formWithImage(t)
			uploaded, err := client.UploadImageWithBodyWithResponse(t.Context(), contentType, form)
			require.NoError(t, err)
			require.NotNil(t, uploaded.JSON200, string(uploaded.Body))

			skus := []string{"a", "b"}
			started, err := client.StartTryOnWithResponse(t.Context(), tryonapi.TryOn{
				UploadedImageId: uploaded.JSON200.Id,
				SkuIds:          &skus,
			})
			require.NoError(t, err)
			require.NotNil(t, started.JSON200, string(started.Body))

			status, err := client.ReadTryOnWithResponse(t.Context(), started.JSON200.OperationId)
			require.NoError(t, err)
			require.NotNil(t, status.JSON200, string(status.Body))
			assert.Equal(t, tryonapi.SUCCESS, status.JSON200.Status)
			assert.Len(t, status.JSON200.GeneratedImages, 1)

			assert.Equal(t, []string{
				"POST uploaded_images " + auth.optional,
				"POST sku_images_operations " + auth.mandatory,
				"GET " + started.JSON200.OperationId + " " + auth.optional,
			}, received(api))
		})
	}
}

func TestAGeneratedClientHandsOutTheTypedError(t *testing.T) {
	api := newAPI(t)
	client := newTryOnClient(t, api.DigitalTryOnURL(), newClient(t, api, wrongKey))
	_, err := client.StartTryOnWithResponse(t.Context(), tryonapi.TryOn{UploadedImageId: "model_image-1"})
	var unauthorized *routeauth.UnauthorizedError
	require.ErrorAs(t, err, &unauthorized)
	assert.Equal(t, api.Requests()[0].RequestID, unauthorized.RequestID)
	assert.Zero(t, api.Generations())
}

func formWithImage(t *testing.T) (contentType string, form io.Reader) {
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	part, err := w.CreateFormFile("image_data", "person.png")
	require.NoError(t, err)
	_, err = io.WriteString(part, "a picture")
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return w.FormDataContentType(), &body
}
