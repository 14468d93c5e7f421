package collectors

import (
	"sync/atomic"
	"time"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/sketch"
)

// An Arm is what observations are counted under: one track's route of a
// service, in one weight epoch of one rollout. An Arm without a rollout (a
// service that has none, or whose weight nobody has decided yet) is counted
// for metrics only and never reported.
type Arm struct {
	Service string
	Rollout string // with its generation, or ""
	Version string // what the track runs
	Route   string // the name of the configured route
	Track   haldane.Track
	Epoch   uint64         // see haldane.Split.Epoch
	Weight  haldane.Weight // in force in that epoch
}

// A Cell counts the observations of one Arm. It is safe for concurrent use.
type Cell struct {
	arm      Arm
	assigned atomic.Uint64
	classes  [haldane.NumClasses]atomic.Uint64
	latency  dense // of requests that did not fail: evidence
	series   *series
	epoch    *epoch // nil if the arm has no rollout
}

// Assign counts a request that was drawn for the arm's track, before anything
// is known of how it will end. Each is to be observed once, too: between the
// two it is under way.
func (c *Cell) Assign() {
	if c.epoch != nil {
		c.assigned.Add(1)
	}
}

// Observe counts one request's outcome: as evidence, and for metrics. A trace
// id, if there is one, goes with the metrics as an exemplar, and with the
// reports if the canary failed. A class that is unknown counts as Reset.
func (c *Cell) Observe(class haldane.Class, latency time.Duration, traceID string) {
	if class >= haldane.NumClasses {
		class = haldane.Reset
	}
	i := sketch.Index(latency)
	c.series.observe(class, i, latency, traceID)
	if c.epoch == nil {
		return
	}
	// The class before the bucket: window reads them the other way round, so
	// that it never holds more latencies than requests.
	c.classes[class].Add(1)
	switch {
	case class.Failed():
		if traceID != "" && c.arm.Track == haldane.Canary {
			c.epoch.failures.keep(traceID)
		}
	case class.Counted():
		c.latency.add(i)
	}
}

// ObserveRepeat counts a request for metrics only: of a sticky unit that was
// evidence before, or of a request that was not assigned at random.
func (c *Cell) ObserveRepeat(class haldane.Class, latency time.Duration, traceID string) {
	if class >= haldane.NumClasses {
		class = haldane.Reset
	}
	c.series.observe(class, sketch.Index(latency), latency, traceID)
}

// window returns the evidence so far.
func (c *Cell) window() sketch.Window {
	w := sketch.Window{Track: c.arm.Track, Route: c.arm.Route, Latency: c.latency.snapshot()}
	for class := range c.classes {
		w.Classes[class] = c.classes[class].Load()
	}
	// Last, so that no more have ended than were assigned.
	w.Assigned = c.assigned.Load()
	return w
}
