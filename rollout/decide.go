package rollout

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/haldane-canary/haldane"
)

// decide returns the decision that makes m happen to s. The verdict that m
// rests on goes in with all its evidence; its counts are kept once, with the
// evidence.
func decide(s State, m Move, actor string, now time.Time) haldane.Decision {
	d := haldane.Decision{
		Seq: s.Seq + 1, Service: s.Service, Rollout: s.Rollout, Kind: m.Kind,
		Actor: actor, Reason: m.Reason, From: s.Position(), To: m.To, Weight: m.To.Weight,
		Versions: s.Versions, TraceIDs: []string{}, At: now.UTC(),
		Evidence: haldane.Basis{Indicators: []haldane.Evidence{}},
	}
	if m.Verdict == nil {
		return d
	}
	v := *m.Verdict
	d.Served = v.Served
	d.Evidence = haldane.Basis{Baseline: v.Baseline, Canary: v.Canary, Indicators: v.Indicators, Counts: v.Counts}
	if v.Indicators == nil {
		d.Evidence.Indicators = []haldane.Evidence{}
	}
	d.TraceIDs = append(d.TraceIDs, v.TraceIDs...)
	v.Counts = nil
	d.Verdict = &v
	return recordable(d)
}

// recordable returns d as it can be written down. Evidence that cannot be, for
// a number in it is none, is left out, for a rollback must not fail for it.
func recordable(d haldane.Decision) haldane.Decision {
	d.Served = min(max(d.Served, 0), haldane.FullWeight)
	if _, err := json.Marshal(d); err != nil {
		d.Reason += fmt.Sprintf(" (its evidence cannot be written down: %v)", err)
		d.Verdict, d.Evidence.Indicators, d.Evidence.Counts = nil, []haldane.Evidence{}, nil
	}
	return d
}

// renumbered returns d, a reversal, as it is decided after s instead of after
// the state that its controller knew of.
func renumbered(d haldane.Decision, s State) haldane.Decision {
	d.Seq, d.From, d.To.Step = s.Seq+1, s.Position(), s.Step
	return d
}

// due returns what is to be done about s, one generation of the rollout that
// is configured as s, or of one that retired from the configuration, and
// whether anything is. What Plan.Next says of a fail comes first. A generation
// of other versions than those configured now is superseded: its evidence
// tells nothing of what would be served.
func (p Spec) due(s State, in Input, retired bool) (Move, bool) {
	if failed(s, in.Verdict) {
		return p.Plan.Next(s, in)
	}
	if why, gone := p.superseded(s, retired); gone {
		to := haldane.Position{Phase: haldane.Aborted, Step: s.Step}
		return Move{haldane.KindAborted, to, why, of(s, in.Verdict)}, s.Phase.Running()
	}
	if s.Phase == haldane.Pending && p.Auto && !retired {
		return p.Plan.start("starts by itself, as configured"), true
	}
	return p.Plan.Next(s, in)
}

// superseded reports whether s is about something that is no longer
// configured, and says what.
func (p Spec) superseded(s State, retired bool) (why string, gone bool) {
	switch {
	case s.Seq == 0:
		return "", false
	case retired:
		return "superseded: the rollout is no longer configured", true
	case s.Versions != p.Versions:
		return fmt.Sprintf("superseded: configured are now %s and %s instead of %s and %s",
			p.Versions.Baseline, p.Versions.Canary, s.Versions.Baseline, s.Versions.Canary), true
	}
	return "", false
}
