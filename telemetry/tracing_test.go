package telemetry

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	wire "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/proxy"
)

const (
	callerTrace = "0af7651916cd43dd8448eb211c80319c"
	callerSpan  = "b7ad6b7169203331"
)

// to returns the assignment of a request to track t.
func to(t haldane.Track) proxy.Assignment {
	return proxy.Assignment{
		Service: "shop", Route: "/pay", Version: "1.5.0", Track: t,
		Split: haldane.Split{Service: "shop", Rollout: "shop-1.5.0", Epoch: 3, Weight: 500},
	}
}

var _ proxy.Tracer = (*Tracing)(nil)

// tracing returns a Tracing that sends to a real receiver, and a function that
// ends it and returns the spans received, by name.
func tracing(t *testing.T, sample float64) (*Tracing, func() map[string]*wire.Span) {
	t.Helper()
	url, received := receive(t)
	tr, err := Setup(t.Context(), Config{OTLP: url, Sample: sample, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return tr, func() map[string]*wire.Span {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // what is queued leaves all the same
		if err := tr.Run(ctx); err != nil {
			t.Fatalf("run: got %v, want nil", err)
		}
		select {
		case m := <-received:
			resource := attributes(m.GetResourceSpans()[0].GetResource().GetAttributes())
			if resource["service.name"] != "haldane" || resource["service.version"] != "test" {
				t.Errorf("resource: got %v, want haldane test", resource)
			}
			return spansOf(m)
		default:
			return nil
		}
	}
}

// upstream is where the canary is.
func upstream(t *testing.T) *url.URL {
	t.Helper()
	u, err := url.Parse("http://user:secret@127.0.0.1:9002")
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func incoming(traceparent string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "http://shop.example:8080/pay/17?token=secret", http.NoBody)
	if traceparent != "" {
		r.Header.Set("Traceparent", traceparent)
		r.Header.Set("Tracestate", "vendor=1")
	}
	return r
}

func TestSampledRequestArrivesAsTwoSpans(t *testing.T) {
	tr, spans := tracing(t, 0)
	_, q := tr.Start(incoming("00-"+callerTrace+"-"+callerSpan+"-01"), to(haldane.Canary))
	out := http.Header{}
	q.Attempt(haldane.Canary, upstream(t), out)(200, nil)
	q.End(haldane.OK, 200)

	got := spans()
	server, client := got["GET /pay"], got["GET"]
	if server == nil || client == nil || len(got) != 2 {
		t.Fatalf("spans: got %v, want GET /pay and GET", got)
	}
	if server.GetKind() != wire.Span_SPAN_KIND_SERVER || client.GetKind() != wire.Span_SPAN_KIND_CLIENT {
		t.Errorf("kinds: got %v and %v, want server and client", server.GetKind(), client.GetKind())
	}
	for name, s := range got {
		if id := hex.EncodeToString(s.GetTraceId()); id != callerTrace || id != q.TraceID() {
			t.Errorf("trace of %s: got %s, want %s", name, id, callerTrace)
		}
	}
	if parent := hex.EncodeToString(server.GetParentSpanId()); parent != callerSpan {
		t.Errorf("parent of the server span: got %s, want %s", parent, callerSpan)
	}
	if string(client.GetParentSpanId()) != string(server.GetSpanId()) {
		t.Errorf("parent of the client span: got %x, want %x", client.GetParentSpanId(), server.GetSpanId())
	}
	want := "00-" + callerTrace + "-" + hex.EncodeToString(client.GetSpanId()) + "-01"
	if tp := out.Get("Traceparent"); tp != want || out.Get("Tracestate") != "vendor=1" {
		t.Errorf("to the upstream: got %v, want traceparent %s", out, want)
	}
	wantAttributes := map[string]string{
		"haldane.service": "shop", "haldane.rollout": "shop-1.5.0", "haldane.version": "1.5.0", "haldane.track": "canary", "haldane.weight_epoch": "3",
		"haldane.weight_bp": "500", "http.request.method": "GET", "http.route": "/pay", "url.path": "/pay/17", "url.scheme": "http",
		"network.protocol.version": "1.1", "server.address": "shop.example", "server.port": "8080", "http.response.status_code": "200",
	}
	if diff := cmp.Diff(wantAttributes, attributes(server.GetAttributes())); diff != "" {
		t.Errorf("attributes of the server span (-want +got):\n%s", diff)
	}
	if a := attributes(client.GetAttributes()); a["url.full"] != "http://127.0.0.1:9002/pay/17" || a["server.address"] != "127.0.0.1" || a["server.port"] != "9002" {
		t.Errorf("attributes of the client span: got %v, want those of the upstream, without the query", a)
	}
}

func TestAttemptIsClassedByItsError(t *testing.T) {
	dial := &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	for want, c := range map[haldane.Class]struct {
		status int
		err    error
	}{
		haldane.OK:          {200, nil},
		haldane.ServerError: {502, nil},
		haldane.Canceled:    {0, fmt.Errorf("forward: %w", context.Canceled)},
		haldane.Timeout:     {0, fmt.Errorf("forward: %w", context.DeadlineExceeded)},
		haldane.Unreachable: {0, fmt.Errorf("forward: %w", dial)},
		haldane.Reset:       {200, io.ErrUnexpectedEOF},
	} {
		if got := classOf(c.status, c.err); got != want {
			t.Errorf("class of %d, %v: got %v, want %v", c.status, c.err, got, want)
		}
	}
}

func TestHealthyRequestIsRecordedOnlyIfSampled(t *testing.T) {
	for claim, c := range map[string]struct {
		traceparent string
		sample      float64
		want        int
	}{
		"the caller records it":               {"00-" + callerTrace + "-" + callerSpan + "-01", 0, 2},
		"the caller does not record it":       {"00-" + callerTrace + "-" + callerSpan + "-00", 1, 0},
		"begun here, none sampled":            {"", 0, 0},
		"begun here, all sampled":             {"", 1, 2},
		"a garbled traceparent is none":       {"00-zz-" + callerSpan + "-01", 0, 0},
		"an endless traceparent is none, too": {strings.Repeat("00", 1<<15), 0, 0},
	} {
		t.Run(claim, func(t *testing.T) {
			tr, spans := tracing(t, c.sample)
			_, q := tr.Start(incoming(c.traceparent), to(haldane.Baseline))
			if found := q.TraceID() != ""; found != (c.want > 0) {
				t.Errorf("trace id: got %q, want one = %v", q.TraceID(), c.want > 0)
			}
			q.Attempt(haldane.Baseline, upstream(t), http.Header{})
			q.End(haldane.OK, 200)
			if got := spans(); len(got) != c.want {
				t.Errorf("spans: got %v, want %d", got, c.want)
			}
		})
	}
}

func TestFailureIsRecordedThoughNotSampled(t *testing.T) {
	tr, spans := tracing(t, 0)
	_, q := tr.Start(incoming(""), to(haldane.Canary))
	first, second := http.Header{}, http.Header{"Tracestate": {"vendor=1"}}
	q.Attempt(haldane.Canary, upstream(t), first)(0, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED})
	q.Attempt(haldane.Baseline, upstream(t), second)(200, nil)
	q.End(haldane.Unreachable, 200)

	got := spans()
	server, last := got["GET /pay"], got["GET"]
	if server == nil || last == nil {
		t.Fatalf("spans: got %v, want GET /pay and GET", got)
	}
	if server.GetStatus().GetCode() != wire.Status_STATUS_CODE_ERROR {
		t.Errorf("status of the server span: got %v, want error", server.GetStatus())
	}
	if kind := attributes(server.GetAttributes())["error.type"]; kind != "unreachable" {
		t.Errorf("error.type: got %q, want unreachable", kind)
	}
	if a := attributes(last.GetAttributes()); a["haldane.track"] != "baseline" || a["error.type"] != "" {
		t.Errorf("the retry: got %v, want a healthy baseline", a)
	}
	want := "00-" + q.TraceID() + "-" + hex.EncodeToString(last.GetSpanId()) + "-00"
	if tp := second.Get("Traceparent"); tp != want {
		t.Errorf("traceparent of the retry: got %s, want %s", tp, want)
	}
	if first.Get("Traceparent") == want {
		t.Errorf("both attempts were sent the span %s", want)
	}
	if second.Get("Tracestate") != "" {
		t.Errorf("tracestate: got %q, want none without a traceparent", second.Get("Tracestate"))
	}
}

func TestAnswerThatBreaksInItsBodyIsAFailure(t *testing.T) {
	tr, spans := tracing(t, 0)
	_, q := tr.Start(incoming(""), to(haldane.Canary))
	q.Attempt(haldane.Canary, upstream(t), http.Header{})(200, nil) // the head was fine
	q.End(haldane.Reset, 200)
	for name, s := range spans() {
		if kind := attributes(s.GetAttributes())["error.type"]; kind != "reset" {
			t.Errorf("error.type of %s: got %q, want reset", name, kind)
		}
	}
}

func TestServerErrorIsNamedByItsStatus(t *testing.T) {
	tr, spans := tracing(t, 0)
	r := incoming("")
	r.Method, r.Host, r.ProtoMajor, r.ProtoMinor = "BREW", "pot", 2, 0
	_, q := tr.Start(r, to(haldane.Canary))
	q.Attempt(haldane.Canary, nil, http.Header{})
	q.End(haldane.ServerError, 503)
	server := spans()["HTTP /pay"]
	if server == nil {
		t.Fatal("no span HTTP /pay")
	}
	a := attributes(server.GetAttributes())
	if a["error.type"] != "503" || a["http.request.method"] != "_OTHER" || a["server.address"] != "pot" || a["network.protocol.version"] != "2" {
		t.Errorf("attributes: got %v, want error.type 503, method _OTHER, server pot, protocol 2", a)
	}
}

func TestDecisionIsLinkedToTheTracesThatConvinced(t *testing.T) {
	tr, spans := tracing(t, 0)
	at := time.Date(2026, 11, 22, 17, 0, 0, 0, time.UTC)
	tr.Decided(haldane.Decision{
		Seq: 4, Service: "shop", Rollout: "shop-1.5.0", Kind: haldane.KindRolledBack, Actor: haldane.ControllerActor,
		Reason: "errors: worse", TraceIDs: []string{callerTrace, "not a trace id"}, At: at,
	})
	s := spans()["rollout rolledback"]
	if s == nil {
		t.Fatal("no span for the decision")
	}
	if len(s.GetLinks()) != 1 || hex.EncodeToString(s.GetLinks()[0].GetTraceId()) != callerTrace {
		t.Errorf("links: got %v, want one to %s", s.GetLinks(), callerTrace)
	}
	if got := time.Unix(0, int64(s.GetStartTimeUnixNano())); !got.Equal(at) {
		t.Errorf("time: got %v, want %v", got, at)
	}
	want := map[string]string{
		"haldane.service": "shop", "haldane.rollout": "shop-1.5.0", "haldane.decision": "rolledback", "haldane.seq": "4",
		"haldane.actor": "controller", "haldane.reason": "errors: worse", "haldane.weight_bp": "0",
	}
	if diff := cmp.Diff(want, attributes(s.GetAttributes())); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
}

func TestSetup(t *testing.T) {
	if tr, err := Setup(t.Context(), Config{Sample: 0.01}); tr != nil || err != nil {
		t.Errorf("without a receiver: got %v, %v, want nil, nil", tr, err)
	}
	for _, c := range []Config{{OTLP: "127.0.0.1:4318"}, {OTLP: "ftp://127.0.0.1"}, {OTLP: "http://%zz"}, {Sample: 1.5}, {Sample: -1}} {
		if _, err := Setup(t.Context(), c); !errors.Is(err, ErrConfig) {
			t.Errorf("%+v: got %v, want %v", c, err, ErrConfig)
		}
	}
}

func BenchmarkHealthyRequestNotSampled(b *testing.B) {
	tr := newTracing(Config{}, nil)
	r, out := incoming(""), http.Header{}
	b.ReportAllocs()
	for b.Loop() {
		_, q := tr.Start(r, to(haldane.Canary))
		q.Attempt(haldane.Canary, nil, out)(200, nil)
		q.End(haldane.OK, 200)
	}
}
