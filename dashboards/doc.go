// Package dashboards makes the Grafana dashboard of a rollout, rollout.json,
// from Go, so that it cannot drift from the program: its tests parse every
// query with Prometheus's own parser and compare every metric and label in it
// with what the collectors really expose.
//
// The dashboard answers, from top to bottom: where is the rollout, what is the
// judge's verdict and how much does it still need; do the two tracks differ, in
// traffic, failures and latency; how strong is the evidence; and is Haldane
// itself well. It needs no editing: the data source is chosen on the page,
// services and rollouts default to all. Decisions are marked on every panel by
// a query on our own metric, so that no token for Grafana is wanted.
//
// Import rollout.json in Grafana (10 or later), or provision it as a file. The
// types here are the part of Grafana's model that we use, no more.
package dashboards

//go:generate go run ./generate
