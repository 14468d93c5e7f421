package rollout

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/haldane-canary/haldane"
)

// A request is a command on its way to Run, and the answer on its way back.
type request struct {
	ctx                       context.Context // of the one who asks
	name, verb, actor, reason string
	answer                    chan answer // of one, so that answering never waits
}

// An answer is what a command came to.
type answer struct {
	decision haldane.Decision
	err      error
}

// reply answers q, if there is one.
func (q *request) reply(d haldane.Decision, err error) {
	if q != nil {
		q.answer <- answer{d, err}
	}
}

// Do carries out a verb for actor and returns the decision that it became; the
// zero Decision if there was nothing to do, as for an abort of what does not
// run. name is the rollout's as configured, or with its current generation.
//
// Whatever keeps or raises the weight is decided only when the decision log
// has accepted it, so Do waits for that. A rollback or an abort is in force
// when Do returns, whether or not the log can be reached. If Do returns an
// error other than ErrUnknown, ErrVerb and ErrPhase, the command may yet be
// found to have been recorded.
func (c *Controller) Do(ctx context.Context, name, verb, actor, reason string) (haldane.Decision, error) {
	if !slices.Contains(Verbs(), verb) {
		return haldane.Decision{}, fmt.Errorf("%q (%v): %w", verb, Verbs(), ErrVerb)
	}
	q := &request{ctx: ctx, name: name, verb: verb, actor: actor, reason: reason, answer: make(chan answer, 1)}
	select {
	case c.requests <- q:
	case <-ctx.Done():
		return haldane.Decision{}, fmt.Errorf("%s %s: %w", verb, name, ctx.Err())
	case <-c.stopped:
		return haldane.Decision{}, fmt.Errorf("%s %s: %w", verb, name, ErrStopped)
	}
	select {
	case a := <-q.answer:
		return a.decision, a.err
	case <-ctx.Done():
		return haldane.Decision{}, fmt.Errorf("%s %s: %w", verb, name, ctx.Err())
	case <-c.stopped:
		return haldane.Decision{}, fmt.Errorf("%s %s: %w", verb, name, ErrStopped)
	}
}

// command carries q out at once if it is a reversal that fits, and else has it
// wait its turn.
func (w *worker) command(q *request, now time.Time) {
	i := slices.IndexFunc(w.runs, func(r *run) bool { return r.called(q.name) })
	if i < 0 {
		q.reply(haldane.Decision{}, fmt.Errorf("%s %q: %w", q.verb, q.name, ErrUnknown))
		return
	}
	r := w.runs[i]
	if q.verb == VerbRollBack || q.verb == VerbAbort {
		m, due, err := r.spec.Plan.Command(r.state, q.verb, q.reason, r.shown())
		if err == nil && due {
			q.reply(w.reverse(r, m, q.actor, now), nil)
			return
		}
	}
	// A start may be under way that this abort is meant for: it is judged when that is known.
	r.waiting = append(r.waiting, q)
}

// called reports whether name names r.
func (r *run) called(name string) bool { return name == r.spec.Name || name == r.state.Rollout }

// requested returns the first waiting command that has something to propose,
// after answering those before it that have not. Behind a reversal of which
// the log has yet to be told, all wait on.
func (w *worker) requested(r *run, now time.Time) (proposal, bool) {
	for len(r.waiting) > 0 && r.history.told() {
		q := r.waiting[0]
		r.waiting = r.waiting[1:]
		zero, s := r.zero, r.state
		if q.verb == VerbStart && s.Phase.Settled() && !r.retired {
			zero = w.nextGeneration(r)
			s = zero
		}
		m, due, err := r.spec.Plan.Command(s, q.verb, q.reason, r.shown())
		switch {
		case err != nil || !due:
			q.reply(haldane.Decision{}, err)
		case reversal(m.Kind):
			// Even if its caller has gone: taking the weight away harms nobody.
			q.reply(w.reverse(r, m, q.actor, now), nil)
		case q.ctx.Err() != nil:
			q.reply(haldane.Decision{}, q.ctx.Err())
		default:
			return proposal{zero: zero, since: r.state.number(), decision: decide(s, m, q.actor, now), request: q}, true
		}
	}
	return proposal{}, false
}
