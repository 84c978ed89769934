package aiutatest

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// modelCategory is what predefined try-on models are listed by.
type modelCategory struct {
	Category string `json:"category"`
	Models   []any  `json:"models"`
}

// digitalTryOnModels lists the models as the Digital Try-On API does.
func digitalTryOnModels(images *imageStore) handlerFunc {
	type model struct {
		imageInfo
		Metadata *struct{} `json:"metadata"`
	}
	return withETag([]modelCategory{
		{"woman", []any{model{images.woman, nil}}},
		{"man", []any{model{images.man, nil}}},
	})
}

// unifiedModel is a try-on model as the Unified API describes it.
type unifiedModel struct {
	imageInfo
	Tags map[string]string `json:"tags"`
}

func unifiedModelsOf(images *imageStore) (woman, man unifiedModel) {
	return unifiedModel{images.woman, map[string]string{"gender": "female"}},
		unifiedModel{images.man, map[string]string{"gender": "male"}}
}

// unifiedModelCategories lists the models as /predefined_try_on_models of the
// Unified API does.
func unifiedModelCategories(images *imageStore) handlerFunc {
	woman, man := unifiedModelsOf(images)
	return withETag([]modelCategory{{"woman", []any{woman}}, {"man", []any{man}}})
}

// unifiedModels lists the models as the web SDK reads /try_on_models: without
// categories, by their tags.
func unifiedModels(images *imageStore) handlerFunc {
	woman, man := unifiedModelsOf(images)
	return withETag([]unifiedModel{woman, man})
}

// withETag returns an endpoint that always answers the same, or 304 to a client
// that has it already (RFC 9110, section 13.1.2).
func withETag(answer any) handlerFunc {
	body, _ := json.Marshal(answer) // of structs of strings, which cannot fail
	tag := fmt.Sprintf(`"%x"`, sha256.Sum256(body))
	return func(w http.ResponseWriter, req *http.Request) *apiError {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("ETag", tag)
		http.ServeContent(w, req, "", time.Time{}, bytes.NewReader(body))
		return nil
	}
}
