package proxy_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/proxy"
)

// at returns a split of the shop's rollout.
func at(generation int, epoch uint64, weight haldane.Weight) haldane.Split {
	rollout := "shop-1.5.0"
	if generation > 1 {
		rollout = "shop-1.5.0.2"
	}
	return haldane.Split{Service: "shop", Rollout: rollout, Generation: generation, Epoch: epoch, Weight: weight, Phase: haldane.Stepping}
}

func TestApply(t *testing.T) {
	for name, c := range map[string]struct {
		before, then haldane.Split
		applied      bool
	}{
		"a later epoch":            {at(1, 3, 100), at(1, 4, 500), true},
		"the same epoch":           {at(1, 3, 100), at(1, 3, 500), false},
		"an earlier epoch":         {at(1, 3, 100), at(1, 2, 500), false},
		"a later generation":       {at(1, 9, 100), at(2, 1, 500), true},
		"an earlier generation":    {at(2, 1, 100), at(1, 9, 500), false},
		"a smaller weight, late":   {at(1, 3, 100), at(1, 2, 0), false},
		"no other's rollout":       {at(1, 3, 100), with(at(1, 4, 500), func(s *haldane.Split) { s.Rollout = "shop-1.6.0" }), false},
		"no longer name":           {at(1, 3, 100), with(at(1, 4, 500), func(s *haldane.Split) { s.Rollout = "shop-1.5.0.beta" }), false},
		"no first generation's .1": {at(1, 3, 100), with(at(1, 4, 500), func(s *haldane.Split) { s.Rollout = "shop-1.5.0.1" }), false},
		"no empty rollout":         {at(1, 3, 100), with(at(1, 4, 500), func(s *haldane.Split) { s.Rollout = "" }), false},
		"no other's service":       {at(1, 3, 100), with(at(1, 4, 500), func(s *haldane.Split) { s.Service = "till" }), false},
		"no weight above all":      {at(1, 3, 100), at(1, 4, 10001), false},
		"no negative weight":       {at(1, 3, 100), at(1, 4, -1), false},
		"the first":                {haldane.Split{}, at(1, 1, 100), true},
	} {
		r := newRig(t, says("baseline"), says("canary"))
		if c.before.Rollout != "" && !r.proxy.Apply(c.before) {
			t.Fatalf("%s: the split before was refused", name)
		}
		if got := r.proxy.Apply(c.then); got != c.applied {
			t.Errorf("%s: applied %v, want %v", name, got, c.applied)
		}
		want := c.before
		if c.applied {
			want = c.then
		}
		if got := r.proxy.Splits(); len(got) != 1 || got[0] != want {
			t.Errorf("%s: splits %v, want %v", name, got, want)
		}
	}
}

// with returns s, changed.
func with(s haldane.Split, change func(*haldane.Split)) haldane.Split {
	change(&s)
	return s
}

// However splits arrive, in whatever order and however often, the one in force
// is the last of all in the order of decisions.
func TestTheLastDecisionIsInForce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := newProxy(t)
		var last haldane.Split
		for range rapid.IntRange(1, 20).Draw(rt, "messages") {
			s := at(rapid.IntRange(1, 2).Draw(rt, "generation"), rapid.Uint64Range(1, 9).Draw(rt, "epoch"), 0)
			s.Weight = haldane.Weight(1000*s.Generation) + haldane.Weight(s.Epoch)
			if applied := r.Apply(s); applied != (last.Rollout == "" || s.Supersedes(last)) {
				rt.Fatalf("after %v: applied %v of %v", last, applied, s)
			} else if applied {
				last = s
			}
			if got := r.Splits(); len(got) != 1 || got[0] != last {
				rt.Fatalf("splits %v, want %v", got, last)
			}
		}
	})
}

// newProxy returns a proxy that nobody will call.
func newProxy(t *testing.T) *proxy.Proxy {
	t.Helper()
	return newRig(t, nil, nil).proxy
}

func TestWithoutASplitTheBaselineServes(t *testing.T) {
	r := newRig(t, says("baseline"), says("canary"))
	for range 50 {
		if _, body := r.do("GET", "/", ""); body != "baseline" {
			t.Fatalf("got %q", body)
		}
	}
	if canary, total := r.proxy.Served("shop"); canary != 0 || total != 50 {
		t.Errorf("served %d of %d, want 0 of 50", canary, total)
	}
	if reports := r.tally.Reports(time.Now()); len(reports) != 0 {
		t.Errorf("reports %v, want none: there is no rollout", reports)
	}
	if canary, total := r.proxy.Served("nobody"); canary != 0 || total != 0 {
		t.Errorf("an unknown service served %d of %d", canary, total)
	}
}

func TestWithoutACanaryTheBaselineServes(t *testing.T) {
	r := newRig(t, says("baseline"), nil, func(c *proxy.Config) { c.Services[0].Canary.Upstreams = nil })
	r.split(haldane.FullWeight)
	if _, body := r.do("GET", "/", ""); body != "baseline" {
		t.Errorf("got %q", body)
	}
	if w := r.window(haldane.Baseline); w.N() != 0 {
		t.Error("what was not drawn by the split's weight is evidence")
	}
	if got := metrics(t, r.proxy)["haldane_weight_basis_points"]; got != 0 {
		t.Errorf("weight in force %v, want 0", got)
	}
}

func TestARolloutIsReportedWhileItRuns(t *testing.T) {
	r := newRig(t, says("baseline"), says("canary"))
	apply := func(s haldane.Split, phase haldane.Phase) {
		s.Phase = phase
		if !r.proxy.Apply(s) {
			t.Fatalf("%v was refused", s)
		}
		r.do("GET", "/", "")
	}
	reported := func(want int) {
		t.Helper()
		if got := r.tally.Reports(time.Now()); len(got) != want {
			t.Errorf("%d reports, want %d: %v", len(got), want, got)
		}
	}
	apply(at(1, 1, 0), haldane.Pending)
	reported(0)
	apply(at(1, 2, 100), haldane.Stepping)
	apply(at(1, 3, 100), haldane.Held)
	apply(at(1, 4, 10000), haldane.Watching)
	reported(3)
	apply(at(1, 5, 0), haldane.RolledBack)
	reported(0)
	apply(at(2, 1, 100), haldane.Stepping)
	reported(1)
	apply(at(2, 2, 10000), haldane.Completed)
	reported(0)
	if _, body := r.do("GET", "/", ""); body != "canary" {
		t.Errorf("after completion %q serves, want the canary", body)
	}
}

func TestAnOrphanReturnsToTheBaseline(t *testing.T) {
	start := time.Unix(1e9, 0)
	r := newRig(t, says("baseline"), says("canary"), orphans(proxy.Orphan{Policy: proxy.OrphanBaseline, After: time.Minute}))
	r.split(haldane.FullWeight)
	serves := func(want string) {
		t.Helper()
		if _, got := r.do("GET", "/", ""); got != want {
			t.Errorf("%s serves, want %s", got, want)
		}
	}
	r.proxy.Contact(false, start) // since when is not known: the minute begins
	r.proxy.Contact(false, start.Add(59*time.Second))
	serves("canary")
	r.proxy.Contact(false, start.Add(60*time.Second))
	serves("baseline")
	if got := metrics(t, r.proxy); got["haldane_weight_basis_points"] != 0 || got["haldane_control_connected"] != 0 {
		t.Errorf("metrics %v, want weight 0 and no connection", got)
	}
	if w := r.window(haldane.Baseline); w.N() != 0 {
		t.Error("what an orphan serves is evidence")
	}
	r.split(haldane.FullWeight) // a decision that still came through changes what comes after
	serves("baseline")
	r.proxy.Contact(true, start.Add(2*time.Hour))
	serves("canary")
	r.proxy.Contact(false, start.Add(2*time.Hour+59*time.Second))
	serves("canary")
	if got := metrics(t, r.proxy); got["haldane_control_last_contact_timestamp_seconds"] != 1e9+7200 {
		t.Errorf("metrics %v, want the last contact two hours after the start", got)
	}
}

func TestAnOrphanHoldsUnlessTold(t *testing.T) {
	r := newRig(t, says("baseline"), says("canary"))
	r.split(haldane.FullWeight)
	r.proxy.Contact(false, time.Unix(0, 0))
	r.proxy.Contact(false, time.Unix(1e9, 0))
	if _, body := r.do("GET", "/", ""); body != "canary" {
		t.Errorf("%s serves, want the last known weight", body)
	}
}
