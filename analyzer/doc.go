// Package analyzer weighs evidence: windows in, one verdict out.
//
// It answers, while the traffic flows: is the canary worse than the margin
// tolerates (fail), has it been shown good enough for the next step (pass), or
// is neither known yet (undecided)? The answer is a pure function of counts,
// and may be asked for after every request: the chance of ever calling a
// canary that is not worse a failure stays below alpha (see package evalue).
//
// The counts are kept on a [Tape], a list of segments within which the weight
// did not change, grouped into pages. Latencies are ranked by what the pages
// before theirs have shown, so that every bet was fixed before the outcome it
// was made on. A [Trial] keeps the tape of one rollout and judges it; a
// [Service] runs a trial for each rollout from the windows on the bus.
// [Replay] makes the same verdict, to the bit, from the tape alone.
//
// For each indicator two wealths are kept. The one against "not worse than the
// margin" runs over the rollout's whole life; as a weighted average over the
// indicators it makes a failure at 1/alpha. The one against "worse than the
// promotion margin" starts afresh at each step; all of them must reach
// 1/alphaPromote for a pass, and while any indicator's evidence leans
// towards harm, doubt holds the pass back. What the analyzer leaves to others: to act.
package analyzer
