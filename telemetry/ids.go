package telemetry

import (
	"context"
	"encoding/binary"
	"math/rand/v2"

	"go.opentelemetry.io/otel/trace"
)

// idsKey is where a context carries the ids of the span that is about to be made.
type idsKey struct{}

// ids are a span's, given out before the span exists: the upstream is told
// them when the request leaves, and whether there will be a span at all may
// only be known when it has ended.
type ids struct {
	trace trace.TraceID
	span  trace.SpanID
}

// givenIDs is an sdk.IDGenerator that gives each span the ids of its context,
// or random ones if it has none.
type givenIDs struct{}

// NewIDs implements sdk.IDGenerator.
func (givenIDs) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	if i, ok := ctx.Value(idsKey{}).(ids); ok {
		return i.trace, i.span
	}
	return newTraceID(), newSpanID()
}

// NewSpanID implements sdk.IDGenerator.
func (givenIDs) NewSpanID(ctx context.Context, _ trace.TraceID) trace.SpanID {
	if i, ok := ctx.Value(idsKey{}).(ids); ok {
		return i.span
	}
	return newSpanID()
}

// newTraceID returns a random trace id; one of zeros is not valid, and so is never given.
func newTraceID() (id trace.TraceID) {
	binary.BigEndian.PutUint64(id[:8], rand.Uint64())
	binary.BigEndian.PutUint64(id[8:], rand.Uint64()|1)
	return id
}

// newSpanID returns a random span id that is not zero.
func newSpanID() (id trace.SpanID) {
	binary.BigEndian.PutUint64(id[:], rand.Uint64()|1)
	return id
}
