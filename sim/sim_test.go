package sim_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/rollout"
	"github.com/haldane-canary/haldane/sim"
)

// Seeds are fixed, so these tests cannot flake: they can only be right or
// wrong. `make bench` measures the same with thousands of rollouts.
const (
	alikeRollouts = 60
	huntRollouts  = 40
)

func measure(t *testing.T, w sim.World, n int) sim.Measurement {
	t.Helper()
	m, err := sim.Measure(w, n)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestFalseRollbacksStayWithinAlpha(t *testing.T) {
	for _, w := range sim.Alike() {
		t.Run(w.Name, func(t *testing.T) {
			t.Parallel()
			m := measure(t, w, alikeRollouts)
			if m.Lower > 0.01 {
				t.Errorf("%d of %d rolled back (99 %% interval from %.3f): more than alpha", m.RolledBack, m.Rollouts, m.Lower)
			}
			if m.Completed < m.Rollouts*8/10 {
				t.Errorf("%d of %d completed: a canary that is alike should get in", m.Completed, m.Rollouts)
			}
		})
	}
}

func TestAWorseCanaryIsRolledBackWithinTheGoal(t *testing.T) {
	for _, h := range sim.Hunts() {
		t.Run(h.Name, func(t *testing.T) {
			t.Parallel()
			m := measure(t, h.World, huntRollouts)
			if m.RolledBack != m.Rollouts {
				t.Errorf("%d of %d rolled back, want all", m.RolledBack, m.Rollouts)
			}
			if m.Mean-3*m.StdErr > h.Goal {
				t.Errorf("took %.0f ± %.0f requests on average, want at most %.0f", m.Mean, m.StdErr, h.Goal)
			}
			if m.Mean < h.Bound/2 {
				t.Errorf("took %.0f requests on average, far below the bound of %.0f that no test can beat", m.Mean, h.Bound)
			}
		})
	}
}

func TestTheSameSeedGivesTheSameRollout(t *testing.T) {
	w := sim.Alike()[4]
	a, err := sim.Run(w, 7)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := sim.Run(w, 7); err != nil || a != b {
		t.Errorf("got %+v and %+v, %v", a, b, err)
	}
	if b, err := sim.Run(w, 8); err != nil || a == b {
		t.Errorf("another seed gave the very same %+v, %v", b, err)
	}
}

func TestAWorldThatCannotBeJudgedIsAnError(t *testing.T) {
	w := sim.Alike()[0]
	w.Spec.Alpha = 7
	if _, err := sim.Measure(w, 2); err == nil {
		t.Error("measured with an alpha of 7")
	}
}

func ExampleRun() {
	dead := sim.World{
		Name: "dead canary", Rate: 1000,
		New: func() sim.Service {
			return sim.Steady{{Median: 0.02, Sigma: 0.5}, {Failures: 1, Median: 0.02, Sigma: 0.5}}
		},
		Plan:    rollout.Plan{Steps: []rollout.Step{{Weight: 100, Bake: time.Minute}}},
		Horizon: time.Minute,
	}
	r, err := sim.Run(dead, 1)
	fmt.Println(r.Phase == haldane.RolledBack, r.Harm <= 5, err)
	// Output: true true <nil>
}
