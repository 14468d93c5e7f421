package telemetry

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/haldane-canary/haldane"
)

// exporter is a receiver that answers as told.
type exporter func(ctx context.Context, spans []sdk.ReadOnlySpan) error

func (e exporter) ExportSpans(ctx context.Context, s []sdk.ReadOnlySpan) error { return e(ctx, s) }
func (e exporter) Shutdown(context.Context) error                              { return nil }

func decide(tr *Tracing, n int) {
	for range n {
		tr.Decided(haldane.Decision{Kind: haldane.KindWeight})
	}
}

func TestSpansLeaveInBatchesWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		begun := time.Now()
		var sizes []int
		var times []time.Duration
		tr := newTracing(Config{}, exporter(func(_ context.Context, s []sdk.ReadOnlySpan) error {
			sizes, times = append(sizes, len(s)), append(times, time.Since(begun))
			return nil
		}))
		ended := make(chan error)
		decide(tr, batchSize+1)
		go func() { ended <- tr.Run(ctx) }()
		time.AfterFunc(2*batchWait, cancel)
		if err := <-ended; err != nil {
			t.Errorf("run: got %v, want nil", err)
		}
		if len(sizes) != 2 || sizes[0] != batchSize || sizes[1] != 1 || times[0] != 0 || times[1] != batchWait {
			t.Errorf("batches: got %v at %v, want %d at once and 1 after %v", sizes, times, batchSize, batchWait)
		}
		if n := testutil.ToFloat64(tr.queue.sent); n != batchSize+1 {
			t.Errorf("sent: got %v, want %d", n, batchSize+1)
		}
	})
}

func TestFullQueueDropsAndCounts(t *testing.T) {
	tr := newTracing(Config{}, tracetest.NewNoopExporter())
	decide(tr, queueSize+7) // nobody runs it
	if n := testutil.ToFloat64(tr.queue.dropped.WithLabelValues("queue_full")); n != 7 {
		t.Errorf("dropped: got %v, want 7", n)
	}
}

func TestDeadReceiverCostsSpansAndNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		tr := newTracing(Config{}, exporter(func(ctx context.Context, _ []sdk.ReadOnlySpan) error {
			<-ctx.Done() // accepts, and never answers
			return ctx.Err()
		}))
		decide(tr, batchSize+1)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := tr.Run(ctx); err != nil {
			t.Errorf("run: got %v, want nil", err)
		}
		if took := time.Since(begun); took > 2*exportTimeout {
			t.Errorf("end: got %v, want at most %v", took, 2*exportTimeout)
		}
		if n := testutil.ToFloat64(tr.queue.dropped.WithLabelValues("not_taken")); n != batchSize+1 {
			t.Errorf("dropped: got %v, want %d", n, batchSize+1)
		}
	})
}

func TestFailedShutdownIsSaid(t *testing.T) {
	broken := errors.New("broken")
	tr := newTracing(Config{}, closing{tracetest.NewNoopExporter(), broken})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := tr.Run(ctx); !errors.Is(err, broken) {
		t.Errorf("run: got %v, want %v", err, broken)
	}
}

// closing is an exporter that cannot be shut down.
type closing struct {
	sdk.SpanExporter
	err error
}

func (c closing) Shutdown(context.Context) error { return c.err }

func TestTracingCollectsUnderPedantry(t *testing.T) {
	problems, err := testutil.CollectAndLint(newTracing(Config{}, tracetest.NewNoopExporter()))
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: got %v, %v", problems, err)
	}
}
