package integration_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/routeauth/integration/measure"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// minio-go signs each request in Authorization. What routeauth adds is the key
// of a gateway in front of the store.
var minioGo = measure.Neighbour{
	Module: "github.com/minio/minio-go/v7",
	File:   "minio_test.go",
	Server: measure.Server{Sends: measure.APIKey, Handler: storeObject},
	Own:    "`ErrorResponse`",
	Call: func(t *testing.T, baseURL string, client *http.Client) measure.Answer {
		err := putObject(t, baseURL, client)
		return measure.Answer{Err: err, Own: minio.ToErrorResponse(err).StatusCode == http.StatusUnauthorized}
	},
	Facts: []measure.Fact{
		{Says: "the gateway's key goes beside its signature in `Authorization`, which does not cover it", Test: minioSignature},
	},
}

func storeObject(w http.ResponseWriter, _ *http.Request) { w.Header().Set("ETag", `"1"`) }

func putObject(t *testing.T, baseURL string, client *http.Client) error {
	// Its waits can be set for the whole process alone.
	unit := minio.DefaultRetryUnit
	minio.DefaultRetryUnit = time.Microsecond
	defer func() { minio.DefaultRetryUnit = unit }()

	store, err := minio.New(strings.TrimPrefix(baseURL, "http://"), &minio.Options{
		Creds:     credentials.NewStaticV4("access", "secret", ""),
		Region:    "us-east-1",
		Transport: client.Transport,
	})
	require.NoError(t, err)
	const content = "content"
	_, err = store.PutObject(t.Context(), "bucket", "object", strings.NewReader(content), int64(len(content)), minio.PutObjectOptions{})
	return err
}

func minioSignature(t *testing.T) {
	var authorization string
	api := measure.Server{Sends: measure.APIKey, Handler: func(w http.ResponseWriter, req *http.Request) {
		authorization = req.Header.Get("Authorization")
		storeObject(w, req)
	}}.Start(t)
	require.NoError(t, putObject(t, api.URL, api.Client(t, measure.Right)))
	assert.True(t, strings.HasPrefix(authorization, "AWS4-HMAC-SHA256 "), authorization)
	assert.NotContains(t, authorization, "x-api-key")
}
