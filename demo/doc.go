// Package demo is the small world of `haldane demo`: a shop that exists in two
// versions, people who use it, and a table of scenes, each a new version that
// is good or bad in its own way.
//
// A [Scene] says how the two versions behave, how much traffic there is, how
// the rollout is planned, and how it must end. An [Upstream] is one version: a
// real HTTP server on a free loopback port. [Traffic] is the people: requests
// at a given rate, whether the answers come or not. Nothing of Haldane is
// simulated here: proxy, judge and controller are those of `haldane serve`,
// wired by the command from [Scene.Config].
//
// What a version answers to its n-th request depends on the seed and n alone,
// and so do the moments at which requests are sent. What remains to chance is
// what remains to chance in production: the proxy's draw and the machine.
package demo
