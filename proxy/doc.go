// Package proxy divides a service's requests between its two tracks and makes
// an observation of each. It is the only part of Haldane that clients meet.
//
// One request's way through it:
//
//  1. What no proxy should pass on is refused (CONNECT, "GET *", Upgrade: h2c).
//  2. Host and path choose a service and a route; see [Match].
//  3. A draw with the weight in force chooses the track: per request, or by a
//     hash of the configured cookie or header so that a client stays where it
//     is as the weight grows; see [Assign]. From here on the request belongs
//     to the weight epoch it was drawn in, however long it takes.
//  4. It is forwarded, streaming in both directions. Where the canary cannot
//     answer and a second try is harmless, the baseline answers instead: the
//     client sees no failure, the canary's failure is observed all the same.
//  5. Its outcome and latency are counted in a collectors.Cell. A retry is not
//     an observation.
//
// The weight comes from outside as a [haldane.Split] ([Proxy.Apply]): an
// atomic pointer to an immutable state is swapped, so that a change loses no
// request and waits for none. A split that does not supersede the one in force
// is refused: an old weight never comes back. Until a split is known the canary
// gets nothing; where anything of ours fails, the baseline serves.
//
// Nothing a client sends can choose the track, but a sticky key is the
// client's to choose, and so is its track then.
//
// Guaranteed: the request path takes no lock of ours, waits for nothing but the
// upstream, and writes no log. Left to others: where splits come from, keeping
// them ([SplitFile] helps), TLS, and when to stop.
package proxy
