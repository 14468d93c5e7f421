package telemetry

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"time"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/proxy"
)

// A request is the trace of one request, from its arrival to the end of its
// answer; it is a proxy.Span. One goroutine uses it.
type request struct {
	tracing  *Tracing
	request  *http.Request
	assigned proxy.Assignment
	began    time.Time

	parent   trace.SpanContext // the caller's span; not valid if it sent none
	id       ids               // of the server span
	sampled  bool
	failed   bool       // an attempt has failed
	attempts []*attempt // one for each upstream called: one, or two after a retry
}

// An attempt is one call of an upstream.
type attempt struct {
	span     trace.SpanID
	track    haldane.Track
	upstream *url.URL
	began    time.Time
	ended    time.Time // zero if with the request: an answer's body outlives its head
	class    haldane.Class
	status   int
}

// Start implements proxy.Tracer. The trace of r is the caller's, if r bears a
// valid traceparent, and then it is recorded if the caller records it; else it
// is begun here, and recorded with the configured probability.
func (t *Tracing) Start(r *http.Request, a proxy.Assignment) (context.Context, proxy.Span) {
	q := &request{tracing: t, request: r, assigned: a, began: time.Now()}
	var w3c propagation.TraceContext
	ctx := w3c.Extract(context.Background(), propagation.HeaderCarrier(r.Header))
	if q.parent = trace.SpanContextFromContext(ctx); q.parent.IsValid() {
		q.id.trace, q.sampled = q.parent.TraceID(), q.parent.IsSampled()
	} else {
		q.id.trace, q.sampled = newTraceID(), rand.Float64() < t.sample
	}
	q.id.span = newSpanID()
	return r.Context(), q
}

// TraceID implements proxy.Span: the trace's id, if it is recorded as far as
// is known by now.
func (q *request) TraceID() string {
	if q.sampled || q.failed {
		return q.id.trace.String()
	}
	return ""
}

// Attempt implements proxy.Span. A tracestate of the caller's goes on only
// with the traceparent it belongs to.
func (q *request) Attempt(t haldane.Track, upstream *url.URL, header http.Header) func(status int, err error) {
	a := &attempt{span: newSpanID(), track: t, upstream: upstream, began: time.Now()}
	q.attempts = append(q.attempts, a)
	var flags trace.TraceFlags
	out := trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: q.id.trace, SpanID: a.span, TraceFlags: flags.WithSampled(q.sampled), TraceState: q.parent.TraceState(),
	})
	header.Del("Tracestate")
	var w3c propagation.TraceContext
	w3c.Inject(trace.ContextWithSpanContext(context.Background(), out), propagation.HeaderCarrier(header))
	return func(status int, err error) {
		a.class, a.status = classOf(status, err), status
		if err != nil {
			a.ended = time.Now()
		}
		q.failed = q.failed || a.class.Failed()
	}
}

// classOf returns what became of an attempt, as far as its head tells.
func classOf(status int, err error) haldane.Class {
	var network net.Error
	var op *net.OpError
	switch {
	case err == nil:
		return haldane.ClassOf(status)
	case errors.Is(err, context.Canceled):
		return haldane.Canceled
	case errors.As(err, &op) && op.Op == "dial":
		return haldane.Unreachable
	case errors.As(err, &network) && network.Timeout(): // a context's deadline, too
		return haldane.Timeout
	}
	return haldane.Reset
}

// End implements proxy.Span. Spans are made only now, and only if the trace
// is recorded or c is a failure.
func (q *request) End(c haldane.Class, status int) {
	if !q.sampled && !c.Failed() {
		return
	}
	now := time.Now()
	server := q.serverSpan(c, status)
	ctx := trace.ContextWithSpan(context.Background(), server)
	for i, a := range q.attempts {
		if i == 0 {
			a.class = c // the observation is that of the first attempt, to the end of its answer's body
		}
		if a.ended.IsZero() {
			a.ended = now
		}
		q.clientSpan(ctx, a)
	}
	server.End(trace.WithTimestamp(now))
}
