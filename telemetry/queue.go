package telemetry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// The sizes of a queue: two seconds of 1,000 spans a second wait, and a
// message carries no more than most receivers take.
const (
	queueSize = 2048
	batchSize = 512
	batchWait = time.Second // the longest that a span waits for company
)

// A queue carries ended spans to the exporter. It takes each span without
// waiting, or drops and counts it: what the SDK's own batcher does, but
// counted, and with no goroutine before run is called.
type queue struct {
	exporter sdk.SpanExporter
	spans    chan sdk.ReadOnlySpan
	sent     prometheus.Counter
	dropped  *prometheus.CounterVec
}

func newQueue(e sdk.SpanExporter) *queue {
	q := &queue{
		exporter: e,
		spans:    make(chan sdk.ReadOnlySpan, queueSize),
		sent: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "haldane_spans_sent_total", Help: "Spans that the OTLP receiver took.",
		}),
		dropped: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "haldane_spans_dropped_total", Help: "Spans lost, by reason: the queue was full, or the receiver did not take them.",
		}, []string{"reason"}),
	}
	q.dropped.WithLabelValues("queue_full")
	q.dropped.WithLabelValues("not_taken")
	return q
}

// OnStart implements sdk.SpanProcessor.
func (q *queue) OnStart(context.Context, sdk.ReadWriteSpan) {}

// OnEnd implements sdk.SpanProcessor. It never waits.
func (q *queue) OnEnd(s sdk.ReadOnlySpan) {
	select {
	case q.spans <- s:
	default:
		q.dropped.WithLabelValues("queue_full").Inc()
	}
}

// ForceFlush implements sdk.SpanProcessor; spans leave with run only.
func (q *queue) ForceFlush(context.Context) error { return nil }

// Shutdown implements sdk.SpanProcessor; run's context is what ends it.
func (q *queue) Shutdown(context.Context) error { return nil }

// run exports until ctx ends, and then what is left.
func (q *queue) run(ctx context.Context) error {
	for ctx.Err() == nil {
		q.export(ctx, q.batch(ctx))
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), exportTimeout)
	defer cancel()
	for len(q.spans) > 0 && last.Err() == nil {
		q.export(last, q.batch(ctx)) // ctx has ended: batch does not wait for company
	}
	q.dropped.WithLabelValues("not_taken").Add(float64(len(q.spans)))
	if err := q.exporter.Shutdown(last); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("end the sending of traces: %w", err)
	}
	return nil
}

// batch returns the next spans, as soon as there are batchSize of them, or
// batchWait after the first, or at the end of ctx.
func (q *queue) batch(ctx context.Context) []sdk.ReadOnlySpan {
	batch := make([]sdk.ReadOnlySpan, 0, batchSize)
	var timeout <-chan time.Time // none before the first span
	for len(batch) < batchSize {
		select {
		case s := <-q.spans:
			batch = append(batch, s)
			continue
		default:
		}
		if len(batch) > 0 && timeout == nil {
			timeout = time.After(batchWait)
		}
		select {
		case s := <-q.spans:
			batch = append(batch, s)
		case <-timeout:
			return batch
		case <-ctx.Done():
			return batch
		}
	}
	return batch
}

// export sends a batch, and counts it as sent or dropped. A receiver that is
// away is seen in the metrics; a line of log a second would say no more.
func (q *queue) export(ctx context.Context, batch []sdk.ReadOnlySpan) {
	if len(batch) == 0 {
		return
	}
	// The batch in hand when ctx ends is still sent.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), exportTimeout)
	defer cancel()
	if err := q.exporter.ExportSpans(ctx, batch); err != nil {
		q.dropped.WithLabelValues("not_taken").Add(float64(len(batch)))
		return
	}
	q.sent.Add(float64(len(batch)))
}

func (q *queue) describe(ch chan<- *prometheus.Desc) {
	q.sent.Describe(ch)
	q.dropped.Describe(ch)
}

func (q *queue) collect(ch chan<- prometheus.Metric) {
	q.sent.Collect(ch)
	q.dropped.Collect(ch)
}
