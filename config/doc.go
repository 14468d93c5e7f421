// Package config reads haldane.yaml: what is served where, what is compared,
// and how a rollout climbs. It answers one question, "is this file fit to
// serve by?", and answers it whole: every fault at once, each with its line,
// so that nobody mends a file one message at a time.
//
// Reading is three steps, each of which leaves its findings in one list of
// [Faults]:
//
//   - the text becomes a tree, and the tree a [Config]; keys that are not
//     known, keys given twice and values of the wrong kind are faults;
//   - what is left out takes its default, so that a Config has no absent
//     values and nothing downstream guesses;
//   - [Config.Validate] compares the values with what they must be and with
//     each other. A Config made by hand, as the demo does, passes the same
//     check.
//
// [Probe] goes one step further and tries the world: can the addresses be
// listened on (a fault if not), do the upstreams answer (a warning if not)?
//
// The package reads no environment and starts nothing. What a value means is
// said where it is used; here it is only said what it may be.
package config
