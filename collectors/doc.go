// Package collectors turns observations into windows: it counts what requests
// were seen to do, for two readers at once. The analyzer is sent the counts of
// each rollout by weight epoch ([sketch.Report], carried by a [Publisher]);
// Prometheus scrapes the same observations by version and route.
//
//	request ─► Cell.Observe ─┬─► evidence of one weight epoch ─► Tally.Reports ─► Publisher ─► bus
//	                         └─► series of one version, route ─► Tally.Collect ─► /metrics
//
// A [Tally] is one proxy's account. What a request's observation will be
// counted under is known when a split arrives, so it is looked up then
// ([Tally.Arm] gives a [Cell]) and never on a request: an observation is five
// atomic additions, takes no lock and allocates nothing.
//
//	tally := collectors.NewTally("proxy-1/8f2c")
//	cell := tally.Arm(collectors.Arm{Service: "shop", Rollout: "shop-1.5.0", Route: "/", Track: haldane.Canary, Epoch: 7, Weight: 100})
//	cell.Observe(haldane.OK, 12*time.Millisecond, "")
//
// Guaranteed: counts only grow; a request given up by its client is reported
// but is no observation; [Cell.ObserveRepeat] is seen by Prometheus and never by
// the analyzer. Two histograms are kept, both in sketch's buckets: the evidence
// holds the latencies of requests that did not fail, as [sketch.Window] wants
// it; the scraped one holds those of all counted requests, failed ones too.
//
// Left to others: who is told (the Publisher calls a function), and what the
// counts mean (package analyzer).
package collectors
