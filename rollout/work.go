package rollout

import (
	"fmt"
	"time"

	"github.com/haldane-canary/haldane"
)

// work does what r needs most, as far as it can be done now. Reversals come
// first and wait for nothing. Then, with one call to the log at a time: what
// the journal lacks is written, what is in doubt is cleared up, what the log
// lacks is told to it, and only when all agree is anything new proposed.
func (w *worker) work(r *run, now time.Time) {
	m, due := r.spec.due(r.state, r.input(now), r.retired)
	if due && reversal(m.Kind) {
		w.reverse(r, m, haldane.ControllerActor, now)
	}
	if r.busy || now.Before(r.retryAt) {
		return
	}
	if r.unwritten && !w.write(r) {
		r.failed(now)
		return
	}
	if r.doubt != nil {
		w.inquire(r, *r.doubt)
		return
	}
	if r.history.told() {
		if p, ok := w.propose(r, now); ok {
			w.ask(r, p)
			return
		}
	}
	if h := r.history; !h.told() { // perhaps only since somebody asked for a reversal
		w.tell(r, h.decisions[h.accepted])
	}
}

// propose returns what is to be decided next: what somebody asked for, or else
// what the plan says.
func (w *worker) propose(r *run, now time.Time) (proposal, bool) {
	if p, ok := w.requested(r, now); ok {
		return p, true
	}
	zero, s, in := r.zero, r.state, r.input(now)
	if _, gone := r.spec.superseded(s, r.retired); gone && s.Phase.Settled() && r.spec.Auto && !r.retired {
		// Versions that are configured to start by themselves have not been tried yet.
		zero = w.nextGeneration(r)
		s, in = zero, Input{Now: now}
	}
	m, due := r.spec.due(s, in, r.retired)
	if !due {
		return proposal{}, false
	}
	return proposal{zero: zero, since: r.state.number(), decision: decide(s, m, haldane.ControllerActor, now)}, true
}

// nextGeneration returns the state before the first decision of the next
// generation, under a name that nobody has used.
func (w *worker) nextGeneration(r *run) State {
	for n := r.state.Generation + 1; ; n++ {
		zero := NewState(r.spec.Service, r.spec.Name, n, r.spec.Versions)
		if _, used := w.cfg.Journal.kept[name{zero.Service, zero.Rollout}]; !used {
			return zero
		}
	}
}

// reversal reports whether a decision of kind k takes the weight away.
func reversal(k haldane.Kind) bool { return k == haldane.KindRolledBack || k == haldane.KindAborted }

// reverse takes the weight away now: journal, weight, and the log when it can.
// A journal that cannot be written stops nothing here, for less weight is
// always allowed; it is tried again.
func (w *worker) reverse(r *run, m Move, actor string, now time.Time) haldane.Decision {
	d := decide(r.state, m, actor, now)
	r.history = r.history.with(d)
	w.write(r)
	if r.giveUp != nil {
		r.giveUp()
	}
	w.enter(r, int(d.Seq)-1, now)
	return d
}

// write brings the journal up to r's history, and reports whether it could.
func (w *worker) write(r *run) bool {
	err := w.cfg.Journal.Keep(r.zero.Service, r.zero.Rollout, r.history.decisions, r.history.accepted)
	if r.unwritten = err != nil; r.unwritten {
		w.log.Error("journal cannot be written", "rollout", r.zero.Rollout, "error", err)
	}
	return !r.unwritten
}

// commit journals h as the history of the generation that begins with zero,
// makes it r's and puts it in force; the decisions from the index fresh on are
// news. Without the journal, nothing changes.
func (w *worker) commit(r *run, zero State, h history, fresh int, now time.Time) error {
	if err := w.cfg.Journal.Keep(zero.Service, zero.Rollout, h.decisions, h.accepted); err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	r.open(zero)
	r.history, r.unwritten = h, false
	if fresh < len(h.decisions) {
		w.enter(r, fresh, now)
	}
	return nil
}

// enter puts r's history in force, of which the decisions from the index fresh
// on are news.
func (w *worker) enter(r *run, fresh int, now time.Time) {
	s, err := fold(r.zero, r.history.decisions)
	if err != nil {
		// Whatever gets here was made to follow; were it not so, what is in force would stay.
		w.log.Error("decision does not follow", "rollout", r.zero.Rollout, "error", err)
		return
	}
	r.state = s.anchored(now)
	r.push.set(r.state.Split())
	for _, d := range r.history.decisions[fresh:] {
		w.log.Info("decision", "rollout", d.Rollout, "kind", string(d.Kind), "step", d.To.Step,
			"weight_bp", int(d.Weight), "actor", d.Actor, "reason", d.Reason)
		if w.cfg.Decided != nil {
			w.cfg.Decided(d)
		}
	}
	w.show(r)
}
