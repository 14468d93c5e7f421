package rollout

import (
	"context"
	"errors"
	"os"
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
			switch phase {
			case haldane.Held:
				do(t, c, VerbHold)
			case haldane.Watching:
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
		time.Sleep(30*time.Minute - 1)
		told(t, w, "started ")
		time.Sleep(1)
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

func TestWithoutTheLogNothingAdvancesButRollbackWorks(t *testing.T) {
	for _, m := range []mode{down, hangs} {
		live(t, auto(), func(t *testing.T, w *world, c *Controller) {
			synctest.Wait()
			w.set(m)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
			defer cancel()
			if _, err := c.Do(ctx, "r", VerbPromote, "ops", ""); err == nil {
				t.Error("promoted without the log")
			}
			w.judge(c, always(haldane.Pass), 5*time.Minute)
			inForce(t, w, 100)
			c.Observe(haldane.Verdict{Judgement: haldane.Fail, Rollout: "r"})
			inForce(t, w, 0)
			told(t, w, "started ")
			time.Sleep(10 * time.Minute)
			w.set(works)
			time.Sleep(5 * time.Second)
			told(t, w, "started rolledback ")
		})
	}
}

func TestAnswerThatWasLostIsFound(t *testing.T) {
	live(t, auto(), func(t *testing.T, w *world, c *Controller) {
		synctest.Wait()
		w.set(forgets)
		if _, err := c.Do(t.Context(), "r", VerbPromote, "ops", ""); !errors.Is(err, errDown) {
			t.Errorf("got %v, want the log's error", err)
		}
		time.Sleep(time.Second)
		inForce(t, w, haldane.FullWeight) // it is in the log
		// And a rollback finds its way past an advance that nobody knew of.
		told(t, w, "started promoted ")
		do(t, c, VerbRollBack)
		w.set(works)
		time.Sleep(5 * time.Second)
		told(t, w, "started promoted rolledback ")
	})
}

// TestRollbackWinsOverAnotherController has the log hold an advance that this
// controller does not know of.
func TestRollbackWinsOverAnotherController(t *testing.T) {
	live(t, auto(), func(t *testing.T, w *world, c *Controller) {
		synctest.Wait()
		n := name{"shop", "r"}
		s, err := fold(NewState("shop", "r", 1, haldane.Versions{}), w.logged[n])
		if err != nil {
			t.Fatal(err)
		}
		w.logged[n] = append(w.logged[n], decide(s, ramp().full(s, "theirs", nil), "other", time.Now()))
		do(t, c, VerbRollBack)
		time.Sleep(time.Second)
		told(t, w, "started promoted rolledback ")
		inForce(t, w, 0)
		if last := w.decided[len(w.decided)-1]; last.Seq != 3 || last.From.Phase != haldane.Watching {
			t.Errorf("told last of %+v, want the rollback by its new number", last)
		}
	})
}

func TestAnOvertakenControllerFollows(t *testing.T) {
	live(t, auto(), func(t *testing.T, w *world, c *Controller) {
		synctest.Wait()
		n := name{"shop", "r"}
		s, err := fold(NewState("shop", "r", 1, haldane.Versions{}), w.logged[n])
		if err != nil {
			t.Fatal(err)
		}
		w.logged[n] = append(w.logged[n], decide(s, ramp().back(s, "theirs", nil), "other", time.Now()))
		if _, err := c.Do(t.Context(), "r", VerbPromote, "ops", ""); !errors.Is(err, haldane.ErrConflict) {
			t.Errorf("got %v, want ErrConflict", err)
		}
		time.Sleep(time.Second)
		inForce(t, w, 0)
		told(t, w, "started rolledback ")
	})
}

func TestAbortDuringAStartWaitsForItAndWins(t *testing.T) {
	spec := auto()
	spec.Auto = false
	live(t, spec, func(t *testing.T, w *world, c *Controller) {
		w.set(hangs)
		ctx, cancel := context.WithCancel(t.Context())
		started := make(chan error, 1)
		go func() { _, err := c.Do(ctx, "r", VerbStart, "ops", ""); started <- err }()
		synctest.Wait()
		aborted := make(chan error, 1)
		go func() { _, err := c.Do(t.Context(), "r", VerbAbort, "ops", ""); aborted <- err }()
		synctest.Wait()
		// The start gets through at the very last moment.
		s := NewState("shop", "r", 1, spec.Versions)
		w.mu.Lock()
		w.logged[name{"shop", "r"}] = []haldane.Decision{decide(s, ramp().start(""), "ops", time.Now())}
		w.log = works
		w.mu.Unlock()
		cancel()
		<-started
		if err := <-aborted; err != nil {
			t.Error(err)
		}
		inForce(t, w, 0)
		told(t, w, "started aborted ")
	})
}

func TestUnwritableJournalAdvancesNothingButRollbackWorks(t *testing.T) {
	live(t, auto(), func(t *testing.T, w *world, c *Controller) {
		synctest.Wait()
		disk := c.cfg.Journal.file
		bad := &badDisk{file: disk, write: os.ErrPermission}
		c.cfg.Journal.file = bad
		w.judge(c, always(haldane.Pass), time.Minute)
		inForce(t, w, 100)
		c.Observe(haldane.Verdict{Judgement: haldane.Fail, Rollout: "r"})
		inForce(t, w, 0)
	})
}

func TestNewVersionsAreANewGeneration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, auto())
		run := func(judge haldane.Judgement, d time.Duration) {
			c, end, err := w.start(t)
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			w.judge(c, always(judge), d)
			synctest.Wait()
			end()
		}
		run(haldane.Undecided, time.Second)
		w.specs[0].Versions.Canary = "3"
		run(haldane.Undecided, time.Second) // superseded while stepping
		if got := w.story(); got != "started aborted started " {
			t.Errorf("the log tells %q", got)
		}
		run(haldane.Fail, time.Second)
		run(haldane.Pass, time.Second) // settled, and the same versions: stays so
		w.specs[0].Versions.Canary = "4"
		run(haldane.Pass, time.Hour)
		if got, want := w.story(), "started aborted started rolledback started weight weight promoted completed "; got != want {
			t.Errorf("the log tells %q, want %q", got, want)
		}
		if got := w.splits["shop"]; got.Rollout != "r.3" || got.Weight != haldane.FullWeight {
			t.Errorf("in force is %+v", got)
		}
		w.check(t, "rules")
	})
}

func TestRolloutThatIsNoLongerConfiguredIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, auto())
		c, end, err := w.start(t)
		if err != nil {
			t.Fatal(err)
		}
		w.judge(c, always(haldane.Undecided), time.Second)
		synctest.Wait()
		end()
		w.specs = []Spec{auto()}
		w.specs[0].Name, w.specs[0].Auto = "q", false
		if _, end, err = w.start(t); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		end()
		ds := w.logged[name{"shop", "r"}]
		if len(ds) != 2 || ds[1].Kind != haldane.KindAborted {
			t.Errorf("the old rollout's decisions: %+v", ds)
		}
	})
}

func TestStoppedControllerRefusesCommands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, auto())
		c, end, err := w.start(t)
		if err != nil {
			t.Fatal(err)
		}
		end()
		if _, err := c.Do(t.Context(), "r", VerbHold, "ops", ""); !errors.Is(err, ErrStopped) {
			t.Errorf("got %v, want ErrStopped", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		idle := &Controller{requests: make(chan *request)}
		if _, err := idle.Do(ctx, "r", VerbHold, "ops", ""); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want the context's end", err)
		}
	})
}
