package rollout

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/haldane-canary/haldane"
)

// callTimeout is how long one call to the decision log may take.
const callTimeout = 5 * time.Second

// A worker is the controller while it runs: it makes the calls that take time
// in goroutines of their own, and has Run carry out what they came to.
type worker struct {
	*Controller
	ctx     context.Context // ends when Run does; calls end with it
	calls   sync.WaitGroup
	results chan func(now time.Time)
}

// A proposal is a decision that counts only once the log has accepted it.
type proposal struct {
	zero     State  // before the first decision of its generation
	since    number // where the rollout stood when it was made
	decision haldane.Decision
	request  *request // who asked for it; nil if nobody
}

// call makes a call to the log for r, and has Run carry out done when it ends.
func (w *worker) call(r *run, do func(context.Context) error, done func(err error, now time.Time)) {
	ctx, cancel := context.WithTimeout(w.ctx, callTimeout)
	r.busy, r.giveUp = true, cancel
	w.calls.Go(func() {
		defer cancel()
		err := do(ctx)
		w.result(func(now time.Time) {
			r.busy, r.giveUp = false, nil
			done(err, now)
		})
	})
}

// result has Run carry out f, unless it has ended.
func (w *worker) result(f func(now time.Time)) {
	select {
	case w.results <- f:
	case <-w.ctx.Done():
	}
}

// tell tells the log of d, a reversal that is in force already.
func (w *worker) tell(r *run, d haldane.Decision) {
	w.call(r, func(ctx context.Context) error { return w.cfg.Log.Append(ctx, d) }, func(err error, now time.Time) {
		if err != nil {
			w.unaccepted(r, r.zero, d, err, now)
			return
		}
		r.history.accepted = int(d.Seq)
		r.succeeded()
		w.write(r)
	})
}

// ask asks the log to accept p.
func (w *worker) ask(r *run, p proposal) {
	d := p.decision
	w.call(r, func(ctx context.Context) error { return w.cfg.Log.Append(ctx, d) }, func(err error, now time.Time) {
		if err == nil && r.state.number() != p.since {
			err = fmt.Errorf("a reversal came first: %w", haldane.ErrConflict)
		}
		if err == nil {
			h := r.known(p.zero).with(d)
			h.accepted = len(h.decisions)
			err = w.commit(r, p.zero, h, len(h.decisions)-1, now)
		}
		if err != nil {
			w.unaccepted(r, p.zero, d, err, now)
			p.request.reply(haldane.Decision{}, fmt.Errorf("%s of %s is not recorded: %w", d.Kind, d.Rollout, err))
			return
		}
		r.succeeded()
		p.request.reply(d, nil)
	})
}

// unaccepted takes in that the log refused d, or that nobody knows: then the
// log must be looked at before anything else.
func (w *worker) unaccepted(r *run, zero State, d haldane.Decision, err error, now time.Time) {
	r.doubt = &zero
	if errors.Is(err, haldane.ErrConflict) || errors.Is(err, context.Canceled) {
		return // no fault of the log's: look at once
	}
	w.log.Warn("decision not recorded", "rollout", d.Rollout, "kind", string(d.Kind), "error", err)
	r.failed(now)
}

// inquire clears up what the log holds of the generation that begins with
// zero, and takes over what was not known of it.
func (w *worker) inquire(r *run, zero State) {
	var logged []haldane.Decision
	w.call(r, func(ctx context.Context) (err error) {
		logged, err = w.cfg.Log.History(ctx, zero.Service, zero.Rollout)
		return err
	}, func(err error, now time.Time) {
		if err == nil {
			err = w.join(r, zero, logged, now)
		}
		if err != nil {
			w.log.Error("decision log cannot be followed", "rollout", zero.Rollout, "error", err)
			r.failed(now)
			return
		}
		r.doubt = nil
		r.succeeded()
	})
}

// join makes r's what the log holds of the generation that begins with zero.
func (w *worker) join(r *run, zero State, logged []haldane.Decision, now time.Time) error {
	h, fresh, err := reconcile(zero, r.known(zero), logged)
	if err != nil || len(h.decisions) == 0 {
		return err
	}
	return w.commit(r, zero, h, fresh, now)
}
