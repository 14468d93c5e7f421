package analyzer

import (
	"errors"
	"fmt"
	"time"

	"github.com/haldane-canary/haldane"
)

// ErrSpec is returned, wrapped, for a Spec that cannot be judged by.
var ErrSpec = errors.New("not a usable analysis")

// A Spec says what a rollout is judged by.
type Spec struct {
	Service, Rollout string

	// Alpha bounds the chance that a canary that is not worse is ever failed,
	// over the rollout's whole life and all its indicators. 0 means 0.01.
	Alpha float64
	// AlphaPromote bounds the chance that one step passes a canary that is
	// worse than the promotion margin. 0 means 0.05.
	AlphaPromote float64

	Indicators []haldane.Indicator // nil means haldane.DefaultIndicators
	Steps      []Step              // the plan's; nil for a judgement without steps

	// Warmup is how long from the start the latencies of both tracks are left
	// out; failures count from the first request.
	Warmup time.Duration

	early bool // without Steps: the step judged is not the last one
}

// A Step is what the analyzer has to know of a step of the plan.
type Step struct {
	Weight  haldane.Weight
	Promote map[string]haldane.Margin // by indicator, where the plan says it
}

// withDefaults returns s with every default filled in.
func (s Spec) withDefaults() Spec {
	if s.Alpha == 0 {
		s.Alpha = 0.01
	}
	if s.AlphaPromote == 0 {
		s.AlphaPromote = 0.05
	}
	if s.Indicators == nil {
		s.Indicators = haldane.DefaultIndicators()
	}
	return s
}

// Validate returns every fault of s, joined, each wrapping ErrSpec.
func (s Spec) Validate() error {
	s = s.withDefaults()
	var faults []error
	for name, a := range map[string]float64{"alpha": s.Alpha, "promotion alpha": s.AlphaPromote} {
		if !(a > 0 && a <= 0.5) {
			faults = append(faults, fmt.Errorf("%s %v (above 0, at most 0.5): %w", name, a, ErrSpec))
		}
	}
	if len(s.Indicators) == 0 {
		faults = append(faults, fmt.Errorf("no indicators: %w", ErrSpec))
	}
	seen := map[string]bool{}
	for _, ind := range s.Indicators {
		if ind.Name != haldane.Errors && ind.Name != haldane.Latency {
			faults = append(faults, fmt.Errorf("indicator %q (errors or latency): %w", ind.Name, ErrSpec))
		}
		if seen[ind.Name] {
			faults = append(faults, fmt.Errorf("indicator %q twice: %w", ind.Name, ErrSpec))
		}
		seen[ind.Name] = true
		for kind, m := range map[string]haldane.Margin{"margin": ind.Margin, "promote": ind.Promote} {
			if err := m.Validate(); err != nil {
				faults = append(faults, fmt.Errorf("%s of %s: %w: %w", kind, ind.Name, ErrSpec, err))
			}
			if ind.Name == haldane.Latency && m.Floor != 0 {
				faults = append(faults, fmt.Errorf("%s of latency has a floor (it has a ratio only): %w", kind, ErrSpec))
			}
		}
	}
	return errors.Join(faults...)
}

// promote returns the harm that step, counted from 1, must exclude; step 0 is
// a judgement without steps and excludes what the last step would.
func (s Spec) promote(ind haldane.Indicator, step int) haldane.Margin {
	if step < 1 || step > len(s.Steps) {
		return ind.Promote
	}
	if m, ok := s.Steps[step-1].Promote[ind.Name]; ok {
		return m
	}
	if s.lastStep(step) {
		return ind.Promote
	}
	return ind.PromoteAt(s.Steps[step-1].Weight)
}

// lastStep reports whether nothing but full weight follows step.
func (s Spec) lastStep(step int) bool {
	if len(s.Steps) == 0 {
		return !s.early
	}
	return step < 1 || step >= len(s.Steps)
}
