package haldane

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Weight is the canary's share of traffic in basis points (0.01 %):
// 0 sends it nothing, FullWeight sends it everything.
type Weight int32

// FullWeight is the weight that sends every request to the canary.
const FullWeight Weight = 10000

// NewWeight returns bp as a Weight, or ErrWeightRange, wrapped, unless
// 0 ≤ bp ≤ 10000.
func NewWeight(bp int) (Weight, error) {
	if bp < 0 || bp > int(FullWeight) {
		return 0, fmt.Errorf("weight of %d basis points (0 to %d): %w", bp, FullWeight, ErrWeightRange)
	}
	return Weight(bp), nil
}

// ParseWeight reads a weight as people write it: "5%", "0.25 %", or "25bp".
// Finer than a basis point is refused rather than rounded. It returns
// ErrWeightRange or ErrWeightSyntax, wrapped.
func ParseWeight(s string) (Weight, error) {
	text := strings.TrimSpace(s)
	if digits, ok := strings.CutSuffix(text, "bp"); ok {
		bp, err := strconv.Atoi(strings.TrimSpace(digits))
		if err != nil {
			return 0, fmt.Errorf("weight %q (write 5%% or 500bp): %w", s, ErrWeightSyntax)
		}
		return NewWeight(bp)
	}
	digits, ok := strings.CutSuffix(text, "%")
	if !ok {
		return 0, fmt.Errorf("weight %q (write 5%% or 500bp): %w", s, ErrWeightSyntax)
	}
	whole, frac, _ := strings.Cut(strings.TrimSpace(digits), ".")
	if whole == "" || len(frac) > 2 {
		return 0, fmt.Errorf("weight %q (a percentage with at most two decimals): %w", s, ErrWeightSyntax)
	}
	bp, err := strconv.ParseUint(whole+(frac + "00")[:2], 10, 31)
	if err != nil {
		return 0, fmt.Errorf("weight %q (write 5%% or 500bp): %w", s, ErrWeightSyntax)
	}
	return NewWeight(int(bp))
}

// Fraction returns w as a probability in [0, 1].
func (w Weight) Fraction() float64 { return float64(w) / float64(FullWeight) }

// String returns w as a percentage for people, such as "5 %" or "0.25 %".
func (w Weight) String() string {
	return strconv.FormatFloat(float64(w)/100, 'f', -1, 64) + " %"
}

// A Split says which weight is in force for a service, by which decision. It
// is all that a proxy needs to know of a rollout, and it opens a weight epoch.
type Split struct {
	Service    string    `json:"service"`
	Rollout    string    `json:"rollout"`          // with its generation, such as "shop-1.5.0.2"
	Generation int       `json:"generation"`       // 1, 2, 3 …: how often this rollout was started
	Epoch      uint64    `json:"epoch"`            // the sequence number of the decision that set it; grows within a generation
	Weight     Weight    `json:"weight_bp"`        //
	Phase      Phase     `json:"phase"`            //
	Step       int       `json:"step"`             // the plan's step, from 1; 0 before the first
	Since      time.Time `json:"since,omitzero"`   // when the decision was made
	Started    time.Time `json:"started,omitzero"` // when the generation was started
}

// Supersedes reports whether s comes after t, so that a late or repeated
// message can never bring an old weight back: a later generation supersedes an
// earlier one, and within a generation a later epoch does.
func (s Split) Supersedes(t Split) bool {
	if s.Generation != t.Generation {
		return s.Generation > t.Generation
	}
	return s.Epoch > t.Epoch
}
