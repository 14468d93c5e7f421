package rollout

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/haldane-canary/haldane"
)

// recover joins the journal with what the log holds, and sets the runs up.
func (c *Controller) recover(logged []haldane.Decision, now time.Time) error {
	byName := make(map[name][]haldane.Decision)
	for _, d := range logged {
		n := name{d.Service, d.Rollout}
		if c.cfg.Journal.kept[n] == nil && !c.serves(d.Service) {
			continue // another controller's
		}
		byName[n] = append(byName[n], d)
	}
	known := maps.Clone(c.cfg.Journal.kept)
	for n := range byName {
		if known[n] == nil {
			known[n] = &history{}
		}
	}
	for _, n := range slices.SortedFunc(maps.Keys(known), compareNames) {
		base, gen := generationOf(n, known)
		zero := NewState(n.service, base, gen, haldane.Versions{})
		h, _, err := reconcile(zero, *known[n], byName[n])
		if err != nil {
			return err
		}
		if err := c.cfg.Journal.Keep(n.service, n.rollout, h.decisions, h.accepted); err != nil {
			return err
		}
		known[n] = &h
	}
	for _, spec := range c.cfg.Specs {
		r, err := newRun(spec, known, now)
		if err != nil {
			return err
		}
		c.runs = append(c.runs, r)
	}
	return c.retire(known, now)
}

// serves reports whether a rollout of the service is configured.
func (c *Controller) serves(service string) bool {
	return slices.ContainsFunc(c.cfg.Specs, func(s Spec) bool { return s.Service == service })
}

// compareNames orders names, so that recovery does the same every time.
func compareNames(a, b name) int {
	return cmp.Or(strings.Compare(a.service, b.service), strings.Compare(a.rollout, b.rollout))
}

// generationOf returns the rollout that n is a generation of, and which. A
// name that ends like a generation is one only if the rollout before the
// ending is known: shop-1.5.2 is the second generation of shop-1.5 if there
// was a first.
func generationOf(n name, known map[name]*history) (base string, gen int) {
	i := strings.LastIndexByte(n.rollout, '.')
	if i < 0 || known[name{n.service, n.rollout[:i]}] == nil {
		return n.rollout, 1
	}
	gen, err := strconv.Atoi(n.rollout[i+1:])
	if err != nil || GenerationName(n.rollout[:i], gen) != n.rollout {
		return n.rollout, 1
	}
	return n.rollout[:i], gen
}

// newRun returns the run of spec, where its latest generation was left.
func newRun(spec Spec, known map[name]*history, now time.Time) (*run, error) {
	r := &run{spec: spec, zero: NewState(spec.Service, spec.Name, 1, spec.Versions)}
	for n, h := range known {
		gen, ok := Generation(spec.Name, n.rollout)
		if ok && n.service == spec.Service && gen >= r.zero.Generation {
			r.zero, r.history = NewState(spec.Service, spec.Name, gen, spec.Versions), *h
		}
	}
	s, err := fold(r.zero, r.history.decisions)
	if err != nil {
		return nil, fmt.Errorf("rollout %s: %w: %w", r.zero.Rollout, err, ErrDamaged)
	}
	r.state = s.anchored(now)
	return r, nil
}

// retire adds a run for each rollout that is not settled but no longer
// configured, of a service that is: it has to be brought to an end.
func (c *Controller) retire(known map[name]*history, now time.Time) error {
	for _, n := range slices.SortedFunc(maps.Keys(known), compareNames) {
		configured := slices.ContainsFunc(c.cfg.Specs, func(s Spec) bool {
			_, ok := Generation(s.Name, n.rollout)
			return ok
		})
		if configured || !c.serves(n.service) {
			continue
		}
		base, gen := generationOf(n, known)
		r := &run{spec: Spec{Service: n.service, Name: base}, retired: true}
		r.zero, r.history = NewState(n.service, base, gen, haldane.Versions{}), *known[n]
		s, err := fold(r.zero, r.history.decisions)
		if err != nil {
			return fmt.Errorf("rollout %s: %w: %w", n.rollout, err, ErrDamaged)
		}
		if r.state = s.anchored(now); s.Phase.Running() || !r.history.told() {
			c.runs = append(c.runs, r)
		}
	}
	return nil
}
