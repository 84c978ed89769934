package integration_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"example.com/routeauth"
	"example.com/routeauth/aiuta/aiutatest"
	"example.com/routeauth/integration/measure"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

var otelHTTP = measure.Neighbour{
	Module: "go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp",
	File:   "otelhttp_test.go",
	Server: measure.Server{Sends: measure.APIKey},
	Own:    "`http.response.status_code`",
	Call: func(t *testing.T, baseURL string, client *http.Client) measure.Answer {
		spans := tracetest.NewSpanRecorder()
		client.Transport = newTraced(client.Transport, spans)
		answer := post(t, baseURL, client)
		answer.Own = strings.Contains(textOf(t, spans), "http.response.status_code 401")
		return answer
	},
	Facts: []measure.Fact{
		{Says: "outside and inside, a span holds no credential", Test: otelhttpCredential},
		{Says: "nor does the span of a 401 that echoes it", Test: otelhttpEcho},
	},
}

// tracedStack builds a transport of which spans learns.
type tracedStack func(t *testing.T, baseURL string, auth routeauth.Auth, network http.RoundTripper, spans sdktrace.SpanProcessor) http.RoundTripper

// tracedStacks are the two places of otelhttp: around the transport and below
// it.
var tracedStacks = map[string]tracedStack{"outside": tracedOutside, "inside": tracedInside}

func tracedOutside(t *testing.T, baseURL string, auth routeauth.Auth, network http.RoundTripper, spans sdktrace.SpanProcessor) http.RoundTripper {
	return newTraced(newTransport(t, baseURL, auth, network), spans)
}

func tracedInside(t *testing.T, baseURL string, auth routeauth.Auth, network http.RoundTripper, spans sdktrace.SpanProcessor) http.RoundTripper {
	return newTransport(t, baseURL, auth, newTraced(network, spans))
}

func newTraced(base http.RoundTripper, spans sdktrace.SpanProcessor) http.RoundTripper {
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	return otelhttp.NewTransport(base, otelhttp.WithTracerProvider(provider))
}

func otelhttpCredential(t *testing.T) {
	for place, newTracedStack := range tracedStacks {
		t.Run(place, func(t *testing.T) {
			api := newAPI(t)
			var token string
			auth, tokens := newJWTAuth(t), newIssuer(t)
			auth.Source = routeauth.TokenSourceFunc(func(ctx context.Context, p routeauth.Params) (routeauth.Token, error) {
				issued, err := tokens.Token(ctx, p)
				token = string(issued.Value)
				return issued, err
			})
			spans := tracetest.NewSpanRecorder()
			client := &http.Client{Transport: newTracedStack(t, api.DigitalTryOnURL(), auth, api.Client().Transport, spans)}

			status, body, err := do(t, client, newRequest(t, t.Context(), "POST", api.DigitalTryOnURL()+startPath, startBody))
			require.NoError(t, err)
			require.Equal(t, 200, status, body)

			require.Len(t, spans.Ended(), 1)
			text := textOf(t, spans)
			assert.Contains(t, text, startPath)
			assert.Contains(t, text, "http.response.status_code 200")
			require.NotEmpty(t, token)
			for _, part := range strings.Split(token, ".") {
				assert.NotContains(t, text, part)
			}
		})
	}
}

// Rule 26, and from outside: the span holds the text of the error.
func otelhttpEcho(t *testing.T) {
	api := newServer(t, func(w http.ResponseWriter, req *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_ = json.NewEncoder(w).Encode(map[string]string{"detail": fmt.Sprint("no such key: ", req.Header)})
	})
	for place, newTracedStack := range tracedStacks {
		t.Run(place, func(t *testing.T) {
			spans := tracetest.NewSpanRecorder()
			client := &http.Client{Transport: newTracedStack(t, api.URL, apiKeyAuth, nil, spans)}
			_, _, err := do(t, client, newRequest(t, t.Context(), "POST", api.URL+startPath, startBody))
			require.ErrorIs(t, err, routeauth.ErrUnauthorized)

			require.Len(t, spans.Ended(), 1)
			assert.Equal(t, codes.Error, spans.Ended()[0].Status().Code)
			assert.Contains(t, textOf(t, spans), "401")
			assert.NotContains(t, textOf(t, spans), aiutatest.APIKey)
		})
	}
}

// textOf is everything that a span would export, as text.
func textOf(t *testing.T, spans *tracetest.SpanRecorder) string {
	var text strings.Builder
	for _, span := range tracetest.SpanStubsFromReadOnlySpans(spans.Ended()) {
		fmt.Fprintln(&text, span.Name, span.Status)
		for _, attribute := range span.Attributes {
			fmt.Fprintln(&text, attribute.Key, attribute.Value.String())
		}
		events, err := json.Marshal([]any{span.Events, span.Links, span.Resource})
		require.NoError(t, err)
		fmt.Fprintf(&text, "%s\n", events)
	}
	return text.String()
}
