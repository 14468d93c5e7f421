package rollout

import (
	"fmt"
	"time"

	"github.com/haldane-canary/haldane"
)

// at returns s's position in another phase.
func at(s State, p haldane.Phase) haldane.Position {
	return haldane.Position{Phase: p, Step: s.Step, Weight: s.Weight}
}

// of returns v if it is a verdict on this generation, else nil.
func of(s State, v *haldane.Verdict) *haldane.Verdict {
	if v == nil || v.Rollout != s.Rollout {
		return nil
	}
	return v
}

// bake returns how long step n bakes. A step that the plan no longer has,
// because it was shortened meanwhile, bakes no longer.
func (p Plan) bake(n int) time.Duration {
	if n < 1 || n > len(p.Steps) {
		return 0
	}
	return p.Steps[n-1].Bake
}

// back takes the weight away, by judgement or by hand.
func (p Plan) back(s State, reason string, v *haldane.Verdict) Move {
	to := haldane.Position{Phase: haldane.RolledBack, Step: s.Step}
	return Move{haldane.KindRolledBack, to, reason, of(s, v)}
}

// forward goes on to the next step, or after the last to full weight.
func (p Plan) forward(s State, v *haldane.Verdict) Move {
	if s.Step >= len(p.Steps) {
		return p.full(s, "last step passed: "+v.Reason, v)
	}
	to := haldane.Position{Phase: haldane.Stepping, Step: s.Step + 1, Weight: p.Steps[s.Step].Weight}
	return Move{haldane.KindWeight, to, fmt.Sprintf("step %d passed: %s", s.Step, v.Reason), v}
}

// full goes to full weight, ready to return.
func (p Plan) full(s State, reason string, v *haldane.Verdict) Move {
	to := haldane.Position{Phase: haldane.Watching, Step: s.Step, Weight: haldane.FullWeight}
	return Move{haldane.KindPromoted, to, reason, of(s, v)}
}

// overdue does what the plan says about a deadline without a verdict.
func (p Plan) overdue(s State, v *haldane.Verdict) Move {
	why := fmt.Sprintf("undecided at the deadline of %v", p.Deadline)
	switch p.OnUndecided {
	case RollBack:
		return p.back(s, why, v)
	case Promote:
		return p.full(s, why+", and the plan says to promote then", v)
	case Hold:
	}
	return Move{haldane.KindHeld, at(s, haldane.Held), why, of(s, v)}
}

// Wake returns the earliest instant after now at which time alone may give
// Next something to do in state s, and whether there is one.
func (p Plan) Wake(s State, now time.Time) (t time.Time, ok bool) {
	consider := func(u time.Time) {
		if u.After(now) && (!ok || u.Before(t)) {
			t, ok = u, true
		}
	}
	switch s.Phase {
	case haldane.Stepping:
		consider(s.Since.Add(p.bake(s.Step)))
		if p.Deadline > 0 {
			consider(s.Clock.Add(p.Deadline))
		}
	case haldane.Watching:
		consider(s.Since.Add(p.Watch))
	case haldane.Pending, haldane.Held, haldane.Completed, haldane.RolledBack, haldane.Aborted:
	}
	return t, ok
}
