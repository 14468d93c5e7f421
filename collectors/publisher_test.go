package collectors_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/collectors"
	"github.com/haldane-canary/haldane/sketch"
)

// run starts p inside a synctest bubble and returns what stops it.
func run(t *testing.T, p *collectors.Publisher) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- p.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
}

// A bus keeps what is published, or loses it while it is broken.
type bus struct {
	mu     sync.Mutex // guards all
	broken bool
	sent   map[uint64]int // by epoch
	last   sketch.Report
}

func (b *bus) publish(_ context.Context, r sketch.Report) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken {
		return errors.New("the bus is gone")
	}
	if b.sent == nil {
		b.sent = make(map[uint64]int)
	}
	b.sent[r.Epoch]++
	b.last = r
	return nil
}

// breaks sets whether the bus is broken.
func (b *bus) breaks(broken bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.broken = broken
}

// holds fails the test unless epochs 1 and 2 were sent so many times.
func (b *bus) holds(t *testing.T, first, second int) {
	t.Helper()
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sent[1] != first || b.sent[2] != second {
		t.Errorf("epoch 1 was sent %d times, epoch 2 %d times; want %d and %d", b.sent[1], b.sent[2], first, second)
	}
}

func TestPublisherSendsWhatChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tally, bus := collectors.NewTally("p"), new(bus)
		stop := run(t, &collectors.Publisher{Tally: tally, Publish: bus.publish})
		tally.Arm(arm(haldane.Canary, "/", 1))
		cell := tally.Arm(arm(haldane.Canary, "/", 2))
		for range 3 {
			cell.Observe(haldane.OK, time.Second, "")
			time.Sleep(100 * time.Millisecond)
			synctest.Wait()
		}
		bus.holds(t, 1, 3) // the idle epoch once, the busy one every time
		time.Sleep(1700 * time.Millisecond)
		bus.holds(t, 2, 4) // everything, at the 20th tick
		cell.Observe(haldane.Canceled, time.Second, "")
		stop()
		bus.holds(t, 2, 5) // what changed, at the end
		if got := bus.last.Windows[0].Classes[haldane.Canceled]; got != 1 {
			t.Errorf("the last report holds %d canceled requests, want 1", got)
		}
	})
}

func TestPublisherCountsWhatIsLostAndMakesGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tally, bus, logged := collectors.NewTally("p"), &bus{broken: true}, new(strings.Builder)
		p := &collectors.Publisher{Tally: tally, Every: time.Second, Publish: bus.publish, Log: slog.New(slog.NewTextHandler(logged, nil))}
		stop := run(t, p)
		tally.Arm(arm(haldane.Canary, "/", 1)).Observe(haldane.OK, time.Second, "")
		time.Sleep(3 * time.Second)
		bus.holds(t, 0, 0)
		bus.breaks(false)
		time.Sleep(2 * time.Second)
		stop()
		bus.holds(t, 1, 0) // once: it has not changed since
		got := scrapeGauges(t, p)
		if got["haldane_reports_dropped_total"] != 3 || got["haldane_reports_published_total"] != 1 {
			t.Errorf("metrics %v, want 3 dropped and 1 published", got)
		}
		if n := strings.Count(logged.String(), "reports are being dropped"); n != 1 {
			t.Errorf("logged %d times, want once for the row of failures:\n%s", n, logged)
		}
	})
}

func TestPublisherOutlivesABusThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tally := collectors.NewTally("p")
		var calls atomic.Int64
		stop := run(t, &collectors.Publisher{Tally: tally, Publish: func(ctx context.Context, _ sketch.Report) error {
			calls.Add(1)
			<-ctx.Done()
			return ctx.Err()
		}})
		tally.Arm(arm(haldane.Canary, "/", 1))
		time.Sleep(5 * time.Second)
		stop()
		if n := calls.Load(); n < 4 {
			t.Errorf("%d tries in 5 s, want one a second", n)
		}
	})
}

func TestPublisherForgetsWithTheTally(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tally, bus := collectors.NewTally("p"), new(bus)
		stop := run(t, &collectors.Publisher{Tally: tally, Publish: bus.publish})
		tally.Arm(arm(haldane.Canary, "/", 1))
		time.Sleep(150 * time.Millisecond)
		tally.Forget("shop-1.5.0")
		time.Sleep(time.Minute)
		stop()
		bus.holds(t, 1, 0)
	})
}
