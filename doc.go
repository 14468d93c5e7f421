// Package haldane holds the nouns that every part of Haldane shares: what a
// request was seen to do, what was concluded from many of them, and what was
// done about it. It imports nothing but the standard library and does no I/O.
//
// Haldane sends a small, known, random share of a service's traffic to a new
// version of it and judges, while the traffic flows, whether that version is
// worse. The words, each with one meaning everywhere in the program:
//
//   - A service is what clients call. It has two tracks: [Baseline], the
//     version in charge, and [Canary], the candidate.
//   - The [Weight] is the canary's share of the requests. A weight epoch is a
//     stretch of time in which it did not change; a [Split] says which weight
//     is in force and which epoch it opened.
//   - An observation is one request's outcome: a track, a [Class] and a
//     latency. Observations are counted into windows (package sketch).
//   - An [Indicator] is what is compared, with a [Margin] of harm tolerated.
//   - [Evidence] is what the counts say about one indicator. A [Verdict] is
//     pass, fail or undecided, with all its evidence. Being unable to measure
//     is an error, never a verdict.
//   - A [Decision] is what the rollout controller did, and why.
//
// The data flows one way: the proxy makes observations, the analyzer turns
// them into verdicts, the controller turns verdicts into decisions, and a
// decision's weight comes back to the proxy as a Split.
package haldane
