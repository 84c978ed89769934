package integration_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"example.com/routeauth"
	"example.com/routeauth/aiuta"
	"example.com/routeauth/aiuta/aiutatest"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	oteltrace "go.opentelemetry.io/otel/trace"
)

// newOtelTrace returns a Trace that counts in a meter of OpenTelemetry. A pattern
// is relative to the base URL, whose path goes before it in url.template.
func newOtelTrace(meter metric.Meter, basePath string) (*routeauth.Trace, error) {
	decisions, err1 := meter.Int64Counter("routeauth.decisions", metric.WithUnit("{decision}"),
		metric.WithDescription("What was decided about requests."))
	rejections, err2 := meter.Int64Counter("routeauth.rejections", metric.WithUnit("{rejection}"),
		metric.WithDescription("Credentials that a server answered with 401, and whether another one was sent."))
	fetches, err3 := meter.Float64Histogram("routeauth.credential.fetch.duration", metric.WithUnit("s"),
		metric.WithDescription("Calls of the sources of credentials."),
		metric.WithExplicitBucketBoundaries(.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10))
	schemeIs := func(s routeauth.Scheme) attribute.KeyValue { return attribute.String("routeauth.scheme", string(s)) }
	return &routeauth.Trace{
		Decided: func(ctx context.Context, d routeauth.Decision) {
			attributes := []attribute.KeyValue{
				attribute.String("routeauth.verdict", strings.ReplaceAll(d.Verdict.String(), " ", "_")),
			}
			if d.Verdict == routeauth.InScope { // else no route was asked
				attributes = append(attributes, attribute.String("routeauth.requirement", d.Requirement.String()))
			}
			if d.Scheme != "" { // else no credential goes out
				attributes = append(attributes, schemeIs(d.Scheme))
			}
			if d.Pattern != "" { // else the path is no route's, and there may be any number of paths
				template := semconv.URLTemplate(basePath + d.Pattern[strings.Index(d.Pattern, "/"):])
				attributes = append(attributes, template)
				if labels, above := otelhttp.ClientLabelerFromContext(ctx); above { // else the span is the caller's
					labels.Add(template)
					oteltrace.SpanFromContext(ctx).SetAttributes(template)
				}
			}
			decisions.Add(ctx, 1, metric.WithAttributes(attributes...))
		},
		TokenFetched: func(ctx context.Context, f routeauth.TokenFetch) {
			attributes := []attribute.KeyValue{schemeIs(f.Scheme), attribute.Bool("routeauth.background", f.Background)}
			if endpoint := (*routeauth.EndpointError)(nil); errors.As(f.Err, &endpoint) {
				attributes = append(attributes, semconv.ErrorTypeKey.String(strconv.Itoa(endpoint.StatusCode)))
			} else if f.Err != nil {
				attributes = append(attributes, semconv.ErrorType(f.Err))
			}
			fetches.Record(ctx, f.Took.Seconds(), metric.WithAttributes(attributes...))
		},
		Unauthorized: func(ctx context.Context, e *routeauth.UnauthorizedError, sentAgain bool) {
			rejections.Add(ctx, 1, metric.WithAttributes(schemeIs(e.Scheme), attribute.Bool("routeauth.sent_again", sentAgain)))
		},
	}, errors.Join(err1, err2, err3)
}

// Metrics of OpenTelemetry, for each request of a transport and for what its
// sources do. With otelhttp above the transport, the route is also in otelhttp's
// span and metrics.
func Example_openTelemetry() {
	api := aiutatest.NewServer(aiutatest.Config{InProcess: true})
	reader := sdkmetric.NewManualReader()
	meter := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("example.com/routeauth")

	trace, err := newOtelTrace(meter, "/digital-try-on/v1")
	if err != nil {
		log.Fatal(err)
	}
	policy, err := routeauth.NewPolicy(api.DigitalTryOnURL(), aiuta.DigitalTryOnRoutes())
	if err != nil {
		log.Fatal(err)
	}
	source := routeauth.SecretSourceFunc(func(context.Context) (routeauth.Secret, error) { return aiutatest.APIKey, nil })
	transport, err := routeauth.New(policy, routeauth.APIKeyAuth{Source: source}, api.Transport(), routeauth.WithTrace(trace))
	if err != nil {
		log.Fatal(err)
	}
	client := &http.Client{Transport: transport}
	for _, path := range []string{"/predefined_try_on_models", "/uploaded_images/1", "/uploaded_images/2", "/no-route"} {
		if resp, err := client.Get(api.DigitalTryOnURL() + path); err == nil {
			resp.Body.Close()
		}
	}
	_, _ = client.Get(api.URL + "/digital-try-on/v1/..%2fadmin") // refused
	api.SetAPIKeys("another-key")
	_, _ = client.Get(api.DigitalTryOnURL() + "/uploaded_images/3") // 401

	for _, line := range measured(reader) {
		fmt.Println(line)
	}
	// Output:
	// routeauth.credential.fetch.duration: 5 x routeauth.background=false routeauth.scheme=api-key
	// routeauth.decisions: 1 x routeauth.requirement=mandatory routeauth.scheme=api-key routeauth.verdict=in_scope
	// routeauth.decisions: 1 x routeauth.requirement=optional routeauth.scheme=api-key routeauth.verdict=in_scope url.template=/digital-try-on/v1/predefined_try_on_models
	// routeauth.decisions: 1 x routeauth.verdict=refused
	// routeauth.decisions: 3 x routeauth.requirement=optional routeauth.scheme=api-key routeauth.verdict=in_scope url.template=/digital-try-on/v1/uploaded_images/{image_id}
	// routeauth.rejections: 1 x routeauth.scheme=api-key routeauth.sent_again=false
}

// measured returns what a reader collects, as one line for each set of
// attributes, with how often it was counted or recorded.
func measured(reader sdkmetric.Reader) (lines []string) {
	var collected metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &collected); err != nil {
		log.Fatal(err)
	}
	add := func(name string, count any, attributes attribute.Set) {
		line := fmt.Sprintf("%s: %v x", name, count)
		for _, a := range attributes.ToSlice() { // sorted
			line += fmt.Sprintf(" %s=%s", a.Key, a.Value.String())
		}
		lines = append(lines, line)
	}
	for _, scope := range collected.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, point := range data.DataPoints {
					add(m.Name, point.Value, point.Attributes)
				}
			case metricdata.Histogram[float64]:
				for _, point := range data.DataPoints {
					add(m.Name, point.Count, point.Attributes)
				}
			}
		}
	}
	slices.Sort(lines)
	return lines
}
