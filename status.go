package haldane

import "time"

// A PlannedStep is one step of a plan, as people are shown it.
type PlannedStep struct {
	Weight Weight  `json:"weight_bp"`
	Bake   float64 `json:"bake_seconds"`
}

// A Status is where a rollout stands now, with the latest verdict on it.
type Status struct {
	Name     string        `json:"name"` // with its generation
	Service  string        `json:"service"`
	Phase    Phase         `json:"phase"`
	Step     int           `json:"step"`  // from 1; 0 before the first
	Steps    []PlannedStep `json:"steps"` // the whole plan
	Weight   Weight        `json:"weight_bp"`
	Served   Weight        `json:"served_bp"`
	Since    time.Time     `json:"since,omitzero"`
	Started  time.Time     `json:"started,omitzero"`
	Reason   string        `json:"reason"` // of the latest decision
	Baseline Version       `json:"baseline"`
	Canary   Version       `json:"canary"`
	Verdict  *Verdict      `json:"verdict,omitempty"` // without Counts; absent until there is one
	Needs    Needs         `json:"needs"`
}

// A Version names what a track runs.
type Version struct {
	Version string `json:"version"`
}
