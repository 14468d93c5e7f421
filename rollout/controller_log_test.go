package rollout

import (
	"context"
	"errors"
	"math"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/haldane-canary/haldane"
)

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

func TestEvidenceThatCannotBeWrittenDownStopsNoRollback(t *testing.T) {
	for claim, spoil := range map[string]func(*haldane.Verdict){
		"no number":      func(v *haldane.Verdict) { v.Alpha = math.NaN() },
		"beyond numbers": func(v *haldane.Verdict) { v.Indicators = []haldane.Evidence{{LogE: math.Inf(1)}} },
		"no counts":      func(v *haldane.Verdict) { v.Counts = []byte("{") },
		"no share":       func(v *haldane.Verdict) { v.Served = -7 },
		"no text":        func(v *haldane.Verdict) { v.Reason = "\xff" },
	} {
		live(t, auto(), func(t *testing.T, w *world, c *Controller) {
			synctest.Wait()
			v := haldane.Verdict{Judgement: haldane.Fail, Rollout: "r", Reason: "worse"}
			spoil(&v)
			c.Observe(v)
			inForce(t, w, 0)
			told(t, w, "started rolledback ")
			if got := w.decided[1].Served; got != 0 {
				t.Errorf("%s: served %d, want 0", claim, got)
			}
		})
	}
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
