package aiutatest_test

import (
	"net/http"
	"testing"

	"example.com/routeauth/aiuta/aiutatest"
	"github.com/stretchr/testify/assert"
)

// A 401 and a 422 have one form at all three APIs, whoever asks for them.
func TestAFailureThatATestAsksForHasTheFormOfTheAPIs(t *testing.T) {
	server := newServer(t, aiutatest.Config{InProcess: true})
	for baseURL := range apisOf(server) {
		server.Fail(1, http.StatusUnauthorized)
		a := send(t, server, "GET", baseURL+"/uploaded_images/1", apiKey(), "")
		assert.Equal(t, http.StatusUnauthorized, a.status)
		assert.JSONEq(t, `{"detail": "a test asked for it: Unauthorized"}`, a.body)
		assert.Equal(t, `Bearer realm="aiuta"`, a.header.Get("WWW-Authenticate"))

		server.Fail(1, http.StatusUnprocessableEntity)
		a = send(t, server, "GET", baseURL+"/uploaded_images/1", apiKey(), "")
		assert.Equal(t, http.StatusUnprocessableEntity, a.status)
		assert.JSONEq(t, `{"detail": [{"loc": ["body"], "msg": "a test asked for it: Unprocessable Entity", "type": "failure"}]}`, a.body)
	}
}
