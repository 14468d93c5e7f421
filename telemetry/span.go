package telemetry

import (
	"context"
	"net"
	"net/url"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/haldane-canary/haldane"
)

// The attributes of our own, beside those of the semantic conventions.
const (
	attrService = attribute.Key("haldane.service")
	attrRollout = attribute.Key("haldane.rollout")
	attrTrack   = attribute.Key("haldane.track")
	attrVersion = attribute.Key("haldane.version")
	attrEpoch   = attribute.Key("haldane.weight_epoch")
	attrWeight  = attribute.Key("haldane.weight_bp")
	attrKind    = attribute.Key("haldane.decision")
	attrSeq     = attribute.Key("haldane.seq")
	attrActor   = attribute.Key("haldane.actor")
	attrReason  = attribute.Key("haldane.reason")
)

// serverSpan begins the span of q as the client sees it. Its name and
// http.route come from configuration; the query is left out, as it is where
// secrets travel.
func (q *request) serverSpan(c haldane.Class, status int) trace.Span {
	r := q.request
	ctx := context.WithValue(trace.ContextWithRemoteSpanContext(context.Background(), q.parent), idsKey{}, q.id)
	host, port := hostPort(r.Host)
	attrs := append(q.common(q.assigned.Track), attrVersion.String(q.assigned.Version), semconv.HTTPRoute(q.assigned.Route), semconv.URLPath(r.URL.Path), semconv.URLScheme(scheme(r.TLS != nil)),
		semconv.NetworkProtocolVersion(protocol(r.ProtoMajor, r.ProtoMinor)), semconv.ServerAddress(host))
	if port > 0 {
		attrs = append(attrs, semconv.ServerPort(port))
	}
	_, span := q.tracing.tracer.Start(ctx, method(r.Method)+" "+q.assigned.Route,
		trace.WithSpanKind(trace.SpanKindServer), trace.WithTimestamp(q.began), trace.WithAttributes(attrs...))
	outcome(span, c, status)
	return span
}

// clientSpan makes the span of one call of an upstream, as a child of ctx's.
func (q *request) clientSpan(ctx context.Context, a *attempt) {
	ctx = context.WithValue(ctx, idsKey{}, ids{q.id.trace, a.span})
	attrs := q.common(a.track)
	if a.upstream != nil {
		host, port := hostPort(a.upstream.Host)
		full := url.URL{Scheme: a.upstream.Scheme, Host: a.upstream.Host, Path: q.request.URL.Path}
		attrs = append(attrs, semconv.ServerAddress(host), semconv.URLFull(full.String()))
		if port > 0 {
			attrs = append(attrs, semconv.ServerPort(port))
		}
	}
	_, span := q.tracing.tracer.Start(ctx, method(q.request.Method),
		trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(a.began), trace.WithAttributes(attrs...))
	outcome(span, a.class, a.status)
	span.End(trace.WithTimestamp(a.ended))
}

// common returns the attributes that both sides of a request bear.
func (q *request) common(t haldane.Track) []attribute.KeyValue {
	attrs := []attribute.KeyValue{
		attrService.String(q.assigned.Service), attrRollout.String(q.assigned.Split.Rollout), attrTrack.String(t.String()),
		attrEpoch.Int64(int64(q.assigned.Split.Epoch)), attrWeight.Int64(int64(q.assigned.Split.Weight)),
	}
	if m := method(q.request.Method); m != "HTTP" {
		return append(attrs, semconv.HTTPRequestMethodKey.String(m))
	}
	return append(attrs, semconv.HTTPRequestMethodOther)
}

// outcome writes how it ended into span.
func outcome(span trace.Span, c haldane.Class, status int) {
	if status > 0 {
		span.SetAttributes(semconv.HTTPResponseStatusCode(status))
	}
	if !c.Failed() {
		return
	}
	kind := c.String()
	if c == haldane.ServerError && status > 0 {
		kind = strconv.Itoa(status)
	}
	span.SetAttributes(semconv.ErrorTypeKey.String(kind))
	span.SetStatus(codes.Error, "")
}

// method returns a method as it may stand in a span's name: one of those of
// RFC 9110 and 5789, or HTTP, so that callers cannot make up names.
func method(m string) string {
	switch m {
	case "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH":
		return m
	}
	return "HTTP"
}

// hostPort splits a Host header; the port is 0 if it names none.
func hostPort(hostport string) (host string, port int) {
	host, digits, err := net.SplitHostPort(hostport)
	if err != nil {
		return hostport, 0
	}
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil {
		return host, 0
	}
	return host, int(n)
}

func scheme(tls bool) string {
	if tls {
		return "https"
	}
	return "http"
}

// protocol returns the HTTP version as the conventions want it: "1.1", "2".
func protocol(major, minor int) string {
	if major >= 2 {
		return strconv.Itoa(major)
	}
	return strconv.Itoa(major) + "." + strconv.Itoa(minor)
}
