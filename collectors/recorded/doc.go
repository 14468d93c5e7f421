// Package recorded reads observations that somebody wrote down: one JSON
// object a line, in the order in which the requests were assigned.
//
//	{"ts":"2026-11-22T17:00:00.000000001Z","track":"canary","route":"/pay","status":200,
//	 "latency_ms":12.3,"weight":0.05,"client":"c17","error":"timeout"}
//
// ts, track and latency_ms are required. Unknown fields are ignored. A line
// that cannot be read is an error that says which line, what is wrong with it
// and what to do; nothing is guessed and nothing is skipped but blank lines.
//
// A [Reader] holds one line at a time, so its memory does not grow with the
// input. Plain lines are taken apart by a small scanner of our own, for speed;
// every line that it does not know how to read, encoding/json reads, and a fuzz
// test holds the one against the other.
package recorded
