package rollout

import (
	"errors"
	"fmt"

	"github.com/haldane-canary/haldane"
)

// Errors that callers of a command test for with errors.Is.
var (
	ErrUnknown = errors.New("no such rollout")
	ErrVerb    = errors.New("no such verb")
	ErrPhase   = errors.New("not possible in this phase")
)

// The verbs by which people act on a rollout.
const (
	VerbStart    = "start"    // pending, or settled: then as a new generation
	VerbHold     = "hold"     // stepping
	VerbResume   = "resume"   // held
	VerbPromote  = "promote"  // stepping or held: to full weight, watched
	VerbRollBack = "rollback" // stepping, held or watching
	VerbAbort    = "abort"    // any; nothing to do if pending or settled
)

// Verbs returns every verb.
func Verbs() []string {
	return []string{VerbStart, VerbHold, VerbResume, VerbPromote, VerbRollBack, VerbAbort}
}

// Command returns the move that a person asks for by a verb, and whether
// there is anything to do: an abort of what does not run is granted without.
// The latest verdict goes into the record, and is otherwise not looked at. It
// returns ErrPhase, wrapped, for a verb that does not fit s, and ErrVerb,
// wrapped, for no verb of ours.
//
// Starting what is settled is for the caller to make a new generation of
// first: here, only a pending state can be started.
func (p Plan) Command(s State, verb, reason string, v *haldane.Verdict) (Move, bool, error) {
	v = of(s, v)
	switch verb {
	case VerbStart:
		if s.Phase == haldane.Pending {
			return p.start(reason), true, nil
		}
	case VerbHold:
		if s.Phase == haldane.Stepping {
			return Move{haldane.KindHeld, at(s, haldane.Held), reason, v}, true, nil
		}
	case VerbResume:
		if s.Phase == haldane.Held {
			return Move{haldane.KindResumed, at(s, haldane.Stepping), reason, v}, true, nil
		}
	case VerbPromote:
		if s.Phase == haldane.Stepping || s.Phase == haldane.Held {
			return p.full(s, reason, v), true, nil
		}
	case VerbRollBack:
		if s.Phase.Running() {
			return p.back(s, reason, v), true, nil
		}
	case VerbAbort:
		to := haldane.Position{Phase: haldane.Aborted, Step: s.Step}
		return Move{haldane.KindAborted, to, reason, v}, s.Phase.Running(), nil
	default:
		return Move{}, false, fmt.Errorf("%q (%v): %w", verb, Verbs(), ErrVerb)
	}
	return Move{}, false, fmt.Errorf("%s %s, which is %s (%s): %w", verb, s.Rollout, s.Phase, hint(s.Phase), ErrPhase)
}

// start puts the first step in force.
func (p Plan) start(reason string) Move {
	to := haldane.Position{Phase: haldane.Stepping, Step: 1, Weight: p.Steps[0].Weight}
	return Move{Kind: haldane.KindStarted, To: to, Reason: reason}
}

// hint says what can be done in a phase.
func hint(p haldane.Phase) string {
	switch p {
	case haldane.Pending:
		return "it can be started"
	case haldane.Stepping:
		return "it can be held, promoted, rolled back or aborted"
	case haldane.Held:
		return "it can be resumed, promoted, rolled back or aborted"
	case haldane.Watching:
		return "it can be rolled back or aborted"
	case haldane.Completed, haldane.RolledBack, haldane.Aborted:
	}
	return "it can be started again, as a new generation"
}
