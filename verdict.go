package haldane

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
)

// A Judgement is what the evidence amounts to. The zero Judgement is
// Undecided: doubt is the default, and doubt never advances a rollout.
type Judgement uint8

// The judgements.
const (
	Undecided Judgement = iota // neither shown worse nor shown good enough
	Pass                       // non-inferior on every critical indicator
	Fail                       // worse than the margin tolerates
)

var judgementNames = [...]string{"undecided", "pass", "fail"}

// String returns "undecided", "pass" or "fail".
func (j Judgement) String() string {
	if int(j) >= len(judgementNames) {
		return fmt.Sprintf("judgement(%d)", uint8(j))
	}
	return judgementNames[j]
}

// MarshalText returns j's name.
func (j Judgement) MarshalText() ([]byte, error) { return []byte(j.String()), nil }

// UnmarshalText sets j from its name.
func (j *Judgement) UnmarshalText(b []byte) error {
	for i, name := range judgementNames {
		if name == string(b) {
			*j = Judgement(i)
			return nil
		}
	}
	return fmt.Errorf("verdict %q (pass, fail or undecided)", b)
}

// A Number is a float64 that may be unknown or unbounded: JSON has no words
// for NaN and the infinities, so they are written as null and read as NaN.
type Number float64

// MarshalJSON writes n, or null if n is not finite.
func (n Number) MarshalJSON() ([]byte, error) {
	f := float64(n)
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return []byte("null"), nil
	}
	return strconv.AppendFloat(nil, f, 'g', -1, 64), nil
}

// UnmarshalJSON reads a number, or null as NaN.
func (n *Number) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*n = Number(math.NaN())
		return nil
	}
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil {
		return fmt.Errorf("number %s: %w", b, err)
	}
	*n = Number(f)
	return nil
}

// An Estimate is the best guess of an indicator on each track. For errors the
// values are shares in [0, 1]; for latency they are medians in seconds, and
// the ratio is that of the whole distribution (how much the canary's must be
// shrunk to look like the baseline's).
type Estimate struct {
	Baseline   Number `json:"baseline"`
	Canary     Number `json:"canary"`
	Ratio      Number `json:"ratio"`      // canary / baseline; null where the baseline has none
	Difference Number `json:"difference"` // canary − baseline
}

// An Interval holds the true ratio canary / baseline with probability
// 1 − alpha at every moment at once (a confidence sequence). A null bound is
// one that the data do not give yet.
type Interval struct {
	Lower Number `json:"lower"`
	Upper Number `json:"upper"`
}

// Needs says how much more is wanted before a verdict can be expected, if the
// canary is as good as the baseline and traffic stays as it is.
type Needs struct {
	Requests uint64 `json:"requests"`              // on both tracks together; 0 once decided
	Seconds  int64  `json:"eta_seconds,omitempty"` // at the present rate; 0 if that is not known
}

// Evidence is what the counts say of one indicator.
type Evidence struct {
	Name        string    `json:"name"`
	Judgement   Judgement `json:"verdict"`
	LogE        float64   `json:"log_e"`         // natural log of the e-value against "not worse than Margin"
	LogEPromote float64   `json:"log_e_promote"` // … against "worse than Promote", over the present step
	Estimate    Estimate  `json:"estimate"`
	Interval    Interval  `json:"interval"`
	Margin      Margin    `json:"margin"`
	Promote     Margin    `json:"promote"`
	Needs       Needs     `json:"needs"`
}

// A Verdict is the judgement on a canary at one moment, with all that is
// needed to doubt it.
type Verdict struct {
	Judgement          Judgement  `json:"verdict"`
	At                 time.Time  `json:"decided_at"` // event time: of the last observation used
	Service            string     `json:"service,omitempty"`
	Rollout            string     `json:"rollout,omitempty"`
	Step               int        `json:"step,omitempty"`
	Epoch              uint64     `json:"epoch,omitempty"`
	Observations       uint64     `json:"observations"` // of both tracks, over the rollout's life
	CanaryObservations uint64     `json:"canary_observations"`
	Served             Weight     `json:"served_bp,omitempty"` // share the canary really got in this epoch
	Alpha              float64    `json:"alpha"`               // bound on P(ever fail | canary not worse)
	AlphaPromote       float64    `json:"alpha_promote"`       // bound on P(a step passes | canary worse than Promote)
	Reason             string     `json:"reason"`
	Warnings           []string   `json:"warnings"`
	Indicators         []Evidence `json:"indicators"`
	Needs              Needs      `json:"needs"` // the largest of the indicators'
	TraceIDs           []string   `json:"trace_ids,omitempty"`

	// Baseline and Canary are the totals the verdict was made from, and Counts
	// is the analyzer's whole record of them, from which it can be recomputed
	// to the bit. Counts is opaque to everybody else.
	Baseline Totals          `json:"baseline"`
	Canary   Totals          `json:"canary"`
	Counts   json.RawMessage `json:"counts,omitempty"`
}

// Totals are one track's observations over a rollout's life.
type Totals struct {
	N      uint64 `json:"n"`
	Errors uint64 `json:"errors"`
}
