package rollout

import (
	"errors"
	"fmt"
	"time"

	"github.com/haldane-canary/haldane"
)

// ErrSpec is returned, wrapped, for a rollout that cannot be carried out.
var ErrSpec = errors.New("not a rollout that can be carried out")

// OnUndecided says what is done when the deadline comes without a verdict.
type OnUndecided string

// What can be done at the deadline. The zero OnUndecided is Hold.
const (
	Hold     OnUndecided = "hold"     // keep the weight and wait for somebody
	Promote  OnUndecided = "promote"  // take the risk: to full weight
	RollBack OnUndecided = "rollback" // no news is bad news
)

// A Step is one rung of the ramp.
type Step struct {
	Weight haldane.Weight // the canary's share
	Bake   time.Duration  // the least time at it before the next
}

// A Plan is the ramp from the first request to full weight. How good the
// canary must be shown to be before each step is the analyzer's matter.
type Plan struct {
	Steps       []Step
	Deadline    time.Duration // from the start, or the latest resume, to the last pass; 0 means none
	Watch       time.Duration // how long to stay ready to return after full weight was reached
	OnUndecided OnUndecided   // what to do at the deadline
}

// A Spec is one rollout as configured.
type Spec struct {
	Service  string
	Name     string // without a generation
	Versions haldane.Versions
	Plan     Plan
	Auto     bool // start without being asked
}

// Validate returns every fault of p, each wrapping ErrSpec, or nil.
func (p Plan) Validate() error {
	var faults []error
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf(format+": %w", append(args, ErrSpec)...))
	}
	if len(p.Steps) == 0 {
		fault("no steps (a plan needs at least one)")
	}
	for i, s := range p.Steps {
		if _, err := haldane.NewWeight(int(s.Weight)); err != nil || s.Weight == 0 {
			fault("step %d has weight %v (more than 0 %%, at most 100 %%)", i+1, s.Weight)
		}
		if i > 0 && s.Weight <= p.Steps[i-1].Weight {
			fault("step %d has weight %v, no more than step %d before it", i+1, s.Weight, i)
		}
		if s.Bake < 0 {
			fault("step %d bakes for %v (0 or more)", i+1, s.Bake)
		}
	}
	if p.Deadline < 0 || p.Watch < 0 {
		fault("deadline %v, watch %v (0 or more)", p.Deadline, p.Watch)
	}
	switch p.OnUndecided {
	case "", Hold, Promote, RollBack:
	default:
		fault("at the deadline: %q (hold, promote or rollback)", p.OnUndecided)
	}
	return errors.Join(faults...)
}

// Validate returns every fault of p, each wrapping ErrSpec, or nil.
func (p Spec) Validate() error {
	var faults []error
	if p.Service == "" || p.Name == "" {
		faults = append(faults, fmt.Errorf("service %q, rollout %q: a name is missing: %w", p.Service, p.Name, ErrSpec))
	}
	if err := p.Plan.Validate(); err != nil {
		faults = append(faults, fmt.Errorf("plan of rollout %q: %w", p.Name, err))
	}
	return errors.Join(faults...)
}

// validateAll returns every fault of specs, those between them too: a service
// has at most one rollout, and no two may claim the same name in any
// generation.
func validateAll(specs []Spec) error {
	var faults []error
	services := make(map[string]string)
	for i, s := range specs {
		if err := s.Validate(); err != nil {
			faults = append(faults, err)
		}
		if other, ok := services[s.Service]; ok {
			faults = append(faults, fmt.Errorf("rollouts %q and %q are both of service %q (one at a time): %w",
				other, s.Name, s.Service, ErrSpec))
		}
		services[s.Service] = s.Name
		for j, t := range specs {
			if _, clash := Generation(t.Name, s.Name); clash && i != j {
				faults = append(faults, fmt.Errorf("rollout %q has the name of a generation of rollout %q: %w",
					s.Name, t.Name, ErrSpec))
			}
		}
	}
	return errors.Join(faults...)
}
