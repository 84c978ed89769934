package integration_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"example.com/routeauth"
	"example.com/routeauth/aiuta/aiutatest"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// exchange is a request to an API, with its key unless it says otherwise.
type exchange struct {
	method, path string
	body         string // JSON, or upload for a form with an image
	header       http.Header
	status       int // that it must be answered with
}

const upload = "an image"

// specified is an API of a server and its OpenAPI file.
type specified struct {
	server   *aiutatest.Server
	baseURL  string
	document *openapi3.T
	router   routers.Router

	// What was answered, as method, path of the file, and status: what the file
	// says, and what it does not.
	said, unsaid map[string]bool
}

// newSpecified starts a server. The file is one of package openapi's tests.
func newSpecified(t *testing.T, file string, baseURL func(*aiutatest.Server) string) *specified {
	t.Helper()
	server := aiutatest.NewServer(aiutatest.Config{InProcess: true})
	document, err := openapi3.NewLoader().LoadFromFile("../openapi/testdata/aiuta/" + file)
	require.NoError(t, err)
	document.Info.Title, document.Info.Version = file, "reduced" // which OpenAPI demands
	for _, schema := range document.Components.Schemas {         // a field that is not in the file is a mistake
		if len(schema.Value.Properties) > 0 && schema.Value.AdditionalProperties.Has == nil && schema.Value.AdditionalProperties.Schema == nil {
			schema.Value.AdditionalProperties.Has = new(bool)
		}
	}
	document.Servers = openapi3.Servers{{URL: baseURL(server)}}
	router, err := legacy.NewRouter(document)
	require.NoError(t, err)
	return &specified{server, baseURL(server), document, router, make(map[string]bool), make(map[string]bool)}
}

// operations are those of the file, as method and path, sorted.
func (s *specified) operations() (operations [][2]string) {
	for path, item := range s.document.Paths.Map() {
		for method := range item.Operations() {
			operations = append(operations, [2]string{method, path})
		}
	}
	slices.SortFunc(operations, func(a, b [2]string) int { return strings.Compare(a[1]+a[0], b[1]+b[0]) })
	return operations
}

// send sends a request, and returns what is wrong with it and with its answer.
func (s *specified) send(t *testing.T, e exchange) (resp *http.Response, wrongRequest, wrongAnswer error) {
	t.Helper()
	body, contentType := []byte(e.body), "application/json"
	if e.body == upload {
		var form bytes.Buffer
		writer := multipart.NewWriter(&form)
		part, err := writer.CreateFormFile("image_data", "me.png")
		require.NoError(t, err)
		_, err = io.WriteString(part, e.body)
		require.NoError(t, err)
		require.NoError(t, writer.Close())
		body, contentType = form.Bytes(), writer.FormDataContentType()
	}
	req, err := http.NewRequestWithContext(t.Context(), e.method, s.baseURL+e.path, bytes.NewReader(body))
	require.NoError(t, err)
	req.Header.Set(routeauth.HeaderAPIKey, aiutatest.APIKey)
	if len(body) > 0 {
		req.Header.Set("Content-Type", contentType)
	}
	maps.Copy(req.Header, e.header)

	route, values, err := s.router.FindRoute(req)
	if err != nil { // the file does not have it
		resp, err := s.server.Transport().RoundTrip(req)
		require.NoError(t, err)
		s.unsaid[e.method+" "+withoutIDs(e.path)+" "+strconv.Itoa(resp.StatusCode)] = true
		return resp, nil, nil
	}
	input := &openapi3filter.RequestValidationInput{Request: req, PathParams: values, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: hasCredential, IncludeResponseStatus: true, SkipSettingDefaults: true}}
	wrongRequest = openapi3filter.ValidateRequest(req.Context(), input)
	resp, err = s.server.Transport().RoundTrip(req)
	require.NoError(t, err)
	name := e.method + " " + route.Path + " " + strconv.Itoa(resp.StatusCode)
	if route.Operation.Responses.Status(resp.StatusCode) == nil {
		s.unsaid[name] = true
		return resp, wrongRequest, nil
	}
	s.said[name] = true
	answer, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	resp.Body = io.NopCloser(bytes.NewReader(answer))
	return resp, wrongRequest, validAnswer(req.Context(), input, resp.StatusCode, resp.Header, answer)
}

// hasCredential judges a security scheme as the file describes it.
func hasCredential(_ context.Context, in *openapi3filter.AuthenticationInput) error {
	if name := in.SecurityScheme.Name; name != "" && in.RequestValidationInput.Request.Header.Get(name) != "" {
		return nil
	}
	return fmt.Errorf("there is no %s", in.SecuritySchemeName)
}

func validAnswer(ctx context.Context, request *openapi3filter.RequestValidationInput, status int, header http.Header, body []byte) error {
	input := &openapi3filter.ResponseValidationInput{RequestValidationInput: request, Status: status, Header: header, Options: request.Options}
	input.SetBodyBytes(body)
	return openapi3filter.ValidateResponse(ctx, input)
}

// withoutIDs replaces what looks like an ID.
func withoutIDs(path string) string {
	return regexp.MustCompile(`[a-z_]+-\d+`).ReplaceAllString(path, "{id}")
}

// errorOf checks an answer for which the file has no schema: it has the form that
// the API's errors have. A 401 and a 422 have the same one everywhere.
func (s *specified) errorOf(t *testing.T, resp *http.Response, unified bool) {
	t.Helper()
	var body any
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&body))
	switch {
	case resp.StatusCode == http.StatusUnprocessableEntity:
		assert.NoError(t, s.document.Components.Schemas["HTTPValidationError"].Value.VisitJSON(body, openapi3.EnableJSONSchema2020()))
	case resp.StatusCode == http.StatusUnauthorized:
		assert.NotEmpty(t, resp.Header.Get("WWW-Authenticate"))
		fallthrough
	case !unified:
		fields, _ := body.(map[string]any)
		detail, _ := fields["detail"].(string)
		assert.NotEmpty(t, detail, "%v", body)
	default:
		assert.NoError(t, s.document.Components.Schemas["ApiError"].Value.VisitJSON(body, openapi3.EnableJSONSchema2020()))
	}
}

const (
	front    = `{"flat_lay_type": "flat", "viewpoint": "front"}`
	walking  = `{"viewpoint": "side", "pose": "walking"}`
	product  = `{"title": "Dress", "uploaded_image_ids": ["user_image-1"]}`
	flatLay  = `{"product_info": ` + product + `, "number_of_generations": 2, "image_types": [` + front + `]}`
	onFigure = `{"product_info": {"image_urls": ["https://shop.example.com/1.png"]}, "on_figure_model_preset_id": "preset-1", "image_types": [` + walking + `]}`
)

// images are the exchanges that all APIs have: before a generation, and after it.
var (
	images = []exchange{
		{"POST", "/uploaded_images", upload, nil, 200},
		{"POST", "/uploaded_images", `{}`, nil, 422},
		{"GET", "/uploaded_images/user_image-1", "", nil, 200},
		{"GET", "/uploaded_images/user_image-9", "", nil, 404},
	}
	deletions = []exchange{
		{"DELETE", "/generated_images/gen_image-1", "", nil, 204},
		{"DELETE", "/generated_images/gen_image-1", "", nil, 404},
		{"DELETE", "/uploaded_images/user_image-1", "", nil, 204},
		{"DELETE", "/uploaded_images/user_image-1", "", nil, 404},
		{"DELETE", "/no-such-path", "", nil, 404},
	}
)

// until are status calls up to SUCCESS, and one for what is not there.
func until(path, operation string) []exchange {
	return []exchange{
		{"GET", path + "/" + operation, "", nil, 200}, // CREATED
		{"GET", path + "/" + operation, "", nil, 200}, // IN_PROGRESS
		{"GET", path + "/" + operation, "", nil, 200}, // SUCCESS
		{"GET", path + "/none-1", "", nil, 404},
	}
}

func TestAiutatestAnswersAsTheOpenAPIFilesSay(t *testing.T) {
	noneMatch := func(etag string) http.Header { return http.Header{"If-None-Match": {etag}} }
	for _, test := range []struct {
		file      string
		baseURL   func(*aiutatest.Server) string
		unified   bool
		exchanges []exchange
		unsaid    []string // successes at paths that the file does not have
	}{
		{
			file: "digital-try-on.json", baseURL: (*aiutatest.Server).DigitalTryOnURL,
			exchanges: slices.Concat(images, []exchange{
				{"POST", "/sku_images_operations", `{"uploaded_image_id": "user_image-1", "sku_ids": ["a", "b"]}`, nil, 200},
				{"POST", "/sku_images_operations", `{"uploaded_image_id": "user_image-1", "sku_id": "a"}`, nil, 200},
				{"POST", "/sku_images_operations", `{"uploaded_image_id": "user_image-9", "sku_id": "a"}`, nil, 404},
				{"POST", "/sku_images_operations", `{"sku_id": 1}`, nil, 422},
				{"PUT", "/sku_images_operations", `{}`, nil, 405},
			}, until("/sku_images_operations", "sku_images_op-1"), []exchange{
				{"GET", "/predefined_try_on_models", "", nil, 200},
				{"GET", "/predefined_try_on_models", "", noneMatch("*"), 304},
				{"GET", "/subscription_details", "", nil, 200},
			}, deletions),
			unsaid: []string{"GET /subscription_details 200"},
		},
		{
			file: "studio.json", baseURL: (*aiutatest.Server).StudioURL,
			exchanges: slices.Concat(images, []exchange{
				{"POST", "/flat_lay_operations", flatLay, nil, 200},
				{"POST", "/flat_lay_operations", `{"product_info": {}, "image_types": []}`, nil, 422},
			}, until("/flat_lay_operations", "flatlay_op-1"), []exchange{
				{"GET", "/on_figure_model_presets", "", nil, 200},
				{"POST", "/on_figure_operations", onFigure, nil, 200},
				{"POST", "/on_figure_operations", `{"product_info": {}, "on_figure_model_settings": {"gender": "male"}, "image_types": [` + walking + `]}`, nil, 200},
				{"POST", "/on_figure_operations", strings.Replace(onFigure, "preset-1", "preset-9", 1), nil, 404},
				{"POST", "/on_figure_operations", `{"image_types": 1}`, nil, 422},
			}, until("/on_figure_operations", "on_figure_op-1"), []exchange{
				{"POST", "/on_figure_operations/regenerate", `{"original_operation_id": "on_figure_op-1", "image_types": [` + walking + `]}`, nil, 200},
				{"POST", "/on_figure_operations/regenerate", `{"original_operation_id": "on_figure_op-9", "image_types": [` + walking + `]}`, nil, 404},
				{"POST", "/on_figure_operations/regenerate", `{}`, nil, 422},
			}, deletions),
		},
		{
			file: "unified.json", baseURL: (*aiutatest.Server).UnifiedURL, unified: true,
			exchanges: slices.Concat(images, []exchange{
				{"POST", "/sku_items", `{"sku_id": "item-1", "product_info": ` + product + `, "metadata": {"a": 1},
					"capabilities": {"try_on": true, "off_figure_product_images": [` + front + `]}}`, nil, 201},
				{"POST", "/sku_items", `{"sku_id": "item-2", "product_info": {}}`, nil, 201},
				{"POST", "/sku_items", `{"sku_id": "item-1", "product_info": {}}`, nil, 409},
				{"POST", "/sku_items", `{"sku_id": 1}`, nil, 422},
				{"GET", "/sku_items", "", nil, 200},
				{"GET", "/sku_items?offset=0&limit=1", "", nil, 200}, // of two
				{"GET", "/sku_items?limit=0", "", nil, 422},
				{"GET", "/sku_items/item-1", "", nil, 200},
				{"GET", "/sku_items/item-9", "", nil, 404},
				{"PATCH", "/sku_items/item-1/merchandising", `{"availability": "preorder"}`, nil, 200},
				{"PATCH", "/sku_items/item-1/merchandising", `{"availability": "gone"}`, nil, 422},
				{"PATCH", "/sku_items/item-9/merchandising", `{"availability": "preorder"}`, nil, 404},
				{"POST", "/flat_lay_operations", `{"sku_id": "item-1", "image_type": ` + front + `}`, nil, 201},
				{"POST", "/flat_lay_operations", `{"product_info": ` + product + `, "image_type": ` + front + `}`, nil, 201},
				{"POST", "/flat_lay_operations", `{"sku_id": "item-9", "image_type": ` + front + `}`, nil, 404},
				{"POST", "/flat_lay_operations", `{"sku_id": "item-2", "image_type": ` + front + `}`, nil, 409},
				{"POST", "/flat_lay_operations", `{"image_type": {}}`, nil, 422},
			}, until("/flat_lay_operations", "flatlay_op-1"), until("/flat_lay_operations", "flatlay_op-2"), []exchange{
				{"GET", "/recommendations/outfits/item-1", "", nil, 409},
				{"GET", "/recommendations/outfits/item-9", "", nil, 404},
				{"PATCH", "/sku_items/item-1/capabilities", `{"outfit_recommendations": true, "on_figure_product_images": [` + walking + `]}`, nil, 200},
				{"PATCH", "/sku_items/item-1/capabilities", `{"try_on": 1}`, nil, 422},
				{"PATCH", "/sku_items/item-9/capabilities", `{}`, nil, 404},
				{"GET", "/recommendations/outfits/item-1?count=2", "", nil, 200},
				{"GET", "/recommendations/outfits/item-1?count=9", "", nil, 422},
				{"DELETE", "/sku_items/item-1", "", nil, 204},
				{"DELETE", "/sku_items/item-1", "", nil, 404},
				{"POST", "/sku_try_on_operations", `{"uploaded_image_id": "model_image-1", "sku_ids": ["a", "b"]}`, nil, 200},
				{"POST", "/sku_try_on_operations", `{"uploaded_image_id": "user_image-9", "sku_ids": ["a"]}`, nil, 404},
				{"POST", "/sku_try_on_operations", `{"sku_ids": 1}`, nil, 422},
			}, until("/sku_try_on_operations", "sku_try_on_op-1"), []exchange{
				{"GET", "/predefined_try_on_models", "", nil, 200},
				{"GET", "/predefined_try_on_models", "", noneMatch("*"), 304},
				{"GET", "/try_on_models", "", nil, 200},
			}, deletions),
			unsaid: []string{"GET /try_on_models 200"},
		},
	} {
		t.Run(test.file, func(t *testing.T) {
			s := newSpecified(t, test.file, test.baseURL)
			for _, e := range test.exchanges {
				resp, wrongRequest, wrongAnswer := s.send(t, e)
				what := fmt.Sprintf("%s %s %s", e.method, e.path, e.body)
				require.Equal(t, e.status, resp.StatusCode, what)
				require.NoError(t, wrongAnswer, what)
				assert.Equal(t, e.status == http.StatusUnprocessableEntity, wrongRequest != nil, "%s: the file finds %v", what, wrongRequest)
				if e.status >= 400 {
					s.errorOf(t, resp, test.unified)
				}
			}
			// Any operation may fail, in any of the ways that the file has and some more.
			for _, o := range s.operations() {
				e := exchange{method: o[0], path: regexp.MustCompile(`\{\w+\}`).ReplaceAllString(o[1], "none-1")}
				for _, status := range []int{400, 401, 403, 404, 409, 422, 429, 500, 503} {
					s.server.Fail(1, status)
					resp, _, wrongAnswer := s.send(t, e)
					require.Equal(t, status, resp.StatusCode, o)
					require.NoError(t, wrongAnswer, o)
					s.errorOf(t, resp, test.unified)
				}
				e.header = http.Header{routeauth.HeaderAPIKey: {"not-the-key"}}
				resp, _, wrongAnswer := s.send(t, e)
				require.Equal(t, http.StatusUnauthorized, resp.StatusCode, o)
				require.NoError(t, wrongAnswer, o)
				s.errorOf(t, resp, test.unified)
			}

			var said, unsaid []string
			for _, o := range s.operations() {
				for status := range s.document.Paths.Value(o[1]).GetOperation(o[0]).Responses.Map() {
					said = append(said, o[0]+" "+o[1]+" "+status)
				}
			}
			assert.ElementsMatch(t, said, slices.Collect(maps.Keys(s.said)), "every answer that the file has was seen")
			for answer := range s.unsaid {
				if status := answer[len(answer)-3:]; status < "400" {
					unsaid = append(unsaid, answer)
				}
			}
			assert.ElementsMatch(t, test.unsaid, unsaid, "successes that the file does not have")
		})
	}
}

// The judge itself: it finds an answer that is not what the file says.
func TestAnAnswerThatIsNotAsTheOpenAPIFileSaysIsFound(t *testing.T) {
	s := newSpecified(t, "digital-try-on.json", (*aiutatest.Server).DigitalTryOnURL)
	req, err := http.NewRequestWithContext(t.Context(), "GET", s.baseURL+"/sku_images_operations/1", nil)
	require.NoError(t, err)
	route, values, err := s.router.FindRoute(req)
	require.NoError(t, err)
	request := &openapi3filter.RequestValidationInput{Request: req, PathParams: values, Route: route,
		Options: &openapi3filter.Options{IncludeResponseStatus: true}}
	answer := func(state, image string) []byte {
		return []byte(`{"id": "1", "status": "` + state + `", "error": null, "abort_reason": null, "generated_images": [` + image + `]}`)
	}
	const image = `{"id": "2", "owner_type": "user", "url": "https://a.example/2", "image_url": "https://a.example/2"}`
	isJSON := http.Header{"Content-Type": {"application/json"}}
	require.NoError(t, validAnswer(t.Context(), request, 200, isJSON, answer("SUCCESS", image)))
	for name, wrong := range map[string]error{
		"another status":    validAnswer(t.Context(), request, 418, isJSON, answer("SUCCESS", image)),
		"another type":      validAnswer(t.Context(), request, 200, http.Header{"Content-Type": {"text/plain"}}, answer("SUCCESS", image)),
		"no value of enum":  validAnswer(t.Context(), request, 200, isJSON, answer("DONE", image)),
		"a field more":      validAnswer(t.Context(), request, 200, isJSON, answer("SUCCESS", strings.Replace(image, `"id"`, `"size": 1, "id"`, 1))),
		"a field less":      validAnswer(t.Context(), request, 200, isJSON, answer("SUCCESS", strings.Replace(image, `"owner_type": "user", `, "", 1))),
		"null for a string": validAnswer(t.Context(), request, 200, isJSON, answer("SUCCESS", strings.Replace(image, `"2"`, "null", 1))),
		"not a list":        validAnswer(t.Context(), request, 200, isJSON, []byte(`{"id": "1", "status": "SUCCESS", "generated_images": {}}`)),
		"a plain 422":       validAnswer(t.Context(), request, 422, isJSON, []byte(`{"detail": "no list"}`)),
	} {
		assert.Error(t, wrong, name)
	}
}
