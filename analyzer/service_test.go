package analyzer_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/analyzer"
	"github.com/haldane-canary/haldane/sketch"
)

// A desk runs a service under a fake clock and keeps what it publishes.
type desk struct {
	*analyzer.Service
	verdicts []haldane.Verdict
	start    time.Time
}

// atDesk runs f with a service for the rollout r of the service s, and ends it.
func atDesk(t *testing.T, spec analyzer.Spec, f func(d *desk)) {
	atDeskAfter(t, spec, nil, f)
}

// atDeskAfter is atDesk after a restart: decisions were made before.
func atDeskAfter(t *testing.T, spec analyzer.Spec, made []haldane.Decision, f func(d *desk)) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{start: time.Now()}
		spec.Service, spec.Rollout = "s", "r"
		var err error
		d.Service, err = analyzer.NewService([]analyzer.Spec{spec}, func(_ context.Context, v haldane.Verdict) error {
			d.verdicts = append(d.verdicts, v)
			return nil
		}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		for _, before := range made {
			d.Remember(before)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- d.Run(ctx) }()
		f(d)
		synctest.Wait()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func (d *desk) split(rollout string, generation int, epoch uint64, w haldane.Weight) {
	d.Split(haldane.Split{Service: "s", Rollout: rollout, Generation: generation, Epoch: epoch, Weight: w,
		Phase: haldane.Stepping, Step: 1, Since: d.start, Started: d.start})
	synctest.Wait()
}

// report hands over what a proxy has counted until now: per track, all
// observations and how many of them failed.
func (d *desk) report(proxy, rollout string, epoch uint64, w haldane.Weight, counts [haldane.NumTracks][2]uint64) {
	r := sketch.Report{Service: "s", Rollout: rollout, Proxy: proxy, Epoch: epoch, Weight: w, From: d.start, To: time.Now()}
	for track, c := range counts {
		win := sketch.Window{Track: haldane.Track(track), Route: "/"}
		win.Classes[haldane.OK], win.Classes[haldane.ServerError] = c[0]-c[1], c[1]
		win.Latency.Add(-300, c[0]-c[1])
		r.Windows = append(r.Windows, win)
	}
	d.Report(r)
	synctest.Wait()
}

// last returns the newest verdict.
func (d *desk) last(t *testing.T) haldane.Verdict {
	t.Helper()
	if len(d.verdicts) == 0 {
		t.Fatal("no verdict was published")
	}
	return d.verdicts[len(d.verdicts)-1]
}

func TestServiceCountsCumulativeReportsOfSeveralProxiesOnce(t *testing.T) {
	atDesk(t, analyzer.Spec{}, func(d *desk) {
		d.split("r", 1, 3, 500)
		d.report("a", "r", 3, 500, [2][2]uint64{{95, 1}, {5, 0}})
		d.report("a", "r", 3, 500, [2][2]uint64{{95, 1}, {5, 0}}) // again, as lost messages are made good
		d.report("b", "r", 3, 500, [2][2]uint64{{190, 0}, {10, 1}})
		time.Sleep(time.Second)
		d.report("a", "r", 3, 500, [2][2]uint64{{285, 2}, {15, 1}})
		v := d.last(t)
		if v.Baseline != (haldane.Totals{N: 475, Errors: 2}) || v.Canary != (haldane.Totals{N: 25, Errors: 2}) {
			t.Errorf("got baseline %+v, canary %+v; want 475 with 2 errors and 25 with 2", v.Baseline, v.Canary)
		}
		if v.Epoch != 3 || v.Step != 1 || v.Served != 500 || v.Rollout != "r" {
			t.Errorf("got epoch %d, step %d, served %v, rollout %q", v.Epoch, v.Step, v.Served, v.Rollout)
		}
		if again, err := analyzer.Replay(v, v.Counts); err != nil || analyzer.Differences(v, again) != nil {
			t.Errorf("the published verdict cannot be replayed: %v, %v", err, analyzer.Differences(v, again))
		}
	})
}

func TestServiceCallsADeadCanaryAtOnce(t *testing.T) {
	atDesk(t, analyzer.Spec{}, func(d *desk) {
		d.split("r", 1, 1, 100)
		d.report("a", "r", 1, 100, [2][2]uint64{{99, 0}, {1, 1}})
		n := len(d.verdicts)
		d.report("a", "r", 1, 100, [2][2]uint64{{396, 0}, {4, 4}}) // within the same half second
		if v := d.last(t); len(d.verdicts) != n+1 || v.Judgement != haldane.Fail {
			t.Errorf("got %v after %d verdicts, want fail published at once", v.Judgement, len(d.verdicts))
		}
	})
}

func TestServiceIgnoresWhatIsNotOfThisEpoch(t *testing.T) {
	atDesk(t, analyzer.Spec{}, func(d *desk) {
		d.report("a", "r", 1, 100, [2][2]uint64{{99, 0}, {100, 100}}) // before any split
		d.split("r", 1, 2, 100)
		d.report("a", "r", 1, 100, [2][2]uint64{{99, 0}, {100, 100}}) // an epoch nobody told of
		d.report("a", "x", 2, 100, [2][2]uint64{{99, 0}, {100, 100}}) // another rollout
		d.report("a", "r", 2, 900, [2][2]uint64{{99, 0}, {100, 100}}) // not the epoch's weight
		if len(d.verdicts) != 0 {
			t.Errorf("got %d verdicts, want none", len(d.verdicts))
		}
		if d.Refused() != 1 {
			t.Errorf("refused %d reports, want the one of another weight", d.Refused())
		}
		d.report("a", "r", 2, 100, [2][2]uint64{{99, 0}, {1, 0}})
		if v := d.last(t); v.Observations != 100 {
			t.Errorf("got %d observations, want 100", v.Observations)
		}
	})
}

func TestServiceStartsCleanInANewGeneration(t *testing.T) {
	atDesk(t, analyzer.Spec{}, func(d *desk) {
		d.split("r", 1, 1, 100)
		d.report("a", "r", 1, 100, [2][2]uint64{{396, 0}, {4, 4}})
		d.split("r", 1, 2, 0)
		d.split("r.2", 2, 1, 100)
		d.report("a", "r.2", 1, 100, [2][2]uint64{{99, 0}, {1, 0}})
		if v := d.last(t); v.Judgement != haldane.Undecided || v.Rollout != "r.2" || v.Observations != 100 {
			t.Errorf("got %v of %q over %d, want undecided of r.2 over 100", v.Judgement, v.Rollout, v.Observations)
		}
		d.split("r", 1, 1, 100) // a late message must not bring the old one back
		time.Sleep(time.Second)
		d.report("a", "r.2", 1, 100, [2][2]uint64{{198, 0}, {2, 0}})
		if v := d.last(t); v.Rollout != "r.2" || v.Observations != 200 {
			t.Errorf("got %q over %d, want r.2 over 200", v.Rollout, v.Observations)
		}
	})
}

func TestServiceLeavesWarmUpLatenciesOut(t *testing.T) {
	atDesk(t, analyzer.Spec{Warmup: time.Minute}, func(d *desk) {
		d.split("r", 1, 1, 5000)
		d.report("a", "r", 1, 5000, [2][2]uint64{{500, 0}, {500, 0}})
		time.Sleep(2 * time.Minute)
		d.report("a", "r", 1, 5000, [2][2]uint64{{600, 0}, {600, 0}}) // begun while still cold
		time.Sleep(time.Second)
		d.report("a", "r", 1, 5000, [2][2]uint64{{650, 0}, {640, 0}})
		v := d.last(t)
		var tape analyzer.Tape
		decode(t, v.Counts, &tape)
		var n uint64
		for _, s := range tape.Segments {
			n += s.Tracks[0].Latency.Total() + s.Tracks[1].Latency.Total()
		}
		if n != 90 || v.Observations != 1290 {
			t.Errorf("got %d latencies of %d observations, want the 90 since the warm-up of 1290", n, v.Observations)
		}
	})
}

func decode(t *testing.T, b []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatal(err)
	}
}

func TestServiceGoesOnFromTheLastDecisionAfterARestart(t *testing.T) {
	var before haldane.Verdict
	atDesk(t, analyzer.Spec{}, func(d *desk) {
		d.split("r", 1, 1, 5000)
		d.report("a", "r", 1, 5000, [2][2]uint64{{500, 3}, {500, 9}})
		before = d.last(t)
	})
	made := []haldane.Decision{
		{Service: "s", Rollout: "r", Seq: 1},
		{Service: "s", Rollout: "r", Seq: 2, Evidence: haldane.Basis{Counts: before.Counts}},
	}
	atDeskAfter(t, analyzer.Spec{}, made, func(d *desk) {
		d.split("r", 1, 1, 5000)
		d.split("r", 1, 2, 5000)
		d.report("a", "r", 1, 5000, [2][2]uint64{{550, 3}, {550, 9}}) // most of it on the tape already
		d.report("a", "r", 2, 5000, [2][2]uint64{{90, 0}, {90, 0}})   // since the decision: none of it is
		d.report("a", "r", 1, 5000, [2][2]uint64{{560, 3}, {560, 9}})
		time.Sleep(time.Second)
		d.report("b", "r", 2, 5000, [2][2]uint64{{7, 0}, {7, 1}})
		v := d.last(t)
		if v.Baseline != (haldane.Totals{N: 607, Errors: 3}) || v.Canary != (haldane.Totals{N: 607, Errors: 10}) {
			t.Errorf("got baseline %+v, canary %+v; want 500+10+90+7 with 3 errors and as many with 10", v.Baseline, v.Canary)
		}
		if again, err := analyzer.Replay(v, v.Counts); err != nil || analyzer.Differences(v, again) != nil {
			t.Errorf("the verdict after the restart cannot be replayed: %v, %v", err, analyzer.Differences(v, again))
		}
	})
	atDeskAfter(t, analyzer.Spec{}, made, func(d *desk) {
		d.split("r.2", 2, 1, 5000)
		d.report("a", "r.2", 1, 5000, [2][2]uint64{{5, 0}, {5, 0}})
		if v := d.last(t); v.Observations != 10 {
			t.Errorf("a new generation began with %d observations, want its own 10", v.Observations)
		}
	})
}

func TestServiceJudgesNothingOnDamagedCounts(t *testing.T) {
	made := []haldane.Decision{{Service: "s", Rollout: "r", Evidence: haldane.Basis{Counts: json.RawMessage(`{"pages":1}`)}}}
	atDeskAfter(t, analyzer.Spec{}, made, func(d *desk) {
		d.split("r", 1, 2, 5000)
		d.report("a", "r", 2, 5000, [2][2]uint64{{500, 0}, {500, 0}})
		if len(d.verdicts) != 0 {
			t.Errorf("got %v from counts that cannot be read", d.last(t).Judgement)
		}
	})
}

// assigned hands over a report of epoch 1 at half weight in which, of so many
// requests drawn for each track, some ended well and some were given up.
func (d *desk) assigned(drawn, ended, canceled [haldane.NumTracks]uint64) {
	r := sketch.Report{Service: "s", Rollout: "r", Proxy: "a", Epoch: 1, Weight: 5000, From: d.start, To: time.Now()}
	for track := range drawn {
		w := sketch.Window{Track: haldane.Track(track), Route: "/", Assigned: drawn[track]}
		w.Classes[haldane.OK], w.Classes[haldane.Canceled] = ended[track], canceled[track]
		w.Latency.Add(-300, ended[track])
		r.Windows = append(r.Windows, w)
	}
	d.Report(r)
	synctest.Wait()
}

func TestACanaryThatHangsIsNoBrokenSplitAndNotPromoted(t *testing.T) {
	atDesk(t, analyzer.Spec{}, func(d *desk) {
		d.split("r", 1, 1, 5000)
		d.assigned([2]uint64{20000, 20000}, [2]uint64{20000, 18000}, [2]uint64{})
		v := d.last(t)
		if v.Judgement != haldane.Undecided || len(v.Warnings) != 0 || v.Served != 5000 {
			t.Errorf("got %v, warnings %q, served %v: want undecided of a sound split, a tenth being still under way",
				v.Judgement, v.Warnings, v.Served)
		}
		time.Sleep(time.Second)
		d.assigned([2]uint64{20000, 20000}, [2]uint64{20000, 20000}, [2]uint64{})
		if v := d.last(t); v.Judgement != haldane.Pass {
			t.Errorf("got %v once all had ended well, want pass: %s", v.Judgement, v.Reason)
		}
	})
}

func TestACanaryWhoseClientsGiveUpIsFound(t *testing.T) {
	atDesk(t, analyzer.Spec{}, func(d *desk) {
		d.split("r", 1, 1, 5000)
		d.assigned([2]uint64{2000, 2000}, [2]uint64{1990, 1500}, [2]uint64{10, 500})
		v := d.last(t)
		if v.Judgement != haldane.Fail || v.Indicators[0].Judgement != haldane.Fail || !strings.Contains(v.Reason, "given up by their clients: 500") {
			t.Errorf("got %v: %s; want a failure that says why", v.Judgement, v.Reason)
		}
	})
}

func TestRequestsGivenUpAlikeAreNoHarm(t *testing.T) {
	atDesk(t, analyzer.Spec{}, func(d *desk) {
		d.split("r", 1, 1, 5000)
		d.assigned([2]uint64{20000, 20000}, [2]uint64{12000, 12010}, [2]uint64{8000, 7990})
		if v := d.last(t); v.Judgement == haldane.Fail || len(v.Warnings) != 0 {
			t.Errorf("got %v, %q: %s", v.Judgement, v.Warnings, v.Reason)
		}
	})
}

func TestAFailStandsAndIsToldAgain(t *testing.T) {
	atDesk(t, analyzer.Spec{}, func(d *desk) {
		d.split("r", 1, 1, 5000)
		d.report("a", "r", 1, 5000, [2][2]uint64{{100, 0}, {100, 40}})
		first := d.last(t)
		time.Sleep(time.Second)
		d.report("a", "r", 1, 5000, [2][2]uint64{{9000, 8000}, {9000, 1000}}) // as if it had been the other way round
		if v := d.last(t); len(d.verdicts) < 2 || v.Judgement != haldane.Fail || v.Reason != first.Reason {
			t.Errorf("got %v: %s; want the first failure again", v.Judgement, v.Reason)
		}
	})
}
