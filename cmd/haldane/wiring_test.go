package main

import (
	"errors"
	"fmt"
	"testing"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/api"
	"github.com/haldane-canary/haldane/config"
	"github.com/haldane-canary/haldane/rollout"
)

func TestSpecsHoldWhatIsConfigured(t *testing.T) {
	cfg, err := config.Parse("rig.yaml", []byte(newRig(t).yaml()))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range rolloutSpecs(cfg) {
		if err := s.Validate(); err != nil {
			t.Errorf("rollout: %v", err)
		}
	}
	for _, s := range analyzerSpecs(cfg) {
		if err := s.Validate(); err != nil {
			t.Errorf("analyzer: %v", err)
		}
	}
	if err := proxyConfig(cfg).Validate(); err != nil {
		t.Errorf("proxy: %v", err)
	}
	if got := analyzerSpecs(cfg)[0].Steps[1].Promote[haldane.Errors]; got != (haldane.Margin{Ratio: 10, Floor: 0.3}) {
		t.Errorf("the last step's margin is %+v", got)
	}
}

func TestTheAPIKnowsTheControllersErrors(t *testing.T) {
	for _, tt := range []struct{ from, to error }{
		{rollout.ErrUnknown, api.ErrUnknown},
		{rollout.ErrVerb, api.ErrVerb},
		{rollout.ErrPhase, api.ErrPhase},
		{rollout.ErrStopped, api.ErrUnavailable},
		{haldane.ErrConflict, api.ErrPhase},
	} {
		err := fmt.Errorf("hold x: %w", tt.from)
		if got := translated(err); !errors.Is(got, tt.to) || !errors.Is(got, tt.from) || got.Error() != err.Error() {
			t.Errorf("%v is told as %v, want %v with the same words", err, got, tt.to)
		}
	}
	if other := errors.New("disk full"); !errors.Is(translated(other), other) || errors.Is(translated(other), api.ErrUnavailable) || translated(nil) != nil {
		t.Error("another error, or none, has become one of the API's")
	}
}

func TestAControllerThatIsNotThereYet(t *testing.T) {
	h := newControllerHandle()
	if _, err := h.Get("x"); !errors.Is(err, api.ErrUnavailable) {
		t.Errorf("Get: %v", err)
	}
	if _, err := h.Do(t.Context(), "x", "hold", "alice", ""); !errors.Is(err, api.ErrUnavailable) {
		t.Errorf("Do: %v", err)
	}
	if sts, err := h.Status(); !errors.Is(err, api.ErrUnavailable) {
		t.Errorf("Status: %v, %v", sts, err)
	}
	select {
	case <-h.Changed():
		t.Error("a change before the controller has come")
	default:
	}
}

func TestRolesAreReadFromNames(t *testing.T) {
	for names, want := range map[string]roles{
		"proxy":                     {proxy: true},
		"analyzer, controller":      {analyzer: true, controller: true},
		"proxy,analyzer,controller": allRoles(),
	} {
		if got, err := parseRoles(names); err != nil || got != want {
			t.Errorf("%s: %+v, %v", names, got, err)
		}
	}
	for _, names := range []string{"", "proxy,", "judge"} {
		if _, err := parseRoles(names); err == nil {
			t.Errorf("%q was taken", names)
		}
	}
}

func TestReadinessIsAboutTheWorkOfTheProcess(t *testing.T) {
	s := &server{roles: roles{proxy: true}, tried: newLatch()}
	if err := s.ready(); err == nil {
		t.Error("ready while starting")
	}
	s.tried.trip()
	if err := s.ready(); err != nil {
		t.Errorf("a proxy that serves is not ready: %v", err)
	}
	s.stopping.Store(true)
	if err := s.ready(); err == nil {
		t.Error("ready while stopping")
	}
	c := &server{roles: roles{controller: true}, tried: newLatch(), controller: newControllerHandle()}
	c.tried.trip()
	if err := c.ready(); err == nil {
		t.Error("a controller without a bus is ready")
	}
}
