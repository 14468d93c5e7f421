package rollout

import (
	"fmt"
	"slices"
	"sync"

	"github.com/haldane-canary/haldane"
)

// A board shows where every rollout stands to whoever looks.
type board struct {
	mu       sync.Mutex // guards what follows
	statuses []haldane.Status
	bases    []string      // the configured name of each
	changed  chan struct{} // closed at the next change; nil if nobody waits
}

// show puts where r stands on the board.
func (c *Controller) show(r *run) {
	s := status(r)
	b := &c.board
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := slices.Index(b.bases, r.spec.Name); i >= 0 {
		b.statuses[i] = s
	} else {
		b.statuses, b.bases = append(b.statuses, s), append(b.bases, r.spec.Name)
	}
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
}

// status returns where r stands, as people are shown it.
func status(r *run) haldane.Status {
	s := r.state
	out := haldane.Status{
		Name: s.Rollout, Service: s.Service, Phase: s.Phase, Step: s.Step, Weight: s.Weight,
		Since: s.Since, Started: s.Started, Reason: s.Reason, Steps: []haldane.PlannedStep{},
		Baseline: haldane.Version{Version: s.Versions.Baseline},
		Canary:   haldane.Version{Version: s.Versions.Canary},
	}
	for _, step := range r.spec.Plan.Steps {
		out.Steps = append(out.Steps, haldane.PlannedStep{Weight: step.Weight, Bake: step.Bake.Seconds()})
	}
	if v := r.shown(); v != nil {
		shown := *v
		shown.Counts = nil
		out.Verdict, out.Served, out.Needs = &shown, v.Served, v.Needs
	}
	return out
}

// Status returns where every rollout stands, in the order of configuration.
func (c *Controller) Status() []haldane.Status {
	c.board.mu.Lock()
	defer c.board.mu.Unlock()
	return slices.Clone(c.board.statuses)
}

// Get returns where one rollout stands, by its name as configured or with its
// current generation. It returns ErrUnknown, wrapped, if there is none.
func (c *Controller) Get(name string) (haldane.Status, error) {
	c.board.mu.Lock()
	defer c.board.mu.Unlock()
	for i, s := range c.board.statuses {
		if s.Name == name || c.board.bases[i] == name {
			return s, nil
		}
	}
	return haldane.Status{}, fmt.Errorf("rollout %q: %w", name, ErrUnknown)
}

// Changed returns a channel that is closed at the next change of anything that
// Status tells.
func (c *Controller) Changed() <-chan struct{} {
	c.board.mu.Lock()
	defer c.board.mu.Unlock()
	if c.board.changed == nil {
		c.board.changed = make(chan struct{})
	}
	return c.board.changed
}
