package collectors_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/collectors"
	"github.com/haldane-canary/haldane/sketch"
)

// arm returns an arm of the shop's rollout in an epoch.
func arm(track haldane.Track, route string, epoch uint64) collectors.Arm {
	return collectors.Arm{
		Service: "shop", Rollout: "shop-1.5.0", Version: "1.5.0", Route: route,
		Track: track, Epoch: epoch, Weight: 100,
	}
}

func TestReportsHoldWhatWasObserved(t *testing.T) {
	tally := collectors.NewTally("p1")
	tally.Arm(arm(haldane.Canary, "/pay", 2)).Observe(haldane.ServerError, time.Millisecond, "")
	tally.Arm(arm(haldane.Canary, "/", 2)).Observe(haldane.OK, time.Millisecond, "")
	tally.Arm(arm(haldane.Baseline, "/", 2)).Observe(haldane.ClientError, time.Second, "")
	tally.Arm(arm(haldane.Baseline, "/", 2)).Observe(haldane.Canceled, time.Second, "")
	tally.Arm(arm(haldane.Baseline, "/", 1)).Observe(haldane.OK, time.Second, "")

	reports := tally.Reports(time.Now())
	if len(reports) != 2 || reports[0].Epoch != 1 || reports[1].Epoch != 2 {
		t.Fatalf("reports %+v, want those of epochs 1 and 2", reports)
	}
	r := reports[1]
	if err := r.Validate(); err != nil || r.Proxy != "p1" || r.Weight != 100 {
		t.Errorf("report %+v is not valid or not p1's: %v", r, err)
	}
	type row struct {
		track             haldane.Track
		route             string
		n, failed, timed  uint64
		givenUp, mistaken uint64
	}
	var got []row
	for _, w := range r.Windows {
		got = append(got, row{w.Track, w.Route, w.N(), w.Errors(), w.Latency.Total(),
			w.Classes[haldane.Canceled], w.Classes[haldane.ClientError]})
	}
	want := []row{
		{haldane.Baseline, "/", 1, 0, 1, 1, 1},
		{haldane.Canary, "/", 1, 0, 1, 0, 0},
		{haldane.Canary, "/pay", 1, 1, 0, 0, 0},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("windows\n%v, want\n%v", got, want)
	}
}

func TestReportsAreOfSketchsOwnBuckets(t *testing.T) {
	tally := collectors.NewTally("p")
	cell := tally.Arm(arm(haldane.Canary, "/", 1))
	want, rng := sketch.Window{}, rand.New(rand.NewPCG(1, 1))
	for range 5_000 {
		latency := time.Duration(rng.ExpFloat64() * float64(50*time.Millisecond))
		class := haldane.Class(rng.IntN(haldane.NumClasses))
		cell.Observe(class, latency, "")
		want.Observe(class, latency)
	}
	got := tally.Reports(time.Now())[0].Windows[0]
	if got.Classes != want.Classes || fmt.Sprint(got.Latency) != fmt.Sprint(want.Latency.Trim()) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestWhatIsNoEvidenceIsNotReported(t *testing.T) {
	tally := collectors.NewTally("p")
	none := arm(haldane.Baseline, "/", 0)
	none.Rollout = ""
	tally.Arm(none).Observe(haldane.OK, time.Second, "")
	if r := tally.Reports(time.Now()); len(r) != 0 {
		t.Errorf("without a rollout: %+v, want no report", r)
	}
	tally.Arm(arm(haldane.Canary, "/", 1)).ObserveRepeat(haldane.OK, time.Second, "")
	w := tally.Reports(time.Now())[0].Windows[0]
	if w.N() != 0 || w.Latency.Total() != 0 {
		t.Errorf("after a repeat: %+v, want an empty window", w)
	}
}

func TestArmGivesOneCell(t *testing.T) {
	tally := collectors.NewTally("p")
	a := tally.Arm(arm(haldane.Canary, "/", 1))
	if b := tally.Arm(arm(haldane.Canary, "/", 1)); a != b {
		t.Error("the same arm has two cells")
	}
	if b := tally.Arm(arm(haldane.Canary, "/", 2)); a == b {
		t.Error("two epochs have one cell")
	}
}

func TestForgetEndsReportsAndNothingElse(t *testing.T) {
	tally := collectors.NewTally("p")
	old := tally.Arm(arm(haldane.Canary, "/", 1))
	other := arm(haldane.Canary, "/", 1)
	other.Rollout = "shop-1.5.0.2"
	tally.Arm(other)
	tally.Forget("shop-1.5.0")
	tally.Forget("")
	old.Observe(haldane.OK, time.Second, "") // a request still under way
	reports := tally.Reports(time.Now())
	if len(reports) != 1 || reports[0].Rollout != "shop-1.5.0.2" {
		t.Errorf("reports %+v, want that of shop-1.5.0.2 alone", reports)
	}
	if got := value(t, scrape(t, tally), "haldane_requests_total", map[string]string{"rollout": "shop-1.5.0", "class": "ok"}); got != 1 {
		t.Errorf("%v requests in metrics, want 1: counters stay", got)
	}
}

func TestReportsNameTheLatestFailuresOfTheCanary(t *testing.T) {
	tally := collectors.NewTally("p")
	canary, baseline := tally.Arm(arm(haldane.Canary, "/", 1)), tally.Arm(arm(haldane.Baseline, "/", 1))
	baseline.Observe(haldane.ServerError, time.Second, "baseline")
	canary.Observe(haldane.OK, time.Second, "fine")
	canary.Observe(haldane.ServerError, time.Second, "")
	for i := range 11 {
		canary.Observe(haldane.Timeout, time.Second, fmt.Sprint("t", i))
	}
	got := fmt.Sprint(tally.Reports(time.Now())[0].Traces)
	if want := "[t3 t4 t5 t6 t7 t8 t9 t10]"; got != want {
		t.Errorf("traces %s, want %s", got, want)
	}
}

func TestReportsRunFromTheEpochsBeginning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tally := collectors.NewTally("p")
		begin := time.Now()
		tally.Arm(arm(haldane.Baseline, "/", 1))
		time.Sleep(time.Minute)
		tally.Arm(arm(haldane.Canary, "/", 1))
		r := tally.Reports(time.Now())[0]
		if !r.From.Equal(begin) || r.To.Sub(r.From) != time.Minute {
			t.Errorf("report of [%v, %v), want the minute from %v", r.From, r.To, begin)
		}
		if r := tally.Reports(begin.Add(-time.Hour))[0]; r.Validate() != nil {
			t.Errorf("a clock that was set back: %v", r.Validate())
		}
	})
}

// Many goroutines observe while another reads: at the end nothing is missing,
// and at no time does a window hold more latencies than answers.
func TestConcurrentObservationsAreAllCounted(t *testing.T) {
	const writers, each = 4, 20_000
	tally := collectors.NewTally("p")
	done := make(chan struct{})
	var reading, writing sync.WaitGroup
	reading.Go(func() {
		for {
			for _, r := range tally.Reports(time.Now()) {
				w := r.Windows[0]
				if answers := w.N() - w.Errors(); w.Latency.Total() > answers {
					t.Errorf("%d latencies of %d answers", w.Latency.Total(), answers)
				}
			}
			select {
			case <-done:
				return
			default:
			}
		}
	})
	for k := range writers {
		writing.Go(func() {
			cell := tally.Arm(arm(haldane.Canary, "/", 1))
			for i := range each {
				cell.Observe(haldane.OK, time.Duration(i*(k+1))*time.Microsecond, "")
			}
		})
	}
	writing.Wait()
	close(done)
	reading.Wait()
	w := tally.Reports(time.Now())[0].Windows[0]
	if w.N() != writers*each || w.Latency.Total() != writers*each {
		t.Errorf("%d observations, %d latencies; want %d of each", w.N(), w.Latency.Total(), writers*each)
	}
}

func TestObserveAllocatesNothing(t *testing.T) {
	cell := collectors.NewTally("p").Arm(arm(haldane.Canary, "/", 1))
	for name, observe := range map[string]func(){
		"untraced": func() { cell.Observe(haldane.OK, 12*time.Millisecond, "") },
		"failed":   func() { cell.Observe(haldane.ServerError, 12*time.Millisecond, "") },
		"traced":   func() { cell.Observe(haldane.OK, 12*time.Millisecond, "4bf92f3577b34da6a3ce929d0e0e4736") },
		"repeated": func() { cell.ObserveRepeat(haldane.OK, 12*time.Millisecond, "") },
	} {
		observe()
		if n := testing.AllocsPerRun(1000, observe); n != 0 {
			t.Errorf("%s: %v allocations, want 0", name, n)
		}
	}
}

func TestAnUnknownClassIsNoSuccess(t *testing.T) {
	tally := collectors.NewTally("p")
	cell := tally.Arm(arm(haldane.Canary, "/", 1))
	cell.Observe(haldane.NumClasses, -time.Second, "")
	cell.ObserveRepeat(255, -time.Second, "")
	if w := tally.Reports(time.Now())[0].Windows[0]; w.Classes[haldane.Reset] != 1 {
		t.Errorf("classes %v, want one reset", w.Classes)
	}
}

func ExampleTally() {
	tally := collectors.NewTally("proxy-1/8f2c")
	cell := tally.Arm(collectors.Arm{Service: "shop", Rollout: "shop-1.5.0", Route: "/", Track: haldane.Canary, Epoch: 7, Weight: 100})
	cell.Observe(haldane.OK, 12*time.Millisecond, "")
	cell.Observe(haldane.ServerError, 2*time.Millisecond, "")
	for _, r := range tally.Reports(time.Now()) {
		w := r.Windows[0]
		fmt.Println(r.Rollout, "epoch", r.Epoch, "weight", r.Weight, w.Track, w.N(), "of which failed", w.Errors())
	}
	// Output: shop-1.5.0 epoch 7 weight 1 % canary 2 of which failed 1
}

func BenchmarkCellObserve(b *testing.B) {
	cell := collectors.NewTally("p").Arm(arm(haldane.Canary, "/", 1))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		latency := time.Millisecond
		for pb.Next() {
			cell.Observe(haldane.OK, latency, "")
			latency = latency*7%time.Second + 1
		}
	})
}

func BenchmarkReports(b *testing.B) {
	tally := collectors.NewTally("p")
	for epoch := range uint64(8) {
		for _, track := range []haldane.Track{haldane.Baseline, haldane.Canary} {
			cell := tally.Arm(arm(track, "/", epoch))
			for i := range 1000 {
				cell.Observe(haldane.OK, time.Duration(i)*100*time.Microsecond, "")
			}
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		tally.Reports(time.Now())
	}
}
