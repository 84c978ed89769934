package aiutatest_test

import (
	"fmt"
	"net/http"
	"testing"

	"example.com/routeauth/aiuta/aiutatest"
	"github.com/stretchr/testify/assert"
)

func TestTryOnModelsAreListedAsEachAPIDoes(t *testing.T) {
	server := newServer(t, aiutatest.Config{})
	model := func(n int, more string) string {
		return fmt.Sprintf(`{"id": "model_image-%d", "owner_type": "aiuta", "url": "%s/storage/model_image-%d", %s}`, n, server.URL, n, more)
	}
	woman, man := model(1, `"tags": {"gender": "female"}`), model(2, `"tags": {"gender": "male"}`)
	for url, want := range map[string]string{
		server.DigitalTryOnURL() + "/predefined_try_on_models": `[
			{"category": "woman", "models": [` + model(1, `"metadata": null`) + `]},
			{"category": "man", "models": [` + model(2, `"metadata": null`) + `]}]`,
		server.UnifiedURL() + "/predefined_try_on_models": `[
			{"category": "woman", "models": [` + woman + `]}, {"category": "man", "models": [` + man + `]}]`,
		server.UnifiedURL() + "/try_on_models": `[` + woman + `, ` + man + `]`,
	} {
		a := send(t, server, "GET", url, subscription(), "")
		assert.Equal(t, http.StatusOK, a.status)
		assert.JSONEq(t, want, a.body)
		assert.Equal(t, "application/json", a.header.Get("Content-Type"))

		tag := a.header.Get("ETag")
		for name, test := range map[string]struct {
			condition string
			want      int
		}{
			"the tag":        {tag, 304},
			"the tag, weak":  {"W/" + tag, 304},
			"any tag":        {"*", 304},
			"one of several": {`"other", ` + tag, 304},
			"another tag":    {`"other"`, 200},
		} {
			a := send(t, server, "GET", url, append(subscription(), "If-None-Match", test.condition), "")
			assert.Equal(t, test.want, a.status, name)
			assert.Equal(t, test.want == 304, a.body == "", name)
			assert.Equal(t, tag, a.header.Get("ETag"), name)
		}
		assert.Equal(t, http.StatusUnauthorized, send(t, server, "GET", url, fields{"If-None-Match", tag}, "").status)
	}
}

func TestSubscriptionDetailsHaveWhatTheSDKsDoByThemselves(t *testing.T) {
	server := newServer(t, aiutatest.Config{})
	a := send(t, server, "GET", server.DigitalTryOnURL()+"/subscription_details", subscription(), "")
	assert.Equal(t, http.StatusOK, a.status)
	assert.JSONEq(t, `{
		"powered_by_sticker": {"url_ios": null, "url_android": null, "is_visible": false},
		"retry_counts": {"photo_upload": 2, "operation_start": 0, "operation_status": 2, "result_download": 2},
		"operation_delays_sequence": [
			{"mode": "recurring", "delay": 1, "repeat": 4},
			{"mode": "recurring", "delay": 0.5, "repeat": 20},
			{"mode": "infinite", "delay": 3}]
	}`, a.body)
}
