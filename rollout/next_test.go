package rollout

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/haldane-canary/haldane"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// ramp is the plan that most tests follow.
func ramp() Plan {
	return Plan{
		Steps:    []Step{{100, 10 * time.Second}, {500, 20 * time.Second}, {5000, 30 * time.Second}},
		Deadline: 30 * time.Minute, Watch: 10 * time.Minute,
	}
}

// stepping is a state of ramp's nth step, entered at noon by decision n.
func stepping(n int) State {
	return State{
		Service: "shop", Rollout: "r", Generation: 1, Seq: uint64(n), Phase: haldane.Stepping,
		Step: n, Weight: ramp().Steps[n-1].Weight, Since: noon, Started: noon, Clock: noon,
	}
}

// in returns s in another phase.
func in(s State, p haldane.Phase) State {
	s.Phase = p
	if p == haldane.Watching {
		s.Weight = haldane.FullWeight
	}
	return s
}

// on returns a verdict on s.
func on(s State, j haldane.Judgement) *haldane.Verdict {
	return &haldane.Verdict{Judgement: j, Rollout: s.Rollout, Epoch: s.Epoch(), Step: s.Step, Reason: "evidence"}
}

func TestNext(t *testing.T) {
	other := func(v *haldane.Verdict, change func(*haldane.Verdict)) *haldane.Verdict { change(v); return v }
	second := stepping(2)
	held := func(p Plan) Plan { p.OnUndecided = Hold; return p }
	for _, c := range []struct {
		claim   string
		plan    Plan
		state   State
		after   time.Duration // since noon
		verdict *haldane.Verdict
		age     time.Duration // of the verdict
		want    haldane.Kind
		to      haldane.Position
	}{
		{"a pass after the bake advances", ramp(), second, 20 * time.Second, on(second, haldane.Pass), 0,
			haldane.KindWeight, haldane.Position{Phase: haldane.Stepping, Step: 3, Weight: 5000}},
		{"a pass before the bake waits", ramp(), second, 20*time.Second - 1, on(second, haldane.Pass), 0, "", haldane.Position{}},
		{"undecided waits", ramp(), second, time.Minute, on(second, haldane.Undecided), 0, "", haldane.Position{}},
		{"no verdict waits", ramp(), second, time.Minute, nil, 0, "", haldane.Position{}},
		{"a pass of an earlier epoch waits", ramp(), second, time.Minute,
			other(on(second, haldane.Pass), func(v *haldane.Verdict) { v.Epoch-- }), 0, "", haldane.Position{}},
		{"a pass of another step waits", ramp(), second, time.Minute,
			other(on(second, haldane.Pass), func(v *haldane.Verdict) { v.Step-- }), 0, "", haldane.Position{}},
		{"a pass on another generation waits", ramp(), second, time.Minute,
			other(on(second, haldane.Pass), func(v *haldane.Verdict) { v.Rollout = "r.2" }), 0, "", haldane.Position{}},
		{"a pass as old as may be advances", ramp(), second, time.Minute, on(second, haldane.Pass), Fresh,
			haldane.KindWeight, haldane.Position{Phase: haldane.Stepping, Step: 3, Weight: 5000}},
		{"a stale pass waits", ramp(), second, time.Minute, on(second, haldane.Pass), Fresh + 1, "", haldane.Position{}},
		{"a pass from the future waits", ramp(), second, time.Minute, on(second, haldane.Pass), -1, "", haldane.Position{}},
		{"the last pass promotes", ramp(), stepping(3), time.Minute, on(stepping(3), haldane.Pass), 0,
			haldane.KindPromoted, haldane.Position{Phase: haldane.Watching, Step: 3, Weight: haldane.FullWeight}},
		{"a pass of a step that the plan lost promotes", Plan{Steps: ramp().Steps[:1]}, second, time.Minute, on(second, haldane.Pass), 0,
			haldane.KindPromoted, haldane.Position{Phase: haldane.Watching, Step: 2, Weight: haldane.FullWeight}},

		{"a fail rolls back before the bake", ramp(), second, 0, on(second, haldane.Fail), 0,
			haldane.KindRolledBack, haldane.Position{Phase: haldane.RolledBack, Step: 2}},
		{"a fail of an earlier epoch, and old, rolls back", ramp(), second, time.Hour,
			other(on(second, haldane.Fail), func(v *haldane.Verdict) { v.Epoch, v.Step = 1, 1 }), time.Hour,
			haldane.KindRolledBack, haldane.Position{Phase: haldane.RolledBack, Step: 2}},
		{"a fail rolls back what is held", ramp(), in(second, haldane.Held), 0, on(second, haldane.Fail), 0,
			haldane.KindRolledBack, haldane.Position{Phase: haldane.RolledBack, Step: 2}},
		{"a fail rolls back what is watched, even at its end", ramp(), in(second, haldane.Watching), time.Hour, on(second, haldane.Fail), 0,
			haldane.KindRolledBack, haldane.Position{Phase: haldane.RolledBack, Step: 2}},
		{"a fail on another generation is nothing", ramp(), second, 0,
			other(on(second, haldane.Fail), func(v *haldane.Verdict) { v.Rollout = "r.2" }), 0, "", haldane.Position{}},
		{"a fail of what is settled is nothing", ramp(), in(second, haldane.Completed), 0, on(second, haldane.Fail), 0, "", haldane.Position{}},

		{"the deadline holds", held(ramp()), second, 30 * time.Minute, nil, 0,
			haldane.KindHeld, haldane.Position{Phase: haldane.Held, Step: 2, Weight: 500}},
		{"the deadline holds if nothing is said", ramp(), second, 30 * time.Minute, on(second, haldane.Undecided), 0,
			haldane.KindHeld, haldane.Position{Phase: haldane.Held, Step: 2, Weight: 500}},
		{"the deadline rolls back if so planned", Plan{ramp().Steps, time.Minute, 0, RollBack}, second, time.Minute, nil, 0,
			haldane.KindRolledBack, haldane.Position{Phase: haldane.RolledBack, Step: 2}},
		{"the deadline promotes if so planned", Plan{ramp().Steps, time.Minute, 0, Promote}, second, time.Minute, nil, 0,
			haldane.KindPromoted, haldane.Position{Phase: haldane.Watching, Step: 2, Weight: haldane.FullWeight}},
		{"a pass at the deadline advances", ramp(), second, 30 * time.Minute, on(second, haldane.Pass), 0,
			haldane.KindWeight, haldane.Position{Phase: haldane.Stepping, Step: 3, Weight: 5000}},
		{"no deadline, no end", Plan{Steps: ramp().Steps}, second, 1000 * time.Hour, nil, 0, "", haldane.Position{}},
		{"what is held stays so", ramp(), in(second, haldane.Held), 1000 * time.Hour, on(second, haldane.Pass), 0, "", haldane.Position{}},

		{"watched long enough completes", ramp(), in(second, haldane.Watching), 10 * time.Minute, nil, 0,
			haldane.KindCompleted, haldane.Position{Phase: haldane.Completed, Step: 2, Weight: haldane.FullWeight}},
		{"not watched long enough waits", ramp(), in(second, haldane.Watching), 10*time.Minute - 1, on(second, haldane.Pass), 0, "", haldane.Position{}},
		{"what is pending stays so", ramp(), NewState("shop", "r", 1, haldane.Versions{}), time.Hour, nil, 0, "", haldane.Position{}},
	} {
		now := noon.Add(c.after)
		m, ok := c.plan.Next(c.state, Input{Now: now, Verdict: c.verdict, ReceivedAt: now.Add(-c.age)})
		if ok != (c.want != "") || m.Kind != c.want || m.To != c.to {
			t.Errorf("%s: got %v, %+v to %+v, want %q to %+v", c.claim, ok, m.Kind, m.To, c.want, c.to)
		}
		if ok && m.Reason == "" {
			t.Errorf("%s: no reason", c.claim)
		}
	}
}

// drawn are generators of everything that Next can be asked.
func drawState(t *rapid.T) State {
	s := stepping(rapid.IntRange(1, 3).Draw(t, "step"))
	s = in(s, rapid.SampledFrom([]haldane.Phase{haldane.Pending, haldane.Stepping, haldane.Held, haldane.Watching,
		haldane.Completed, haldane.RolledBack, haldane.Aborted}).Draw(t, "phase"))
	if s.Phase == haldane.RolledBack || s.Phase == haldane.Aborted || s.Phase == haldane.Pending {
		s.Weight = 0
	}
	return s
}

func drawInput(t *rapid.T, s State) Input {
	now := noon.Add(time.Duration(rapid.Int64Range(-3600, 7200).Draw(t, "now")) * time.Second)
	i := Input{Now: now, ReceivedAt: now.Add(-time.Duration(rapid.Int64Range(-5, 30).Draw(t, "age")) * time.Second)}
	if rapid.Bool().Draw(t, "verdict") {
		i.Verdict = on(s, haldane.Judgement(rapid.IntRange(0, 2).Draw(t, "judgement")))
		i.Verdict.Epoch += uint64(rapid.IntRange(-1, 1).Draw(t, "epoch"))
		i.Verdict.Step += rapid.IntRange(-1, 1).Draw(t, "of step")
		i.Verdict.Rollout = rapid.SampledFrom([]string{"r", "r", "r", "r.2"}).Draw(t, "of")
	}
	return i
}

func TestWhateverNextSaysKeepsTheRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := ramp()
		p.OnUndecided = rapid.SampledFrom([]OnUndecided{"", Hold, RollBack}).Draw(t, "at the deadline")
		s := drawState(t)
		i := drawInput(t, s)
		m, ok := p.Next(s, i)
		again, ok2 := p.Next(s, i)
		if m != again || ok != ok2 {
			t.Fatalf("the same question has two answers: %+v and %+v", m, again)
		}
		mine := i.Verdict != nil && i.Verdict.Rollout == s.Rollout
		if mine && i.Verdict.Judgement == haldane.Fail && s.Phase.Running() && m.Kind != haldane.KindRolledBack {
			t.Fatalf("a fail in %s gives %+v", s.Phase, m)
		}
		if s.Phase.Settled() && ok {
			t.Fatalf("%s is followed by %+v", s.Phase, m)
		}
		if m.To.Weight > s.Weight && (!mine || i.Verdict.Judgement != haldane.Pass || i.Verdict.Epoch != s.Epoch()) {
			t.Fatalf("weight raised from %v to %v on %+v", s.Weight, m.To.Weight, i.Verdict)
		}
		if !ok {
			return
		}
		next, err := s.Apply(decide(s, m, haldane.ControllerActor, i.Now))
		if err != nil {
			t.Fatalf("%+v cannot be applied: %v", m, err)
		}
		if next.Position() != m.To || !next.Split().Supersedes(s.Split()) {
			t.Fatalf("%+v leads to %+v", m, next)
		}
	})
}

func TestWakeMissesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, s := ramp(), drawState(t)
		now := noon.Add(time.Duration(rapid.Int64Range(-60, 7200).Draw(t, "now")) * time.Second)
		pass := func(at time.Time) Input { return Input{Now: at, ReceivedAt: at, Verdict: on(s, haldane.Pass)} }
		if _, due := p.Next(s, pass(now)); due {
			return // not asleep
		}
		wake, ok := p.Wake(s, now)
		for at := now; at.Before(now.Add(3 * time.Hour)); at = at.Add(time.Second) {
			if _, due := p.Next(s, pass(at)); due && (!ok || at.Before(wake)) {
				t.Fatalf("due at %v, but Wake says %v, %v", at, wake, ok)
			} else if due {
				return
			}
		}
	})
}
