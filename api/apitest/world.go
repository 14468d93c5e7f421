// Package apitest gives tests of clients something to talk to: a [World] in
// which rollouts stand where the test puts them, and verbs do what they say at
// once, without a controller, a bus or traffic.
//
//	w := apitest.NewWorld(apitest.Stepping("shop-1.5.0"))
//	server := w.Serve(t)
//	client, err := api.NewClient(server.URL, apitest.Token)
package apitest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/api"
	"github.com/haldane-canary/haldane/events"
)

// A World holds rollouts and what was decided on them. It is an api.Rollouts
// and an api.Log. It is safe for concurrent use.
type World struct {
	mu        sync.Mutex // guards all below
	statuses  []haldane.Status
	decisions []haldane.Decision
	changed   chan struct{} // closed and replaced at each change
}

// NewWorld returns a world with the given rollouts and no decisions.
func NewWorld(statuses ...haldane.Status) *World {
	return &World{statuses: statuses, changed: make(chan struct{})}
}

// Set lets the rollout of that name stand as st says.
func (w *World) Set(st haldane.Status) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if i := w.find(st.Name); i >= 0 {
		w.statuses[i] = st
	} else {
		w.statuses = append(w.statuses, st)
	}
	w.change()
}

// Decide adds d to what was decided.
func (w *World) Decide(d haldane.Decision) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.decisions = append(w.decisions, d)
	w.change()
}

// change wakes whoever waits; w.mu is held.
func (w *World) change() {
	close(w.changed)
	w.changed = make(chan struct{})
}

// find returns the index of the named rollout, or -1; w.mu is held.
func (w *World) find(name string) int {
	return slices.IndexFunc(w.statuses, func(st haldane.Status) bool { return st.Name == name })
}

// Status returns where every rollout stands.
func (w *World) Status() ([]haldane.Status, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.statuses), nil
}

// Get returns where one rollout stands, or api.ErrUnknown, wrapped.
func (w *World) Get(name string) (haldane.Status, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := w.find(name)
	if i < 0 {
		return haldane.Status{}, fmt.Errorf("%q: %w", name, api.ErrUnknown)
	}
	return w.statuses[i], nil
}

// Changed returns a channel that is closed at the next change.
func (w *World) Changed() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.changed
}

// Do puts a rollout where a verb leads, and keeps that as a decision. Any verb
// is possible in any phase that is not settled.
func (w *World) Do(_ context.Context, name, verb, actor, reason string) (haldane.Decision, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := w.find(name)
	if i < 0 {
		return haldane.Decision{}, fmt.Errorf("%q: %w", name, api.ErrUnknown)
	}
	st := w.statuses[i]
	to, kind, ok := leads(st, verb)
	switch {
	case !ok:
		return haldane.Decision{}, fmt.Errorf("%q: %w", verb, api.ErrVerb)
	case st.Phase.Settled():
		return haldane.Decision{}, fmt.Errorf("%s %s, which is %s: %w", verb, name, st.Phase, api.ErrPhase)
	}
	d := haldane.Decision{
		Seq: w.next(name), Service: st.Service, Rollout: name, Kind: kind, Actor: actor, Reason: reason,
		From: haldane.Position{Phase: st.Phase, Step: st.Step, Weight: st.Weight}, To: to, Weight: to.Weight,
		Served: st.Served, At: time.Now().UTC(),
		Versions: haldane.Versions{Baseline: st.Baseline.Version, Canary: st.Canary.Version},
	}
	st.Phase, st.Step, st.Weight, st.Reason, st.Since = to.Phase, to.Step, to.Weight, reason, d.At
	w.statuses[i] = st
	w.decisions = append(w.decisions, d)
	w.change()
	return d, nil
}

// next returns the number of the next decision on a rollout; w.mu is held.
func (w *World) next(name string) uint64 {
	n := uint64(1)
	for _, d := range w.decisions {
		if d.Rollout == name {
			n++
		}
	}
	return n
}

// leads returns where a verb leads from st, and by which kind of decision.
func leads(st haldane.Status, verb string) (haldane.Position, haldane.Kind, bool) {
	stay := haldane.Position{Phase: st.Phase, Step: st.Step, Weight: st.Weight}
	switch verb {
	case "start":
		return haldane.Position{Phase: haldane.Stepping, Step: 1, Weight: 100}, haldane.KindStarted, true
	case "hold":
		stay.Phase = haldane.Held
		return stay, haldane.KindHeld, true
	case "resume":
		stay.Phase = haldane.Stepping
		return stay, haldane.KindResumed, true
	case "promote":
		stay.Phase, stay.Weight = haldane.Watching, haldane.FullWeight
		return stay, haldane.KindPromoted, true
	case "rollback":
		return haldane.Position{Phase: haldane.RolledBack, Step: st.Step}, haldane.KindRolledBack, true
	case "abort":
		return haldane.Position{Phase: haldane.Aborted, Step: st.Step}, haldane.KindAborted, true
	}
	return stay, "", false
}

// Events calls fn with the decisions that f wants, as CloudEvents.
func (w *World) Events(ctx context.Context, f api.Filter, fn func(event []byte) error) error {
	for told := 0; ; {
		w.mu.Lock()
		ds, changed := slices.Clone(w.decisions[told:]), w.changed
		w.mu.Unlock()
		told += len(ds)
		for _, d := range ds {
			if !wants(f, d) {
				continue
			}
			event, err := events.Encode(d)
			if err != nil {
				return err
			}
			if err := fn(event); err != nil {
				return err
			}
		}
		if !f.Follow {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// wants reports whether f wants d.
func wants(f api.Filter, d haldane.Decision) bool {
	return (f.Service == "" || f.Service == d.Service) && (f.Rollout == "" || f.Rollout == d.Rollout) &&
		(f.Kind == "" || f.Kind == string(d.Kind)) && !d.At.Before(f.Since)
}
