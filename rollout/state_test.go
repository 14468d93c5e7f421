package rollout

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/haldane-canary/haldane"
)

func TestApplyRefusesWhatDoesNotFollow(t *testing.T) {
	s := stepping(2)
	m := Move{Kind: haldane.KindWeight, To: haldane.Position{Phase: haldane.Stepping, Step: 3, Weight: 5000}}
	good := decide(s, m, "ops", noon)
	if _, err := s.Apply(good); err != nil {
		t.Fatal(err)
	}
	for claim, spoil := range map[string]func(*haldane.Decision){
		"a number left out":      func(d *haldane.Decision) { d.Seq++ },
		"a number again":         func(d *haldane.Decision) { d.Seq-- },
		"another rollout":        func(d *haldane.Decision) { d.Rollout = "r.2" },
		"another service":        func(d *haldane.Decision) { d.Service = "till" },
		"from elsewhere":         func(d *haldane.Decision) { d.From.Weight++ },
		"two weights":            func(d *haldane.Decision) { d.Weight++ },
		"a step left out":        func(d *haldane.Decision) { d.To.Step++ },
		"a weight out of range":  func(d *haldane.Decision) { d.To.Weight, d.Weight = 10001, 10001 },
		"a weight that held":     func(d *haldane.Decision) { d.Kind, d.To.Phase = haldane.KindHeld, haldane.Held },
		"a rollback with weight": func(d *haldane.Decision) { d.Kind, d.To.Phase = haldane.KindRolledBack, haldane.RolledBack },
		"a kind unknown":         func(d *haldane.Decision) { d.Kind = "paused" },
		"a start once more":      func(d *haldane.Decision) { d.Kind, d.To.Step = haldane.KindStarted, 1 },
	} {
		d := good
		spoil(&d)
		if got, err := s.Apply(d); !errors.Is(err, ErrSequence) || got != s {
			t.Errorf("%s: got %+v, %v; want no change and ErrSequence", claim, got, err)
		}
	}
}

// TestFromEveryPhaseOnlyWhatIsAllowed writes down the whole state machine: by
// phase, the kinds that may follow.
func TestFromEveryPhaseOnlyWhatIsAllowed(t *testing.T) {
	want := map[haldane.Phase][]haldane.Kind{
		haldane.Pending:    {haldane.KindProposed, haldane.KindApproved, haldane.KindStarted},
		haldane.Stepping:   {haldane.KindWeight, haldane.KindHeld, haldane.KindRolledBack, haldane.KindPromoted, haldane.KindAborted},
		haldane.Held:       {haldane.KindResumed, haldane.KindRolledBack, haldane.KindPromoted, haldane.KindAborted},
		haldane.Watching:   {haldane.KindRolledBack, haldane.KindCompleted, haldane.KindAborted},
		haldane.Completed:  {haldane.KindRolledBack, haldane.KindAborted}, // only where a fail came at that very moment
		haldane.RolledBack: nil,
		haldane.Aborted:    nil,
	}
	for from, allowed := range want {
		s := in(stepping(1), from)
		if from == haldane.Pending {
			s.Step, s.Weight = 0, 0
		}
		var got []haldane.Kind
		for _, k := range haldane.Kinds() {
			for to := range want {
				for _, w := range []haldane.Weight{0, 100, 500, haldane.FullWeight} {
					for step := range 4 {
						m := Move{Kind: k, To: haldane.Position{Phase: to, Step: step, Weight: w}}
						if _, err := s.Apply(decide(s, m, "ops", noon)); err == nil && !slices.Contains(got, k) {
							got = append(got, k)
						}
					}
				}
			}
		}
		if !slices.Equal(got, allowed) {
			t.Errorf("%s may be followed by %v, want %v", from, got, allowed)
		}
	}
}

func TestTimesOfAState(t *testing.T) {
	p := ramp()
	s := NewState("shop", "r", 2, haldane.Versions{Baseline: "1", Canary: "2"})
	apply := func(m Move, minute int) {
		t.Helper()
		var err error
		if s, err = s.Apply(decide(s, m, "ops", noon.Add(time.Duration(minute)*time.Minute))); err != nil {
			t.Fatal(err)
		}
	}
	check := func(claim string, since, started, clock int) {
		t.Helper()
		at := func(m int) time.Time { return noon.Add(time.Duration(m) * time.Minute) }
		if !s.Since.Equal(at(since)) || !s.Started.Equal(at(started)) || !s.Clock.Equal(at(clock)) {
			t.Errorf("%s: since %v, started %v, clock %v; want minutes %d, %d, %d", claim, s.Since, s.Started, s.Clock, since, started, clock)
		}
	}
	apply(p.start(""), 1)
	check("started", 1, 1, 1)
	apply(p.forward(s, on(s, haldane.Pass)), 2)
	check("advanced", 2, 1, 1)
	apply(Move{Kind: haldane.KindHeld, To: at(s, haldane.Held)}, 3)
	check("held", 3, 1, 1)
	apply(Move{Kind: haldane.KindResumed, To: at(s, haldane.Stepping)}, 4)
	check("resumed: bake and deadline anew", 4, 1, 4)
	want := haldane.Split{Service: "shop", Rollout: "r.2", Generation: 2, Epoch: 4, Weight: 500,
		Phase: haldane.Stepping, Step: 2, Since: noon.Add(4 * time.Minute), Started: noon.Add(time.Minute)}
	if got := s.Split(); got != want {
		t.Errorf("split %+v, want %+v", got, want)
	}
}

func TestClockThatWasSetBackDelaysNothing(t *testing.T) {
	s := stepping(1)
	now := noon.Add(-time.Hour)
	if got := s.anchored(now); !got.Since.Equal(now) || !got.Clock.Equal(now) {
		t.Errorf("since %v, clock %v; want %v", got.Since, got.Clock, now)
	}
	later := noon.Add(time.Minute)
	if got := s.anchored(later); got.Since != s.Since || got.Clock != s.Clock {
		t.Errorf("since %v, clock %v; want them unchanged", got.Since, got.Clock)
	}
}

func TestGenerationNames(t *testing.T) {
	for n, want := range map[int]string{1: "shop-1.5", 2: "shop-1.5.2", 12: "shop-1.5.12"} {
		got := GenerationName("shop-1.5", n)
		if back, ok := Generation("shop-1.5", got); got != want || back != n || !ok {
			t.Errorf("generation %d is %q, which is %d, %v", n, got, back, ok)
		}
	}
	for _, other := range []string{"shop-1.5.1", "shop-1.5.0", "shop-1.5.02", "shop-1.5.+2", "shop-1.5.x", "shop-1.6", "shop-1.5.", ""} {
		if n, ok := Generation("shop-1.5", other); ok {
			t.Errorf("%q is taken for generation %d", other, n)
		}
	}
}

func TestValidateNamesEveryFault(t *testing.T) {
	good := Spec{Service: "shop", Name: "r", Plan: ramp()}
	if err := validateAll([]Spec{good, {Service: "till", Name: "q", Plan: ramp()}}); err != nil {
		t.Fatal(err)
	}
	for claim, specs := range map[string][]Spec{
		"no name":             {{Service: "shop", Plan: ramp()}},
		"no steps":            {{Service: "shop", Name: "r"}},
		"falling weights":     {{Service: "shop", Name: "r", Plan: Plan{Steps: []Step{{500, 0}, {500, 0}}}}},
		"weight 0":            {{Service: "shop", Name: "r", Plan: Plan{Steps: []Step{{0, 0}}}}},
		"weight out of range": {{Service: "shop", Name: "r", Plan: Plan{Steps: []Step{{10001, 0}}}}},
		"negative times":      {{Service: "shop", Name: "r", Plan: Plan{Steps: []Step{{1, -1}}, Watch: -1}}},
		"an unknown outcome":  {{Service: "shop", Name: "r", Plan: Plan{Steps: []Step{{1, 0}}, OnUndecided: "wait"}}},
		"two of a service":    {good, {Service: "shop", Name: "q", Plan: ramp()}},
		"one name twice":      {good, {Service: "till", Name: "r", Plan: ramp()}},
		"a generation's name": {good, {Service: "till", Name: "r.2", Plan: ramp()}},
	} {
		if err := validateAll(specs); !errors.Is(err, ErrSpec) {
			t.Errorf("%s: got %v, want ErrSpec", claim, err)
		}
	}
}

func TestCommandsByPhase(t *testing.T) {
	type outcome struct {
		kind haldane.Kind
		err  error
	}
	no, nothing := outcome{err: ErrPhase}, outcome{}
	want := map[haldane.Phase]map[string]outcome{
		haldane.Pending: {VerbStart: {kind: haldane.KindStarted}, VerbHold: no, VerbResume: no, VerbPromote: no, VerbRollBack: no, VerbAbort: nothing},
		haldane.Stepping: {VerbStart: no, VerbHold: {kind: haldane.KindHeld}, VerbResume: no, VerbPromote: {kind: haldane.KindPromoted},
			VerbRollBack: {kind: haldane.KindRolledBack}, VerbAbort: {kind: haldane.KindAborted}},
		haldane.Held: {VerbStart: no, VerbHold: no, VerbResume: {kind: haldane.KindResumed}, VerbPromote: {kind: haldane.KindPromoted},
			VerbRollBack: {kind: haldane.KindRolledBack}, VerbAbort: {kind: haldane.KindAborted}},
		haldane.Watching: {VerbStart: no, VerbHold: no, VerbResume: no, VerbPromote: no,
			VerbRollBack: {kind: haldane.KindRolledBack}, VerbAbort: {kind: haldane.KindAborted}},
		haldane.RolledBack: {VerbStart: no, VerbHold: no, VerbResume: no, VerbPromote: no, VerbRollBack: no, VerbAbort: nothing},
		haldane.Completed:  {VerbStart: no, VerbHold: no, VerbResume: no, VerbPromote: no, VerbRollBack: no, VerbAbort: nothing},
	}
	for phase, verbs := range want {
		s := in(stepping(2), phase)
		if phase == haldane.Pending {
			s.Step, s.Weight = 0, 0
		}
		for _, verb := range Verbs() {
			m, due, err := ramp().Command(s, verb, "because", nil)
			w := verbs[verb]
			if !errors.Is(err, w.err) || due != (w.kind != "") {
				t.Errorf("%s while %s: got %v, %v, want %+v", verb, phase, due, err, w)
				continue
			}
			if !due {
				continue
			}
			if _, err := s.Apply(decide(s, m, "ops", noon)); m.Kind != w.kind || err != nil || m.Reason != "because" {
				t.Errorf("%s while %s: %+v (%v)", verb, phase, m, err)
			}
		}
	}
	if _, _, err := ramp().Command(stepping(1), "pause", "", nil); !errors.Is(err, ErrVerb) {
		t.Errorf("pause: got %v, want ErrVerb", err)
	}
}
