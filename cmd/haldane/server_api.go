package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/api"
	"github.com/haldane-canary/haldane/events"
	"github.com/haldane-canary/haldane/rollout"
)

// api returns what the admin listener serves. Its streams end with closing.
func (s *server) api(closing context.Context) http.Handler {
	cfg := api.Config{
		Log: s, Tokens: s.tokens, Ready: s.ready, Version: version(), Logger: s.log, Closing: closing,
		Metrics: promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{
			EnableOpenMetrics: true, // exemplars
			ErrorHandling:     promhttp.ContinueOnError,
		}),
	}
	if s.controller != nil {
		cfg.Rollouts = s.controller
	}
	return api.New(cfg)
}

// ready says why this process is not ready, if it is not. A proxy without its
// control plane is: it serves. Sending its clients elsewhere would help nobody.
func (s *server) ready() error {
	b := s.bus.Load()
	switch {
	case s.stopping.Load():
		return errors.New("stopping")
	case !s.tried.tripped():
		return errors.New("starting")
	case s.roles.proxy:
		return nil
	case b == nil || !b.Connected():
		return errors.New("the bus cannot be reached")
	case s.controller != nil && s.controller.get() == nil:
		return errors.New("the controller has not learnt yet what was decided")
	}
	return nil
}

// Events implements api.Log by the bus.
func (s *server) Events(ctx context.Context, f api.Filter, fn func([]byte) error) error {
	b := s.bus.Load()
	if b == nil {
		return fmt.Errorf("the bus has not come up: %w", api.ErrUnavailable)
	}
	read := b.Events
	if f.Follow {
		read = b.FollowEvents
	}
	err := read(ctx, events.Filter(f.Service, f.Rollout, f.Kind), f.Since, fn)
	if err != nil && ctx.Err() == nil && !b.Connected() {
		return fmt.Errorf("%w: %w", api.ErrUnavailable, err)
	}
	return err
}

// A controllerHandle is the controller as the API sees it, also while there is
// none yet.
type controllerHandle struct {
	controller atomic.Pointer[rollout.Controller]
	came       *latch // set when the controller has come up
}

func newControllerHandle() *controllerHandle { return &controllerHandle{came: newLatch()} }

func (h *controllerHandle) get() *rollout.Controller { return h.controller.Load() }

func (h *controllerHandle) set(c *rollout.Controller) {
	h.controller.Store(c)
	if c != nil {
		h.came.trip()
	}
}

// errNoController is told until the controller knows what was decided.
var errNoController = fmt.Errorf("the controller has not come up: %w", api.ErrUnavailable)

// Status returns where every rollout stands.
func (h *controllerHandle) Status() ([]haldane.Status, error) {
	c := h.get()
	if c == nil {
		return nil, errNoController
	}
	return c.Status(), nil
}

// Get returns where one rollout stands.
func (h *controllerHandle) Get(name string) (haldane.Status, error) {
	c := h.get()
	if c == nil {
		return haldane.Status{}, errNoController
	}
	st, err := c.Get(name)
	return st, translated(err)
}

// Do carries out a verb.
func (h *controllerHandle) Do(ctx context.Context, name, verb, actor, reason string) (haldane.Decision, error) {
	c := h.get()
	if c == nil {
		return haldane.Decision{}, errNoController
	}
	d, err := c.Do(ctx, name, verb, actor, reason)
	return d, translated(err)
}

// Changed returns a channel that is closed when Status may tell something new.
func (h *controllerHandle) Changed() <-chan struct{} {
	if c := h.get(); c != nil {
		return c.Changed()
	}
	return h.came.set
}

// translated returns err as the API knows it.
func translated(err error) error {
	for _, t := range []struct{ from, to error }{
		{rollout.ErrUnknown, api.ErrUnknown},
		{rollout.ErrVerb, api.ErrVerb},
		{rollout.ErrPhase, api.ErrPhase},
		{haldane.ErrConflict, api.ErrPhase},
		{rollout.ErrStopped, api.ErrUnavailable},
	} {
		if errors.Is(err, t.from) {
			return &apiError{err, t.to}
		}
	}
	return err
}

// An apiError says what err says, and is kind besides.
type apiError struct{ err, kind error }

func (e *apiError) Error() string   { return e.err.Error() }
func (e *apiError) Unwrap() []error { return []error{e.err, e.kind} }
