package integration_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/routeauth"
	"example.com/routeauth/aiuta"
	"example.com/routeauth/aiuta/aiutatest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// telemetry is what OpenTelemetry learns of a client.
type telemetry struct {
	reader *sdkmetric.ManualReader
	meters *sdkmetric.MeterProvider
	spans  *tracetest.SpanRecorder
	traces *sdktrace.TracerProvider
}

func newTelemetry() telemetry {
	reader, spans := sdkmetric.NewManualReader(), tracetest.NewSpanRecorder()
	return telemetry{reader, sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)),
		spans, sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))}
}

// around returns otelhttp around a transport.
func (o telemetry) around(base http.RoundTripper) http.RoundTripper {
	return otelhttp.NewTransport(base, otelhttp.WithTracerProvider(o.traces), otelhttp.WithMeterProvider(o.meters))
}

// newClient returns a client with otelhttp above auth, or below it.
func (o telemetry) newClient(t *testing.T, api *aiutatest.Server, above bool, auth routeauth.Auth, opts ...routeauth.Option) *http.Client {
	t.Helper()
	trace, err := newOtelTrace(o.meters.Meter("example.com/routeauth"), "/digital-try-on/v1")
	require.NoError(t, err)
	policy, err := routeauth.NewPolicy(api.DigitalTryOnURL(), aiuta.DigitalTryOnRoutes())
	require.NoError(t, err)
	network := api.Transport()
	if !above {
		network = o.around(network)
	}
	transport, err := routeauth.New(policy, auth, network, append(opts, routeauth.WithTrace(trace))...)
	require.NoError(t, err)
	if above {
		return &http.Client{Transport: o.around(transport)}
	}
	return &http.Client{Transport: transport}
}

// durations are the lines of otelhttp's metric, with the attributes that tell
// them apart.
func (o telemetry) durations() (lines []string) {
	for _, line := range o.metrics("http.client.request.duration") {
		var told []string
		for field := range strings.FieldsSeq(line) {
			for _, name := range []string{"error.type=", "http.response.status_code=", "url.template="} {
				if strings.HasPrefix(field, name) {
					told = append(told, field)
				}
			}
		}
		count, _, _ := strings.Cut(line, " x ")
		lines = append(lines, strings.Join(append([]string{strings.TrimPrefix(count, "http.client.request.duration: ")}, told...), " "))
	}
	return lines
}

func (o telemetry) metrics(name string) (lines []string) {
	for _, line := range measured(o.reader) {
		if strings.HasPrefix(line, name+": ") {
			lines = append(lines, line)
		}
	}
	return lines
}

// get gets an image that is not there.
func get(t *testing.T, client *http.Client, api *aiutatest.Server) error {
	t.Helper()
	resp, err := client.Get(api.DigitalTryOnURL() + "/uploaded_images/1")
	if err == nil {
		require.NoError(t, resp.Body.Close())
	}
	return err
}

// Who alerts on a 401 by otelhttp's metrics sees it below authentication, and
// above with KeepUnauthorized. The typed error has no status there, but a type of
// its own. The low-cardinality route is there only above.
func TestOtelhttpMeasuresARejectedKeyInBothForms(t *testing.T) {
	const template = "url.template=/digital-try-on/v1/uploaded_images/{image_id}"
	for name, test := range map[string]struct {
		above bool
		keep  bool
		want  string
	}{
		"above, error":    {true, false, "1 error.type=example.com/routeauth.UnauthorizedError " + template},
		"above, response": {true, true, "1 http.response.status_code=401 " + template},
		"below, error":    {false, false, "1 http.response.status_code=401"},
		"below, response": {false, true, "1 http.response.status_code=401"},
	} {
		t.Run(name, func(t *testing.T) {
			api, telemetry := aiutatest.NewServer(aiutatest.Config{InProcess: true}), newTelemetry()
			var options []routeauth.Option
			if test.keep {
				options = append(options, routeauth.KeepUnauthorized())
			}
			err := get(t, telemetry.newClient(t, api, test.above, wrongKey, options...), api)
			assert.Equal(t, !test.keep, errors.Is(err, routeauth.ErrUnauthorized))

			assert.Equal(t, []string{test.want}, telemetry.durations())
			assert.Equal(t, []string{"routeauth.decisions: 1 x routeauth.requirement=optional routeauth.scheme=api-key " +
				"routeauth.verdict=in_scope " + template}, telemetry.metrics("routeauth.decisions"))
			assert.Equal(t, []string{"routeauth.rejections: 1 x routeauth.scheme=api-key routeauth.sent_again=false"},
				telemetry.metrics("routeauth.rejections"))
			require.Len(t, telemetry.spans.Ended(), 1)
			assert.Equal(t, test.above, strings.Contains(textOf(t, telemetry.spans), "url.template"))
			assert.NotContains(t, textOf(t, telemetry.spans)+strings.Join(measured(telemetry.reader), "\n"), string(wrongKey.APIKey))
		})
	}
}

// rotatedKey is a good key once another one was rejected.
type rotatedKey struct{ key routeauth.Secret }

func (k *rotatedKey) Secret(context.Context) (routeauth.Secret, error) { return k.key, nil }
func (k *rotatedKey) Discard(context.Context, routeauth.Secret)        { k.key = aiutatest.APIKey }

// A request that is sent again is one for what is above, and two for what is
// below.
func TestOtelhttpMeasuresARequestThatIsSentAgain(t *testing.T) {
	for _, keep := range [][]routeauth.Option{nil, {routeauth.KeepUnauthorized()}} {
		for above, want := range map[bool][]string{
			true:  {"1 http.response.status_code=404 url.template=/digital-try-on/v1/uploaded_images/{image_id}"},
			false: {"1 http.response.status_code=401", "1 http.response.status_code=404"},
		} {
			api, telemetry := aiutatest.NewServer(aiutatest.Config{InProcess: true}), newTelemetry()
			client := telemetry.newClient(t, api, above, routeauth.APIKeyAuth{Source: &rotatedKey{"old-key"}}, keep...)
			require.NoError(t, get(t, client, api))
			assert.Equal(t, want, telemetry.durations())
			assert.Equal(t, []string{"routeauth.rejections: 1 x routeauth.scheme=api-key routeauth.sent_again=true"},
				telemetry.metrics("routeauth.rejections"))
			assert.Equal(t, []string{"routeauth.credential.fetch.duration: 2 x routeauth.background=false routeauth.scheme=api-key"},
				telemetry.metrics("routeauth.credential.fetch.duration"))
		}
	}
}

// The span of a caller without otelhttp above is not for this request alone.
func TestTheCallersOwnSpanGetsNoRoute(t *testing.T) {
	api, telemetry := aiutatest.NewServer(aiutatest.Config{InProcess: true}), newTelemetry()
	client := telemetry.newClient(t, api, false, apiKeyAuth)
	ctx, span := telemetry.traces.Tracer("").Start(t.Context(), "caller")
	_, _, err := do(t, client, newRequest(t, ctx, "GET", api.DigitalTryOnURL()+"/predefined_try_on_models", ""))
	require.NoError(t, err)
	span.End()
	assert.Len(t, telemetry.spans.Ended(), 2)
	assert.NotContains(t, textOf(t, telemetry.spans), "url.template")
}

// A failure has a type of low cardinality: the status, where the endpoint had
// one.
func TestAFetchThatFailsIsMeasuredByItsType(t *testing.T) {
	down := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer down.Close()
	remote, err := routeauth.NewRemoteTokenSource(down.URL, nil)
	require.NoError(t, err)
	for want, source := range map[string]routeauth.TokenSource{
		"503": remote,
		"*errors.errorString": routeauth.TokenSourceFunc(func(context.Context, routeauth.Params) (routeauth.Token, error) {
			return routeauth.Token{}, errors.New("no user 17")
		}),
	} {
		api, telemetry := aiutatest.NewServer(aiutatest.Config{InProcess: true}), newTelemetry()
		err := get(t, telemetry.newClient(t, api, true, routeauth.BearerAuth{Source: source}), api)
		var credential *routeauth.CredentialError
		require.ErrorAs(t, err, &credential)
		assert.Equal(t, []string{"routeauth.credential.fetch.duration: 1 x error.type=" + want +
			" routeauth.background=false routeauth.scheme=bearer"}, telemetry.metrics("routeauth.credential.fetch.duration"))
	}
}
