package haldane

import (
	"encoding/json"
	"time"
)

// A Phase is where a rollout stands.
type Phase string

// The phases. The last three are settled: nothing follows but a new
// generation.
const (
	Pending    Phase = "pending"    // known, not started
	Stepping   Phase = "stepping"   // climbing the plan's steps
	Held       Phase = "held"       // weight frozen until somebody resumes; still judged
	Watching   Phase = "watching"   // at full weight, ready to return at once
	Completed  Phase = "completed"  // the canary has become the version in charge
	RolledBack Phase = "rolledback" // shown worse, or sent back by hand
	Aborted    Phase = "aborted"    // given up without a judgement
)

// Settled reports whether p is final.
func (p Phase) Settled() bool {
	return p == Completed || p == RolledBack || p == Aborted
}

// Running reports whether p is a phase in which requests are compared.
func (p Phase) Running() bool { return p == Stepping || p == Held || p == Watching }

// A Kind is what a decision did.
type Kind string

// The kinds of decision; each is the last token of its NATS subject.
const (
	KindProposed   Kind = "proposed"
	KindApproved   Kind = "approved"
	KindStarted    Kind = "started"
	KindWeight     Kind = "weight" // advanced to the next step
	KindHeld       Kind = "held"
	KindResumed    Kind = "resumed"
	KindRolledBack Kind = "rolledback"
	KindPromoted   Kind = "promoted" // to full weight
	KindCompleted  Kind = "completed"
	KindAborted    Kind = "aborted"
)

// Kinds returns every kind, in the order in which a rollout may meet them.
func Kinds() []Kind {
	return []Kind{KindProposed, KindApproved, KindStarted, KindWeight, KindHeld, KindResumed,
		KindRolledBack, KindPromoted, KindCompleted, KindAborted}
}

// ControllerActor is the actor of every decision that no person made.
const ControllerActor = "controller"

// A Position is where a rollout stands before or after a decision.
type Position struct {
	Phase  Phase  `json:"phase"`
	Step   int    `json:"step"` // from 1; 0 before the first
	Weight Weight `json:"weight_bp"`
}

// Versions names what the two tracks run.
type Versions struct {
	Baseline string `json:"baseline"`
	Canary   string `json:"canary"`
}

// A Basis is what a decision rests on: the counts, and the evidence weighed
// from them.
type Basis struct {
	Baseline   Totals          `json:"baseline"`
	Canary     Totals          `json:"canary"`
	Indicators []Evidence      `json:"indicators"`
	Counts     json.RawMessage `json:"counts,omitempty"` // see Verdict.Counts
}

// A Decision is what was done to a rollout, by whom, and why. Decisions of a
// rollout are numbered 1, 2, 3 … without gap; the fold over them is the whole
// state of the rollout.
type Decision struct {
	Seq      uint64    `json:"seq"`
	Service  string    `json:"service"`
	Rollout  string    `json:"rollout"` // with its generation
	Kind     Kind      `json:"kind"`
	Actor    string    `json:"actor"` // ControllerActor, or who asked
	Reason   string    `json:"reason"`
	From     Position  `json:"from"`
	To       Position  `json:"to"`
	Weight   Weight    `json:"weight_bp"` // of To, again
	Served   Weight    `json:"served_bp"` // what the canary was really given before
	Versions Versions  `json:"versions"`
	Verdict  *Verdict  `json:"verdict,omitempty"`
	Evidence Basis     `json:"evidence"`
	TraceIDs []string  `json:"trace_ids"`
	At       time.Time `json:"at"`
}
