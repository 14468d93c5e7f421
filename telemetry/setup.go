package telemetry

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// ErrConfig is returned, wrapped, for a Config that cannot be used.
var ErrConfig = errors.New("not a usable telemetry configuration")

// exportTimeout is how long one batch of spans may take on its way.
const exportTimeout = 5 * time.Second

// maxAttribute is how many bytes of an attribute are kept: a request's path
// is the caller's, and may be as long as it likes.
const maxAttribute = 1024

// A Config says where traces go.
type Config struct {
	OTLP    string  // base URL of an OTLP/HTTP receiver, such as http://127.0.0.1:4318; "" = no traces
	Sample  float64 // share of the traces begun here that are recorded though nothing failed, in [0, 1]
	Version string  // of this program
}

// Validate returns every fault of c, joined, each wrapping ErrConfig.
func (c Config) Validate() error {
	var faults []error
	if c.OTLP != "" {
		u, err := url.Parse(c.OTLP)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			faults = append(faults, fmt.Errorf("otlp %q (a URL such as http://127.0.0.1:4318): %w", c.OTLP, ErrConfig))
		}
	}
	if !(c.Sample >= 0 && c.Sample <= 1) {
		faults = append(faults, fmt.Errorf("sample %v (a share from 0 to 1): %w", c.Sample, ErrConfig))
	}
	return errors.Join(faults...)
}

// Tracing makes spans of requests and decisions, and sends them. It is safe
// for concurrent use.
type Tracing struct {
	sample float64
	tracer trace.Tracer
	queue  *queue
}

// Setup returns a Tracing as c has it, or nil if c wants no traces. It sends
// nothing before Run is called.
func Setup(ctx context.Context, c Config) (*Tracing, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.OTLP == "" {
		return nil, nil // no traces are wanted: an answer, not a fault
	}
	endpoint, err := url.JoinPath(c.OTLP, "v1", "traces")
	if err != nil {
		return nil, fmt.Errorf("otlp %q: %w: %w", c.OTLP, ErrConfig, err)
	}
	exporter, err := otlptracehttp.New(ctx,
		otlptracehttp.WithEndpointURL(endpoint),
		otlptracehttp.WithTimeout(exportTimeout),
		// A batch that fails is dropped and counted; trying again would only
		// make the next ones late.
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: false}))
	if err != nil {
		return nil, fmt.Errorf("set up the sending of traces to %s: %w", c.OTLP, err)
	}
	return newTracing(c, exporter), nil
}

// newTracing returns a Tracing that sends its spans through e.
func newTracing(c Config, e sdk.SpanExporter) *Tracing {
	q := newQueue(e)
	limits := sdk.NewSpanLimits()
	limits.AttributeValueLengthLimit = maxAttribute
	provider := sdk.NewTracerProvider(
		sdk.WithSpanProcessor(q),
		sdk.WithSampler(sdk.AlwaysSample()), // Start has chosen; no span is made that is not to be kept
		sdk.WithIDGenerator(givenIDs{}),
		sdk.WithRawSpanLimits(limits),
		sdk.WithResource(resource.NewWithAttributes(semconv.SchemaURL,
			semconv.ServiceName("haldane"), semconv.ServiceVersion(c.Version))),
	)
	return &Tracing{
		sample: c.Sample,
		tracer: provider.Tracer("github.com/haldane-canary/haldane", trace.WithInstrumentationVersion(c.Version)),
		queue:  q,
	}
}

// Run sends spans until ctx ends, and then those that are left, for at most
// a few seconds.
func (t *Tracing) Run(ctx context.Context) error { return t.queue.run(ctx) }

// Describe implements prometheus.Collector.
func (t *Tracing) Describe(ch chan<- *prometheus.Desc) { t.queue.describe(ch) }

// Collect implements prometheus.Collector.
func (t *Tracing) Collect(ch chan<- prometheus.Metric) { t.queue.collect(ch) }
