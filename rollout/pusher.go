package rollout

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/haldane-canary/haldane"
)

// pushTimeout is how long one attempt to put a split in force may take.
const pushTimeout = 5 * time.Second

// A pusher puts the splits of one rollout in force, one at a time and in
// order, and tries again where that fails. A newer split takes the place of
// one that is still on its way, so that a rollback never queues up behind the
// weight that it takes away.
type pusher struct {
	slot    chan haldane.Split // of one: the newest split
	apply   func(context.Context, haldane.Split) error
	refused func() // told that a later split than ours is in force
	log     *slog.Logger
}

// newPusher returns the pusher of r's splits.
func (w *worker) newPusher(r *run) pusher {
	refused := func() {
		w.result(func(time.Time) {
			if r.doubt == nil {
				zero := r.zero
				r.doubt = &zero
			}
		})
	}
	return pusher{slot: make(chan haldane.Split, 1), apply: w.cfg.Weights, refused: refused, log: w.log}
}

// set makes s the next split to put in force. Only one goroutine may call it.
func (p *pusher) set(s haldane.Split) {
	select {
	case <-p.slot:
	default:
	}
	p.slot <- s
}

// run puts splits in force until ctx ends.
func (p *pusher) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-p.slot:
			p.deliver(ctx, s)
		}
	}
}

// deliver puts s in force, or what replaces it meanwhile, however often it
// must try.
func (p *pusher) deliver(ctx context.Context, s haldane.Split) {
	const first, longest = 20 * time.Millisecond, 2 * time.Second
	for wait := first; ; wait = min(2*wait, longest) {
		newer, err := p.attempt(ctx, s)
		switch {
		case newer != nil:
			s, wait = *newer, first/2
			continue
		case err == nil, ctx.Err() != nil:
			return
		case errors.Is(err, haldane.ErrConflict):
			p.log.Error("weight refused: a later one is in force", "rollout", s.Rollout, "weight_bp", int(s.Weight), "epoch", s.Epoch, "error", err)
			p.refused()
			return
		}
		p.log.Warn("weight not yet in force", "rollout", s.Rollout, "weight_bp", int(s.Weight), "epoch", s.Epoch, "error", err)
		select {
		case <-ctx.Done():
			return
		case s = <-p.slot:
			wait = first / 2
		case <-time.After(wait):
		}
	}
}

// attempt tries once. It returns the split that came in meanwhile, if any,
// after giving up on s.
func (p *pusher) attempt(ctx context.Context, s haldane.Split) (newer *haldane.Split, err error) {
	ctx, cancel := context.WithTimeout(ctx, pushTimeout)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- p.apply(ctx, s) }()
	select {
	case err := <-done:
		return nil, err
	case n := <-p.slot:
		cancel()
		p.log.Debug("split overtaken by a newer one", "rollout", s.Rollout, "error", <-done)
		return &n, nil
	}
}
