// Package sim is a simulated world: requests are drawn, judged and acted on by
// the very code that runs in production (the analyzer's trial, the rollout's
// plan), but under a fake clock and from a fixed seed, so that thousands of
// rollouts take seconds and every number can be had again.
//
// It measures what the program promises and cannot show in one run: how often
// a canary that is not worse is rolled back, and how many requests it takes to
// roll back one that is. A [World] says how the two versions behave; [Run]
// takes one rollout through it; [Measure] takes many and adds up, with an
// interval, since a measurement without one is an anecdote.
package sim
