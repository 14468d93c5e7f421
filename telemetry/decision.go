package telemetry

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/haldane-canary/haldane"
)

// Decided makes a span of d: a moment in a trace of its own, linked to the
// traces of the requests that convinced the judge. A decision is always
// recorded.
func (t *Tracing) Decided(d haldane.Decision) {
	_, span := t.tracer.Start(context.Background(), "rollout "+string(d.Kind),
		trace.WithTimestamp(d.At), trace.WithLinks(links(d)...), trace.WithAttributes(
			attrService.String(d.Service), attrRollout.String(d.Rollout), attrKind.String(string(d.Kind)),
			attrSeq.Int64(int64(d.Seq)), attrActor.String(d.Actor), attrReason.String(d.Reason),
			attrWeight.Int64(int64(d.Weight))))
	span.End(trace.WithTimestamp(d.At))
}

// links returns a link to each trace that d names. Evidence keeps trace ids
// without span ids; such a link is recorded because it bears an attribute
// (OpenTelemetry specification, "Trace API: Specifying links").
func links(d haldane.Decision) []trace.Link {
	var links []trace.Link
	for _, hex := range d.TraceIDs {
		id, err := trace.TraceIDFromHex(hex)
		if err != nil {
			continue // a caller's own notion of a trace id; it stays readable in the decision
		}
		links = append(links, trace.Link{
			SpanContext: trace.NewSpanContext(trace.SpanContextConfig{TraceID: id}),
			Attributes:  []attribute.KeyValue{attrTrack.String(haldane.Canary.String())},
		})
	}
	return links
}
