// Package rollout decides what becomes of a canary, and does it.
//
// It answers one question, again and again: given where a rollout stands, the
// latest verdict on it and the time, what is to be done now? A [Plan] is the
// ramp: steps with a weight and a bake time, a deadline, and a time to keep
// watching at full weight. A [State] is where a rollout stands; it is nothing
// but the fold of its decisions so far, so that it can be rebuilt from them at
// any time. [Plan.Next] is the rule:
//
//	             hold, or deadline        resume
//	          ┌───────────────────► held ───────┐
//	          │                      │          │
//	pending ──► stepping ◄───────────┼──────────┘
//	   start  │  │ pass: next step   │ promote
//	          │  └──────► watching ◄─┘
//	          │  last pass   │    watched long enough
//	          │              └───────────────────────► completed
//	          └── fail, from all three: rolledback; abort: aborted
//
// Doubt holds the weight and never raises it: an undecided verdict, one of
// another weight epoch, one that is too old, or none at all does nothing. A
// fail is final and comes before everything else.
//
// [Plan.Next] and [State.Apply] read no clock and do no I/O. The [Controller]
// does what they say, so that whenever it is killed, nothing is lost, doubled
// or contradicted:
//
//   - Anything that raises or keeps the weight is first accepted by the
//     decision log (the stream), then written to the [Journal], then applied.
//   - What takes the weight away, a rollback or an abort, waits for nobody: it
//     is written to the journal, applied, and told to the log when the log can
//     be reached, before any later decision of that rollout.
//   - The log refuses a second decision under the same number, so of two
//     controllers only one decides; the other takes over what was decided. A
//     rollback is never given up for it: it takes the next number.
//
// Each start opens a generation with a name of its own (shop-1.5.0, then
// shop-1.5.0.2) and with statistics of its own. A weight that an old
// generation set can never come back.
//
// The package knows neither the judge nor the bus: verdicts come in through
// [Controller.Observe], decisions go out through [DecisionLog], and weights
// through a function.
package rollout
