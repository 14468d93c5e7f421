package rollout

import (
	"fmt"
	"time"

	"github.com/haldane-canary/haldane"
)

// Fresh is how old a pass may be and still count: an analyzer that has fallen
// silent advances nothing.
const Fresh = 10 * time.Second

// An Input is all that Next may know besides plan and state.
type Input struct {
	Now        time.Time
	Verdict    *haldane.Verdict // the latest, or a fail if there ever was one; nil before the first
	ReceivedAt time.Time        // when Verdict arrived, by the clock of Now
}

// A Move is what is to be done: the decision that it will become, less what
// only the one who carries it out can fill in.
type Move struct {
	Kind    haldane.Kind
	To      haldane.Position
	Reason  string
	Verdict *haldane.Verdict // what it rests on; nil if on no verdict
}

// Next returns what is to be done in state s, and whether anything is. It
// reads no clock and does no I/O: the same arguments always give the same
// answer. In this order:
//
//   - a fail of this generation, whatever its epoch, rolls back at once, from
//     any phase that has weight to take away;
//   - stepping, a pass of this very epoch and step, no older than Fresh, after
//     the bake time, goes on to the next step, or after the last to full weight;
//   - stepping, the deadline does what the plan says;
//   - watching, the watch time completes the rollout.
//
// Anything else, and any doubt, is nothing to be done.
func (p Plan) Next(s State, in Input) (Move, bool) {
	if failed(s, in.Verdict) {
		return p.back(s, in.Verdict.Reason, in.Verdict), true
	}
	dwelt := in.Now.Sub(s.Since)
	switch s.Phase {
	case haldane.Stepping:
		if passed(s, in) && dwelt >= p.bake(s.Step) {
			return p.forward(s, in.Verdict), true
		}
		if p.Deadline > 0 && in.Now.Sub(s.Clock) >= p.Deadline {
			return p.overdue(s, in.Verdict), true
		}
	case haldane.Watching:
		if dwelt >= p.Watch {
			reason := fmt.Sprintf("watched for %v at full weight without a fail", p.Watch)
			return Move{haldane.KindCompleted, at(s, haldane.Completed), reason, of(s, in.Verdict)}, true
		}
	case haldane.Pending, haldane.Held, haldane.Completed, haldane.RolledBack, haldane.Aborted:
	}
	return Move{}, false
}

// failed reports whether v takes the weight away from s.
func failed(s State, v *haldane.Verdict) bool {
	return v != nil && v.Judgement == haldane.Fail && v.Rollout == s.Rollout && s.Phase.Running()
}

// passed reports whether in holds a pass that lets s advance.
func passed(s State, in Input) bool {
	v, age := in.Verdict, in.Now.Sub(in.ReceivedAt)
	return v != nil && v.Judgement == haldane.Pass && v.Rollout == s.Rollout &&
		v.Epoch == s.Epoch() && v.Step == s.Step && age >= 0 && age <= Fresh
}
