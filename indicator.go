package haldane

import (
	"fmt"
	"math"
)

// The indicators that every rollout can be judged by.
const (
	Errors  = "errors"  // the share of requests that failed; see Class.Failed
	Latency = "latency" // how long the answers that did not fail took
)

// A Margin is an amount of harm. Where both a ratio and a floor are given,
// harm means beyond both: more than Ratio times the baseline's value and more
// than Floor above it.
type Margin struct {
	Ratio float64 `json:"ratio"`           // canary / baseline, ≥ 1
	Floor float64 `json:"floor,omitempty"` // canary − baseline, as a share in [0, 1); 0 means none
}

// Validate returns ErrMargin, wrapped, unless Ratio is finite and at least 1
// and Floor is in [0, 1).
func (m Margin) Validate() error {
	if !(m.Ratio >= 1) || math.IsInf(m.Ratio, 0) {
		return fmt.Errorf("ratio %v (1 or more: 1.1 tolerates ten percent more): %w", m.Ratio, ErrMargin)
	}
	if !(m.Floor >= 0 && m.Floor < 1) {
		return fmt.Errorf("floor %v (a share from 0 to below 1: 0.001 tolerates one request in a thousand): %w", m.Floor, ErrMargin)
	}
	return nil
}

// An Indicator is what is compared between the tracks.
type Indicator struct {
	Name    string `json:"name"`    // Errors or Latency
	Margin  Margin `json:"margin"`  // harm tolerated before a rollback
	Promote Margin `json:"promote"` // harm excluded before an advance (at the last step)
}

// DefaultIndicators returns what a rollout is judged by if it says nothing:
// errors and latency, with the margins of the configuration's defaults.
func DefaultIndicators() []Indicator {
	return []Indicator{
		{Name: Errors, Margin: Margin{Ratio: 1.1, Floor: 0.001}, Promote: Margin{Ratio: 1.5, Floor: 0.005}},
		{Name: Latency, Margin: Margin{Ratio: 1.1}, Promote: Margin{Ratio: 1.25}},
	}
}

// PromoteAt returns the harm that a step of the given weight must exclude
// before the next one, if the plan does not say: the less traffic the canary
// has had, the grosser the harm that can be excluded at all. The last step of
// a plan always excludes i.Promote.
func (i Indicator) PromoteAt(w Weight) Margin {
	type loosened struct {
		upTo            Weight
		errors, latency Margin
	}
	for _, l := range []loosened{
		{100, Margin{10, 0.05}, Margin{Ratio: 2}},
		{500, Margin{4, 0.02}, Margin{Ratio: 1.5}},
		{2500, Margin{2, 0.01}, Margin{Ratio: 1.35}},
	} {
		if w > l.upTo {
			continue
		}
		m := l.latency
		if i.Name == Errors {
			m = l.errors
		}
		// Never stricter than what is asked of the last step.
		return Margin{Ratio: max(m.Ratio, i.Promote.Ratio), Floor: max(m.Floor, i.Promote.Floor)}
	}
	return i.Promote
}
