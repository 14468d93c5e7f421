package analyzer

import (
	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/sketch"
)

// Counts are what was seen of one track within one segment.
type Counts struct {
	Assigned uint64           `json:"assigned"` // requests drawn for the track; 0 where only those that ended are known
	N        uint64           `json:"n"`        // observations
	Errors   uint64           `json:"errors"`   // of them, failed
	Canceled uint64           `json:"canceled"` // assigned, but given up by the client: no observations
	Latency  sketch.Histogram `json:"latency"`  // of those that did not fail, after the warm-up
}

// merge adds o to c.
func (c *Counts) merge(o Counts) {
	c.Assigned += o.Assigned
	c.N += o.N
	c.Errors += o.Errors
	c.Canceled += o.Canceled
	c.Latency.Merge(o.Latency)
}

// drawn returns how many requests were drawn for the track.
func (c *Counts) drawn() uint64 { return max(c.Assigned, c.N+c.Canceled) }

// bad returns how many requests failed, or if all is set came to no good: it
// counts those that their clients gave up waiting for, too.
func (c *Counts) bad(all bool) uint64 {
	if all {
		return c.Errors + c.Canceled
	}
	return c.Errors
}

// ended returns how many requests ended, without or with those given up.
func (c *Counts) ended(all bool) uint64 {
	if all {
		return c.N + c.Canceled
	}
	return c.N
}

// A Key names the segment that an observation belongs to.
type Key struct {
	Epoch  uint64  `json:"epoch"`
	Step   int     `json:"step"`
	Weight float64 `json:"weight"` // probability of the canary; 0 if it must be estimated
}

// A Segment holds the counts of both tracks while the weight did not change,
// within one page.
type Segment struct {
	Page int `json:"page"`
	Key
	Tracks [haldane.NumTracks]Counts `json:"tracks"` // indexed by haldane.Track
}

// A Tape is all that was counted of a rollout, in pages: a page ends when a
// quarter as much as all pages before it has been counted (at least 100), and
// the latencies of a page are ranked among those of the pages before it. A
// million observations make some forty pages.
type Tape struct {
	Last     bool      `json:"last"` // whether the step judged is the plan's last
	Segments []Segment `json:"segments"`
}

// The growth of pages: see Tape.
const (
	firstPage  = 100
	pageGrowth = 4 // a page ends at 1/pageGrowth of all before it
)
