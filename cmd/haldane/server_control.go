package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/analyzer"
	"github.com/haldane-canary/haldane/events"
	"github.com/haldane-canary/haldane/events/bus"
	"github.com/haldane-canary/haldane/rollout"
	"github.com/haldane-canary/haldane/sketch"
)

// recoverEvery is how often the controller tries again to read what was
// decided, while the bus cannot be reached.
const recoverEvery = time.Second

// control runs the control plane until ctx ends, and returns nil then. If it
// fails, a process that serves requests goes on doing so without it: nothing
// advances, and what is to be done is in the log. Any other process ends.
func (s *server) control(ctx context.Context) error {
	defer s.tried.trip()
	err := s.unfit
	if err == nil {
		err = s.controlPlane(ctx)
	}
	if err == nil || ctx.Err() != nil {
		return nil
	}
	known, loadErr := s.splitFile.Load()
	if !s.survives(err, known) {
		return errors.Join(s.advised(err, known), loadErr)
	}
	s.log.Error("control plane failed; serving with the last known weights, and nothing will advance", "error", err)
	return nil
}

// controlPlane opens the bus and runs what talks over it.
func (s *server) controlPlane(ctx context.Context) (err error) {
	b, err := bus.Open(ctx, s.busConfig())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	s.bus.Store(b)
	defer s.bus.Store(nil)
	if err := s.registerAll(b.Collectors()...); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	heard := []func(haldane.Split){}
	if s.roles.proxy {
		heard = append(heard, s.apply)
		g.Go(func() error { return s.publisher.Run(ctx) })
	}
	if s.roles.analyzer {
		a, err := s.analyze(ctx, g, b)
		if err != nil {
			return errors.Join(err, g.Wait())
		}
		heard = append(heard, a.Split)
	}
	if s.roles.controller {
		g.Go(func() error { return s.decide(ctx, b) })
	} else {
		s.cameUp()
	}
	g.Go(func() error {
		return b.WatchSplits(ctx, func(split haldane.Split) {
			for _, tell := range heard {
				tell(split)
			}
		})
	})
	return g.Wait()
}

// cameUp notes that the control plane runs.
func (s *server) cameUp() {
	s.up.Store(true)
	s.tried.trip()
}

// busConfig returns where the bus is, as the configuration has it.
func (s *server) busConfig() bus.Config {
	c := bus.Config{
		URLs: s.cfg.Bus.URLs, Credentials: s.cfg.Bus.Credentials, Name: "haldane", Log: s.log,
		OnConnection: func(ok bool) {
			if s.proxy != nil {
				s.proxy.Contact(ok, time.Now())
			}
		},
	}
	if e := s.cfg.Bus.Embedded; e != nil {
		c.Dir, c.Listen = e.Dir, e.Listen
	}
	return c
}

// apply puts a split in force here, and keeps it for the next start. Splits
// that were overtaken change nothing.
func (s *server) apply(split haldane.Split) {
	s.splits.Lock()
	defer s.splits.Unlock()
	if !s.proxy.Apply(split) {
		return
	}
	if err := s.splitFile.Save(s.proxy.Splits()); err != nil {
		s.log.Error("last known weights not kept for the next start", "error", err)
	}
}

// publishReport says what the proxy has counted.
func (s *server) publishReport(ctx context.Context, r sketch.Report) error {
	b := s.bus.Load()
	if b == nil {
		return errors.New("there is no bus")
	}
	return b.PublishReport(ctx, r)
}

// analyze runs the analyzer in g.
func (s *server) analyze(ctx context.Context, g *errgroup.Group, b *bus.Bus) (*analyzer.Service, error) {
	a, err := analyzer.NewService(analyzerSpecs(s.cfg), func(ctx context.Context, v haldane.Verdict) error {
		s.metrics.Verdict(v)
		return b.PublishVerdict(ctx, v)
	}, s.log)
	if err != nil {
		return nil, err
	}
	if err := s.registerAll(analyzerCollectors(a)...); err != nil {
		return nil, err
	}
	g.Go(func() error {
		s.remind(ctx, a, b)
		return a.Run(ctx)
	})
	g.Go(func() error { return b.SubscribeReports(ctx, a.Report) })
	return a, nil
}

// remind tells the analyzer what was decided before this process began, as
// soon as the bus can say. Without it nothing is judged: a rollout whose
// evidence is forgotten would get another chance to be wrong.
func (s *server) remind(ctx context.Context, a *analyzer.Service, b *bus.Bus) {
	for {
		ds, err := b.Decisions(ctx, events.Filter("", "", ""), time.Time{})
		if err == nil {
			for _, d := range ds {
				a.Remember(d)
			}
			return
		}
		if ctx.Err() != nil {
			return
		}
		s.log.Warn("waiting for the bus to tell what was judged", "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(recoverEvery):
		}
	}
}

// decide runs the controller.
func (s *server) decide(ctx context.Context, b *bus.Bus) error {
	c, err := s.recover(ctx, b)
	if err != nil || c == nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return c.Run(ctx) })
	g.Go(func() error { return b.SubscribeVerdicts(ctx, c.Observe) })
	g.Go(func() error { return s.showStatus(ctx, c) })
	s.controller.set(c)
	defer s.controller.set(nil)
	s.cameUp()
	return g.Wait()
}

// recover returns the controller once it has learnt what was decided before,
// or nil if ctx has ended first.
func (s *server) recover(ctx context.Context, b *bus.Bus) (*rollout.Controller, error) {
	for {
		c, err := rollout.NewController(ctx, rollout.Config{
			Specs: rolloutSpecs(s.cfg), Journal: s.journal, Log: b, Logger: s.log,
			Weights: func(ctx context.Context, split haldane.Split) error { return s.putInForce(ctx, b, split) },
			Decided: s.decided,
		})
		switch {
		case err == nil:
			return c, nil
		case ctx.Err() != nil:
			return nil, nil // told to end; nothing is wrong
		case errors.Is(err, rollout.ErrDamaged), errors.Is(err, rollout.ErrSpec), errors.Is(err, bus.ErrDamaged), errors.Is(err, bus.ErrStore):
			return nil, fmt.Errorf("recover the controller: %w", err)
		}
		s.log.Warn("waiting for the bus to tell what was decided", "error", err)
		s.tried.trip()
		select {
		case <-ctx.Done():
			return nil, nil
		case <-time.After(recoverEvery):
		}
	}
}

// putInForce applies a split to the proxy in this process at once, and tells
// all others.
func (s *server) putInForce(ctx context.Context, b *bus.Bus, split haldane.Split) error {
	if s.roles.proxy {
		s.apply(split)
	}
	return b.PutSplit(ctx, split)
}

// decided shows a decision in metrics and traces. The controller logs it.
func (s *server) decided(d haldane.Decision) {
	s.metrics.Decided(d)
	if s.tracing != nil {
		s.tracing.Decided(d)
	}
}

// showStatus keeps the metrics of where rollouts stand up to date. Of each
// rollout one generation is shown.
func (s *server) showStatus(ctx context.Context, c *rollout.Controller) error {
	shown := make(map[string]string) // the generation that is shown, by service
	for {
		changed := c.Changed()
		for _, st := range c.Status() {
			if last := shown[st.Service]; last != "" && last != st.Name {
				s.metrics.Forget(last)
			}
			shown[st.Service] = st.Name
			s.metrics.Status(st)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
	}
}
