package rollout

import (
	"errors"
	"fmt"
	"time"

	"github.com/haldane-canary/haldane"
)

// ErrSequence is returned, wrapped, for a decision that does not follow the
// one before it.
var ErrSequence = errors.New("decision does not follow")

// A State is where one generation of a rollout stands: the fold of its
// decisions. NewState makes the one before the first.
type State struct {
	Service    string
	Rollout    string // with its generation
	Generation int
	Seq        uint64 // of the latest decision; 0 before the first
	Phase      haldane.Phase
	Step       int // from 1; 0 before the first
	Weight     haldane.Weight
	Since      time.Time // when the phase or the step last changed
	Started    time.Time // when the generation was started
	Clock      time.Time // what the deadline counts from: the start, or the latest resume
	Reason     string    // of the latest decision
	Versions   haldane.Versions
}

// NewState returns the state of the nth generation of the rollout base before
// its first decision.
func NewState(service, base string, n int, v haldane.Versions) State {
	return State{Service: service, Rollout: GenerationName(base, n), Generation: n, Phase: haldane.Pending, Versions: v}
}

// Position returns where s stands, as decisions write it.
func (s State) Position() haldane.Position {
	return haldane.Position{Phase: s.Phase, Step: s.Step, Weight: s.Weight}
}

// A number names a decision.
type number struct {
	rollout string // with its generation
	seq     uint64
}

// number returns the number of the latest decision.
func (s State) number() number { return number{s.Rollout, s.Seq} }

// Epoch returns the weight epoch that s is in. Every decision opens one, also
// where the weight stays: so every proxy and the analyzer learn of it, and no
// verdict from before a decision counts after it.
func (s State) Epoch() uint64 { return s.Seq }

// Split returns the split that s puts in force.
func (s State) Split() haldane.Split {
	return haldane.Split{
		Service: s.Service, Rollout: s.Rollout, Generation: s.Generation, Epoch: s.Epoch(),
		Weight: s.Weight, Phase: s.Phase, Step: s.Step, Since: s.Since, Started: s.Started,
	}
}

// Apply returns the state after d. It returns ErrSequence, wrapped, and s
// itself, unless d is the next decision of this very generation, begins where
// s stands and leads where its kind may lead.
func (s State) Apply(d haldane.Decision) (State, error) {
	switch {
	case d.Service != s.Service || d.Rollout != s.Rollout:
		return s, fmt.Errorf("decision %d of %s/%s after one of %s/%s: %w",
			d.Seq, d.Service, d.Rollout, s.Service, s.Rollout, ErrSequence)
	case d.Seq != s.Seq+1:
		return s, fmt.Errorf("decision %d of %s after %d: %w", d.Seq, d.Rollout, s.Seq, ErrSequence)
	case d.From != s.Position():
		return s, fmt.Errorf("decision %d of %s is from %+v, but it stood at %+v: %w",
			d.Seq, d.Rollout, d.From, s.Position(), ErrSequence)
	case d.To.Weight != d.Weight || !leads(d.Kind, d.From, d.To):
		return s, fmt.Errorf("decision %d of %s is %s from %+v to %+v (weight %v): %w",
			d.Seq, d.Rollout, d.Kind, d.From, d.To, d.Weight, ErrSequence)
	}
	s.Seq, s.Reason, s.Versions = d.Seq, d.Reason, d.Versions
	s.Phase, s.Step, s.Weight = d.To.Phase, d.To.Step, d.To.Weight
	if d.From != d.To {
		s.Since = d.At
	}
	if d.Kind == haldane.KindStarted {
		s.Started = d.At
	}
	if d.Kind == haldane.KindStarted || d.Kind == haldane.KindResumed {
		s.Clock = d.At
	}
	return s, nil
}

// leads reports whether a decision of kind k may lead from a to b.
func leads(k haldane.Kind, a, b haldane.Position) bool {
	if _, err := haldane.NewWeight(int(b.Weight)); err != nil {
		return false
	}
	same := a.Weight == b.Weight && a.Step == b.Step
	switch k {
	case haldane.KindProposed, haldane.KindApproved:
		return a.Phase == haldane.Pending && a == b
	case haldane.KindStarted:
		return a.Phase == haldane.Pending && b.Phase == haldane.Stepping && b.Step == 1
	case haldane.KindWeight:
		return a.Phase == haldane.Stepping && b.Phase == haldane.Stepping && b.Step == a.Step+1
	case haldane.KindHeld:
		return a.Phase == haldane.Stepping && b.Phase == haldane.Held && same
	case haldane.KindResumed:
		return a.Phase == haldane.Held && b.Phase == haldane.Stepping && same
	case haldane.KindPromoted:
		return (a.Phase == haldane.Stepping || a.Phase == haldane.Held) &&
			b.Phase == haldane.Watching && b.Weight == haldane.FullWeight
	case haldane.KindCompleted:
		return a.Phase == haldane.Watching && b.Phase == haldane.Completed && same
	case haldane.KindRolledBack:
		return reversible(a.Phase) && b.Phase == haldane.RolledBack && b.Weight == 0
	case haldane.KindAborted:
		return reversible(a.Phase) && b.Phase == haldane.Aborted && b.Weight == 0
	}
	return false
}

// reversible reports whether the weight can still be taken away in phase p.
// Nobody is offered that once a rollout is completed; but a fail that came
// while another controller was completing it must win all the same.
func reversible(p haldane.Phase) bool { return p.Running() || p == haldane.Completed }

// anchored returns s with its times tied to the clock that now was read from,
// so that dwell times pass by the monotonic clock from here on. A time that
// now has not reached yet, because the clock was set back, counts as now.
func (s State) anchored(now time.Time) State {
	for _, t := range []*time.Time{&s.Since, &s.Clock} {
		if !t.IsZero() {
			*t = now.Add(-max(0, now.Sub(*t)))
		}
	}
	return s
}
