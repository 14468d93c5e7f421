package rollout

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/haldane-canary/haldane"
)

// ErrStopped is returned, wrapped, by commands to a controller that has ended.
var ErrStopped = errors.New("controller has stopped")

// A DecisionLog is the log of all decisions, shared by every controller.
type DecisionLog interface {
	// Append adds d, durably, as the decision after number d.Seq-1 of its
	// rollout. Appending the same d again is nothing. It returns
	// haldane.ErrConflict, wrapped, if the log holds another decision under that
	// number; after any other error d may or may not be in the log.
	Append(ctx context.Context, d haldane.Decision) error

	// History returns all decisions of a rollout, in order; of every rollout, if
	// service and rollout are "".
	History(ctx context.Context, service, rollout string) ([]haldane.Decision, error)
}

// Config is what a controller works with.
type Config struct {
	Specs   []Spec
	Journal *Journal
	Log     DecisionLog

	// Weights puts a split in force. It must return soon after its context ends,
	// and may be called again with the same split. It returns
	// haldane.ErrConflict, wrapped, if a later split is in force.
	Weights func(context.Context, haldane.Split) error

	// Decided, if set, is told each decision as it takes effect, from the
	// goroutine of Run, which it must not keep waiting. A reversal that had to
	// take another number is told again with it.
	Decided func(haldane.Decision)

	Logger *slog.Logger // nil logs nothing
}

// A Controller carries rollouts out. All methods are safe for concurrent use;
// Run is called once.
type Controller struct {
	cfg  Config
	log  *slog.Logger
	runs []*run // each belongs to Run

	inbox    inbox
	board    board
	requests chan *request
	stopped  chan struct{} // closed when Run has returned
}

// NewController returns a controller that knows what was decided before: it
// joins journal and decision log, so that each holds what the other had alone.
// It starts nothing. It returns ErrDamaged, wrapped, if they contradict one
// another or the log has lost what it had accepted; ErrSpec, wrapped, for
// specs that cannot be carried out; or the error of a log that cannot be read:
// then it is worth trying again.
func NewController(ctx context.Context, cfg Config) (*Controller, error) {
	if err := validateAll(cfg.Specs); err != nil {
		return nil, fmt.Errorf("set up rollouts: %w", err)
	}
	c := &Controller{
		cfg: cfg, log: cfg.Logger,
		requests: make(chan *request), stopped: make(chan struct{}),
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	c.inbox.wake = make(chan struct{}, 1)
	logged, err := cfg.Log.History(ctx, "", "")
	if err != nil {
		return nil, fmt.Errorf("read the decision log: %w", err)
	}
	if err := c.recover(logged, time.Now()); err != nil {
		return nil, fmt.Errorf("recover rollouts: %w", err)
	}
	for _, r := range c.runs {
		c.show(r)
	}
	return c, nil
}

// Run carries the rollouts out until ctx ends, and returns nil then. What it
// had begun by that time, the next controller finishes.
func (c *Controller) Run(ctx context.Context) error {
	defer close(c.stopped)
	ctx, cancel := context.WithCancel(ctx)
	w := &worker{Controller: c, ctx: ctx, results: make(chan func(time.Time))}
	defer w.calls.Wait()
	defer cancel()
	for _, r := range c.runs {
		r.push = w.newPusher(r)
		w.calls.Go(func() { r.push.run(ctx) })
		r.push.set(r.state.Split())
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		now := time.Now()
		for _, r := range c.runs {
			w.work(r, now) //nolint:contextcheck // the worker holds the context of this very Run
		}
		timer.Stop()
		if t, ok := c.nextWake(now); ok {
			timer.Reset(t.Sub(now))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		case <-c.inbox.wake:
			c.hear()
		case q := <-c.requests:
			w.command(q, time.Now())
		case f := <-w.results:
			f(time.Now())
		}
	}
}

// nextWake returns the earliest instant at which time alone gives any rollout
// something to do.
func (c *Controller) nextWake(now time.Time) (t time.Time, ok bool) {
	for _, r := range c.runs {
		u, due := r.spec.Plan.Wake(r.state, now)
		if r.retryAt.After(now) && (!due || r.retryAt.Before(u)) {
			u, due = r.retryAt, true
		}
		if due && (!ok || u.Before(t)) {
			t, ok = u, true
		}
	}
	return t, ok
}

// Observe takes in a verdict. It never blocks. Of several verdicts on a
// rollout between two looks the latest counts, but a fail is never dropped.
// Verdicts on what is no rollout of this controller are ignored.
func (c *Controller) Observe(v haldane.Verdict) {
	known := slices.ContainsFunc(c.runs, func(r *run) bool {
		_, ok := Generation(r.spec.Name, v.Rollout)
		return ok
	})
	if known {
		c.inbox.put(v, time.Now())
	}
}

// hear hands out the verdicts that came in.
func (c *Controller) hear() {
	heard := c.inbox.take()
	for _, r := range c.runs {
		if n, ok := heard[r.state.Rollout]; ok {
			r.hear(n)
			c.show(r)
		}
	}
}
