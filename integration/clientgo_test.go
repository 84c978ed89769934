package integration_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"

	"example.com/routeauth/integration/measure"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

var clientGo = measure.Neighbour{
	Module: "k8s.io/client-go",
	File:   "clientgo_test.go",
	Server: measure.Server{Sends: measure.Bearer, Handler: func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.Copy(w, req.Body)
	}},
	Own: "`IsUnauthorized`",
	Call: func(t *testing.T, baseURL string, client *http.Client) measure.Answer {
		_, err := configMaps(t, baseURL, client).Create(t.Context(), configMap("a"), metav1.CreateOptions{})
		return measure.Answer{Err: err, Own: apierrors.IsUnauthorized(err)}
	},
	Facts: []measure.Fact{
		{Says: "the events of a watch arrive one by one", Test: clientGoWatch},
	},
}

// configMaps returns the dynamic client, which needs none of the generated ones.
func configMaps(t *testing.T, baseURL string, client *http.Client) dynamic.ResourceInterface {
	kubernetes, err := dynamic.NewForConfigAndClient(&rest.Config{Host: baseURL}, client)
	require.NoError(t, err)
	return kubernetes.Resource(schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}).Namespace("default")
}

func configMap(name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": name},
	}}
}

func clientGoWatch(t *testing.T) {
	next := make(chan string)
	api := measure.Server{Sends: measure.Bearer, Handler: func(w http.ResponseWriter, req *http.Request) {
		assert.Equal(t, "true", req.URL.Query().Get("watch"))
		w.Header().Set("Content-Type", "application/json")
		_ = http.NewResponseController(w).Flush()
		for name := range next {
			event, err := json.Marshal(configMap(name).Object)
			assert.NoError(t, err)
			fmt.Fprintf(w, `{"type":"ADDED","object":%s}`, event)
			_ = http.NewResponseController(w).Flush()
		}
	}}.Start(t)
	watch, err := configMaps(t, api.URL, api.Client(t, measure.Right)).Watch(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	defer watch.Stop()
	defer close(next)
	for _, name := range []string{"a", "b"} { // the second is sent when the first was read
		next <- name
		event := <-watch.ResultChan()
		object, ok := event.Object.(*unstructured.Unstructured)
		require.True(t, ok, "%v", event)
		assert.Equal(t, name, object.GetName())
	}
}
