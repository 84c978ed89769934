package integration_test

import (
	"testing"

	"example.com/routeauth/integration/measure"
)

// The table in README.md is what this test measures.
func TestNeighbours(t *testing.T) {
	measure.Table(t, "README.md", "neighbours", []measure.Neighbour{
		clientGo, coderWebSocket, connectGo, failsafeGo, goGitHub, goRetryableHTTP, httpCache, httpClient, httpTrace,
		mcpSDK, minioGo, oapiCodegen, otelHTTP, overHTTP2, restyV2, restyV3, reverseProxy, streams, throughProxy, vault, xOAuth2,
	})
}
