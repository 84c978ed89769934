package heavy_test

import (
	"io"
	"net/http"
	"testing"

	"example.com/routeauth/integration/measure"
)

// The second table in the README of integration is what this test measures. It
// takes some seconds, in which the SDKs wait before they try again.
func TestNeighbours(t *testing.T) {
	measure.Table(t, "../README.md", "heavy neighbours", []measure.Neighbour{anthropicSDK, openaiGo})
}

// sendEvents answers with what it is given, each as soon as it is there.
func sendEvents(events <-chan string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_ = http.NewResponseController(w).Flush()
		for event := range events {
			_, _ = io.WriteString(w, event)
			_ = http.NewResponseController(w).Flush()
		}
	}
}
