package bus_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/events"
	"github.com/haldane-canary/haldane/events/bus"
	"github.com/haldane-canary/haldane/sketch"
)

// report returns what a proxy may have counted.
func report() sketch.Report {
	w := sketch.Window{Track: haldane.Canary, Route: "/pay"}
	w.Observe(haldane.OK, 12*time.Millisecond)
	w.Observe(haldane.ServerError, time.Millisecond)
	from := time.Date(2026, 11, 22, 17, 0, 0, 1, time.UTC)
	return sketch.Report{
		Service: "shop", Rollout: "shop-1.5.0", Proxy: "p1", Epoch: 3, Weight: 500,
		From: from, To: from.Add(time.Second), Windows: []sketch.Window{w}, Traces: []string{"4bf92f3577b34da6a3ce929d0e0e4736"},
	}
}

// heard listens with listen until say has been heard once: what is said before
// the listener listens is lost, so it is said again and again.
func heard[T any](t *testing.T, listen func(context.Context, func(T)) error, say func() error) (got T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() {
		done <- listen(ctx, func(v T) {
			if ctx.Err() == nil {
				got = v
			}
			cancel()
		})
	}()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if err := say(); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			return got
		case <-tick.C:
		}
	}
}

func TestReportsGoRound(t *testing.T) {
	b := open(t, bus.Config{Dir: t.TempDir()})
	want := report()
	got := heard(t, b.SubscribeReports, func() error { return b.PublishReport(t.Context(), want) })
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("report (-sent +heard):\n%s", d)
	}
}

func TestVerdictsGoRound(t *testing.T) {
	b := open(t, bus.Config{Dir: t.TempDir()})
	want := haldane.Verdict{
		Judgement: haldane.Fail, Service: "shop", Rollout: "shop-1.5.0", Epoch: 3, Step: 2, Alpha: 0.01,
		Reason: "errors", Counts: []byte(`{"n":1}`), Warnings: []string{},
		Indicators: []haldane.Evidence{{Name: haldane.Errors, LogE: 5.1, Interval: haldane.Interval{Lower: 1.2, Upper: 3}}},
	}
	got := heard(t, b.SubscribeVerdicts, func() error { return b.PublishVerdict(t.Context(), want) })
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("verdict (-sent +heard):\n%s", d)
	}
}

func TestMalformedMessagesAreCountedAndSkipped(t *testing.T) {
	b := open(t, local(t.TempDir()))
	nc, err := nats.Connect(b.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	say := func() error {
		// A flush between ours and the good one keeps their order.
		for subject, payload := range map[string]string{
			events.WindowSubject("shop", "a"): "\x00",
			events.WindowSubject("shop", "b"): `{"service":"shop","rollout":"b"}`,
			events.WindowSubject("shop", "c"): `{"service":"shop","rollout":"x","proxy":"p"}`,
			events.WindowSubject("shop", "d"): `{"windows":[{"latency":{"scale":6,"offset":-99999,"counts":[1]}}]}`,
		} {
			if err := nc.Publish(subject, []byte(payload)); err != nil {
				return err
			}
		}
		return errors.Join(nc.Flush(), b.PublishReport(t.Context(), report()))
	}
	// The listener may begin to listen between two messages, so it waits until all were met.
	reports := func(ctx context.Context, fn func(sketch.Report)) error {
		return b.SubscribeReports(ctx, func(r sketch.Report) {
			if metric(t, b, "haldane_bus_malformed_total", "report") >= 4 {
				fn(r)
			}
		})
	}
	verdicts := func(ctx context.Context, fn func(haldane.Verdict)) error {
		return b.SubscribeVerdicts(ctx, func(v haldane.Verdict) {
			if metric(t, b, "haldane_bus_malformed_total", "verdict") >= 3 {
				fn(v)
			}
		})
	}
	if got := heard(t, reports, say); got.Rollout != "shop-1.5.0" {
		t.Errorf("heard %+v", got)
	}
	if got := heard(t, verdicts, func() error {
		bad := errors.Join(nc.Publish(events.VerdictSubject("a", "b"), []byte(`{"verdict":"perhaps"}`)),
			nc.Publish(events.VerdictSubject("a", "b"), []byte(`{"verdict":"fail"}`)),
			nc.Publish(events.VerdictSubject("a", "b"), []byte(`{"verdict":"fail","service":"a","rollout":"c"}`)), nc.Flush())
		return errors.Join(bad, b.PublishVerdict(t.Context(), haldane.Verdict{Service: "shop", Rollout: "r"}))
	}); got.Rollout != "r" {
		t.Errorf("heard %+v", got)
	}
	if got := metric(t, b, "haldane_bus_malformed_total", "split"); got != 0 {
		t.Errorf("%v splits counted as malformed, want none", got)
	}
}

// metric returns the value of one of b's counters.
func metric(t *testing.T, b *bus.Bus, name, kind string) float64 {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(b.Collectors()...)
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name && m.GetLabel()[0].GetValue() == kind {
				return m.GetCounter().GetValue()
			}
		}
	}
	return math.NaN()
}

func TestWhatCannotBeSentIsDroppedAndCounted(t *testing.T) {
	b := open(t, bus.Config{URLs: []string{"nats://127.0.0.1:1"}})
	if b.Connected() {
		t.Fatal("connected to nothing")
	}
	if err := b.PublishReport(t.Context(), report()); err == nil {
		t.Error("a report was sent to nobody")
	}
	if got := metric(t, b, "haldane_bus_messages_dropped_total", "report"); got != 1 {
		t.Errorf("dropped %v reports, want 1", got)
	}
	if got := testutil.ToFloat64(b.Collectors()[0]); got != 0 {
		t.Errorf("haldane_bus_connected %v, want 0", got)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := b.Append(ctx, decision("r", 1)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Append: got %v, want the context's end", err)
	}
	if err := b.PutSplit(t.Context(), haldane.Split{}); err == nil {
		t.Error("a split was put nowhere")
	}
	if _, err := b.Decisions(t.Context(), "", time.Time{}); err == nil {
		t.Error("decisions were read from nowhere")
	}
}
