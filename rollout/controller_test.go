package rollout

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/haldane-canary/haldane"
)

// live runs a controller in a world of fake time and ends it afterwards.
func live(t *testing.T, spec Spec, f func(t *testing.T, w *world, c *Controller)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, spec)
		c, end, err := w.start(t)
		if err != nil {
			t.Fatal(err)
		}
		f(t, w, c)
		synctest.Wait()
		w.check(t, "rules")
		end()
	})
}

// told fails the test unless the log tells the story.
func told(t *testing.T, w *world, want string) {
	t.Helper()
	synctest.Wait()
	if got := w.story(); got != want {
		t.Errorf("the log tells %q, want %q", got, want)
	}
}

// inForce fails the test unless the weight is in force.
func inForce(t *testing.T, w *world, want haldane.Weight) {
	t.Helper()
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	if got := w.splits["shop"].Weight; got != want {
		t.Errorf("weight %v is in force, want %v", got, want)
	}
}

// do carries out a verb that must work.
func do(t *testing.T, c *Controller, verb string) haldane.Decision {
	t.Helper()
	d, err := c.Do(t.Context(), "r", verb, "ops", "because")
	if err != nil {
		t.Fatalf("%s: %v", verb, err)
	}
	return d
}

func TestGoodCanaryClimbsAndCompletes(t *testing.T) {
	live(t, auto(), func(t *testing.T, w *world, c *Controller) {
		begun := time.Now()
		w.judge(c, always(haldane.Pass), time.Hour)
		told(t, w, "started weight weight promoted completed ")
		inForce(t, w, haldane.FullWeight)
		if took := time.Since(begun); took < 11*time.Minute || took > 11*time.Minute+2*time.Second {
			t.Errorf("took %v, want the sum of bakes and watch", took)
		}
		s, err := c.Get("r")
		if err != nil || s.Phase != haldane.Completed || s.Name != "r" || len(s.Steps) != 3 || s.Verdict == nil || s.Verdict.Counts != nil {
			t.Errorf("status %+v, %v", s, err)
		}
		d := w.decided[1]
		if string(d.Evidence.Counts) != `{"k":1}` || d.Verdict.Counts != nil || d.Evidence.Canary.N != 10 ||
			d.TraceIDs[0] != "abc" || d.Served != 100 || d.Versions != auto().Versions {
			t.Errorf("decision does not hold its evidence: %+v", d)
		}
	})
}

func TestFailTakesTheWeightAwayAtOnce(t *testing.T) {
	for _, phase := range []haldane.Phase{haldane.Stepping, haldane.Held, haldane.Watching} {
		live(t, auto(), func(t *testing.T, w *world, c *Controller) {
			synctest.Wait()
			if phase == haldane.Held {
				do(t, c, VerbHold)
			}
			if phase == haldane.Watching {
				do(t, c, VerbPromote)
			}
			before := time.Now()
			c.Observe(haldane.Verdict{Judgement: haldane.Fail, Rollout: "r", Reason: "worse"})
			// A pass right behind it must not cover it up.
			c.Observe(haldane.Verdict{Judgement: haldane.Pass, Rollout: "r", Epoch: 1, Step: 1})
			inForce(t, w, 0)
			if took := time.Since(before); took != 0 {
				t.Errorf("%s: took %v", phase, took)
			}
			w.judge(c, always(haldane.Pass), time.Hour)
			if s, err := c.Get("r"); err != nil || s.Phase != haldane.RolledBack || s.Reason != "worse" {
				t.Errorf("%s: became %+v, %v", phase, s, err)
			}
		})
	}
}

func TestDoubtNeverAdvances(t *testing.T) {
	spec := auto()
	spec.Plan.Deadline = 0
	live(t, spec, func(t *testing.T, w *world, c *Controller) {
		w.judge(c, always(haldane.Undecided), time.Hour)
		told(t, w, "started ")
		// One pass, long before the bake is over, and then silence.
		c.Observe(haldane.Verdict{Judgement: haldane.Pass, Rollout: "r", Epoch: 1, Step: 1})
		told(t, w, "started weight ")
		c.Observe(haldane.Verdict{Judgement: haldane.Pass, Rollout: "r", Epoch: 2, Step: 2})
		time.Sleep(time.Hour)
		told(t, w, "started weight ")
	})
}

func TestDeadlineHoldsAndAResumeStartsItAnew(t *testing.T) {
	live(t, auto(), func(t *testing.T, w *world, c *Controller) {
		time.Sleep(30*time.Minute - time.Millisecond)
		told(t, w, "started ")
		time.Sleep(time.Millisecond)
		told(t, w, "started held ")
		time.Sleep(time.Hour)
		inForce(t, w, 100)
		do(t, c, VerbResume)
		time.Sleep(30 * time.Minute)
		told(t, w, "started held resumed held ")
	})
}

func TestCommandsAnswer(t *testing.T) {
	spec := auto()
	spec.Auto = false
	live(t, spec, func(t *testing.T, w *world, c *Controller) {
		if d := do(t, c, VerbAbort); d.Seq != 0 {
			t.Errorf("abort of what is pending decided %+v", d)
		}
		for _, q := range []struct {
			name, verb string
			want       error
		}{{"r", VerbHold, ErrPhase}, {"r", "pause", ErrVerb}, {"other", VerbStart, ErrUnknown}, {"r.2", VerbStart, ErrUnknown}} {
			if _, err := c.Do(t.Context(), q.name, q.verb, "ops", ""); !errors.Is(err, q.want) {
				t.Errorf("%s %s: got %v, want %v", q.verb, q.name, err, q.want)
			}
		}
		d := do(t, c, VerbStart)
		if d.Seq != 1 || d.Actor != "ops" || d.Reason != "because" || d.Weight != 100 {
			t.Errorf("started: %+v", d)
		}
		inForce(t, w, 100)
		do(t, c, VerbAbort)
		inForce(t, w, 0)
		do(t, c, VerbAbort)
		if d := do(t, c, VerbStart); d.Rollout != "r.2" || d.Seq != 1 {
			t.Errorf("started again: %+v", d)
		}
		c.Observe(haldane.Verdict{Judgement: haldane.Fail, Rollout: "r"}) // on the one before
		inForce(t, w, 100)
		do(t, c, VerbRollBack)
		told(t, w, "started aborted started rolledback ")
		if s, err := c.Get("r.2"); err != nil || s.Phase != haldane.RolledBack || s.Name != "r.2" {
			t.Errorf("status %+v, %v", s, err)
		}
		if _, err := c.Get("r.3"); !errors.Is(err, ErrUnknown) {
			t.Errorf("got %v, want ErrUnknown", err)
		}
	})
}

func TestChangedTellsOfEveryChange(t *testing.T) {
	live(t, auto(), func(t *testing.T, _ *world, c *Controller) {
		synctest.Wait()
		changed := c.Changed()
		c.Observe(haldane.Verdict{Rollout: "r", Served: 99})
		<-changed
		if got := c.Status()[0].Served; got != 99 {
			t.Errorf("served %d, want 99", got)
		}
	})
}
